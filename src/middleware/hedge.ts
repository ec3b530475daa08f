import type { Call, Candidate } from '../core/call.ts';
import { contextKey } from '../core/context.ts';
import { type HedgeRace, hedgeRace } from '../core/hedge-race.ts';
import { LIMITS } from '../core/limits.ts';
import { type AttemptObserver, type AttemptOutcome, defineMiddleware, type Middleware } from '../core/middleware.ts';
import { aFunction, checkOptions, fraction, milliseconds, wholeNumber } from '../core/options.ts';
import { percentileSketch, type PercentileSketch } from '../core/percentile-sketch.ts';
import { hasServerEffects } from '../core/side-effects.ts';
import { tokenBuckets } from '../core/token-bucket.ts';

export interface HedgeOptions {
  /** A second attempt starts when this share of a target's calls would have had their first content. @defaultValue 0.95 */
  readonly percentile?: number;
  /** Calls of a target that must be measured first. @defaultValue 50 */
  readonly callsMin?: number;
  /** Never sooner than this, in milliseconds. @defaultValue 50 */
  readonly delayMsMin?: number;
  /** Most second attempts, as a share of calls. @defaultValue 0.05 */
  readonly loadRatio?: number;
  /** Most spend on attempts that lost, as a share of all spend. @defaultValue 0.05 */
  readonly spendRatio?: number;
  /**
   * What an attempt cost, in any one unit.
   *
   * @defaultValue its tokens, input and output alike
   */
  readonly costOf?: (outcome: AttemptOutcome, target: Candidate) => number;
}

/** Second attempts that may be made at once, before `loadRatio` counts. */
const BURST = 5;
/** Attempts after which what was spent counts half. */
const SPEND_MEMORY = 1_000;

const raceKey = contextKey<HedgeRace | undefined>('hedge', undefined);

/**
 * Sends a call a second time, to another target if there is one, when the first takes longer than most: whichever has
 * content first wins, and the other is aborted. Both are metered.
 *
 * Place it inside `retry` and outside `route`. It never doubles calls whose provider runs tools, nor background calls.
 *
 * @example
 * createGateway({ providers, models, use: [retry(), hedge({ loadRatio: 0.02 }), route(), timeout()] })
 */
export function hedge(options: HedgeOptions = {}): Middleware {
  checkOptions('hedge', options, {
    percentile: fraction,
    callsMin: wholeNumber(1),
    delayMsMin: milliseconds,
    loadRatio: fraction,
    spendRatio: fraction,
    costOf: aFunction,
  });
  const { percentile = 0.95, callsMin = 50, delayMsMin = 50, loadRatio = 0.05, spendRatio = 0.05 } = options;
  const buckets = tokenBuckets({ ratio: loadRatio, burst: loadRatio === 0 ? 0 : BURST, keysMax: 1 });
  const sketches = new Map<string, PercentileSketch>();
  const spend = spendWatch(spendRatio, options.costOf ?? (({ usage }) => usage?.total ?? 0));
  const delayMs = (call: Call, target: Candidate): number | undefined => {
    const sketch = sketches.get(keyOf(call, target));
    if (sketch === undefined || sketch.count < callsMin) return undefined;
    return Math.max(delayMsMin, sketch.at(percentile));
  };
  return defineMiddleware(
    {
      name: 'hedge',
      outside: ['route'],
      attempt(call): AttemptObserver | undefined {
        const { target } = call;
        if (target === undefined) return undefined;
        call.context.get(raceKey)?.attempted(target);
        return {
          commit: ({ firstContentMs }) => sketchOf(sketches, keyOf(call, target)).add(firstContentMs),
          end: (outcome) => spend.add(outcome, target),
        };
      },
      explain: (call) => ({ summary: explained(call, (target) => delayMs(call, target)) }),
    },
    async function hedge(call, next) {
      buckets.deposit('calls');
      const measured = call.plan.candidates.some((target) => delayMs(call, target) !== undefined);
      if (!measured || call.priority === 'background' || hasServerEffects(call)) return next(call);
      const race = hedgeRace(call, next, {
        delayMs: (target) => delayMs(call, target),
        mayStart: () => spend.allows() && buckets.take('calls'),
      });
      call.context.set(raceKey, race);
      try {
        return await race.run();
      } finally {
        call.context.set(raceKey, undefined);
      }
    },
  );
}

/** Plain answers are measured whole, streams to their first content: never in one. */
function keyOf(call: Call, target: Candidate): string {
  return `${call.operation} ${call.stream ? 'stream' : 'plain'} ${target.id}`;
}

function sketchOf(sketches: Map<string, PercentileSketch>, key: string): PercentileSketch {
  let sketch = sketches.get(key);
  if (sketch === undefined) {
    if (sketches.size >= LIMITS.healthTargetsMax) sketches.delete(sketches.keys().next().value as string);
    sketches.set(key, (sketch = percentileSketch()));
  }
  return sketch;
}

/** Follows what attempts cost and what of it was for attempts that another beat. */
function spendWatch(ratio: number, costOf: NonNullable<HedgeOptions['costOf']>) {
  let total = 0;
  let lost = 0;
  let attempts = 0;
  return {
    add(outcome: AttemptOutcome, target: Candidate): void {
      if (outcome.status === 'refused') return;
      const cost = costOf(outcome, target);
      if (!(cost >= 0)) return;
      total += cost;
      if (outcome.status === 'cancelled' && outcome.error?.stage === 'hedge') lost += cost;
      if (++attempts < SPEND_MEMORY) return;
      attempts /= 2;
      total /= 2;
      lost /= 2;
    },
    allows: (): boolean => lost <= total * ratio,
  };
}

function explained(call: Call, delayOf: (target: Candidate) => number | undefined): string {
  const [first] = call.plan.candidates;
  const delay = first === undefined ? undefined : delayOf(first);
  return delay === undefined ? 'not measured yet: waits' : `sends a second attempt after ${Math.round(delay)} ms`;
}
