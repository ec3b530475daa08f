import type { Amounts, Denial, Limit, LimitShape, LimitState, Quantity, ReserveRequest } from './counter-store.ts';
import { invalidRequest } from './errors.ts';
import { rateShape, type RateShape } from './rate-arithmetic.ts';
import { checkStoreKey } from './store.ts';

/** A limit as stores work with it: checked, in plain integers, with the key of its state. */
export interface CheckedLimit {
  readonly stateKey: string;
  readonly key: string;
  readonly name: string;
  readonly kind: Limit['kind'];
  readonly unit: string;
  /** The burst of a rate, the maximum of the others. */
  readonly maximum: number;
  readonly amount: number;
  readonly onReserve: boolean;
  readonly rate: RateShape | undefined;
  /** End of the window; `Infinity` for the others. */
  readonly endsAt: number;
}

/** Most limits of one decision. */
export const LIMITS_PER_DECISION_MAX = 64;
/** Longest life of a reservation: a day. */
export const RESERVATION_MS_MAX = 86_400_000;

/** Checks a reservation. Two limits on one state would count twice, so that is refused. */
export function checkReserve(request: ReserveRequest): readonly CheckedLimit[] {
  checkStoreKey(request.id, 'id');
  checkTtl(request.ttlMs);
  return checkLimits(request.limits);
}

export function checkLimits(limits: readonly (LimitShape & Partial<Limit>)[]): readonly CheckedLimit[] {
  if (limits.length > LIMITS_PER_DECISION_MAX) {
    throw invalidRequest('limits', `at most ${LIMITS_PER_DECISION_MAX} limits in one decision.`);
  }
  const checked: CheckedLimit[] = [];
  for (const limit of limits) {
    const next = checkLimit(limit);
    for (const other of checked) {
      if (other.stateKey === next.stateKey) throw invalidRequest('limits', 'two limits have the same kind and key.');
    }
    checked.push(next);
  }
  return checked;
}

export function checkTtl(ttlMs: number): void {
  if (Number.isSafeInteger(ttlMs) && ttlMs > 0 && ttlMs <= RESERVATION_MS_MAX) return;
  throw invalidRequest('ttlMs', `must be a whole number of milliseconds, 1 to ${RESERVATION_MS_MAX}.`);
}

function checkLimit(limit: LimitShape & Partial<Limit>): CheckedLimit {
  checkStoreKey(limit.key, 'limits.key');
  const maximum = quantity(limit.maximum, 'limits.maximum');
  const rate = limit.kind === 'rate' ? checkRate(maximum, limit.periodMs) : undefined;
  return {
    stateKey: stateKeyOf(limit),
    key: limit.key,
    name: limit.name ?? limit.key,
    kind: limit.kind,
    unit: limit.unit ?? 'units',
    maximum: limit.kind === 'rate' && limit.burst !== undefined ? quantity(limit.burst, 'limits.burst') : maximum,
    amount: limit.amount === undefined ? 0 : quantity(limit.amount, 'limits.amount'),
    onReserve: limit.charged === 'on-reserve' && limit.kind !== 'concurrency',
    rate,
    endsAt: limit.kind === 'window' ? quantity(limit.endsAt, 'limits.endsAt') : Number.POSITIVE_INFINITY,
  };
}

function checkRate(maximum: number, periodMs: number): RateShape {
  if (maximum < 1) throw invalidRequest('limits.maximum', 'a rate must be at least 1 a period; use a total of 0.');
  if (!Number.isSafeInteger(periodMs) || periodMs < 1) {
    throw invalidRequest('limits.periodMs', 'must be a whole number of milliseconds above 0.');
  }
  return rateShape(maximum, periodMs);
}

/** State depends on what its numbers mean: another period or window is another state. The key comes last, as it is. */
function stateKeyOf(limit: LimitShape): string {
  switch (limit.kind) {
    case 'rate':
      return `r${limit.periodMs}:${limit.key}`;
    case 'window':
      checkStoreKey(limit.window, 'limits.window');
      return `w${limit.window.length}:${limit.window}:${limit.key}`;
    case 'total':
      return `t:${limit.key}`;
    case 'concurrency':
      return `c:${limit.key}`;
    default:
      throw invalidRequest('limits.kind', 'must be rate, window, total or concurrency.');
  }
}

/** A quantity as a plain integer, exact. */
export function quantity(value: Quantity, field: string, lowest = 0): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (Number.isSafeInteger(number) && number >= lowest) return number;
  throw invalidRequest(field, `must be a whole number from ${lowest} to 2^53 - 1.`);
}

/** What a limit is charged when settled: the actual amount of its unit, or what was reserved. */
export function actualAmount(unit: string, reserved: number, actual: Amounts): number {
  const value = Object.hasOwn(actual, unit) ? actual[unit] : undefined;
  return value === undefined ? reserved : quantity(value, `actual.${unit}`);
}

/** Checks all of them before anything is changed. */
export function checkAmounts(actual: Amounts): void {
  for (const [unit, value] of Object.entries(actual)) quantity(value, `actual.${unit}`);
}

/** The public view of a state. */
export function limitState(limit: CheckedLimit, used: number, held: number, now: number): LimitState {
  const resetMs = resetOf(limit, used, now);
  return {
    key: limit.key,
    name: limit.name,
    kind: limit.kind,
    maximum: limit.maximum,
    used,
    held,
    remaining: Math.max(0, limit.maximum - used - held),
    ...(resetMs !== undefined && { resetMs }),
  };
}

function resetOf(limit: CheckedLimit, used: number, now: number): number | undefined {
  if (used <= 0 || limit.kind === 'concurrency') return 0;
  if (limit.kind === 'window') return Math.max(0, limit.endsAt - now);
  if (limit.rate === undefined) return undefined;
  const { periodUnits, unitMs, maximum } = limit.rate;
  return Math.ceil((used / maximum) * periodUnits) * unitMs;
}

/** The longest wait stands for a denial of several limits; one that never ends is longer than any. */
export function hardest(denials: readonly Denial[]): Denial | undefined {
  let worst: Denial | undefined;
  const wait = (denial: Denial): number => denial.retryAfterMs ?? Number.POSITIVE_INFINITY;
  for (const denial of denials) if (worst === undefined || wait(denial) > wait(worst)) worst = denial;
  return worst;
}
