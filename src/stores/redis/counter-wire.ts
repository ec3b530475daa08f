import { limitState, quantity, type CheckedLimit } from '../../core/counter-limits.ts';
import type { Amounts, LimitState } from '../../core/counter-store.ts';

/** One limit as the script answers it. */
export interface Facts {
  readonly used: number;
  readonly held: number;
  readonly at: number;
  readonly fraction: number;
  readonly expiryWaitMs: number;
}

const FACTS_LENGTH = 5;

/** The states in a reply, from an index on. */
export function decodeFacts(limits: readonly CheckedLimit[], reply: readonly string[], from: number): Facts[] {
  return limits.map((_, index) => {
    const [used, held, at, fraction, expiryWaitMs] = reply.slice(from + index * FACTS_LENGTH).map(Number) as number[];
    return { used, held, at, fraction, expiryWaitMs } as Facts;
  });
}

export function viewAll(limits: readonly CheckedLimit[], facts: readonly Facts[], now: number): LimitState[] {
  return limits.map((limit, index) => {
    const { used, held } = facts[index] as Facts;
    return limitState(limit, used, held, now);
  });
}

/** What the script counts with, and what it gives back to whoever settles. */
export function encodeLimits(limits: readonly CheckedLimit[]): [string, string] {
  if (limits.length === 0) return ['', ''];
  const counted = limits.map(({ kind, unit, maximum, amount, onReserve, rate, endsAt }) => [
    kind,
    unit,
    maximum,
    amount,
    onReserve ? 1 : 0,
    Number.isFinite(endsAt) ? endsAt : 0,
    ...(rate === undefined ? [] : [rate.maximum, rate.unitMs, rate.periodUnits]),
  ]);
  const shown = limits.map(({ key, name, kind, maximum, rate, endsAt }) => ({
    key,
    name,
    kind,
    maximum,
    rate,
    endsAt,
  }));
  return [JSON.stringify(counted), JSON.stringify(shown)];
}

export function encodeAmounts(actual: Amounts): string {
  const plain = Object.entries(actual).map(([unit, value]) => [unit, quantity(value, `actual.${unit}`)]);
  return JSON.stringify(Object.fromEntries(plain));
}
