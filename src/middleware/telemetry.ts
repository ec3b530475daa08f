import { type CallFacts, settleFacts } from '../core/call-facts.ts';
import type { Call, Next, Reply } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import type { Semconv } from '../core/genai-conventions.ts';
import { defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import { END_MS_MAX, OpenCalls } from '../core/open-calls.ts';
import { aList, anObject, checkOptions, oneOf, wholeNumber } from '../core/options.ts';
import { settle, transform } from '../core/reply.ts';
import type { OperationName } from '../operations/index.ts';
import { environment } from '#platform';
import { loadApi, type OtelApi, type OtelMeter, Registered } from './telemetry/api.ts';
import { CallTrace, type TraceSettings } from './telemetry/call-trace.ts';
import { Instruments } from './telemetry/instruments.ts';

export type { OtelApi };

export interface TelemetryOptions {
  /**
   * The GenAI conventions to follow: the last tagged ones, or the unreleased ones.
   *
   * @defaultValue 'latest' if OTEL_SEMCONV_STABILITY_OPT_IN says gen_ai_latest_experimental, else '1.41'
   */
  readonly semconv?: Semconv;
  /**
   * Where prompts and answers are written: on the span, in a log record, or both.
   *
   * @defaultValue what OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says, else 'off'
   */
  readonly captureContent?: TraceSettings['capture'];
  /** `masked`: what `redact` publishes, and nothing without it. `raw`: as it was written. @defaultValue 'masked' */
  readonly content?: 'masked' | 'raw';
  /** Longest JSON text of one content attribute; older messages go first. @defaultValue 65_536 */
  readonly contentCharactersMax?: number;
  /** Fields of the scope to write on spans, like `['tenant']`. Never on metrics. @defaultValue [] */
  readonly scope?: readonly string[];
  /** `@opentelemetry/api`, where it cannot be imported by name. @defaultValue imported when first needed */
  readonly api?: OtelApi;
}

/**
 * Tells OpenTelemetry of every call: one CLIENT span each, its attempts as span events, and the GenAI metrics. Without
 * a registered SDK it does nothing and costs nothing.
 *
 * Stands outermost, outside `meter`; its attempt face sees all attempts wherever it stands.
 *
 * @throws GatewayError `invalid-options` naming the field.
 * @example
 * createGateway({ providers, use: [telemetry(), meter(), retry(), route()] })
 */
export function telemetry(options: TelemetryOptions = {}): Middleware {
  checkOptions('telemetry', options, {
    semconv: oneOf('1.41', 'latest'),
    captureContent: oneOf('off', 'span', 'event', 'both'),
    content: oneOf('masked', 'raw'),
    contentCharactersMax: wholeNumber(2),
    scope: aList,
    api: anObject,
  });
  return new Telemetry(options).layer;
}

class Telemetry {
  readonly layer: Middleware;
  readonly #options: TelemetryOptions;
  readonly #open = new OpenCalls<CallTrace>();
  #settings: TraceSettings;
  #registered: Registered | undefined;
  #loading: Promise<void> | undefined;
  #host: Host | undefined;
  #meter: OtelMeter | undefined;
  #instruments: Instruments | undefined;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#settings = settingsOf(options, new Map(), false);
    if (options.api !== undefined) this.#registered = new Registered(options.api);
    this.layer = defineMiddleware(
      {
        name: 'telemetry',
        ...(this.#settings.capture !== 'off' && { content: { reads: true } }),
        start: (host) => this.#start(host),
        attempt: (call) => this.#observe(call),
        close: () => this.#close(),
      },
      // Not `async`: where nothing is registered, the call passes without so much as a promise.
      (call, next) => {
        if (this.#registered !== undefined) return this.#around(call, next);
        if (this.#loading === undefined) return next(call);
        return this.#loading.then(() => this.#around(call, next));
      },
    );
  }

  #start(host: Host): void {
    this.#host = host;
    this.#settings = settingsOf(
      this.#options,
      host.providers,
      host.middleware.some((info) => info.content?.stores === true),
    );
    if (this.#registered !== undefined) return;
    this.#loading ??= loadApi().then((api) => {
      if (api !== undefined) this.#registered = new Registered(api);
      this.#loading = undefined;
    });
  }

  #around<K extends OperationName>(call: Call<K>, next: Next): Promise<Reply<K>> {
    const tracer = this.#registered?.tracer();
    const instruments = this.#metrics();
    const registered = this.#registered;
    if (registered === undefined || (tracer === undefined && instruments === undefined)) return next(call);
    if (this.#open.get(call.id) !== undefined) return next(call);
    const trace = new CallTrace(call, this.#settings, registered, tracer, instruments);
    this.#open.set(call.id, trace);
    const { span } = trace;
    const reply = span === undefined ? next(call) : registered.within(span, () => next(call));
    const watched = this.#watched(call, trace, reply);
    return settleFacts(watched, { end: (facts) => this.#end(call, trace, facts) });
  }

  async #watched<K extends OperationName>(
    call: Call<K>,
    trace: CallTrace,
    reply: Promise<Reply<K>>,
  ): Promise<Reply<K>> {
    const { capture } = this.#settings;
    const raw = capture !== 'off' && this.#options.content === 'raw';
    if (raw) trace.raw = { request: call.request };
    let settled: Reply<K>;
    try {
      settled = await reply;
    } finally {
      trace.replied();
    }
    const { instruments } = trace;
    if (settled.stream && instruments !== undefined) timeChunks(call, settled, trace, instruments);
    if (!raw) return settled;
    return settle(settled, call.operation, ({ response }) => {
      if (response !== undefined) trace.raw = { request: call.request, response };
    });
  }

  #observe(call: Call): { end(outcome: Parameters<CallTrace['attemptEnded']>[1]): void } | undefined {
    const trace = this.#open.nearest(call.id);
    const instruments = this.#metrics();
    if (trace === undefined && instruments === undefined) return undefined;
    trace?.attemptBegan(call);
    return {
      end: (outcome) => {
        instruments?.attempt(call, outcome);
        if (trace !== undefined && this.#open.nearest(call.id) === trace) trace.attemptEnded(call, outcome);
      },
    };
  }

  #end(call: Call, trace: CallTrace, facts: CallFacts): void {
    if (!this.#open.delete(call.id)) return;
    try {
      trace.end(facts);
    } catch (thrown) {
      // A failing SDK harms no call.
      const error = new GatewayError('internal', 'Telemetry failed at the end of a call.', { cause: thrown });
      call.context.emit('problem', { stage: 'telemetry', code: error.code, error });
    }
  }

  async #close(): Promise<void> {
    if (this.#host !== undefined) await this.#open.emptied(this.#host.clock, END_MS_MAX);
    const error = new GatewayError('closed', 'The gateway was closed while the call was running.');
    for (const trace of this.#open.values()) this.#end(trace.call, trace, { status: 'cancelled', error });
  }

  #metrics(): Instruments | undefined {
    const meter = this.#registered?.meter();
    if (meter !== this.#meter) {
      this.#meter = meter;
      this.#instruments = meter === undefined ? undefined : new Instruments(meter, this.#settings);
    }
    return this.#instruments;
  }
}

/** The first chunk has come; each further one is timed against the one before. */
function timeChunks(call: Call, reply: Reply, trace: CallTrace, instruments: Instruments): void {
  const { clock } = call.context;
  instruments.firstChunk(call, reply.target, trace.repliedMs);
  const record = instruments.chunks(call, reply.target);
  let last: number | undefined;
  transform(reply, () => ({
    observes: true,
    event(event, emit) {
      if (event.type.endsWith('-delta')) {
        const now = clock.monotonic();
        if (last !== undefined) record(now - last);
        last = now;
      }
      emit(event);
    },
  }));
}

const CAPTURE: Readonly<Record<string, TraceSettings['capture']>> = {
  true: 'span',
  span_only: 'span',
  event_only: 'event',
  span_and_event: 'both',
};

function settingsOf(
  options: TelemetryOptions,
  providers: TraceSettings['providers'],
  hasCache: boolean,
): TraceSettings {
  const env = environment();
  const latest = (env['OTEL_SEMCONV_STABILITY_OPT_IN'] ?? '').split(',').includes('gen_ai_latest_experimental');
  const asked = (env['OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'] ?? '').toLowerCase();
  const semconv = options.semconv ?? (latest ? 'latest' : '1.41');
  return {
    semconv,
    capture: options.captureContent ?? CAPTURE[asked] ?? 'off',
    contentCharactersMax: options.contentCharactersMax ?? 65_536,
    scope: options.scope ?? [],
    providers,
    hasCache,
  };
}
