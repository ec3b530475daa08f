import { limitState, type CheckedLimit } from './counter-limits.ts';
import type { Denial } from './counter-store.ts';
import { unitsToDrain, type RateState } from './rate-arithmetic.ts';

/** A limit's state at the moment of the decision. */
export interface CounterFacts extends Readonly<RateState> {
  readonly held: number;
}

/**
 * Why a limit says no, or `undefined` if it admits. `expiryWaitMs` says when leases worth that much will have expired;
 * it is asked only if that matters.
 */
export function denialOf(
  limit: CheckedLimit,
  facts: CounterFacts,
  now: number,
  expiryWaitMs: (missing: number) => number | undefined,
): Denial | undefined {
  const { amount, maximum } = limit;
  const missing = amount - (maximum - facts.used - facts.held);
  if (missing <= 0) return undefined;
  const state = limitState(limit, facts.used, facts.held, now);
  if (amount > maximum) return { ...state, blockedBy: 'size' };
  const wait = waitMs(limit, facts, missing, now, expiryWaitMs);
  const blockedBy = amount > maximum - facts.used ? 'used' : 'held';
  return { ...state, blockedBy, ...(wait !== undefined && { retryAfterMs: wait }) };
}

function waitMs(
  limit: CheckedLimit,
  facts: CounterFacts,
  missing: number,
  now: number,
  expiryWaitMs: (missing: number) => number | undefined,
): number | undefined {
  if (limit.kind === 'window') return Math.max(0, limit.endsAt - now);
  const { rate } = limit;
  if (rate === undefined) return expiryWaitMs(missing);
  const untilDrained = (tokens: number): number =>
    Math.max(0, (facts.at + unitsToDrain(rate, facts.fraction, tokens)) * rate.unitMs - now);
  if (missing <= facts.used) return untilDrained(missing);
  // Not even an empty bucket has room beside what is held: both must happen.
  const expiring = expiryWaitMs(missing - facts.used);
  return expiring === undefined ? undefined : Math.max(untilDrained(facts.used), expiring);
}
