import { actualAmount, quantity, type CheckedLimit } from '../../core/counter-limits.ts';
import type { Adjustment, Amounts, LimitState } from '../../core/counter-store.ts';
import { advance, giveBack, hold, refund, spend, view, type CounterState, type Lease } from './counter-state.ts';

/** One limit of a reservation. */
export interface Entry {
  readonly state: CounterState;
  readonly limit: CheckedLimit;
  /** Absent if the amount was spent on reserving. */
  readonly lease: Lease | undefined;
}

export interface Reservation {
  readonly entries: readonly Entry[];
  readonly reservedAt: number;
  retainUntil: number;
}

export function enter(state: CounterState, limit: CheckedLimit, expiresAt: number, chargeOnExpire: boolean): Entry {
  if (limit.onReserve) {
    spend(state, limit.amount);
    return { state, limit, lease: undefined };
  }
  const lease: Lease = { amount: limit.amount, expiresAt, chargeOnExpire };
  hold(state, lease);
  return { state, limit, lease };
}

export function settleEntry({ state, limit, lease }: Entry, actual: Amounts, now: number): LimitState {
  advance(state, now);
  if (lease !== undefined) {
    const amount = actualAmount(limit.unit, limit.amount, actual);
    const late = !giveBack(state, lease);
    if (!late || !lease.chargeOnExpire) spend(state, amount);
    else if (amount >= lease.amount) spend(state, amount - lease.amount);
    else refund(state, lease.amount - amount, lease.expiresAt, now);
  }
  return view(state, limit, now);
}

export function releaseEntry({ state, limit, lease }: Entry, reservedAt: number, now: number): LimitState {
  advance(state, now);
  if (lease === undefined) refund(state, limit.amount, reservedAt, now);
  else if (!giveBack(state, lease) && lease.chargeOnExpire) refund(state, lease.amount, lease.expiresAt, now);
  return view(state, limit, now);
}

/** What is used after a top-up. A rate never has credit beyond its burst; a budget may. */
export function adjusted(used: number, limit: CheckedLimit, change: Adjustment): number {
  const lowest = limit.rate === undefined ? Number.MIN_SAFE_INTEGER : 0;
  const next =
    'to' in change
      ? quantity(change.to, 'change.to', Number.MIN_SAFE_INTEGER)
      : used + quantity(change.by, 'change.by', Number.MIN_SAFE_INTEGER);
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(lowest, next));
}
