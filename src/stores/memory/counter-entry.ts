import { actualAmount, quantity, type CheckedLimit } from '../../core/counter-limits.ts';
import type { Adjustment, Amounts, LimitState } from '../../core/counter-store.ts';
import { advance, giveBack, hold, refund, spend, view, type CounterState, type Lease } from './counter-state.ts';

export interface Reservation {
  readonly leases: readonly Lease[];
  readonly reservedAt: number;
  retainUntil: number;
}

export function enter(state: CounterState, limit: CheckedLimit, expiresAt: number, chargeOnExpire: boolean): Lease {
  const lease: Lease = { state, limit, expiresAt, chargeOnExpire, held: false, before: undefined, after: undefined };
  if (limit.onReserve) spend(state, limit.amount);
  else hold(lease);
  return lease;
}

export function settleLease(lease: Lease, actual: Amounts, now: number): LimitState {
  const { state, limit } = lease;
  advance(state, now);
  if (!limit.onReserve) {
    const amount = actualAmount(limit.unit, limit.amount, actual);
    const late = !giveBack(lease);
    if (!late || !lease.chargeOnExpire) spend(state, amount);
    else if (amount >= limit.amount) spend(state, amount - limit.amount);
    else refund(state, limit.amount - amount, lease.expiresAt, now);
  }
  return view(state, limit, now);
}

export function releaseLease(lease: Lease, reservedAt: number, now: number): LimitState {
  const { state, limit } = lease;
  advance(state, now);
  if (limit.onReserve) refund(state, limit.amount, reservedAt, now);
  else if (!giveBack(lease) && lease.chargeOnExpire) refund(state, limit.amount, lease.expiresAt, now);
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
