import type { AttemptOutcome } from '../middleware.ts';
import { amountEvidence, type Evidence, rateEvidence } from './evidence.ts';

/** What makes a canary go back. */
export interface RollbackOptions {
  /** @defaultValue true */
  readonly errors?: boolean;
  /** How much later its first content may come and still be as good, as a share; `false` ignores it. @defaultValue 0.1 */
  readonly latency?: number | false;
  /** How much more a call may cost and still be as good, as a share; `false` ignores it. @defaultValue false */
  readonly cost?: number | false;
  /** Canary calls before it may go back. @defaultValue 20 */
  readonly callsMin?: number;
  /** Highest chance that a canary as good as the stable variant ever goes back. @defaultValue 0.001 */
  readonly risk?: number;
  /** Your own verdict on an attempt: `true` is good, `undefined` says nothing. */
  readonly judge?: (outcome: AttemptOutcome) => boolean | undefined;
}

/** What one variant did so far. */
export interface VariantNumbers {
  readonly calls: number;
  readonly failures: number;
  readonly meanMs: number;
  readonly meanUsd: number;
}
/** A trial of a canary beside what is stable. */
export interface RolloutReport {
  /** Its place in the configuration, like `models.fast`. */
  readonly at: string;
  readonly state: 'running' | 'rolled-back';
  readonly reason?: string;
  readonly stable: VariantNumbers;
  readonly canary: VariantNumbers;
  /** How many times its stake the bet that the canary is worse has won, by measure. */
  readonly evidence: Readonly<Record<string, number>>;
}

type Variant = 'stable' | 'canary';
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Compares a canary with the stable variant, outcome by outcome. */
export interface Trial {
  /** Gives the reason when this outcome sends the canary back. */
  add(variant: Variant, outcome: AttemptOutcome, usd: number | undefined): string | undefined;
  readonly report: RolloutReport;
}

export function createTrial(at: string, options: RollbackOptions | false, random: () => number): Trial {
  const { errors = true, latency = 0.1, cost = false, callsMin = 20, risk = 0.001, judge } = options || NOTHING;
  const evidence = new Map<string, Evidence>();
  if (errors) evidence.set('errors', rateEvidence());
  if (judge !== undefined) evidence.set('judge', rateEvidence());
  if (latency !== false) evidence.set('latency', amountEvidence(latency, random));
  if (cost !== false) evidence.set('cost', amountEvidence(cost, random));
  const parts = [...evidence.keys()].reduce((sum, name) => sum + partOf(name), 0);
  const numbers: Record<Variant, Mutable<VariantNumbers>> = {
    stable: { calls: 0, failures: 0, meanMs: 0, meanUsd: 0 },
    canary: { calls: 0, failures: 0, meanMs: 0, meanUsd: 0 },
  };
  let reason: string | undefined;
  const note = (name: string, variant: Variant, value: number | undefined): void => {
    if (value !== undefined) evidence.get(name)?.[variant](value);
  };
  return {
    add(variant, outcome, usd) {
      const bad = badness(outcome);
      if (bad === undefined || reason !== undefined) return undefined;
      count(numbers[variant], bad, outcome.firstContentMs ?? outcome.durationMs, usd);
      note('errors', variant, bad);
      if (bad === 0) note('latency', variant, outcome.firstContentMs ?? outcome.durationMs);
      note('cost', variant, usd);
      const verdict = judge?.(outcome);
      note('judge', variant, verdict === undefined ? undefined : verdict ? 0 : 1);
      if (variant === 'stable' || numbers.canary.calls < callsMin) return undefined;
      // The measures share the risk, part by part.
      for (const [name, { wealth }] of evidence)
        if (wealth * partOf(name) >= parts / risk) reason ??= reasonOf(name, numbers, risk);
      return reason;
    },
    get report(): RolloutReport {
      return {
        at,
        state: reason === undefined ? 'running' : 'rolled-back',
        ...(reason !== undefined && { reason }),
        stable: { ...numbers.stable },
        canary: { ...numbers.canary },
        evidence: Object.fromEntries([...evidence].map(([name, { wealth }]) => [name, wealth])),
      };
    },
  };
}
/** Parts of the risk a measure may use: failures are rare, so each says little and they need the most room. */
const partOf = (name: string): number => (name === 'errors' ? 3 : 1);
const NOTHING: RollbackOptions = { errors: false, latency: false };

/** 1 for an outcome that speaks against the target, 0 for one that speaks for it, `undefined` for none of it. */
function badness({ status, error }: AttemptOutcome): 0 | 1 | undefined {
  if (status === 'completed') return 0;
  if (status !== 'failed' || error === undefined) return undefined;
  // A canary that refuses what the stable variant takes is worse, whoever is formally to blame.
  return error.fault === 'caller' || error.fault === 'gateway' ? undefined : 1;
}

function count(numbers: Mutable<VariantNumbers>, bad: number, ms: number, usd: number | undefined): void {
  numbers.calls++;
  numbers.failures += bad;
  numbers.meanMs += (ms - numbers.meanMs) / numbers.calls;
  numbers.meanUsd += ((usd ?? 0) - numbers.meanUsd) / numbers.calls;
}

function reasonOf(name: string, { stable, canary }: Record<Variant, VariantNumbers>, risk: number): string {
  const percent = ({ calls, failures }: VariantNumbers): string =>
    `${((100 * failures) / Math.max(1, calls)).toFixed(1)} %`;
  const compared: Readonly<Record<string, string>> = {
    errors: `${percent(canary)} of its calls fail, ${percent(stable)} of the stable ones`,
    latency: `it takes ${Math.round(canary.meanMs)} ms, the stable variant ${Math.round(stable.meanMs)} ms`,
    cost: `a call costs $${canary.meanUsd.toFixed(6)}, a stable one $${stable.meanUsd.toFixed(6)}`,
    judge: 'your judge refuses more of its answers',
  };
  return `${name}: ${compared[name]}, after ${canary.calls} canary calls; by chance that happens in at most ${risk * 100} % of trials`;
}
