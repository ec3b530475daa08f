import { denialOf } from '../../core/counter-denial.ts';
import { limitState, type CheckedLimit } from '../../core/counter-limits.ts';
import type { Denial, LimitState } from '../../core/counter-store.ts';
import { drain, refundRate, type RateState } from '../../core/rate-arithmetic.ts';

/** What one reservation draws on one limit. While it is held it stands in the list of its state. */
export interface Lease {
  readonly state: CounterState;
  readonly limit: CheckedLimit;
  expiresAt: number;
  readonly chargeOnExpire: boolean;
  /** Its amount counts as held. Never true if it was spent on reserving. */
  held: boolean;
  before: Lease | undefined;
  after: Lease | undefined;
}

/** One limit: what is spent and what is held. For windows, totals and concurrency `fraction` and `at` stay 0. */
export interface CounterState extends RateState {
  held: number;
  /** The newest lease; the others follow. A list, because every attempt enters and leaves one for each limit. */
  newest: Lease | undefined;
  /** No lease expires before this; may be too early, never too late. */
  soonestAt: number;
  /** The limit as last seen: says when the state may be forgotten. */
  limit: CheckedLimit;
  /** Whether the store remembers it. */
  kept: boolean;
}

export function createState(limit: CheckedLimit, now: number): CounterState {
  const at = limit.rate === undefined ? 0 : Math.floor(now / limit.rate.unitMs);
  const soonestAt = Number.POSITIVE_INFINITY;
  return { used: 0, fraction: 0, at, held: 0, newest: undefined, soonestAt, limit, kept: false };
}

/** Brings a state to now: drains it and takes out expired leases. */
export function advance(state: CounterState, now: number): void {
  const { rate } = state.limit;
  if (rate !== undefined) drain(state, rate, now);
  if (now < state.soonestAt) return;
  state.soonestAt = Number.POSITIVE_INFINITY;
  for (let lease = state.newest, after = lease?.after; lease !== undefined; lease = after, after = lease?.after) {
    if (lease.expiresAt > now) {
      state.soonestAt = Math.min(state.soonestAt, lease.expiresAt);
      continue;
    }
    giveBack(lease);
    if (lease.chargeOnExpire) spend(state, lease.limit.amount);
  }
}

export function hold(lease: Lease): void {
  const { state } = lease;
  lease.held = true;
  lease.after = state.newest;
  if (state.newest !== undefined) state.newest.before = lease;
  state.newest = lease;
  state.held += lease.limit.amount;
  if (lease.expiresAt < state.soonestAt) state.soonestAt = lease.expiresAt;
}

/** Ends a lease. False if it had ended before. */
export function giveBack(lease: Lease): boolean {
  if (!lease.held) return false;
  const { state, before, after } = lease;
  lease.held = false;
  if (before === undefined) state.newest = after;
  else before.after = after;
  if (after !== undefined) after.before = before;
  lease.before = undefined;
  lease.after = undefined;
  state.held -= lease.limit.amount;
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
  return state.newest === undefined && (state.used === 0 || now >= state.limit.endsAt);
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
  const leases: Lease[] = [];
  for (let lease = state.newest; lease !== undefined; lease = lease.after) leases.push(lease);
  let freed = 0;
  for (const lease of leases.sort((left, right) => left.expiresAt - right.expiresAt)) {
    freed += lease.limit.amount;
    if (freed >= missing) return Math.max(0, lease.expiresAt - now);
  }
  return undefined;
}
