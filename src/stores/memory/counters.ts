import { systemClock, type Clock } from '../../core/clock.ts';
import {
  actualAmount,
  checkAmounts,
  checkLimits,
  checkReserve,
  checkTtl,
  hardest,
  type CheckedLimit,
} from '../../core/counter-limits.ts';
import type {
  Adjustment,
  Amounts,
  CounterStore,
  Denial,
  Limit,
  LimitShape,
  LimitState,
  ReserveReply,
  ReserveRequest,
  SettleReply,
} from '../../core/counter-store.ts';
import { GatewayError, invalidOptions } from '../../core/errors.ts';
import { checkStoreKey } from '../../core/store.ts';
import { adjusted, enter, releaseLease, settleLease, type Reservation } from './counter-entry.ts';
import { advance, createState, denial, isIdle, spend, view, type CounterState } from './counter-state.ts';

export interface MemoryCounterStoreOptions {
  /** Limits remembered at once. Limits that stand at 0 are forgotten first; never one in use. @defaultValue 100_000 */
  readonly limitsMax?: number;
  /** Reservations open at once. @defaultValue 100_000 */
  readonly reservationsMax?: number;
  /** Settled ids remembered at least, twice as many at most; settling one of them again changes nothing. @defaultValue 10_000 */
  readonly settledMax?: number;
  /** @defaultValue the system's clock */
  readonly clock?: Clock;
}

/** How long after its end a reservation may still be settled. */
const GRACE_MS = 3_600_000;
/** A full table is looked through for idle limits at most this often. */
const SWEEP_MS = 1_000;

/**
 * Limits and budgets of one process, exact. Every method answers synchronously.
 *
 * @throws GatewayError `limit-exceeded` when a bound is reached with nothing to forget.
 */
export function memoryCounterStore(options: MemoryCounterStoreOptions = {}): CounterStore {
  const { limitsMax = 100_000, reservationsMax = 100_000, settledMax = 10_000, clock = systemClock } = options;
  for (const [name, value] of Object.entries({ limitsMax, reservationsMax, settledMax })) {
    if (!Number.isSafeInteger(value) || value < 1) throw invalidOptions(name, 'must be a whole number above 0.');
  }
  return new MemoryCounters({ limitsMax, reservationsMax, settledMax, clock });
}

class MemoryCounters implements CounterStore {
  readonly name = 'memory';
  readonly #options: Required<MemoryCounterStoreOptions>;
  readonly #states = new Map<string, CounterState>();
  readonly #reservations = new Map<string, Reservation>();
  /** Settled ids in two generations: the older is dropped whole when the newer is full. */
  #settled = new Set<string>();
  #settledBefore = new Set<string>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(options: Required<MemoryCounterStoreOptions>) {
    this.#options = options;
  }

  reserve(request: ReserveRequest): ReserveReply {
    const limits = checkReserve(request);
    const now = this.#options.clock.now();
    const states = this.#statesOf(limits, now);
    if (!this.#isSettled(request.id) && !this.#reservations.has(request.id)) {
      const worst = hardest(denials(states, limits, now));
      if (worst !== undefined) return { admitted: false, denial: worst, limits: viewAll(states, limits, now) };
      this.#prune(now);
      this.#keep(states, now);
      const expiresAt = now + request.ttlMs;
      const charge = request.onExpire === 'charge';
      const leases = limits.map((limit, index) => enter(states[index] as CounterState, limit, expiresAt, charge));
      this.#reservations.set(request.id, { leases, reservedAt: now, retainUntil: expiresAt + GRACE_MS });
    }
    return { admitted: true, limits: viewAll(states, limits, now) };
  }

  settle(id: string, actual: Amounts, limits?: readonly Limit[]): SettleReply {
    checkStoreKey(id, 'id');
    checkAmounts(actual);
    const reservation = this.#reservations.get(id);
    if (reservation === undefined && this.#isSettled(id)) return { status: 'repeated', limits: [] };
    const now = this.#options.clock.now();
    if (reservation !== undefined) {
      this.#reservations.delete(id);
      this.#remember(id);
      return { status: 'settled', limits: reservation.leases.map((lease) => settleLease(lease, actual, now)) };
    }
    if (limits === undefined) return { status: 'unknown', limits: [] };
    const checked = checkLimits(limits);
    const states = this.#statesOf(checked, now);
    this.#keep(states, now);
    states.forEach((state, index) => {
      const limit = checked[index] as CheckedLimit;
      spend(state, limit.onReserve ? limit.amount : actualAmount(limit.unit, limit.amount, actual));
    });
    this.#remember(id);
    return { status: 'settled', limits: viewAll(states, checked, now) };
  }

  release(id: string): SettleReply {
    checkStoreKey(id, 'id');
    const reservation = this.#reservations.get(id);
    if (reservation === undefined) return { status: this.#isSettled(id) ? 'repeated' : 'unknown', limits: [] };
    const now = this.#options.clock.now();
    this.#reservations.delete(id);
    const limits = reservation.leases.map((lease) => releaseLease(lease, reservation.reservedAt, now));
    return { status: 'released', limits };
  }

  lease(id: string, ttlMs: number): boolean {
    checkTtl(ttlMs);
    const reservation = this.#reservations.get(id);
    if (reservation === undefined) return false;
    const now = this.#options.clock.now();
    const { leases } = reservation;
    for (const { state } of leases) advance(state, now);
    if (leases.some(({ held, limit }) => !held && !limit.onReserve)) return false;
    for (const lease of leases) {
      lease.expiresAt = now + ttlMs;
      if (lease.held) lease.state.soonestAt = Math.min(lease.state.soonestAt, lease.expiresAt);
    }
    reservation.retainUntil = now + ttlMs + GRACE_MS;
    return true;
  }

  remaining(limits: readonly LimitShape[]): readonly LimitState[] {
    const now = this.#options.clock.now();
    const checked = checkLimits(limits);
    return viewAll(this.#statesOf(checked, now), checked, now);
  }

  adjust(id: string, limit: LimitShape, change: Adjustment): LimitState {
    checkStoreKey(id, 'id');
    const [checked] = checkLimits([limit]) as [CheckedLimit];
    const now = this.#options.clock.now();
    const [state] = this.#statesOf([checked], now) as [CounterState];
    if (!this.#isSettled(id)) {
      this.#keep([state], now);
      state.used = adjusted(state.used, checked, change);
      this.#remember(id);
    }
    return view(state, checked, now);
  }

  /** The states of the limits at now; new ones are not kept yet, so that a denial costs no memory. */
  #statesOf(limits: readonly CheckedLimit[], now: number): CounterState[] {
    return limits.map((limit) => {
      const state = this.#states.get(limit.stateKey);
      if (state === undefined) return createState(limit, now);
      state.limit = limit;
      advance(state, now);
      return state;
    });
  }

  #keep(states: readonly CounterState[], now: number): void {
    const { limitsMax } = this.#options;
    if (this.#states.size + states.length > limitsMax && Math.abs(now - this.#sweptAt) >= SWEEP_MS) {
      this.#sweptAt = now;
      for (const [key, state] of this.#states) if (isIdle(state, now)) state.kept = !this.#states.delete(key);
    }
    for (const state of states) {
      if (state.kept) continue;
      if (this.#states.size >= limitsMax) throw full('limitsMax', limitsMax);
      this.#states.set(state.limit.stateKey, state);
      state.kept = true;
    }
  }

  /** Forgets reservations that nobody settled in time. */
  #prune(now: number): void {
    const { reservationsMax } = this.#options;
    for (const [id, reservation] of this.#reservations) {
      if (reservation.retainUntil > now) break;
      this.#reservations.delete(id);
    }
    if (this.#reservations.size >= reservationsMax) throw full('reservationsMax', reservationsMax);
  }

  #isSettled(id: string): boolean {
    return this.#settled.has(id) || this.#settledBefore.has(id);
  }

  #remember(id: string): void {
    if (this.#settled.size >= this.#options.settledMax) {
      this.#settledBefore = this.#settled;
      this.#settled = new Set();
    }
    this.#settled.add(id);
  }
}

function denials(states: readonly CounterState[], limits: readonly CheckedLimit[], now: number): readonly Denial[] {
  const found: Denial[] = [];
  for (let index = 0; index < limits.length; index++) {
    const no = denial(states[index] as CounterState, limits[index] as CheckedLimit, now);
    if (no !== undefined) found.push(no);
  }
  return found;
}

function viewAll(states: readonly CounterState[], limits: readonly CheckedLimit[], now: number): LimitState[] {
  return limits.map((limit, index) => view(states[index] as CounterState, limit, now));
}

function full(option: string, maximum: number): GatewayError {
  return new GatewayError('limit-exceeded', `The memory counter store is full (${option}).`, {
    stage: 'store',
    limit: { name: option, maximum },
  });
}
