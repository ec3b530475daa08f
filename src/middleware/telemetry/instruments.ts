import type { CallFacts } from '../../core/call-facts.ts';
import type { Call } from '../../core/call.ts';
import { addServer, type Attributes, isReceived, modalityOf } from '../../core/genai-attributes.ts';
import {
  ATTEMPTS_METRIC,
  ATTRIBUTE,
  type MetricName,
  operationName,
  OVERHEAD_METRIC,
  POSTERN,
  PROFILES,
  providerName,
  type Semconv,
} from '../../core/genai-conventions.ts';
import type { AttemptOutcome } from '../../core/middleware.ts';
import { serverOf } from '../../core/server-address.ts';
import type { Target, Usage } from '../../operations/shared.ts';
import type { OtelCounter, OtelHistogram, OtelMeter } from './api.ts';
import type { TraceSettings } from './call-trace.ts';

/** Distinct models among labels; all further ones are `_OTHER`. Callers can write any model name. */
const MODELS_MAX = 500;
const OTHER = '_OTHER';

/** The metrics of one registered SDK. */
export class Instruments {
  readonly #semconv: Semconv;
  readonly #providers: TraceSettings['providers'];
  readonly #meter: OtelMeter;
  readonly #histograms = new Map<MetricName, OtelHistogram>();
  readonly #counters = new Map<MetricName, OtelCounter>();
  readonly #models = new Set<string>();

  constructor(meter: OtelMeter, { semconv, providers }: Pick<TraceSettings, 'semconv' | 'providers'>) {
    this.#meter = meter;
    this.#semconv = semconv;
    this.#providers = providers;
  }

  /** A call has ended. */
  call(call: Call, facts: CallFacts, durationMs: number, overheadMs: number): void {
    const profile = PROFILES[this.#semconv];
    const target = facts.target ?? call.plan.candidates[0];
    const labels = this.#labels(call, target, facts.model);
    const failed = facts.status === 'failed' ? { [ATTRIBUTE.errorType]: facts.error?.code ?? OTHER } : {};
    const duration = call.operation === 'chat' ? profile.duration : profile.otherDuration;
    this.#histogram(duration).record(durationMs / 1000, { ...labels, ...failed });
    this.#histogram(OVERHEAD_METRIC).record(overheadMs / 1000, {
      [ATTRIBUTE.operation]: operationName(call.operation),
    });
    if (profile.usage === undefined || call.operation !== 'chat' || facts.cached !== undefined) return;
    const usage = isReceived(facts.usage) ? facts.usage : undefined;
    if (usage === undefined && facts.status !== 'failed') return;
    this.#histogram(profile.usage.operationInput).record(usage?.input ?? 0, { ...labels, ...failed });
    this.#histogram(profile.usage.operationOutput).record(usage?.output ?? 0, { ...labels, ...failed });
    if (usage !== undefined) return;
    const unknown = { ...labels, ...failed, [ATTRIBUTE.tokenModality]: 'unknown' };
    this.#counter(profile.usage.input).add(0, unknown);
    this.#counter(profile.usage.output).add(0, unknown);
  }

  firstChunk(call: Call, target: Target | undefined, ms: number): void {
    this.#histogram(PROFILES[this.#semconv].timeToFirstChunk).record(ms / 1000, this.#labels(call, target));
  }

  /** Records the time between chunks of one stream; its labels are made once. */
  chunks(call: Call, target: Target | undefined): (ms: number) => void {
    const histogram = this.#histogram(PROFILES[this.#semconv].timePerChunk);
    const labels = this.#labels(call, target);
    return (ms) => histogram.record(ms / 1000, labels);
  }

  /** An attempt has ended: what it used is billed, whether or not its answer was. */
  attempt(call: Call, outcome: AttemptOutcome): void {
    const labels = this.#labels(call, call.target, outcome.model);
    this.#counter(ATTEMPTS_METRIC).add(1, { ...labels, [POSTERN.attemptStatus]: outcome.status });
    if (!isReceived(outcome.usage) || outcome.billing === 'no') return;
    const { tokens, usage } = PROFILES[this.#semconv];
    if (tokens !== undefined) {
      this.#histogram(tokens).record(outcome.usage.input, { ...labels, [ATTRIBUTE.tokenType]: 'input' });
      if (call.operation === 'chat') {
        this.#histogram(tokens).record(outcome.usage.output, { ...labels, [ATTRIBUTE.tokenType]: 'output' });
      }
    }
    if (usage !== undefined && call.operation === 'chat') this.#count(usage, outcome.usage, labels);
  }

  #count(names: NonNullable<(typeof PROFILES)['latest']['usage']>, { lines }: Usage, labels: Attributes): void {
    for (const { tokens } of lines) {
      for (const [name, count] of Object.entries(tokens)) {
        if (count === undefined || count === 0) continue;
        const by = { ...labels, [ATTRIBUTE.tokenModality]: modalityOf(name) };
        const isOutput = /^(?:output|reasoning|rejected)/.test(name);
        this.#counter(isOutput ? names.output : names.input).add(count, by);
        if (name.startsWith('cacheRead')) this.#counter(names.cacheRead).add(count, by);
        if (name.startsWith('cacheWrite')) this.#counter(names.cacheWrite).add(count, by);
        if (name === 'reasoning') this.#counter(names.reasoning).add(count, by);
      }
    }
  }

  #labels(call: Call, target: Target | undefined, served?: string): Attributes {
    const labels: Attributes = {
      [ATTRIBUTE.operation]: operationName(call.operation),
      [ATTRIBUTE.provider]: providerName(target?.provider ?? 'unknown', this.#semconv),
      [ATTRIBUTE.requestModel]: this.#model(target?.model ?? OTHER),
      ...(served !== undefined && { [ATTRIBUTE.responseModel]: this.#model(served) }),
    };
    addServer(labels, serverOf(this.#providers, call, target));
    return labels;
  }

  #model(name: string): string {
    if (this.#models.has(name)) return name;
    if (this.#models.size >= MODELS_MAX) return OTHER;
    this.#models.add(name);
    return name;
  }

  #histogram(metric: MetricName): OtelHistogram {
    let made = this.#histograms.get(metric);
    if (made === undefined) {
      const { name, unit, description, buckets = [] } = metric;
      made = this.#meter.createHistogram(name, {
        unit,
        description,
        advice: { explicitBucketBoundaries: [...buckets] },
      });
      this.#histograms.set(metric, made);
    }
    return made;
  }

  #counter(metric: MetricName): OtelCounter {
    let made = this.#counters.get(metric);
    if (made === undefined) {
      const { name, unit, description } = metric;
      made = this.#meter.createCounter(name, { unit, description });
      this.#counters.set(metric, made);
    }
    return made;
  }
}
