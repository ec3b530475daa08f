import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { Anthropic } from '@anthropic-ai/sdk';
import { OpenAI } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { events, type FaultServer, faultServer, json } from './fault-server.ts';

/**
 * How the installed SDKs behave where we rely on it or guard against it (P1-P21 of our reference). A change here after
 * an update is news: read it, then change what stands on it.
 */
let server: FaultServer;
let other: FaultServer;
beforeAll(async () => {
  server = await faultServer();
  other = await faultServer();
});
afterAll(async () => {
  await server.close();
  await other.close();
});
beforeEach(() => {
  server.hits = 0;
  other.hits = 0;
  other.bodies = [];
  other.headers = [];
});

const KEY = 'sk-probe-0123456789abcdef';
interface Sdk {
  plain(options?: object): Promise<unknown>;
  stream(options?: object): Promise<AsyncIterable<unknown>>;
  readonly client: object;
  readonly first: readonly [string | undefined, string];
  readonly error: readonly [string | undefined, string];
}
const sdks: Readonly<Record<string, () => Sdk>> = {
  openai() {
    const client = new OpenAI({ apiKey: KEY, baseURL: server.url, logLevel: 'off' });
    const params = { model: 'm', messages: [{ role: 'user', content: 'hi' }] } as const;
    return {
      client,
      plain: (options) => client.chat.completions.create({ ...params, messages: [...params.messages] }, options),
      stream: async (options) =>
        client.chat.completions.create({ ...params, messages: [...params.messages], stream: true }, options),
      first: [
        undefined,
        '{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}',
      ],
      error: [undefined, '{"error":{"type":"server_error","message":"overloaded"}}'],
    };
  },
  anthropic() {
    const client = new Anthropic({ apiKey: KEY, baseURL: server.url, logLevel: 'off' });
    const params = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] } as const;
    return {
      client,
      plain: (options) => client.messages.create({ ...params, messages: [...params.messages] }, options),
      stream: async (options) =>
        client.messages.create({ ...params, messages: [...params.messages], stream: true }, options),
      first: [
        'content_block_delta',
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}',
      ],
      error: ['error', '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'],
    };
  },
};

/** What became of it within `ms`: an ending with its count, an error's name, or still pending. */
async function outcome(work: Promise<unknown>, ms = 10_000): Promise<string> {
  const late = new Promise<string>((resolve) => setTimeout(resolve, ms, 'pending').unref());
  return Promise.race([
    work.then(
      (value) => `ok ${String(value)}`,
      (error: Error) => `${error.constructor.name} ${(error as { status?: number }).status}`,
    ),
    late,
  ]);
}
async function count(stream: Promise<AsyncIterable<unknown>>): Promise<number> {
  let seen = 0;
  for await (const _event of await stream) seen++;
  return seen;
}

for (const [name, make] of Object.entries(sdks)) {
  describe(`the ${name} SDK`, () => {
    it('P1: ends a cut stream as a clean success', async () => {
      const sdk = make();
      server.mode = events([sdk.first]);
      expect(await outcome(count(sdk.stream()))).toBe('ok 1');
    });
    it('P2, P3: takes a page of HTML for an answer', async () => {
      const sdk = make();
      server.mode = (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
      expect(await outcome(count(sdk.stream()))).toBe('ok 0');
      expect(await outcome(sdk.plain())).toBe('ok <html>');
    });
    it('P4: does not notice a stream that stalls', async () => {
      const sdk = make();
      server.mode = events([sdk.first], () => undefined);
      expect(await outcome(count(sdk.stream({ timeout: 100 })), 350)).toBe('pending');
    });
    it('P5: a body that stalls half-way', async () => {
      const sdk = make();
      server.mode = (_, response) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":');
      const [ending, ms] = name === 'openai' ? ['APIConnectionTimeoutError undefined', 15_000] : ['pending', 500];
      expect(await outcome(sdk.plain({ timeout: 100, maxRetries: 0 }), ms as number)).toBe(ending);
    });
    it('P6: an abort in mid-stream looks like the end', async () => {
      const sdk = make();
      server.mode = events([sdk.first], () => undefined);
      const controller = new AbortController();
      let seen = 0;
      for await (const _event of await sdk.stream({ signal: controller.signal })) {
        seen++;
        controller.abort();
      }
      expect(seen).toBe(1);
    });
    it('P7: retries what has no quota', async () => {
      const sdk = make();
      server.mode = json(
        429,
        { error: { code: 'insufficient_quota', type: 'insufficient_quota', message: 'x' } },
        { 'retry-after-ms': '1' },
      );
      await outcome(sdk.plain(), 15_000);
      expect(server.hits).toBe(3);
    });
    it('P10: x-should-retry: false is obeyed', async () => {
      const sdk = make();
      server.mode = json(500, { error: { message: 'x' } }, { 'x-should-retry': 'false' });
      await outcome(sdk.plain());
      expect(server.hits).toBe(1);
    });
    it('P11: timeouts multiply by attempts', async () => {
      const sdk = make();
      server.mode = () => undefined;
      expect(await outcome(sdk.plain({ timeout: 60, maxRetries: 1 }), 15_000)).toBe(
        'APIConnectionTimeoutError undefined',
      );
      expect(server.hits).toBe(2);
    });
    it('P12: an error event inside a 200 has no status', async () => {
      const sdk = make();
      server.mode = events([sdk.error]);
      expect(await outcome(count(sdk.stream()))).toBe('APIError undefined');
    });
    it('P13: junk in a stream is a bare SyntaxError', async () => {
      const sdk = make();
      server.mode = events([[sdk.first[0], '{"junk']]);
      expect(await outcome(count(sdk.stream()))).toBe('SyntaxError undefined');
    });
    it('P14: a reset in mid-body is a bare TypeError', async () => {
      const sdk = make();
      server.mode = events([sdk.first], (response) => response.destroy());
      expect(await outcome(count(sdk.stream()))).toBe('TypeError undefined');
    });
    it('P16: leaves no listener on the signal', async () => {
      const sdk = make();
      server.mode = events([sdk.first]);
      const controller = new AbortController();
      for (let round = 0; round < 5; round++) await count(sdk.stream({ signal: controller.signal }));
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    });
    it('P17: inspecting a client shows the key', () => {
      expect(inspect(make().client, { depth: 4 })).toContain(KEY);
    });
    it('P18: a key echoed in an error body is in the message', async () => {
      const sdk = make();
      server.mode = json(401, { error: { message: `Incorrect key: ${KEY}`, type: 'authentication_error' } });
      const error = await sdk.plain().catch((thrown: Error) => thrown);
      expect((error as Error).message).toContain(KEY);
    });
    it('P19: follows a redirect to another host and sends the prompt again', async () => {
      const sdk = make();
      server.mode = (_, response) => response.writeHead(307, { location: `${other.url}/elsewhere` }).end();
      other.mode = json(200, {});
      await outcome(sdk.plain());
      expect(other.bodies[0]).toContain('"hi"');
      expect(other.headers[0]?.authorization).toBeUndefined();
    });
    it('P20: sends no idempotency header', async () => {
      const sdk = make();
      server.headers = [];
      server.mode = json(200, {});
      await outcome(sdk.plain());
      expect(Object.keys(server.headers[0] ?? {}).filter((header) => header.includes('idempotency'))).toEqual([]);
    });
  });
}

describe('P8, P9: a Retry-After of 90 seconds or of the past', () => {
  it('openai ignores the long one and retries soon', async () => {
    const sdk = (sdks['openai'] as () => Sdk)();
    server.mode = json(429, { error: { message: 'x' } }, { 'retry-after': '90' });
    await outcome(sdk.plain({ maxRetries: 1 }), 15_000);
    expect(server.hits).toBe(2);
  });
  it('anthropic sleeps as long as asked', async () => {
    const sdk = (sdks['anthropic'] as () => Sdk)();
    server.mode = json(429, { error: { message: 'x' } }, { 'retry-after': '90' });
    expect(await outcome(sdk.plain({ maxRetries: 1 }), 1_500)).toBe('pending');
    expect(server.hits).toBe(1);
  });
  it('both back off for a date in the past', async () => {
    for (const make of Object.values(sdks)) {
      server.hits = 0;
      server.mode = json(429, { error: { message: 'x' } }, { 'retry-after': 'Sun, 22 Nov 2020 11:00:00 GMT' });
      await outcome(make().plain({ maxRetries: 1 }), 15_000);
      expect(server.hits).toBe(2);
    }
  });
});

describe('P15: bounds the SDKs lack', () => {
  it('openai reads a line of any length', async () => {
    const sdk = (sdks['openai'] as () => Sdk)();
    const text = 'x'.repeat(3 * 1024 * 1024);
    server.mode = events([
      [
        undefined,
        `{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}`,
      ],
    ]);
    expect(await outcome(count(sdk.stream()), 5_000)).toBe('ok 1');
  });
});

describe('P21: the common e-mail pattern', () => {
  /** The fastest of a few turns, in milliseconds: noise only ever adds. */
  const fastest = (text: string): number => {
    const turns = Array.from({ length: 3 }, () => {
      const start = performance.now();
      expect(/[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}/.test(text)).toBe(false);
      return performance.now() - start;
    });
    return Math.min(...turns);
  };
  // Our own detectors must not: test/redaction/linear-time.test.ts measures them on the same text.
  it('takes the square of the time for a text of dashes in this engine', { retry: 3 }, () => {
    const small = fastest(`a@${'a-'.repeat(500)}`);
    const large = fastest(`a@${'a-'.repeat(5_000)}`);
    // Ten times the text: linear is 10, the square 100.
    expect(large / small).toBeGreaterThan(30);
  });
});
