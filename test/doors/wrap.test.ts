import Anthropic from '@anthropic-ai/sdk';
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import OpenAI, { AzureOpenAI } from 'openai';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createGateway, defineMiddleware, GatewayError, isGatewayError, type Middleware } from '../../src/index.ts';
import { retry, route } from '../../src/middleware/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { type LedgerRow, meter } from '../../src/middleware/meter.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';
import * as up from './upstream.ts';

const CHAT = { model: 'gpt-test', messages: [{ role: 'user' as const, content: 'Name a river.' }] };
const ASK = { model: 'claude-test', max_tokens: 64, messages: [{ role: 'user' as const, content: 'Name a river.' }] };
const KEY = 'sk-test-0123456789abcdef';
const openAi = (answer: up.Answer, options: object = {}) => {
  const { fetch, seen } = up.upstream(answer);
  return { seen, client: new OpenAI({ apiKey: KEY, fetch, ...options }) };
};
const caught = async (work: PromiseLike<unknown>): Promise<Error & Record<string, unknown>> =>
  Promise.resolve(work).then(
    () => expect.fail('expected an error'),
    (error: unknown) => error as Error & Record<string, unknown>,
  );
/** Edits the words of every message. */
const shout: Middleware = (call, next) => {
  if (call.operation !== 'chat') return next(call);
  const { messages } = call.request as unknown as { messages: { content: { text?: string }[] }[] };
  const loud = messages.map((message) => ({
    ...message,
    content: message.content.map((part) =>
      part.text === undefined ? part : { ...part, text: part.text.toUpperCase() },
    ),
  }));
  return next({ ...call, request: { ...call.request, messages: loud } } as typeof call);
};

beforeEach(() => void vi.spyOn(console, 'warn').mockReturnValue());

describe('what a wrap does to a client', () => {
  it('detects a second wrap, of a clone too, and a wrapped client given to a provider', () => {
    const gateway = createGateway();
    const wrapped = gateway.wrap(openAi(() => up.json({})).client);
    for (const work of [
      () => gateway.wrap(wrapped),
      () => createGateway().wrap(wrapped.withOptions({ timeout: 5 })),
      () => openai({ client: wrapped }),
      () => openai({ client: wrapped.withOptions({}) }),
    ]) {
      expect(work).toThrow(expect.objectContaining({ code: 'invalid-options' }));
    }
  });

  it('refuses what is no client and names what it takes', () => {
    for (const client of [{}, { withOptions() {} }, () => undefined, null]) {
      expect(() => createGateway().wrap(client as object)).toThrow(/openai or @anthropic-ai\/sdk/);
    }
  });

  it('keeps AzureOpenAI what it is: class, deployment path and key', async () => {
    const { fetch, seen } = up.upstream(() => up.json(up.completion()));
    const azure = new AzureOpenAI({
      apiKey: KEY,
      endpoint: 'https://x.openai.azure.com',
      apiVersion: '2025-01-01',
      fetch,
    });
    const client = createGateway().wrap(azure);
    expect(client).toBeInstanceOf(AzureOpenAI);
    const { data, response } = await client.chat.completions.create(CHAT).withResponse();
    expect(data.choices[0]?.message.content).toBe('Rhine');
    expect(seen[0]?.url).toContain('/openai/deployments/gpt-test/chat/completions?api-version=2025-01-01');
    expect(seen[0]?.headers.get('api-key')).toBe(KEY);
    expect(response.headers.get('x-postern-target')).toBe('azure/gpt-test');
    const aliased = createGateway({ models: { fast: 'azure/my gpt' } }).wrap(azure);
    await aliased.chat.completions.create({ ...CHAT, model: 'fast' });
    expect(seen[1]?.url).toContain('/openai/deployments/my%20gpt/chat/completions?api-version=2025-01-01');
  });

  it('wraps a Bedrock client above its signing, where requests are still Anthropic’s', async () => {
    const { fetch, seen } = up.upstream(() => up.json(up.message()));
    const bedrock = new AnthropicBedrock({
      awsRegion: 'eu-west-1',
      awsAccessKey: 'AKIATEST',
      awsSecretKey: 's3cret',
      fetch,
    });
    const gateway = createGateway({ use: [shout] });
    await bedrock.messages.create(ASK);
    const result = await gateway.wrap(bedrock).messages.create(ASK);
    expect(result.content[0]).toMatchObject({ text: 'Rhine' });
    expect(seen[1]?.url).toContain('bedrock-runtime.eu-west-1.amazonaws.com/model/claude-test/invoke');
    expect(seen[1]?.headers.get('authorization')).toMatch(/^AWS4-HMAC-SHA256/);
    expect(seen[1]?.body).toBe(seen[0]?.body.replace('Name a river.', 'NAME A RIVER.'));
  });
});

describe('what a wrapped call goes through', () => {
  it('sees every call, raw ones included, with the scope around it (BUD-06)', async () => {
    const calls: string[] = [];
    const watch: Middleware = (call, next) => {
      calls.push(`${call.operation} ${call.scope.user} ${call.request.model}`);
      return next(call);
    };
    const gateway = createGateway({ use: [watch] });
    const client = gateway.wrap(openAi(() => up.json({ ...up.completion(), data: [] })).client);
    await gateway.run({ user: 'u1' }, async () => {
      await client.chat.completions.create(CHAT);
      await client.files.list();
    });
    await client.chat.completions.create(CHAT, gateway.headers({ user: 'u2' }));
    expect(calls).toEqual(['chat u1 gpt-test', 'raw u1 *', 'chat u2 gpt-test']);
  });

  it('takes our headers off before sending', async () => {
    const gateway = createGateway();
    const { client, seen } = openAi(() => up.json({ ...up.completion(), data: [] }));
    const wrapped = gateway.wrap(client);
    await wrapped.chat.completions.create(CHAT, { headers: gateway.headers({ tenant: 'Grün & Söhne' }) });
    await wrapped.files.list({}, gateway.headers({ tenant: 'a' }));
    for (const { headers } of seen)
      expect([...headers.keys()].filter((name) => name.startsWith('x-postern'))).toEqual([]);
  });

  it('tells the outcome in response headers', async () => {
    const gateway = createGateway();
    const wrapped = gateway.wrap(openAi(() => up.json(up.completion())).client);
    const { response } = await wrapped.chat.completions.create(CHAT).withResponse();
    expect(response.headers.get('x-postern-target')).toBe('openai/gpt-test');
    expect(response.headers.get('x-postern-attempts')).toBe('1');
  });

  it('changes only what a middleware edited', async () => {
    const { client, seen } = openAi(() => up.json(up.completion()));
    const odd =
      '{"messages":[{"role":"user","content":"hi","x":1.0}],  "seed":9007199254740993, "2":1,"1":2,"model":"gpt-test"}';
    await createGateway({ use: [shout] })
      .wrap(client)
      .post('/chat/completions', {
        body: new TextEncoder().encode(odd),
        headers: { 'content-type': 'application/json' },
      });
    expect(seen[0]?.body).toBe(odd.replace('"hi"', '"HI"'));
  });

  it('sends an alias of the same protocol on with only the model changed', async () => {
    const { client, seen } = openAi(() => up.json(up.completion()));
    const gateway = createGateway({ models: { fast: 'openai/gpt-real' } });
    await gateway.wrap(client).chat.completions.create({ ...CHAT, model: 'fast', x_beta: { a: [1.5] } } as never);
    expect(seen[0]?.body).toBe(JSON.stringify({ ...CHAT, model: 'gpt-real', x_beta: { a: [1.5] } }));
  });

  it('lets a client leave the model out, where its server serves one', async () => {
    const { client, seen } = openAi(() => up.json(up.completion()));
    const { messages } = CHAT;
    await createGateway()
      .wrap(client)
      .chat.completions.create({ messages } as never);
    expect(seen[0]?.body).toBe(JSON.stringify({ messages }));
  });

  it('warns of nothing that the caller’s own text still says', async () => {
    const call = { id: 'c1', type: 'function' as const, function: { name: 'f', arguments: '{}' } };
    const messages = [{ role: 'assistant' as const, tool_calls: [call] }, ...CHAT.messages];
    const { client, seen } = openAi(() => up.json(up.completion()));
    const gateway = createGateway({ models: { fast: 'openai/gpt-real' } });
    const { response } = await gateway.wrap(client).chat.completions.create({ model: 'fast', messages }).withResponse();
    expect(seen[0]?.body).toBe(JSON.stringify({ model: 'gpt-real', messages }));
    expect(response.headers.get('x-postern-warnings')).toBeNull();
  });

  it('lets an alias win over a model of its name, and never reads provider/model as an alias', async () => {
    const { client, seen } = openAi(() => up.json(up.completion()));
    const gateway = createGateway({ models: { 'gpt-test': 'openai/gpt-test' } });
    await gateway.wrap(client).chat.completions.create(CHAT);
    await gateway.wrap(client).chat.completions.create({ ...CHAT, model: 'vendor/any-model' });
    expect(seen.map(({ body }) => JSON.parse(body).model)).toEqual(['gpt-test', 'vendor/any-model']);
  });
});

describe('failures of a wrapped call', () => {
  const failing = (status: number) => () =>
    up.json({ error: { message: 'No.', type: 't', code: 'c' } }, { status, headers: { 'retry-after-ms': '1' } });

  it('takes the client’s maxRetries as attempts and stops the SDK’s own (P04, F05)', async () => {
    const gateway = createGateway({ use: [retry({ baseMs: 0 }), route()] });
    for (const maxRetries of [0, 1, 2]) {
      const { client, seen } = openAi(failing(503), { maxRetries });
      const error = await caught(gateway.wrap(client).chat.completions.create(CHAT));
      expect(error).toBeInstanceOf(OpenAI.InternalServerError);
      expect(error['requestID']).toBe('req_1');
      expect(seen).toHaveLength(maxRetries + 1);
      expect(GatewayError.from(error)).toMatchObject({ code: 'overloaded' });
      expect(GatewayError.from(error)?.attempts).toHaveLength(maxRetries + 1);
    }
  });

  it('neutralises maxRetries of one call on an answer', async () => {
    const gateway = createGateway({ use: [retry({ baseMs: 0 }), route()] });
    const { client, seen } = openAi(failing(500), { maxRetries: 0 });
    await caught(gateway.wrap(client).chat.completions.create(CHAT, { maxRetries: 5 }));
    expect(seen).toHaveLength(1);
  });

  it('leaves retrying to the SDK when the gateway does not retry', async () => {
    const { client, seen } = openAi(failing(503), { maxRetries: 2 });
    const error = await caught(createGateway({ use: [] }).wrap(client).chat.completions.create(CHAT));
    expect(error).toBeInstanceOf(OpenAI.InternalServerError);
    expect(seen).toHaveLength(3);
  });

  it('retries raw calls as the SDK would have', async () => {
    const gateway = createGateway({ use: [retry({ baseMs: 0 }), route()] });
    const { client, seen } = openAi((_seen, number) => (number === 1 ? failing(503)() : up.json({ data: [] })), {
      maxRetries: 1,
    });
    await gateway.wrap(client).files.list();
    expect(seen).toHaveLength(2);
  });

  it('hands an answer without words on as it came, plain and streamed', async () => {
    const silent = up.completionChunks(['']);
    for (const use of [[], [retry({ baseMs: 0 }), route()]]) {
      const { client } = openAi(({ body }) =>
        JSON.parse(body).stream ? up.sse(silent, 9) : up.json(up.completion('')),
      );
      const wrapped = createGateway({ use }).wrap(client);
      expect((await wrapped.chat.completions.create(CHAT)).choices[0]?.message.content).toBe('');
      const text = async (from: OpenAI): Promise<string> =>
        (await from.chat.completions.create({ ...CHAT, stream: true }).asResponse()).text();
      expect(await text(wrapped)).toBe(await text(client));
      const whole = await wrapped.chat.completions.stream(CHAT).finalChatCompletion();
      expect(whole.choices[0]).toMatchObject({ message: { content: '' }, finish_reason: 'stop' });
    }
  });

  it('makes a refusal the SDK’s own error, and GatewayError.from finds ours', async () => {
    const refuse = defineMiddleware({ name: 'refuse' }, () => {
      throw new GatewayError('budget-exceeded', 'The budget of tenant a is used up.', { limit: { name: 'usd' } });
    });
    const gateway = createGateway({ use: [refuse] });
    const { client, seen } = openAi(() => up.json(up.completion()));
    for (const work of [
      () => gateway.wrap(client).chat.completions.create(CHAT),
      () => gateway.wrap(client).chat.completions.create({ ...CHAT, stream: true }),
      () => gateway.wrap(client).files.list(),
      () => gateway.wrap(client).embeddings.create({ model: 'e', input: 'x' }),
    ]) {
      const error = await caught(work());
      expect(error).toBeInstanceOf(OpenAI.RateLimitError);
      expect(GatewayError.from(error)).toMatchObject({ code: 'budget-exceeded', source: 'gateway' });
    }
    const { fetch } = up.upstream(() => up.json({}));
    const error = await caught(gateway.wrap(new Anthropic({ apiKey: KEY, fetch })).messages.create(ASK));
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    expect(isGatewayError(GatewayError.from(error), 'budget-exceeded')).toBe(true);
    expect(seen).toHaveLength(0);
  });

  it('finds our error behind a failure inside a stream', async () => {
    const clock = fakeClock();
    const gateway = createGateway({ clock, use: [] });
    const whole = up.completionChunks();
    const half = whole.slice(0, whole.lastIndexOf('data: {'));
    const { client } = openAi(() => up.sse(half + up.events([{ error: { message: 'x', code: 'c' } }])));
    const stream = await gateway.wrap(client).chat.completions.create({ ...CHAT, stream: true });
    const error = await caught(
      (async () => {
        for await (const chunk of stream) expect(chunk).toBeDefined();
      })(),
    );
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(isGatewayError(GatewayError.from(error))).toBe(true);
  });

  it('falls back to another provider when the client’s own fails', async () => {
    const other = up.upstream(() => up.json(up.message('Elbe')));
    const { client, seen } = openAi(failing(500), { maxRetries: 0 });
    const gateway = createGateway({
      providers: [anthropic({ apiKey: KEY, transport: 'fetch', fetch: other.fetch as never })],
      models: { fast: ['openai/gpt-real', 'anthropic/claude-real'] },
      use: [retry({ baseMs: 0 }), route()],
    });
    const { data, response } = await gateway
      .wrap(client)
      .chat.completions.create({ ...CHAT, model: 'fast' })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe('Elbe');
    expect(response.headers.get('x-postern-target')).toBe('anthropic/claude-real');
    expect(response.headers.get('x-postern-attempts')).toBe('2');
    expect([seen.length, other.seen.length]).toEqual([1, 1]);
  });

  it('holds headers at most holdMs: content after the client’s own timeout still arrives', async () => {
    const clock = fakeClock();
    const gate = Promise.withResolvers<void>();
    const slow = () => {
      const parts = [up.completionChunks([]).slice(0, 0), up.completionChunks()];
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode(`: soon\n\n${parts[0]}`));
          await gate.promise;
          controller.enqueue(new TextEncoder().encode(parts[1]));
          controller.close();
        },
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    };
    const { client } = openAi(slow, { timeout: 1000 });
    const wrapped = createGateway({ clock }).wrap(client);
    const pending = wrapped.chat.completions.create({ ...CHAT, stream: true });
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(10_001);
    const stream = await pending;
    gate.resolve();
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe('Rhine');
  });

  it('books a stream of another provider as completed although the client stops at its protocol’s last word', async () => {
    const mock = mockProvider({ name: 'other', protocol: 'anthropic-messages' });
    mock.reply('The Rhine.');
    const rows: LedgerRow[] = [];
    const gateway = createGateway({
      providers: [mock],
      models: { river: 'other/m' },
      use: [meter({ sink: (row) => void rows.push(row) })],
    });
    const client = gateway.wrap(openAi(() => up.json({})).client);
    let text = '';
    for await (const chunk of await client.chat.completions.create({ ...CHAT, model: 'river', stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    await gateway.close();
    expect(text).toBe('The Rhine.');
    expect(rows.map(({ kind, status }) => `${kind} ${status}`)).toEqual(['attempt completed', 'call completed']);
  });
});
