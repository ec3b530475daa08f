import type { Amounts, CounterStore, Limit, ReserveReply, ReserveRequest, SettleReply } from './counter-store.ts';
import { type GatewayError, isGatewayError } from './errors.ts';
import type { MaybePromise } from './store.ts';

/** What decides while the store cannot be asked. */
export type StoreDownMode = 'deny' | 'localShare' | 'allow';
/** Who admitted a reservation: the store itself, this process's share of the limits, or nobody. */
export type AdmittedBy = 'store' | 'localShare' | 'allow';

export interface LimitStoreOptions {
  readonly store: CounterStore;
  readonly onStoreDown: StoreDownMode;
  /** Processes that share the limits: each has this part of them while the store is down. */
  readonly replicas: number;
  /** Counts this process's share. Made when first needed. */
  readonly createLocal: () => CounterStore;
  /** Told when another mode begins, with the failure that began it. */
  readonly onMode: (mode: 'store' | StoreDownMode, error?: GatewayError) => void;
}

export interface StoreAnswer {
  readonly reply: ReserveReply;
  readonly by: AdmittedBy;
}

/** Added to an id that the store may have heard before it went away: it gives that one back by itself. */
const AGAIN = '~down';
/** Counters whose last state is remembered; the longest unused is forgotten first. */
const SEEN_MAX = 10_000;

/** A counter store and what to do without it. Nothing that was let through meanwhile is forgotten when it is back. */
export class LimitStore {
  readonly #options: LimitStoreOptions;
  /** What was used and held of windows and totals when the store last told: the share is of what was left. */
  readonly #seen = new Map<string, number>();
  #local: CounterStore | undefined;
  #mode: 'store' | StoreDownMode = 'store';

  constructor(options: LimitStoreOptions) {
    this.#options = options;
  }

  reserve(request: ReserveRequest): MaybePromise<StoreAnswer> {
    const reply = this.#options.store.reserve(request);
    if (!(reply instanceof Promise)) return { reply, by: 'store' };
    return reply.then(
      (answer): StoreAnswer => {
        this.#enter('store');
        if (this.#options.onStoreDown === 'localShare') this.#remember(request, answer);
        return { reply: answer, by: 'store' };
      },
      (error: unknown) => this.#without(request, error),
    );
  }

  /** Tells how it ended: with the actual amounts, or without having been. */
  end(id: string, by: AdmittedBy, actual: Amounts | undefined, limits: readonly Limit[]): MaybePromise<SettleReply> {
    const { store } = this.#options;
    if (by === 'store') return actual === undefined ? store.release(id) : store.settle(id, actual);
    const local = by === 'localShare' ? this.#endLocal(id, actual) : undefined;
    if (actual === undefined) return local ?? { status: 'released', limits: [] };
    return store.settle(id + AGAIN, actual, limits);
  }

  lease(id: string, by: AdmittedBy, ttlMs: number): MaybePromise<boolean> {
    if (by === 'allow') return true;
    return (by === 'store' ? this.#options.store : this.#share()).lease(id, ttlMs);
  }

  async #without(request: ReserveRequest, error: unknown): Promise<StoreAnswer> {
    if (!isGatewayError(error, 'unavailable')) throw error;
    const { onStoreDown, replicas } = this.#options;
    this.#enter(onStoreDown, error);
    if (onStoreDown === 'deny') throw error;
    if (onStoreDown === 'allow') return { reply: { admitted: true, limits: [] }, by: 'allow' };
    const limits = request.limits.map((limit) => shareOf(limit, replicas, this.#seen.get(seenKey(limit)) ?? 0));
    return { reply: await this.#share().reserve({ ...request, limits }), by: 'localShare' };
  }

  #remember({ limits }: ReserveRequest, { limits: states }: ReserveReply): void {
    for (const [index, limit] of limits.entries()) {
      const state = states[index];
      if (state === undefined || (limit.kind !== 'window' && limit.kind !== 'total')) continue;
      const key = seenKey(limit);
      this.#seen.delete(key);
      this.#seen.set(key, Math.max(0, state.used + state.held));
      if (this.#seen.size > SEEN_MAX) this.#seen.delete(this.#seen.keys().next().value as string);
    }
  }

  #endLocal(id: string, actual: Amounts | undefined): MaybePromise<SettleReply> {
    return actual === undefined ? this.#share().release(id) : this.#share().settle(id, actual);
  }

  #share(): CounterStore {
    this.#local ??= this.#options.createLocal();
    return this.#local;
  }

  #enter(mode: 'store' | StoreDownMode, error?: GatewayError): void {
    if (this.#mode === mode) return;
    this.#mode = mode;
    this.#options.onMode(mode, error);
  }
}

function seenKey(limit: Limit): string {
  return limit.kind === 'window' ? `${limit.window} ${limit.key}` : limit.key;
}

/**
 * This process's part of a limit, rounded down: of windows and totals its part of what was left. A part of nothing
 * admits nothing.
 */
function shareOf(limit: Limit, replicas: number, seen: number): Limit {
  const gone = limit.kind === 'window' || limit.kind === 'total' ? seen : 0;
  const maximum = Math.floor(Math.max(0, Number(limit.maximum) - gone) / replicas);
  if (limit.kind !== 'rate') return { ...limit, maximum };
  const burst = Math.floor(Number(limit.burst ?? limit.maximum) / replicas);
  if (maximum >= 1 && burst >= 1) return { ...limit, maximum, burst };
  const { periodMs: _periodMs, burst: _burst, ...rest } = limit;
  return { ...rest, kind: 'total', maximum: 0 };
}
