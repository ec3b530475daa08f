import * as metrics3 from '@opentelemetry/sdk-metrics';
import * as trace3 from '@opentelemetry/sdk-trace';
import * as metrics2 from 'otel-sdk-metrics-2';
import * as trace2 from 'otel-sdk-trace-2';

/** A span as both SDKs export it. */
export type Span = trace3.ReadableSpan;
type Processor = ConstructorParameters<typeof trace3.TracerProvider>[0];

/** What the tests use of one major version of OpenTelemetry's SDK. */
export interface OtelSdk {
  readonly name: string;
  /** Keeps what it is given. */
  spans(): trace3.InMemorySpanExporter;
  /** Gives each span to the exporter when it ends. */
  tracing(exporter: object): trace3.TracerProvider;
  /** Gives spans to the exporter in batches, with a bounded queue. */
  batching(exporter: object): trace3.TracerProvider;
  metrics(): {
    readonly exporter: metrics3.InMemoryMetricExporter;
    readonly reader: metrics3.PeriodicExportingMetricReader;
    readonly provider: metrics3.MeterProvider;
  };
}

const QUEUE = { maxQueueSize: 64, maxExportBatchSize: 32, scheduledDelayMillis: 5 };
const HOUR_MS = 3_600_000;

function metricsOf(sdk: typeof metrics3): ReturnType<OtelSdk['metrics']> {
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
  const reader = new sdk.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: HOUR_MS });
  return { exporter, reader, provider: new sdk.MeterProvider({ readers: [reader] }) };
}

const sdk3: OtelSdk = {
  name: 'SDK 3',
  spans: () => new trace3.InMemorySpanExporter(),
  tracing: (exporter) =>
    new trace3.TracerProvider({
      spanProcessors: [new trace3.SimpleSpanProcessor({ exporter: exporter as trace3.SpanExporter })],
    }),
  batching: (exporter) =>
    new trace3.TracerProvider({
      spanProcessors: [new trace3.BatchSpanProcessor({ exporter: exporter as trace3.SpanExporter, ...QUEUE })],
    } as Processor),
  metrics: () => metricsOf(metrics3),
};

// The two majors differ in how they are set up, which is what stands here; what they export has one shape.
const sdk2: OtelSdk = {
  name: 'SDK 2',
  spans: () => new trace2.InMemorySpanExporter() as never,
  tracing: (exporter) =>
    new trace2.BasicTracerProvider({ spanProcessors: [new trace2.SimpleSpanProcessor(exporter as never)] }) as never,
  batching: (exporter) =>
    new trace2.BasicTracerProvider({
      spanProcessors: [new trace2.BatchSpanProcessor(exporter as never, QUEUE)],
    }) as never,
  metrics: () => metricsOf(metrics2 as never),
};

export const OTEL_SDKS: readonly OtelSdk[] = [sdk3, sdk2];
