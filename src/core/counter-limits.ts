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

/** Where a drawn limit keeps its check. */
const CHECKED = Symbol('postern.checked-limit');

interface Drawn {
  readonly [CHECKED]?: CheckedLimit & { of: object };
}

/** A limit that is drawn on again and again: its shape is checked once, not in every decision. */
export class KnownLimit {
  readonly #shape: LimitShape;
  readonly #charged: Pick<Limit, 'charged'>;
  readonly #checked: CheckedLimit;
  #last: Limit | undefined;

  constructor(shape: LimitShape, charged: NonNullable<Limit['charged']>) {
    this.#shape = shape;
    this.#charged = charged === 'on-reserve' ? { charged } : {};
    this.#checked = checkLimit({ ...shape, ...this.#charged });
  }

  /** The same amount gives the same limit: they never change. */
  draw(amount: number): Limit {
    if (this.#last?.amount === amount) return this.#last;
    const checked = { ...this.#checked, amount: quantity(amount, 'limits.amount'), of: this as object };
    const drawn = { ...this.#shape, ...this.#charged, amount, [CHECKED]: checked };
    // A copy with another amount takes the mark along, so the mark says whose it is.
    checked.of = drawn;
    this.#last = drawn;
    return drawn;
  }
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

function checkLimit(limit: LimitShape & Partial<Limit> & Drawn): CheckedLimit {
  const known = limit[CHECKED];
  if (known?.of === limit) return known;
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

/** The common case of {@link quantity}, which needs no name to complain about. */
function isQuantity(value: Quantity): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
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
  if (value === undefined) return reserved;
  return isQuantity(value) ? value : quantity(value, `actual.${unit}`);
}

/** Checks all of them before anything is changed. */
export function checkAmounts(actual: Amounts): void {
  for (const unit in actual) {
    const value = actual[unit] as Quantity;
    if (!isQuantity(value)) quantity(value, `actual.${unit}`);
  }
}

/** The public view of a state. */
export function limitState(limit: CheckedLimit, used: number, held: number, now: number): LimitState {
  const { key, name, kind, maximum } = limit;
  const remaining = Math.max(0, maximum - used - held);
  const resetMs = resetOf(limit, used, now);
  // Written out twice: a spread costs more than the rest of it, and this is made twice for every limit of an attempt.
  if (resetMs === undefined) return { key, name, kind, maximum, used, held, remaining };
  return { key, name, kind, maximum, used, held, remaining, resetMs };
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
