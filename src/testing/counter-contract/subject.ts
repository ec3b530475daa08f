import assert from 'node:assert/strict';
import type { CounterStore, Denial, Limit, LimitState, ReserveReply } from '../../core/counter-store.ts';

export interface CounterStoreSubject {
  /** A store in which nothing is used. */
  readonly store: CounterStore;
  /** Wall time as the store sees it, within a few milliseconds. */
  now(): number;
  /** Lets time pass: moves a fake clock, or waits. */
  advance(ms: number): void | Promise<void>;
  dispose?(): void | Promise<void>;
}

export type Cases = Readonly<Record<string, (subject: CounterStoreSubject) => Promise<void>>>;

/** A life no test outlasts. */
export const TTL_MS = 600_000;
/** A life short enough to wait for. */
export const SHORT_MS = 60;

export const total = (maximum: number, amount: number, key = 'total'): Limit => ({
  kind: 'total',
  key,
  maximum,
  amount,
});
export const places = (maximum: number, key = 'places'): Limit => ({ kind: 'concurrency', key, maximum, amount: 1 });
export const requests = (maximum: number, periodMs: number, key = 'requests'): Limit => ({
  kind: 'rate',
  key,
  maximum,
  periodMs,
  amount: 1,
  charged: 'on-reserve',
});

export async function stateOf(
  store: CounterStore,
  limit: Limit,
): Promise<Pick<LimitState, 'used' | 'held' | 'remaining'>> {
  const [state] = await store.remaining([limit]);
  assert.ok(state);
  return { used: state.used, held: state.held, remaining: state.remaining };
}

export function denialOf(reply: ReserveReply): Denial {
  assert.equal(reply.admitted, false);
  return reply.denial;
}
