import { denialOf } from '../../core/counter-denial.ts';
import { limitState, type CheckedLimit } from '../../core/counter-limits.ts';
import type { Denial, LimitState } from '../../core/counter-store.ts';
import { drain, refundRate, type RateState } from '../../core/rate-arithmetic.ts';

/** What one reservation holds of one limit. */
export interface Lease {
  readonly amount: number;
  expiresAt: number;
  readonly chargeOnExpire: boolean;
}

/** One limit: what is spent and what is held. For windows, totals and concurrency `fraction` and `at` stay 0. */
export interface CounterState extends RateState {
  held: number;
  readonly leases: Set<Lease>;
  /** No lease expires before this; may be too early, never too late. */
  soonestAt: number;
  /** The limit as last seen: says when the state may be forgotten. */
  limit: CheckedLimit;
}

export function createState(limit: CheckedLimit, now: number): CounterState {
  const at = limit.rate === undefined ? 0 : Math.floor(now / limit.rate.unitMs);
  return { used: 0, fraction: 0, at, held: 0, leases: new Set(), soonestAt: Number.POSITIVE_INFINITY, limit };
}

/** Brings a state to now: drains it and takes out expired leases. */
export function advance(state: CounterState, now: number): void {
  const { rate } = state.limit;
  if (rate !== undefined) drain(state, rate, now);
  if (now < state.soonestAt) return;
  state.soonestAt = Number.POSITIVE_INFINITY;
  for (const lease of state.leases) {
    if (lease.expiresAt > now) {
      state.soonestAt = Math.min(state.soonestAt, lease.expiresAt);
      continue;
    }
    giveBack(state, lease);
    if (lease.chargeOnExpire) spend(state, lease.amount);
  }
}

export function hold(state: CounterState, lease: Lease): void {
  state.leases.add(lease);
  state.held += lease.amount;
  state.soonestAt = Math.min(state.soonestAt, lease.expiresAt);
}

/** Ends a lease. False if it had ended before. */
export function giveBack(state: CounterState, lease: Lease): boolean {
  if (!state.leases.delete(lease)) return false;
  state.held -= lease.amount;
  return true;
}

export function spend(state: CounterState, amount: number): void {
  if (state.limit.kind === 'concurrency') return;
  state.used = Math.min(Number.MAX_SAFE_INTEGER, state.used + amount);
}

/** Takes back what was spent at `since`. A rate gives back only what cannot have drained since then. */
export function refund(state: CounterState, amount: number, since: number, now: number): void {
  if (state.limit.kind === 'concurrency') return;
  const { rate } = state.limit;
  if (rate === undefined) state.used -= amount;
  else refundRate(state, rate, amount, since, now);
}

/** Whether nothing would be lost by forgetting it. */
export function isIdle(state: CounterState, now: number): boolean {
  advance(state, now);
  return state.leases.size === 0 && (state.used === 0 || now >= state.limit.endsAt);
}

export function view(state: CounterState, limit: CheckedLimit, now: number): LimitState {
  return limitState(limit, state.used, state.held, now);
}

/** Why `limit` says no, or `undefined` if it admits. The state is at now. */
export function denial(state: CounterState, limit: CheckedLimit, now: number): Denial | undefined {
  return denialOf(limit, state, now, (missing) => expiryWaitMs(state, missing, now));
}

/** Milliseconds until leases worth `missing` have expired; `undefined` if there are not so many. */
function expiryWaitMs(state: CounterState, missing: number, now: number): number | undefined {
  const byExpiry = [...state.leases].sort((left, right) => left.expiresAt - right.expiresAt);
  let freed = 0;
  for (const lease of byExpiry) {
    freed += lease.amount;
    if (freed >= missing) return Math.max(0, lease.expiresAt - now);
  }
  return undefined;
}
