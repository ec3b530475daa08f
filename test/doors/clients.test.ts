import { AnthropicVertex } from '@anthropic-ai/vertex-sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createGateway, GatewayError, type Middleware } from '../../src/index.ts';
import { clientFacts } from '../../src/doors/client-facts.ts';
import { retry, route } from '../../src/middleware/index.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import * as up from './upstream.ts';

const KEY = 'sk-test-0123456789abcdef';
const CHAT = { model: 'gpt-test', messages: [{ role: 'user' as const, content: 'Name a river.' }] };
const edit: Middleware = (call, next) => next({ ...call, request: { ...call.request, temperature: 0 } } as typeof call);
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('clients with a way of their own', () => {
  it('wraps a Vertex client above what it makes of a request', async () => {
    const { fetch, seen } = up.upstream(() => up.json(up.message()));
    const authClient = { getRequestHeaders: () => Promise.resolve(new Headers({ authorization: 'Bearer google' })) };
    const vertex = new AnthropicVertex({
      region: 'europe-west1',
      projectId: 'project-1',
      authClient: { ...authClient, projectId: 'project-1' } as never,
      fetch,
    });
    const ask = { model: 'claude-test', max_tokens: 9, messages: CHAT.messages };
    const { data, response } = await createGateway().wrap(vertex).messages.create(ask).withResponse();
    expect(data.content[0]).toMatchObject({ text: 'Rhine' });
    expect(response.headers.get('x-postern-target')).toBe('vertex/claude-test');
    await vertex.messages.create(ask);
    expect(seen[0]?.url).toBe(seen[1]?.url);
    expect(seen[0]?.body).toBe(seen[1]?.body);
    expect(seen[0]?.url).toContain(
      '/projects/project-1/locations/europe-west1/publishers/anthropic/models/claude-test',
    );
  });

  it('observes a client that signs before fetch, says so once, and refuses an edit instead of breaking the signature', async () => {
    const { fetch, seen } = up.upstream(() => up.json(up.completion()));
    const client = new OpenAI({ apiKey: KEY, fetch, maxRetries: 0 });
    Object.defineProperty(client, '_provider', { value: { prepareRequest: () => undefined } });
    const problems: string[] = [];
    const gateway = createGateway({ use: [] });
    gateway.on('problem', ({ stage }) => problems.push(stage));
    const wrapped = gateway.wrap(client);
    await wrapped.chat.completions.create(CHAT);
    await wrapped.chat.completions.create(CHAT);
    expect(problems).toEqual(['wrap']);
    expect(seen[1]?.body).toBe(JSON.stringify(CHAT));
    const edited = createGateway({ use: [edit] })
      .wrap(client)
      .chat.completions.create(CHAT);
    const error = await edited.then(undefined, (thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(GatewayError.from(error)?.code).toBe('unsupported');
    expect(seen).toHaveLength(2);
  });

  it('refuses a client with an X.509 certificate and says why', () => {
    const client = { chat: {}, models: {}, withOptions: () => ({}), _options: { x509Transport: {} } };
    expect(() => createGateway().wrap(client)).toThrow(/X\.509/);
  });

  it('names the vendor by the host of an OpenAI-compatible server', () => {
    const vendorOf = (baseURL?: string) =>
      clientFacts(new OpenAI({ apiKey: KEY, ...(baseURL !== undefined && { baseURL }) })).vendor;
    expect(vendorOf()).toBe('openai');
    expect(vendorOf('https://api.groq.com/openai/v1')).toBe('groq');
    expect(vendorOf('https://openrouter.ai/api/v1')).toBe('openrouter');
    expect(vendorOf('https://models.internal/v1')).toBe('openai');
  });
});

describe('the clock of a wrapped client', () => {
  it('bounds each attempt by the client’s timeout, and tries again', async () => {
    const clock = fakeClock();
    const { fetch, seen } = up.upstream((_request, number) =>
      number === 1 ? new Promise<Response>(() => undefined) : up.json(up.completion()),
    );
    const client = new OpenAI({ apiKey: KEY, fetch, maxRetries: 1, timeout: 5_000 });
    const gateway = createGateway({ clock, random: () => 0, use: [retry({ baseMs: 0 }), route()] });
    const pending = gateway.wrap(client).chat.completions.create(CHAT).withResponse();
    await turns();
    await clock.advance(5_001);
    await turns();
    const { data, response } = await pending;
    expect(data.choices[0]?.message.content).toBe('Rhine');
    expect(response.headers.get('x-postern-attempts')).toBe('2');
    expect(seen[0]?.signal?.aborted).toBe(true);
    expect(seen.map(({ headers }) => headers.get('x-stainless-timeout'))).toEqual([null, null]);
  });

  it('stops an SDK that comes back after a throw: one attempt more, then an answer', async () => {
    const broken = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    const { fetch, seen } = up.upstream(() => Promise.reject(broken));
    const client = new OpenAI({ apiKey: KEY, fetch, maxRetries: 1 });
    const gateway = createGateway({ use: [retry({ baseMs: 0 }), route()] });
    const work = gateway.wrap(client).chat.completions.create(CHAT, { maxRetries: 5 });
    const error = await work.then(undefined, (thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(seen).toHaveLength(3);
  });
});
