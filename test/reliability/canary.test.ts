import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { logs, metrics, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, it } from 'vitest';
import { createGateway, isGatewayError, type Store } from '../../src/index.ts';
import { cache } from '../../src/middleware/cache.ts';
import { logger } from '../../src/middleware/logger.ts';
import { meter } from '../../src/middleware/meter.ts';
import { redact } from '../../src/middleware/redact.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { telemetry } from '../../src/middleware/telemetry.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';
import { record } from '../../src/testing/index.ts';

const KEY = 'sixteen-bytes-or-more';
const PROVIDER_KEY = 'sk-proj-cAnArY7Q2w9E4r6T8y1U3i5O0pLkJhGfDsAzXcVbNm';
/** One for each place of a request, all found by the default packs. */
const CANARIES = {
  prompt: 'canary.prompt@mail.example',
  system: 'canary.system@mail.example',
  history: 'canary.history@mail.example',
  toolDefinition: 'canary.tooldef@mail.example',
  toolArguments: 'canary.toolargs@mail.example',
  toolResult: 'canary.toolresult@mail.example',
  document: 'canary.document@mail.example',
  filename: 'canary.filename@mail.example',
  card: '4539 5787 6362 1486',
  github: 'ghp_c4N4rY7Q2w9E4r6T8y1U3i5O0pLkJhGfDsAz',
  password: 'postgres://ann:c4n4ryPassw0rd@db.example.com/x',
  embedding: 'canary.embedding@mail.example',
} as const;
const hidden = { ...CANARIES, password: 'c4n4ryPassw0rd', provider: PROVIDER_KEY };

/** The forms a value may leak in: as it is, its beginning, and as JSON, a URL or base64 would carry it. */
function formsOf(value: string): string[] {
  const base64 = [0, 1, 2].map((skip) =>
    Buffer.from('x'.repeat(skip) + value)
      .toString('base64')
      .slice(4, -4),
  );
  return [value, value.slice(0, 8), encodeURIComponent(value), JSON.stringify(value).slice(1, -1), ...base64];
}

const request = {
  system: `The owner is ${CANARIES.system}.`,
  tools: [{ name: 'find', description: `Ask ${CANARIES.toolDefinition}`, input: { type: 'object' as const } }],
  messages: [
    { role: 'user' as const, content: `Before: ${CANARIES.history}` },
    {
      role: 'assistant' as const,
      content: [{ type: 'tool-call' as const, id: 'c1', name: 'find', args: { q: CANARIES.toolArguments } }],
    },
    {
      role: 'tool' as const,
      content: [{ type: 'tool-result' as const, callId: 'c1', content: `Found ${CANARIES.toolResult}` }],
    },
    {
      role: 'user' as const,
      content: [
        {
          type: 'text' as const,
          text: `Pay ${CANARIES.prompt} with ${CANARIES.card}, ${CANARIES.github}, ${CANARIES.password}`,
        },
      ],
    },
  ],
};

const completion = (text: string): object => ({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 9, completion_tokens: 9, total_tokens: 18 },
});
const frame = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

/** Says back what it was sent, plain or in pieces of three; fails, quoting prompt and key, where the prompt asks for it. */
const upstream: typeof globalThis.fetch = async (input, init) => {
  const sent = await new Request(input, init).text();
  const body = JSON.parse(sent) as { stream?: boolean; input?: unknown };
  if (sent.includes('fail please')) {
    const message = `Incorrect API key provided: ${PROVIDER_KEY}. You sent: ${sent}`;
    return Response.json(
      { error: { message, type: 'invalid_request_error', code: 'invalid_api_key' } },
      { status: 401 },
    );
  }
  if (body.input !== undefined)
    return Response.json({ object: 'list', model: 'm', data: [{ object: 'embedding', index: 0, embedding: [1] }] });
  if (body.stream !== true) return Response.json(completion(sent));
  const pieces = sent.match(/[^]{1,3}/g) ?? [];
  const text = pieces.map((content) => frame({ content })).join('') + frame({}, 'stop');
  return new Response(`${text}data: [DONE]\n\n`, { headers: { 'content-type': 'text/event-stream' } });
};

const EVENTS = ['call-start', 'call-end', 'attempt', 'cache', 'redaction', 'losers', 'problem'] as const;

describe('SEC-01: no canary is found in any sink', () => {
  afterEach(() => {
    trace.disable();
    metrics.disable();
    logs.disable();
  });

  it('in logs, traces, ledgers, meter rows, events, recordings, the cache, errors, explain or inspect', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-canary-'));
    const sinks: Record<string, string[]> = {};
    const into = (sink: string, what: unknown): void =>
      void (sinks[sink] ??= []).push(typeof what === 'string' ? what : inspect(what, { depth: 20 }));
    const spans = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(
      new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
    );
    logs.setGlobalLoggerProvider({
      getLogger: () => ({ emit: (entry: object) => into('log records', entry), enabled: () => true }),
    } as never);
    const spied = (name: string): Store => {
      const store = memoryStore();
      return {
        name,
        get: (key) => store.get(key),
        set: (key, value, options) => {
          into(name, `${key} ${typeof value === 'string' ? value : Buffer.from(value).toString('latin1')}`);
          return store.set(key, value, options);
        },
        delete: (key, options) => store.delete(key, options),
        invalidate: (what) => store.invalidate(what),
      };
    };
    const ledger = memoryLedger();
    const tape = await record(join(folder, 'tape.jsonl'), { fetch: upstream });
    const gateway = createGateway({
      providers: [openai({ transport: 'fetch', api: 'chat', apiKey: PROVIDER_KEY, fetch: tape.fetch as never })],
      models: { default: 'openai/m' },
      use: [
        logger({ logger: (line) => into('log lines', line), content: 'masked', textLengthMax: 100_000 }),
        telemetry({ captureContent: 'span', content: 'masked' }),
        meter({
          ledger,
          sink: (row) => into('meter rows', row),
          content: { store: spied('content log') },
        }),
        redact({ key: KEY, vault: { store: spied('vault') } }),
        cache({ store: spied('cache') }),
        retry({ baseMs: 0 }),
        route(),
      ],
    });
    for (const name of EVENTS) gateway.on(name, (event) => into('events', event));
    const acme = gateway.with({ scope: { tenant: 'acme', session: 's1' } });

    const { text } = await acme.chat(request);
    expect(text).toContain(CANARIES.prompt);
    expect((await acme.chat(request)).text).toContain(CANARIES.github);
    let streamed = '';
    for await (const piece of acme.stream({ ...request, temperature: 0.5 }).text) streamed += piece;
    expect(streamed).toContain(CANARIES.card);
    await acme.embed({ model: 'openai/m', input: CANARIES.embedding });
    const failure: unknown = await acme
      .chat({ prompt: `fail please ${CANARIES.prompt}` })
      .catch((error: unknown) => error);
    expect(isGatewayError(failure, 'authentication')).toBe(true);
    into('errors', failure);
    into('errors', JSON.stringify(failure));
    into('errors', String((failure as Error).stack));
    into('explain', gateway.explain(request as never));
    into('explain', JSON.stringify(gateway.explain({ prompt: 'x' })));
    into('inspect', gateway);
    await gateway.close();
    await tape.close();
    for await (const row of ledger.rows()) into('ledger', row);
    into(
      'spans',
      spans.getFinishedSpans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
    );
    into('recording', await readFile(join(folder, 'tape.jsonl'), 'utf8'));
    await rm(folder, { recursive: true });

    for (const [sink, pieces] of Object.entries(sinks)) {
      const all = pieces.join('\n');
      const leaks = Object.entries(hidden).filter(([, value]) => formsOf(value).some((form) => all.includes(form)));
      expect(
        leaks.map(([place]) => place),
        sink,
      ).toEqual([]);
    }
    expect(Object.keys(sinks).sort()).toEqual([
      'cache',
      'content log',
      'errors',
      'events',
      'explain',
      'inspect',
      'ledger',
      'log lines',
      'meter rows',
      'recording',
      'spans',
      'vault',
    ]);
    // What is masked was looked at, not left out.
    for (const sink of ['log lines', 'spans', 'content log', 'recording', 'cache'])
      expect(sinks[sink]?.join(''), sink).toContain('[EMAIL_ADDRESS_');
  });
});
