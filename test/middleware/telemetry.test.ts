import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { context, diag, DiagLogLevel, logs, metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cache } from '../../src/middleware/cache.ts';
import { meter } from '../../src/middleware/meter.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { telemetry, type TelemetryOptions } from '../../src/middleware/telemetry.ts';
import { createGateway, type Middleware } from '../../src/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { OpenAI } from 'openai';
import { size } from '../size.ts';
import { OTEL_SDKS, type Span } from './otel-sdks.ts';
import { setUp, warmUp } from './support.ts';

describe.each(OTEL_SDKS)('telemetry with $name', (sdk) => {
  const spans = sdk.spans();
  let measured: ReturnType<typeof sdk.metrics>;
  let problems: string[] = [];

  beforeAll(warmUp);
  beforeEach(() => {
    problems = [];
    const hear = (message: string): void => void problems.push(message);
    diag.setLogger({ error: hear, warn: hear, info: () => {}, debug: () => {}, verbose: () => {} }, DiagLogLevel.WARN);
    measured = sdk.metrics();
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(sdk.tracing(spans));
    metrics.setGlobalMeterProvider(measured.provider);
    problems = [];
  });
  afterEach(async () => {
    await measured.reader.shutdown();
    trace.disable();
    metrics.disable();
    context.disable();
    diag.disable();
    spans.reset();
  });

  const stack = (options: TelemetryOptions = {}, ...more: Middleware[]) => [
    telemetry(options),
    meter(),
    ...more,
    retry({ baseMs: 0 }),
    route(),
  ];

  async function metricSeries(): Promise<Map<string, readonly { readonly attributes: object }[]>> {
    await measured.reader.forceFlush();
    const last = measured.exporter.getMetrics().at(-1);
    const all = last?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    return new Map(all.map((metric) => [metric.descriptor.name, metric.dataPoints as { attributes: object }[]]));
  }
  const only = (): Span => {
    const [span, ...others] = spans.getFinishedSpans();
    expect(others).toEqual([]);
    return span as Span;
  };
  const drain = async (stream: AsyncIterable<unknown>): Promise<void> => {
    for await (const _event of stream);
  };

  it('exports exactly the attributes of profile 1.41 for a plain call', async () => {
    const { gateway, a, clock } = setUp(stack());
    a.reply('Hello.');
    await clock.settled(
      gateway.chat({
        model: 'single',
        prompt: 'Hi',
        maxTokens: 9,
        temperature: 0.5,
        topP: 0.9,
        topK: 4,
        frequencyPenalty: 0.1,
        presencePenalty: 0.2,
        stop: ['END'],
        seed: 7,
        scope: { session: 's1', user: 'u1' },
      }),
    );
    const span = only();
    expect(span.name).toBe('chat one');
    expect(span.kind).toBe(SpanKind.CLIENT);
    expect(Object.keys(span.attributes).sort()).toEqual([
      'gen_ai.conversation.id',
      'gen_ai.operation.name',
      'gen_ai.output.type',
      'gen_ai.provider.name',
      'gen_ai.request.frequency_penalty',
      'gen_ai.request.max_tokens',
      'gen_ai.request.model',
      'gen_ai.request.presence_penalty',
      'gen_ai.request.seed',
      'gen_ai.request.stop_sequences',
      'gen_ai.request.temperature',
      'gen_ai.request.top_k',
      'gen_ai.request.top_p',
      'gen_ai.response.finish_reasons',
      'gen_ai.response.id',
      'gen_ai.response.model',
      'gen_ai.usage.input_tokens',
      'gen_ai.usage.output_tokens',
      'postern.attempts',
      'postern.call.id',
      'postern.route',
      'postern.status',
    ]);
    expect(span.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'a',
      'gen_ai.request.model': 'one',
      'gen_ai.response.finish_reasons': ['stop'],
      'postern.route': 'single',
    });
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('says where the request went, on spans and on metrics', async () => {
    const answer = {
      ...{ id: 'c1', object: 'chat.completion', created: 1, model: 'm' },
      choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    };
    const fetch = (async () => Response.json(answer)) as never;
    const client = new OpenAI({ apiKey: 'k', baseURL: 'http://10.0.0.1/v1', fetch });
    const plain = { api: 'chat', transport: 'fetch', apiKey: 'k', fetch } as const;
    const regions = { eu: 'https://eu.models.internal:8443/v1' };
    const gateway = createGateway({
      providers: [
        openai(plain),
        openai({ ...plain, name: 'regional', regions }),
        openai({ name: 'client', api: 'chat', client }),
      ],
      models: { regional: { target: 'regional/m', region: 'eu' } },
      use: stack(),
    });
    await gateway.chat({ model: 'openai/m', prompt: 'Hi' });
    await gateway.chat({ model: 'regional', prompt: 'Hi' });
    await gateway.chat({ model: 'client/m', prompt: 'Hi' });
    await gateway.wrap(client).chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] });
    await gateway.close();
    const expected = ['api.openai.com:443', 'eu.models.internal:8443', '10.0.0.1:80', '10.0.0.1:80'];
    const server = ({ attributes }: { attributes: object }) =>
      `${Reflect.get(attributes, 'server.address')}:${Reflect.get(attributes, 'server.port')}`;
    expect(spans.getFinishedSpans().map(server)).toEqual(expected);
    const series = await metricSeries();
    for (const name of ['gen_ai.client.operation.duration', 'gen_ai.client.token.usage']) {
      expect(new Set(series.get(name)?.map(server))).toEqual(new Set(expected));
    }
  });

  it('exports exactly the metrics of profile 1.41, name by name', async () => {
    const { gateway, a, clock } = setUp(stack());
    a.reply('one two three four five six seven eight');
    await clock.settled(gateway.chat({ model: 'single', prompt: 'Hi' }));
    await clock.settled(drain(gateway.stream({ model: 'single', prompt: 'Hi' })));
    await clock.settled(gateway.embed({ model: 'single', input: ['x'] }));
    const series = await metricSeries();
    expect([...series.keys()].sort()).toEqual([
      'gen_ai.client.operation.duration',
      'gen_ai.client.operation.time_per_output_chunk',
      'gen_ai.client.operation.time_to_first_chunk',
      'gen_ai.client.token.usage',
      'postern.attempts',
      'postern.gateway.overhead',
    ]);
    const labels = (name: string) =>
      [...new Set(series.get(name)?.flatMap(({ attributes }) => Object.keys(attributes)))].sort();
    const base = ['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.request.model'];
    expect(labels('gen_ai.client.operation.duration')).toEqual([...base, 'gen_ai.response.model']);
    expect(labels('gen_ai.client.token.usage')).toEqual([...base, 'gen_ai.response.model', 'gen_ai.token.type']);
    expect(labels('gen_ai.client.operation.time_to_first_chunk')).toEqual(base);
    expect(labels('postern.gateway.overhead')).toEqual(['gen_ai.operation.name']);
    const [duration] = series.get('gen_ai.client.operation.duration') as unknown as {
      value: { buckets: { boundaries: number[] } };
    }[];
    expect(duration?.value.buckets.boundaries.slice(0, 3)).toEqual([0.01, 0.02, 0.04]);
    const operations = series.get('gen_ai.client.operation.duration')?.map(({ attributes }) => attributes);
    expect(operations).toContainEqual(expect.objectContaining({ 'gen_ai.operation.name': 'embeddings' }));
  });

  it('exports exactly the metrics and the changed attributes of profile latest', async () => {
    const { gateway, a, clock } = setUp(stack({ semconv: 'latest' }));
    a.on('Hi').reply('Hello there you.').usage({ input: 5, cacheRead: 7, cacheWrite5m: 3, output: 4, reasoning: 2 });
    a.on('fail').fail('authentication').always();
    await clock.settled(gateway.chat({ model: 'single', prompt: 'Hi', reasoning: { effort: 'low' } }));
    await clock.settled(drain(gateway.stream({ model: 'single', prompt: 'Hi' })));
    await clock.settled(gateway.chat({ model: 'single', prompt: 'fail' }).catch(() => undefined));
    expect(spans.getFinishedSpans()[0]?.attributes).toMatchObject({
      'gen_ai.request.reasoning.level': 'low',
      'gen_ai.usage.input_tokens': 15,
      'gen_ai.usage.output_tokens': 6,
      'gen_ai.usage.cache_read.input_tokens': 7,
      'gen_ai.usage.cache_write.input_tokens': 3,
      'gen_ai.usage.reasoning.output_tokens': 2,
    });
    const series = await metricSeries();
    expect([...series.keys()].sort()).toEqual([
      'gen_ai.client.inference.duration',
      'gen_ai.client.inference.operation.input_tokens',
      'gen_ai.client.inference.operation.output_tokens',
      'gen_ai.client.inference.time_per_output_chunk',
      'gen_ai.client.inference.time_to_first_chunk',
      'gen_ai.client.inference.usage.cache_read.input_tokens',
      'gen_ai.client.inference.usage.cache_write.input_tokens',
      'gen_ai.client.inference.usage.input_tokens',
      'gen_ai.client.inference.usage.output_tokens',
      'gen_ai.client.inference.usage.reasoning.output_tokens',
      'postern.attempts',
      'postern.gateway.overhead',
    ]);
    expect(series.get('gen_ai.client.inference.usage.input_tokens')).toContainEqual(
      expect.objectContaining({
        value: 0,
        attributes: expect.objectContaining({ 'gen_ai.token.modality': 'unknown' }),
      }),
    );
  });

  it('exports exactly the attributes of an embedding, and no text of it', async () => {
    const { gateway, a, clock } = setUp(stack());
    a.reply('x');
    await clock.settled(gateway.embed({ model: 'single', input: ['canary'], dimensions: 8, encoding: 'float' }));
    const span = only();
    expect(span.name).toBe('embeddings one');
    expect(Object.keys(span.attributes).sort()).toEqual([
      'gen_ai.embeddings.dimension.count',
      'gen_ai.operation.name',
      'gen_ai.provider.name',
      'gen_ai.request.encoding_formats',
      'gen_ai.request.model',
      'gen_ai.response.model',
      'gen_ai.usage.input_tokens',
      'postern.attempts',
      'postern.call.id',
      'postern.route',
      'postern.status',
    ]);
    expect(JSON.stringify(span.attributes)).not.toContain('canary');
  });

  it('writes content into a log record instead, if that is asked', async () => {
    const records: { readonly eventName?: string; readonly attributes?: object }[] = [];
    const emit = (record: object): void => void records.push(record);
    logs.setGlobalLoggerProvider({ getLogger: () => ({ emit, enabled: () => true }) } as never);
    const { gateway, a, clock } = setUp(stack({ captureContent: 'event', content: 'raw' }));
    a.otherwise.callTool('find', { query: 'x' });
    await clock.settled(gateway.chat({ model: 'single', prompt: 'Find x' }));
    logs.disable();
    expect(records.map(({ eventName }) => eventName)).toEqual(['gen_ai.client.inference.operation.details']);
    expect(records[0]?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.input.messages': [{ role: 'user', parts: [{ type: 'text', content: 'Find x' }] }],
      'gen_ai.output.messages': [
        {
          role: 'assistant',
          parts: [{ type: 'tool_call', name: 'find', arguments: { query: 'x' } }],
          finish_reason: 'tool_call',
        },
      ],
    });
    expect(only().attributes).not.toHaveProperty(['gen_ai.input.messages']);
  });

  it('cuts captured content by whole messages, so that it stays JSON', async () => {
    const { gateway, a, clock } = setUp(stack({ captureContent: 'span', content: 'raw', contentCharactersMax: 200 }));
    a.reply('ok');
    const messages = Array.from({ length: 9 }, (_, index) => ({ role: 'user' as const, content: `message ${index}` }));
    await clock.settled(gateway.chat({ model: 'single', messages }));
    const text = only().attributes['gen_ai.input.messages'] as string;
    expect(text.length).toBeLessThanOrEqual(200);
    expect(JSON.parse(text).at(-1).parts[0].content).toBe('message 8');
  });

  it('tells of a fallback, every attempt, the cost and the cache', async () => {
    const { gateway, a, b, clock } = setUp(stack({ scope: ['tenant'] }, cache()));
    a.otherwise.fail('overloaded').always();
    b.reply('fine');
    const call = () => gateway.chat({ prompt: 'Hi', temperature: 0, scope: { tenant: 'acme' } });
    await clock.settled(call());
    await clock.settled(call());
    const [first, second] = spans.getFinishedSpans() as [Span, Span];
    expect(first.name).toBe('chat two');
    expect(first.attributes).toMatchObject({
      'gen_ai.provider.name': 'b',
      'postern.fallback.from': 'a/one',
      'postern.cache': 'miss',
      'postern.attempts': 2,
      'postern.scope.tenant': 'acme',
    });
    expect(
      first.events.map(({ name, attributes }) => [
        name,
        attributes?.['error.type'],
        attributes?.['postern.attempt.status'],
      ]),
    ).toEqual([
      ['postern.attempt', 'overloaded', 'failed'],
      ['postern.attempt', undefined, 'completed'],
    ]);
    expect(second.attributes).toMatchObject({ 'postern.cache': 'exact', 'postern.cost.usd': 0, 'postern.attempts': 0 });
    expect(second.events).toEqual([]);
  });

  it('TEL-01, TEL-02, TEL-05: starts and ends one span a call on every exit path', async () => {
    const { gateway, a, b, clock } = setUp(stack());
    a.on('cut').reply('one two three four').cut({ content: 2 }).always();
    a.on('bad').fail('invalid-request').always();
    a.on('slow').reply('late').delay(10_000).always();
    a.on('down').fail('unavailable').always();
    a.on('think').reply('one two three four').pace({ pieceDelayMs: 10 }).always();
    a.reply('ok');
    b.reply('b');
    const ends: Record<string, () => Promise<unknown>> = {
      plain: () => gateway.chat('x'),
      stream: () => drain(gateway.stream('x')),
      fallback: () => gateway.chat('down'),
      refused: () => gateway.chat({ model: 'single', prompt: 'bad' }),
      interrupted: () => drain(gateway.stream({ model: 'single', prompt: 'cut' })),
      timeout: () => gateway.chat({ model: 'single', prompt: 'slow', timeoutMs: 50 }),
      'aborted before': () => gateway.chat({ prompt: 'x', signal: AbortSignal.abort() }),
      'aborted in the middle': async () => {
        const controller = new AbortController();
        for await (const _text of gateway.stream({ prompt: 'think', signal: controller.signal }).text)
          controller.abort();
      },
      'broken off': async () => {
        for await (const _text of gateway.stream('think').text) break;
      },
      'listener throws': async () => {
        for await (const _text of gateway.stream('think').text) throw new Error('reader');
      },
    };
    for (const [name, end] of Object.entries(ends)) {
      spans.reset();
      await clock.settled(end().catch(() => undefined));
      await clock.advance(0);
      expect([name, spans.getFinishedSpans().length]).toEqual([name, 1]);
    }
    const open = gateway.chat({ model: 'single', prompt: 'slow' }).catch(() => undefined);
    await clock.advance(10);
    spans.reset();
    await clock.settled(gateway.close());
    await open;
    expect(spans.getFinishedSpans()).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  it('says how a call failed, without its words', async () => {
    const { gateway, a, clock } = setUp(stack());
    a.on('x').fail('authentication', { message: 'key sk-canary-1 is wrong' }).always();
    await clock.settled(gateway.chat({ model: 'single', prompt: 'x' }).catch(() => undefined));
    const span = only();
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'authentication' });
    expect(span.attributes).toMatchObject({ 'error.type': 'authentication', 'postern.status': 'failed' });
    const duration = (await metricSeries()).get('gen_ai.client.operation.duration');
    expect(duration?.[0]?.attributes).toMatchObject({ 'error.type': 'authentication' });
  });

  it('TEL-03, TEL-04: exports no content unless asked, streamed or not', async () => {
    const { gateway, a, clock } = setUp(stack({ scope: ['tenant'] }));
    a.on('canary-prompt').reply('canary-answer').always();
    a.on('canary-fail').fail(500, { message: 'canary-provider canary-fail' }).always();
    const request = {
      model: 'single',
      messages: [
        { role: 'system' as const, content: 'canary-system' },
        { role: 'user' as const, content: 'canary-prompt' },
      ],
      metadata: { note: 'canary-metadata' },
      headers: { 'x-secret': 'canary-header' },
    };
    await clock.settled(gateway.chat(request));
    await clock.settled(drain(gateway.stream(request)));
    await clock.settled(gateway.chat({ model: 'single', prompt: 'canary-fail' }).catch(() => undefined));
    const told = JSON.stringify([
      spans.getFinishedSpans().map(({ name, attributes, events, status }) => [name, attributes, events, status]),
      [...(await metricSeries())],
    ]);
    expect(told).not.toContain('canary');
    expect(spans.getFinishedSpans()).toHaveLength(3);
  });

  it('TEL-04: captures content when asked: masked view only, raw if that is asked, the text "false" is off', async () => {
    const mask: Middleware = async (call, next) => {
      call.context.content = {
        request: { messages: [{ role: 'user', content: [{ type: 'text', text: 'I am [NAME]' }] }] },
      };
      return next(call);
    };
    const capture = async (options: TelemetryOptions, ...more: Middleware[]): Promise<Span> => {
      spans.reset();
      const { gateway, a, clock } = setUp(stack(options, ...more));
      a.reply('Hello Ann.');
      await clock.settled(drain(gateway.stream({ model: 'single', system: 'Be kind.', prompt: 'I am Ann' })));
      return only();
    };
    const masked = await capture({ captureContent: 'span' }, mask);
    expect(JSON.parse(masked.attributes['gen_ai.input.messages'] as string)).toEqual([
      { role: 'user', parts: [{ type: 'text', content: 'I am [NAME]' }] },
    ]);
    expect(JSON.stringify(masked.attributes)).not.toContain('Ann');
    const unmasked = await capture({ captureContent: 'span' });
    expect(unmasked.attributes).not.toHaveProperty(['gen_ai.input.messages']);
    const raw = await capture({ captureContent: 'span', content: 'raw' });
    expect(JSON.parse(raw.attributes['gen_ai.output.messages'] as string)).toEqual([
      { role: 'assistant', parts: [{ type: 'text', content: 'Hello Ann.' }], finish_reason: 'stop' },
    ]);
    expect(JSON.parse(raw.attributes['gen_ai.system_instructions'] as string)).toEqual([
      { type: 'text', content: 'Be kind.' },
    ]);
    process.env['OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'] = 'false';
    expect((await capture({ content: 'raw' })).attributes).not.toHaveProperty(['gen_ai.input.messages']);
    process.env['OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'] = 'true';
    expect((await capture({ content: 'raw' })).attributes).toHaveProperty(['gen_ai.input.messages']);
    delete process.env['OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'];
  });

  it('TEL-06: neither users nor model names make metrics grow without end', async () => {
    const { gateway, a, clock } = setUp(stack({ scope: ['user'] }));
    a.reply('ok');
    const users = size(700, 20_000);
    for (let index = 0; index < users; index++) {
      await gateway.chat({ model: `a/model-${index}`, prompt: 'x', scope: { user: `u${index}` } });
    }
    await clock.advance(0);
    const durations = (await metricSeries()).get('gen_ai.client.operation.duration') ?? [];
    expect(durations.length).toBeLessThanOrEqual(502);
    expect(JSON.stringify(durations.map(({ attributes }) => attributes))).not.toContain('"u1"');
  });

  it('TEL-07: a failing exporter harms no call', async () => {
    trace.disable();
    const failing = {
      export: () => {
        throw new Error('down');
      },
      shutdown: async () => {},
      forceFlush: async () => {},
    };
    trace.setGlobalTracerProvider(sdk.tracing(failing));
    const { gateway, a, clock } = setUp(stack());
    a.reply('ok');
    expect((await clock.settled(gateway.chat('x'))).text).toBe('ok');
  });

  describe('TEL-07: an exporter that hangs', () => {
    let exports = 0;
    let spansSeen = 0;
    const hanging = {
      export(batch: readonly unknown[]): void {
        exports++;
        spansSeen += batch.length;
      },
      shutdown: () => new Promise<void>(() => undefined),
      forceFlush: () => new Promise<void>(() => undefined),
    };
    beforeEach(() => {
      exports = 0;
      spansSeen = 0;
      trace.disable();
    });

    it('makes no call wait, not by one turn of its promises', async () => {
      const turnsOf = async (exporter: object | undefined): Promise<number[]> => {
        trace.disable();
        trace.setGlobalTracerProvider(sdk.tracing(exporter ?? spans));
        const { gateway, a } = setUp(stack());
        a.reply('ok');
        const counts: number[] = [];
        for (let call = 0; call < 100; call++) {
          let done = false;
          const settled = gateway.chat({ model: 'single', prompt: 'x' }).then(() => (done = true));
          let turns = 0;
          while (!done && turns < 10_000) {
            await Promise.resolve();
            turns++;
          }
          await settled;
          counts.push(turns);
        }
        // The first ones load code.
        return counts.slice(10);
      };
      const healthy = await turnsOf(undefined);
      expect(Math.max(...healthy)).toBeLessThan(10_000);
      expect(await turnsOf(hanging)).toEqual(healthy);
    });

    it('keeps a bounded queue of the SDK full, and delays neither calls nor close', async () => {
      const told: string[] = [];
      diag.setLogger(
        { error: () => {}, warn: () => {}, info: () => {}, debug: (text) => void told.push(text), verbose: () => {} },
        { logLevel: DiagLogLevel.DEBUG, suppressOverrideMessage: true },
      );
      trace.setGlobalTracerProvider(sdk.batching(hanging));
      const { gateway, a, clock } = setUp(stack());
      a.reply('ok');
      const before = clock.now();
      const calls = 300;
      for (let call = 0; call < calls; call++) {
        await gateway.chat({ model: 'single', prompt: 'x' });
        // Lets the processor begin its exports.
        if (call % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await gateway.close();
      expect(clock.now()).toBe(before);
      expect(exports).toBeGreaterThan(0);
      expect(spansSeen).toBeLessThan(calls);
      expect(told.join(' ')).toContain('maxQueueSize reached, dropping spans');
    });
  });

  it('does nothing while no SDK is registered, and begins when one is', async () => {
    trace.disable();
    metrics.disable();
    const { gateway, a, clock } = setUp(stack());
    a.reply('ok');
    await clock.settled(gateway.chat('x'));
    expect(spans.getFinishedSpans()).toEqual([]);
    trace.setGlobalTracerProvider(sdk.tracing(spans));
    await clock.settled(gateway.chat('x'));
    expect(spans.getFinishedSpans()).toHaveLength(1);
  });

  it('makes its span the parent of what providers and middleware trace', async () => {
    const inner: Middleware = async (call, next) => {
      trace.getTracer('test').startSpan('inside').end();
      return next(call);
    };
    const { gateway, a, clock } = setUp(stack({}, inner));
    a.reply('ok');
    await clock.settled(gateway.chat('x'));
    const [inside, outer] = spans.getFinishedSpans() as [Span, Span];
    expect(inside.parentSpanContext?.spanId).toBe(outer.spanContext().spanId);
  });
});
