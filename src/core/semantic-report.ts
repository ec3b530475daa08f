/** What the shadow mode saw once: a kept answer beside the live one. */
export interface ShadowSample {
  readonly similarity: number;
  /** No guard objected. */
  readonly passed: boolean;
  /** The kept answer would have been right. */
  readonly same: boolean;
  /** Tokens that a hit would have spared. */
  readonly tokens: number;
}

export interface ThresholdReport {
  readonly threshold: number;
  readonly hits: number;
  readonly falseHits: number;
  /** Share of hits that would have been wrong. */
  readonly falseHitRate: number;
  /** What that share is below with 95 % confidence: few samples prove little. */
  readonly falseHitRateMax: number;
}

/** What the shadow mode has measured so far. */
export interface SemanticReport {
  /** Calls that asked a question that could have been answered by another's answer. */
  readonly lookups: number;
  /** Of those, the ones where something near enough was kept, so that two answers could be compared. */
  readonly compared: number;
  /** At the threshold in force, with the guards in force. */
  readonly hits: number;
  readonly falseHits: number;
  readonly falseHitRate: number;
  readonly savedTokens: number;
  /** The same for other thresholds, highest first. */
  readonly thresholds: readonly ThresholdReport[];
  /** The lowest threshold that is proven good enough; absent while none is. */
  readonly recommended?: number;
}

/** Most samples kept; the oldest goes first. */
const SAMPLES_MAX = 10_000;
/** Lowest similarity at which answers are compared. */
export const SHADOW_THRESHOLD = 0.8;

/** Collects samples and reports on them. */
export class ShadowReport {
  readonly #samples: ShadowSample[] = [];
  #lookups = 0;

  looked(): void {
    this.#lookups++;
  }

  add(sample: ShadowSample): void {
    if (this.#samples.push(sample) > SAMPLES_MAX) this.#samples.shift();
  }

  report(threshold: number, falseHitRateMax: number): SemanticReport {
    const passed = this.#samples.filter((sample) => sample.passed);
    const now = at(passed, threshold);
    const steps = Array.from({ length: 20 }, (_, step) => at(passed, Math.round(99 - step) / 100));
    // With few samples nothing is proven, so a higher threshold may lack its proof where a lower one has it.
    const good = steps.findLast((step) => step.hits > 0 && step.falseHitRateMax <= falseHitRateMax);
    return {
      lookups: this.#lookups,
      compared: this.#samples.length,
      hits: now.hits,
      falseHits: now.falseHits,
      falseHitRate: now.falseHitRate,
      savedTokens: passed.reduce((sum, { similarity, tokens }) => sum + (similarity >= threshold ? tokens : 0), 0),
      thresholds: steps,
      ...(good !== undefined && { recommended: good.threshold }),
    };
  }
}

function at(passed: readonly ShadowSample[], threshold: number): ThresholdReport {
  const hits = passed.filter(({ similarity }) => similarity >= threshold);
  const falseHits = hits.filter(({ same }) => !same).length;
  const falseHitRate = hits.length === 0 ? 0 : falseHits / hits.length;
  return { threshold, hits: hits.length, falseHits, falseHitRate, falseHitRateMax: wilson(falseHits, hits.length) };
}

/** Upper end of Wilson's interval at 95 %. */
function wilson(count: number, total: number): number {
  if (total === 0) return 1;
  const [z, share] = [1.96, count / total];
  const spread = z * Math.sqrt((share * (1 - share)) / total + (z / (2 * total)) ** 2);
  return (share + z ** 2 / (2 * total) + spread) / (1 + z ** 2 / total);
}
