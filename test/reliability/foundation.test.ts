import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGateway, type Gateway, type GatewayEvents, isGatewayError, LIMITS } from '../../src/index.ts';
import { parseJson } from '../../src/core/wire-json.ts';
import { mergeNative } from '../../src/core/wire-json.ts';
import { type AttemptRow, meter } from '../../src/middleware/meter.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { mockProvider } from '../../src/testing/index.ts';
import { size } from '../size.ts';

const SSE = { headers: { 'content-type': 'text/event-stream' } };
const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const gatewayOver = (fetch: () => Promise<Response>): Gateway =>
  createGateway({
    providers: [openai({ transport: 'fetch', api: 'chat', apiKey: 'sk-test-0123456789', fetch })],
    models: { default: 'openai/m' },
    use: [],
  });

describe('STR-17: a slow reader', () => {
  it('pauses the upstream instead of filling memory', async () => {
    let produced = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          produced++;
          controller.enqueue(new TextEncoder().encode(chunk({ content: 'x' })));
        },
      },
      { highWaterMark: 1 },
    );
    const stream = gatewayOver(async () => new Response(body, SSE)).stream('x');
    let read = 0;
    for await (const _text of stream.text) {
      if (++read === 5) break;
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(produced).toBeLessThan(20);
  });
});

describe('USE-04: an answer that is not read to its end', () => {
  it('is on the books with at least what was sent and delivered', async () => {
    const rows: AttemptRow[] = [];
    const fetch = async () =>
      new Response(Array.from({ length: 50 }, (_, index) => chunk({ content: `word${index} ` })).join(''), SSE);
    const gateway = createGateway({
      providers: [openai({ transport: 'fetch', api: 'chat', apiKey: 'sk-test-0123456789', fetch })],
      models: { default: 'openai/m' },
      use: [meter({ sink: (row) => void (row.kind === 'attempt' && rows.push(row)) })],
    });
    const runs = size(20, 100);
    for (let run = 0; run < runs; run++) {
      let pieces = 0;
      for await (const _text of gateway.stream('Tell me a rather long story about a castle.').text)
        if (++pieces === 1 + (run % 40)) break;
    }
    expect(rows).toHaveLength(runs);
    for (const [run, row] of rows.entries()) {
      expect(row.status).toBe('cancelled');
      expect(row.quality).toBe('estimated');
      expect(row.input).toBeGreaterThan(5);
      expect(row.output).toBeGreaterThanOrEqual(1 + (run % 40));
    }
  });
});

describe('LEAK-08: answers share nothing', () => {
  it('changing one answer changes no other', async () => {
    const mock = mockProvider();
    mock.reply('same');
    const gateway = createGateway({ providers: [mock], models: { default: 'mock/m' } });
    const one = await gateway.chat('x');
    const two = await gateway.chat('x');
    (one.message.content as unknown as { text?: string }[])[0]!.text = 'changed';
    (one.attempts as unknown[]).length = 0;
    expect(two.text).toBe('same');
    expect((two.message.content as unknown as { text?: string }[])[0]?.text).toBe('same');
    expect(two.attempts).toHaveLength(1);
  });
});

describe('LEAK-10: the end of a call is told exactly once', () => {
  const script = (mock: ReturnType<typeof mockProvider>) => {
    mock.on('plain').reply('ok');
    mock.on('fails').fail('authentication').always();
    mock.on('cut').reply('One two three four.').cut({ content: 1 });
    mock.on('long').reply('One two three four.').always();
  };
  const ways: [string, GatewayEvents['call-end']['status'], (gateway: Gateway) => Promise<unknown>][] = [
    ['a plain answer', 'completed', (gateway) => gateway.chat('plain')],
    ['a whole stream', 'completed', (gateway) => gateway.stream('long').response],
    ['a failure', 'failed', (gateway) => gateway.chat('fails')],
    ['a failing stream', 'failed', (gateway) => gateway.stream('fails').response],
    ['a cut stream', 'failed', (gateway) => gateway.stream('cut').response],
    [
      'a reader who leaves',
      'cancelled',
      async (gateway) => {
        for await (const _text of gateway.stream('long').text) break;
      },
    ],
    [
      'an abort',
      'cancelled',
      async (gateway) => {
        const controller = new AbortController();
        for await (const _text of gateway.stream('long', { signal: controller.signal }).text) controller.abort();
      },
    ],
  ];
  for (const [what, status, run] of ways) {
    it(`after ${what}: ${status}`, async () => {
      const mock = mockProvider();
      script(mock);
      const gateway = createGateway({ providers: [mock], models: { default: 'mock/m' } });
      const ends: string[] = [];
      gateway.on('call-end', (event) => ends.push(event.status));
      await run(gateway).catch(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
      expect(ends).toEqual([status]);
    });
  }
});

describe('ERR-03: every rejection', () => {
  const bodies: [string, () => Promise<Response>][] = [
    ['junk in an event', async () => new Response('data: {"junk\n\n', SSE)],
    ['HTML for a stream', async () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['no body at all', async () => new Response(null, SSE)],
    [
      'a fetch that throws',
      async () => {
        throw new TypeError('fetch failed');
      },
    ],
    [
      'a fetch that throws nothing known',
      async () => {
        throw Object.assign(new Error('odd'), { code: 'EWEIRD' });
      },
    ],
    ['an array', async () => Response.json([1])],
    ['choices of the wrong shape', async () => Response.json({ choices: 'none' })],
    ['no choices', async () => Response.json({ id: 'x', choices: [] })],
    ['a redirect', async () => new Response(null, { status: 307, headers: { location: 'https://elsewhere.example' } })],
    ['an endless line', async () => new Response(`data: ${'x'.repeat(LIMITS.sseLineBytesMax + 10)}`, SSE)],
  ];
  for (const [what, fetch] of bodies) {
    for (const streamed of [false, true]) {
      it(`is a GatewayError with its facts: ${what}, ${streamed ? 'streamed' : 'plain'}`, async () => {
        const gateway = gatewayOver(fetch);
        const failure: unknown = await (streamed ? gateway.stream('x').response : gateway.chat('x')).catch(
          (error: unknown) => error,
        );
        if (!isGatewayError(failure)) throw new Error(`not a GatewayError: ${String(failure)}`);
        expect(failure).toMatchObject({ committed: false, attempts: [expect.objectContaining({ outcome: 'failed' })] });
        expect(typeof failure.retryable).toBe('boolean');
        expect(failure.message.length).toBeLessThanOrEqual(300);
        expect(() => JSON.stringify(failure)).not.toThrow();
      });
    }
  }
});

describe('SEC-06, SEC-18: data stays data', () => {
  const hostile = [
    '{"__proto__":{"polluted":true}}',
    '{"\\u005f\\u005fproto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '{"a":{"__proto__":{"polluted":true}}}',
    '{"lc":1,"type":"constructor","id":["langchain","x"],"kwargs":{}}',
    '{"__type":"Date","$ref":"#/x"}',
  ];
  it('parsing and merging never reach a prototype', () => {
    for (const text of hostile) {
      const value = parseJson(text) as Record<string, never>;
      mergeNative({}, { p: value }, 'p');
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    }
    expect(parseJson(hostile[4] as string)).toEqual({ lc: 1, type: 'constructor', id: ['langchain', 'x'], kwargs: {} });
  });

  it('tool arguments, metadata and structured output of any shape leave Object.prototype alone', async () => {
    const before = Reflect.ownKeys(Object.prototype).length;
    const mock = mockProvider();
    const gateway = createGateway({ providers: [mock], models: { default: 'mock/m' } });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...hostile), fc.json(), async (bad, good) => {
        for (const text of [bad, good]) {
          mock.reset();
          mock.reply(text);
          const { output } = await gateway.chat({ prompt: 'x', output: 'json', metadata: { note: text } });
          expect(output).toEqual(parseJson(text));
        }
        expect(Reflect.ownKeys(Object.prototype)).toHaveLength(before);
      }),
      { seed: 3, numRuns: size(30, 500) },
    );
  });
});

describe('SEC-08: every bound of the table', () => {
  it('is a positive number with a name', () => {
    for (const [name, bound] of Object.entries(LIMITS)) expect(bound, name).toBeGreaterThan(0);
  });
  const endless = (piece: string, headers: object) => async () => {
    const bytes = new TextEncoder().encode(piece);
    return new Response(new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(bytes) }), headers);
  };
  it('bodyBytesMax: an endless body ends', async () => {
    const gateway = gatewayOver(endless(' '.repeat(1024 * 1024), { headers: { 'content-type': 'application/json' } }));
    await expect(gateway.chat('x')).rejects.toMatchObject({ code: 'limit-exceeded', limit: { name: 'bodyBytesMax' } });
  });
  it('bodyBytesMax: an endless stream of comments ends', async () => {
    const gateway = gatewayOver(endless(`: ${'x'.repeat(500_000)}\n\n`, SSE));
    // Held up to 64 kB before content the stream is handed on, and fails where it is read.
    await expect(gateway.stream('x').response).rejects.toMatchObject({ code: 'limit-exceeded' });
  });
  it('sseEventBytesMax: an endless event ends', async () => {
    const gateway = gatewayOver(endless(`data: ${'x'.repeat(500_000)}\n`, SSE));
    await expect(gateway.stream('x').response).rejects.toMatchObject({ code: 'limit-exceeded' });
  });
});
