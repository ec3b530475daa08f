import { Anthropic } from '@anthropic-ai/sdk';
import { OpenAI } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGateway, type Gateway, type Provider } from '../../src/index.ts';
import { type AttemptRow, type LedgerRow, meter } from '../../src/middleware/meter.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { createPriceTable } from '../../src/pricing/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { openaiCompatible } from '../../src/providers/openai-compatible/index.ts';
import { mockServer, type MockServer } from '../../src/testing/index.ts';

const tokens = { input: '1', output: '2' };
const prices = createPriceTable({
  overrides: Object.fromEntries(['openai', 'anthropic', 'local'].map((name) => [`${name}/*`, { tokens }])),
});
const MODEL = 'mock-large';
const messages = [{ role: 'user' as const, content: 'Hi' }];
const apiKey = 'sk-any';

let server: MockServer;
beforeAll(async () => {
  server = await mockServer();
});
let hits = 0;
beforeEach(() => {
  server.reset();
  hits = server.hits;
});
afterAll(() => server.close());

/** A gateway with its rows. */
function books(providers: readonly Provider[]): { gateway: Gateway; rows: LedgerRow[] } {
  const rows: LedgerRow[] = [];
  const use = [meter({ prices, sink: (row) => void rows.push(row) }), retry({ baseMs: 0 }), route()];
  return { gateway: createGateway({ providers, use }), rows };
}
async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _piece of stream);
}

type Way = readonly [name: string, ask: (stream: boolean) => Promise<LedgerRow[]>];

const TRANSPORTS = ['fetch', 'sdk'] as const;
const PROVIDERS: readonly (readonly [string, (transport: 'fetch' | 'sdk') => Provider])[] = [
  ['openai-chat', (transport) => openai({ api: 'chat', transport, apiKey, baseURL: server.openaiURL })],
  ['openai-responses', (transport) => openai({ transport, apiKey, baseURL: server.openaiURL })],
  ['anthropic-messages', (transport) => anthropic({ transport, apiKey, baseURL: server.anthropicURL })],
  ['an endpoint', (transport) => openaiCompatible({ name: 'local', transport, apiKey, baseURL: server.openaiURL })],
];
const throughProviders = PROVIDERS.flatMap(([name, make]) =>
  TRANSPORTS.map((transport): Way => {
    const ask = async (stream: boolean): Promise<LedgerRow[]> => {
      const provider = make(transport);
      const { gateway, rows } = books([provider]);
      const request = { model: `${provider.name}/${MODEL}`, messages };
      if (stream) await drain(gateway.stream(request));
      else await gateway.chat(request);
      await gateway.close();
      return rows;
    };
    return [`${name} over ${transport}`, ask];
  }),
);

/** What an application's own client does, wrapped. */
const openAi = (): OpenAI => new OpenAI({ apiKey, baseURL: server.openaiURL });
const claude = (): Anthropic => new Anthropic({ apiKey, baseURL: server.anthropicURL });
const DOORS: readonly (readonly [string, (gateway: Gateway, stream: boolean) => Promise<unknown>])[] = [
  [
    'a wrapped client, chat',
    async (gateway, stream) => {
      const { completions } = gateway.wrap(openAi()).chat;
      if (!stream) return completions.create({ model: MODEL, messages });
      // Without being asked this protocol reports no usage, and what the client asks is not ours to change.
      const asked = { stream: true, stream_options: { include_usage: true } } as const;
      return drain(await completions.create({ model: MODEL, messages, ...asked }));
    },
  ],
  [
    'a wrapped client, responses',
    async (gateway, stream) => {
      const { responses } = gateway.wrap(openAi());
      if (!stream) return responses.create({ model: MODEL, input: 'Hi' });
      return drain(await responses.create({ model: MODEL, input: 'Hi', stream: true }));
    },
  ],
  [
    'a wrapped client, messages',
    async (gateway, stream) => {
      const wrapped = gateway.wrap(claude()).messages;
      if (!stream) return wrapped.create({ model: MODEL, max_tokens: 99, messages });
      return drain(await wrapped.create({ model: MODEL, max_tokens: 99, messages, stream: true }));
    },
  ],
];
const throughDoors = DOORS.map(([name, use]): Way => {
  const ask = async (stream: boolean): Promise<LedgerRow[]> => {
    const { gateway, rows } = books([]);
    await use(gateway, stream);
    await gateway.close();
    return rows;
  };
  return [name, ask];
});

describe('USE-10: every way in, every protocol, streamed or not', () => {
  const cells = [...throughProviders, ...throughDoors].flatMap(([name, ask]) =>
    [false, true].map((stream) => [`${name}, ${stream ? 'streamed' : 'plain'}`, ask, stream] as const),
  );

  it.each(cells)('%s: one row an attempt, with what the provider reported', async (_name, ask, stream) => {
    server.otherwise.reply('Hello there.').usage({ input: 12, output: 7 });
    const rows = await ask(stream);
    expect(rows.map(({ kind }) => kind).sort()).toEqual(['attempt', 'call']);
    const [row] = rows.filter((one): one is AttemptRow => one.kind === 'attempt');
    const reported = { input: 12, output: 7, quality: 'reported', costNanoUsd: 26_000n };
    expect(row).toMatchObject({ ...reported, status: 'completed', winner: true, stream });
    expect(server.hits - hits).toBe(1);
  });

  it.each(cells)('%s: a row for the attempt that failed, too', async (_name, ask, stream) => {
    server.otherwise.fail(503, { retryAfterMs: 0 }).once();
    server.otherwise.reply('Hello there.').usage({ input: 12, output: 7 });
    const rows = await ask(stream);
    const attempts = rows.flatMap((row) => (row.kind === 'attempt' ? [row] : []));
    expect(attempts.map(({ status, winner }) => `${status} ${winner}`)).toEqual(['failed false', 'completed true']);
    expect(server.hits - hits).toBe(attempts.length);
  });
});

describe('USE-01: wherever the usage of a stream stands', () => {
  const chunk = (choices: readonly object[], usage?: object) => ({
    ...{ id: 'c', object: 'chat.completion.chunk', created: 1, model: MODEL, choices },
    ...(usage !== undefined && { usage }),
  });
  const text = (content: string, usage?: object) => chunk([{ index: 0, delta: { content } }], usage);
  const stop = (usage?: object) => chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], usage);
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  const part = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 };
  const VARIANTS: Readonly<Record<string, readonly object[]>> = {
    'a last chunk without choices': [text('a'), stop(), chunk([], usage)],
    'the last chunk with choices': [text('a'), stop(usage)],
    'every chunk, cumulative': [text('a', part), text('b', usage), stop(usage)],
    'two chunks': [text('a'), stop(usage), chunk([], usage)],
    'a chunk after the end, with choices': [text('a'), stop(), chunk([{ index: 0, delta: {} }], usage)],
  };

  it.each(Object.entries(VARIANTS))('in %s: the ledger has the same row', async (_where, chunks) => {
    const body = `${chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')}data: [DONE]\n\n`;
    const headers = { 'content-type': 'text/event-stream' };
    const fetch = (async () => new Response(body, { headers })) as never;
    const { gateway, rows } = books([openai({ api: 'chat', transport: 'fetch', apiKey, fetch })]);
    await drain(gateway.stream({ model: `openai/${MODEL}`, messages }));
    await gateway.close();
    const attempts = rows.filter((row): row is AttemptRow => row.kind === 'attempt');
    expect(attempts).toHaveLength(1);
    expect(attempts[0]).toMatchObject({
      ...{ input: 10, output: 5, tokens: { input: 10, output: 5 }, quality: 'reported' },
      ...{ costNanoUsd: 20_000n, status: 'completed', finish: 'stop' },
    });
  });
});
