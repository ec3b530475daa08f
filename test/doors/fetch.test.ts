import Anthropic from '@anthropic-ai/sdk';
import { ChatOpenAI } from '@langchain/openai';
import { tool } from '@langchain/core/tools';
import OpenAI from 'openai';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createGateway, GatewayError, type GatewayOptions } from '../../src/index.ts';
import type { LedgerRow } from '../../src/core/ledger.ts';
import { meter, retry, route } from '../../src/middleware/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import * as up from './upstream.ts';

const KEY = 'sk-gateway-0123456789abcdef';
const CHAT = { model: 'gpt-test', messages: [{ role: 'user' as const, content: 'Name a river.' }] };
const ASK = { model: 'claude-test', max_tokens: 64, messages: [{ role: 'user' as const, content: 'Name a river.' }] };

function gatewayOver(answer: up.Answer, options: GatewayOptions = {}) {
  const { fetch, seen } = up.upstream(answer);
  const over = { apiKey: KEY, transport: 'fetch', fetch: fetch as never } as const;
  const providers = [openai({ ...over, api: 'chat' }), anthropic(over)];
  const models = { fast: 'openai/gpt-real', smart: 'anthropic/claude-real' };
  const gateway = createGateway({ providers, models, ...options });
  const app = { apiKey: 'the-app-has-no-key', fetch: gateway.fetch };
  return { gateway, seen, openAi: new OpenAI(app), claude: new Anthropic(app) };
}
/** The last chunk of a stream whose caller asked for its usage. */
const usageChunk = (): string =>
  up.events([
    {
      ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-test', choices: [] },
      usage: { prompt_tokens: 10, completion_tokens: 6, total_tokens: 16 },
    },
  ]);
const thrown = async (work: PromiseLike<unknown>): Promise<Error & Record<string, unknown>> =>
  Promise.resolve(work).then(
    () => expect.fail('expected an error'),
    (error: unknown) => error as Error & Record<string, unknown>,
  );

describe('the gateway as a fetch', () => {
  it('goes to the alias, to provider/model, or to the vendor of the protocol, with the gateway’s own key', async () => {
    const { openAi, seen } = gatewayOver((request) =>
      request.url.includes('anthropic') ? up.json(up.message()) : up.json(up.completion()),
    );
    for (const model of ['fast', 'smart', 'anthropic/claude-x', 'gpt-unknown']) {
      const result = await openAi.chat.completions.create({ ...CHAT, model });
      expect(result.choices[0]?.message.content).toBe('Rhine');
    }
    expect(seen.map(({ url, body }) => `${new URL(url).host} ${JSON.parse(body).model}`)).toEqual([
      'api.openai.com gpt-real',
      'api.anthropic.com claude-real',
      'api.anthropic.com claude-x',
      'api.openai.com gpt-unknown',
    ]);
    for (const { headers } of seen) expect(headers.get('authorization')).toBe(`Bearer ${KEY}`);
  });

  it.each([
    ['chat', '/v1/chat/completions', up.completionChunks().replace('data: [DONE]\n\n', usageChunk()), CHAT],
    ['messages', '/v1/messages', up.messageEvents(), ASK],
  ])('hands an odd stream of %s on byte for byte, and reads the usage in it (P02)', async (_, path, text, body) => {
    const rows: LedgerRow[] = [];
    // Line ends, comments and events that nobody announced, in the middle of the answer too.
    const [first, ...rest] = text.split('\n\n').filter((frame) => frame !== '');
    const odd = [': hello', first, 'event: new_thing\ndata: {"n":1.0, "n":2}', ': ping', ...rest, ': bye', '']
      .join('\n\n')
      .replaceAll('\n', '\r\n');
    expect(odd).not.toContain('[DONE]');
    for (const pieces of [3, 64, 100_000]) {
      const { gateway, seen } = gatewayOver(() => up.sse(odd, pieces), {
        use: [meter({ sink: (row) => void rows.push(row) })],
      });
      const response = await gateway.fetch(`https://anywhere.test${path}`, {
        method: 'POST',
        body: JSON.stringify({ ...body, stream: true }),
      });
      expect(await response.text()).toBe(odd);
      expect(seen).toHaveLength(1);
    }
    const attempts = rows.filter((row) => row.kind === 'attempt');
    expect(attempts).toHaveLength(3);
    for (const row of attempts)
      expect(row).toMatchObject({ status: 'completed', quality: 'reported', input: 10, output: 6 });
  });

  it('passes bytes through to a target of the same protocol (P01)', async () => {
    const odd = `: hello\r\n\r\n${up.completionChunks().replaceAll('\n', '\r\n')}event: x\r\ndata: {"n":1.0}\r\n\r\n`;
    const { gateway, seen } = gatewayOver(() => up.sse(odd, 11));
    const body =
      '{"stream" : true,"messages":[{"content":"h\\u00e9","role":"user"}],"model":"gpt-test","seed":9007199254740993}';
    const response = await gateway.fetch('https://anywhere.test/v1/chat/completions', { method: 'POST', body });
    expect(await response.text()).toBe(odd);
    expect(seen[0]?.body).toBe(body);
  });

  it('takes a Request, a URL and bytes', async () => {
    const { gateway, seen } = gatewayOver(() => up.json(up.completion()));
    const url = 'https://anywhere.test/v1/chat/completions';
    const body = JSON.stringify(CHAT);
    await gateway.fetch(new Request(url, { method: 'POST', body }));
    await gateway.fetch(new URL(url), { method: 'post', body: new TextEncoder().encode(body) });
    expect(seen.map((request) => request.body)).toEqual([body, body]);
  });

  it('passes what it does not understand to the vendor’s provider', async () => {
    const { openAi, claude, seen } = gatewayOver(() => up.json({ data: [], id: 'x', deleted: true, input_tokens: 1 }));
    await openAi.files.list();
    await openAi.files.delete('file-1');
    await claude.messages.countTokens({ model: ASK.model, messages: ASK.messages });
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET https://api.openai.com/v1/files',
      'DELETE https://api.openai.com/v1/files/file-1',
      'POST https://api.anthropic.com/v1/messages/count_tokens',
    ]);
  });

  it('goes where the request pointed when no provider is configured', async () => {
    const below = up.upstream(() => up.json(up.completion()));
    vi.stubGlobal('fetch', below.fetch);
    try {
      const { fetch } = createGateway({ use: [] });
      const client = new OpenAI({ apiKey: 'sk-app-0123456789', baseURL: 'https://models.test/v1', fetch });
      await client.chat.completions.create(CHAT);
      expect(below.seen[0]?.url).toBe('https://models.test/v1/chat/completions');
      expect(below.seen[0]?.headers.get('authorization')).toBe('Bearer sk-app-0123456789');
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('gives embeddings as base64 vectors from wherever they come', async () => {
    const data = [{ object: 'embedding', index: 0, embedding: [0.5, -1] }];
    const { openAi } = gatewayOver(() =>
      up.json({ object: 'list', model: 'e', data, usage: { prompt_tokens: 1, total_tokens: 1 } }),
    );
    const result = await openAi.embeddings.create({ model: 'embed-test', input: 'x' });
    expect(result.data[0]?.embedding).toEqual([0.5, -1]);
  });
});

describe('failures of the gateway as a fetch', () => {
  const ROWS: readonly (readonly [title: string, answer: up.Answer, status: number])[] = [
    ['401', () => up.json({ error: { message: `Bad key ${KEY}` } }, { status: 401 }), 401],
    ['429', () => up.json({ error: { message: 'slow' } }, { status: 429 }), 429],
    ['quota', () => up.json({ error: { message: 'q', code: 'insufficient_quota' } }, { status: 429 }), 429],
    ['500', () => up.json({ error: { message: 'x' } }, { status: 500 }), 500],
    ['503', () => up.json({ error: { message: 'x' } }, { status: 503 }), 503],
    ['html with status 200', () => new Response('<html>', { headers: { 'content-type': 'text/html' } }), 502],
    [
      'a broken connection',
      () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } })),
      502,
    ],
    ['a body cut short', () => new Response('{"id":', { headers: { 'content-type': 'application/json' } }), 502],
    ['a redirect', () => new Response(null, { status: 307, headers: { location: 'https://evil.test' } }), 502],
  ];

  for (const [title, answer, status] of ROWS) {
    it(`${title}: the SDK’s own class, and the SDK does not try again`, async () => {
      const { openAi, claude, seen } = gatewayOver(answer, { use: [] });
      for (const work of [
        () => openAi.chat.completions.create(CHAT),
        () => openAi.chat.completions.create({ ...CHAT, stream: true }),
        () => claude.messages.create(ASK),
      ]) {
        const before = seen.length;
        const error = await thrown(work());
        expect(error).toBeInstanceOf(work.toString().includes('claude') ? Anthropic.APIError : OpenAI.APIError);
        if (status !== 429) expect(error['status']).toBe(status);
        expect((error['headers'] as Headers).get('x-should-retry')).toBe('false');
        expect(GatewayError.from(error)).toBeInstanceOf(GatewayError);
        expect(seen.length - before).toBe(1);
        expect(JSON.stringify(error) + error.message).not.toContain(KEY);
      }
    });
  }

  it('a bad request of the application is refused before any network', async () => {
    const { gateway, openAi, seen } = gatewayOver(() => up.json(up.completion()));
    const error = await thrown(openAi.chat.completions.create({ model: 'fast' } as never));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    const response = await gateway.fetch('https://a.test/v1/messages', { method: 'POST', body: 'no json' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    expect(seen).toHaveLength(0);
  });

  it('retries and falls back inside one call of the SDK (P04)', async () => {
    const { openAi, seen } = gatewayOver(() => up.json({ error: { message: 'x' } }, { status: 500 }), {
      use: [retry({ baseMs: 0 }), route()],
      attemptsMax: 3,
    });
    await thrown(openAi.chat.completions.create(CHAT));
    expect(seen).toHaveLength(3);
  });

  it('an abort is thrown as the signal’s reason and reaches the upstream', async () => {
    const { gateway, seen } = gatewayOver(() => new Promise<Response>(() => undefined));
    const controller = new AbortController();
    const body = JSON.stringify(CHAT);
    const pending = gateway.fetch('https://a.test/v1/chat/completions', {
      method: 'POST',
      body,
      signal: controller.signal,
    });
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    const reason = new Error('the user left');
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
    expect(seen[0]?.signal?.aborted).toBe(true);
  });

  it('writes comments into a translated stream whose provider is silent, and SDKs skip them (STR-11, STR-12)', async () => {
    const clock = fakeClock();
    const gates = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
    const text = up.messageEvents(['Rhi', 'ne']);
    const cut = text.indexOf('event: content_block_delta', text.indexOf('Rhi'));
    const { openAi } = gatewayOver(
      () =>
        new Response(
          new ReadableStream<Uint8Array>({
            async start(controller) {
              controller.enqueue(new TextEncoder().encode(text.slice(0, cut)));
              await gates[0]?.promise;
              controller.enqueue(new TextEncoder().encode(text.slice(cut)));
              controller.close();
            },
          }),
          { headers: { 'content-type': 'text/event-stream' } },
        ),
      { clock, use: [] },
    );
    const response = await openAi.chat.completions.create({ ...CHAT, model: 'smart', stream: true }).asResponse();
    const reading = response.text();
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(15_001);
    await clock.advance(15_001);
    gates[0]?.resolve();
    const whole = await reading;
    expect(whole.match(/^: postern$/gm)?.length).toBe(2);
    const again = new OpenAI({
      apiKey: 'x',
      fetch: () => Promise.resolve(new Response(whole, { headers: { 'content-type': 'text/event-stream' } })),
    });
    let heard = '';
    for await (const chunk of await again.chat.completions.create({ ...CHAT, stream: true })) {
      heard += chunk.choices[0]?.delta.content ?? '';
    }
    expect(heard).toBe('Rhine');
  });
});

describe('LangChain over gateway.fetch', () => {
  it('answers, streams, calls tools and gives structured output from another provider', async () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'double', input: { n: 21 } };
    const place = { type: 'tool_use', id: 'toolu_2', name: 'place', input: { city: 'Bonn' } };
    const { gateway } = gatewayOver((request) => {
      const { stream, tools } = JSON.parse(request.body) as { stream?: boolean; tools?: { name: string }[] };
      if (stream === true) return up.sse(up.messageEvents());
      if (tools?.some(({ name }) => name === 'double')) return up.json(up.message('', [call]));
      if (tools?.some(({ name }) => name === 'place')) return up.json(up.message('', [place]));
      return up.json(up.message(request.body.includes('"schema"') ? '{"city":"Bonn"}' : 'Rhine'));
    });
    const model = new ChatOpenAI({ model: 'smart', apiKey: 'unused', configuration: { fetch: gateway.fetch } });
    expect((await model.invoke('Name a river.')).content).toBe('Rhine');
    let text = '';
    for await (const piece of await model.stream('Name a river.')) text += String(piece.content);
    expect(text).toBe('Rhine');
    const double = tool(({ n }: { n: number }) => n * 2, {
      name: 'double',
      description: 'd',
      schema: z.object({ n: z.number() }),
    });
    expect((await model.bindTools([double]).invoke('Twice 21?')).tool_calls?.[0]).toMatchObject({
      name: 'double',
      args: { n: 21 },
    });
    for (const method of ['jsonSchema', 'functionCalling'] as const) {
      const structured = model.withStructuredOutput(z.object({ city: z.string() }), { name: 'place', method });
      expect(await structured.invoke('Where?')).toEqual({ city: 'Bonn' });
    }
  });
});
