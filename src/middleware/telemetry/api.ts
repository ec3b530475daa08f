import type { Attributes } from '../../core/genai-attributes.ts';

/** The slice of `@opentelemetry/api` that is used here, so that it can be absent. */
export interface OtelSpan {
  setAttributes(attributes: Attributes): unknown;
  addEvent(name: string, attributes?: Attributes): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  updateName(name: string): unknown;
  isRecording(): boolean;
  end(): void;
}
export interface OtelTracer {
  startSpan(name: string, options: { kind: number; attributes: Attributes }): OtelSpan;
}
export interface OtelHistogram {
  record(value: number, attributes: Attributes): void;
}
export interface OtelCounter {
  add(value: number, attributes: Attributes): void;
}
interface InstrumentOptions {
  readonly unit: string;
  readonly description: string;
  readonly advice?: { explicitBucketBoundaries: number[] };
}
export interface OtelMeter {
  createHistogram(name: string, options: InstrumentOptions): OtelHistogram;
  createCounter(name: string, options: InstrumentOptions): OtelCounter;
}
export interface OtelApi {
  readonly context: {
    active(): never;
    with<R>(context: never, work: () => R): R;
  };
  readonly trace: {
    getTracer(name: string): unknown;
    getTracerProvider(): object;
    setSpan(context: never, span: never): unknown;
  };
  readonly metrics: {
    getMeter(name: string): unknown;
    getMeterProvider(): object;
  };
  readonly ProxyTracerProvider: new () => { getDelegate(): object };
  createNoopMeter(): object;
  /** Since 1.10. */
  readonly logs?: { getLogger(name: string): unknown };
}
interface OtelLogger {
  emit(record: { eventName: string; attributes: Record<string, unknown> }): void;
}

const SCOPE = 'postern';

/** What is registered with the API now. Looked up for each call, because an SDK may be registered late. */
export class Registered {
  readonly #api: OtelApi;
  readonly #noTracing: object;
  readonly #noMetrics: object;
  #provider: object | undefined;
  #meter: OtelMeter | undefined;

  constructor(api: OtelApi) {
    this.#api = api;
    this.#noTracing = new api.ProxyTracerProvider().getDelegate();
    this.#noMetrics = api.createNoopMeter();
  }

  /** `undefined` when no tracing SDK is registered. */
  tracer(): OtelTracer | undefined {
    const { trace } = this.#api;
    const provider = trace.getTracerProvider() as { getDelegate?(): object };
    if (provider.getDelegate?.() === this.#noTracing) return undefined;
    return trace.getTracer(SCOPE) as OtelTracer;
  }

  /** `undefined` when no metrics SDK is registered. The same object as long as the SDK is the same. */
  meter(): OtelMeter | undefined {
    const provider = this.#api.metrics.getMeterProvider();
    if (provider !== this.#provider) {
      this.#provider = provider;
      const meter = this.#api.metrics.getMeter(SCOPE) as OtelMeter;
      this.#meter = (meter as object) === this.#noMetrics ? undefined : meter;
    }
    return this.#meter;
  }

  /** Runs work with the span as the parent of what it starts. */
  within<R>(span: OtelSpan, work: () => R): R {
    const { context, trace } = this.#api;
    return context.with(trace.setSpan(context.active(), span as never) as never, work);
  }

  log(eventName: string, attributes: Record<string, unknown>): void {
    (this.#api.logs?.getLogger(SCOPE) as OtelLogger | undefined)?.emit({ eventName, attributes });
  }
}

/** Loads the optional peer. `undefined` if it is not installed. */
export async function loadApi(): Promise<OtelApi | undefined> {
  try {
    return (await import('@opentelemetry/api')) as unknown as OtelApi;
  } catch {
    return undefined;
  }
}
