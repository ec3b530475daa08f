import type { MaybePromise, StoreHealth } from './store.ts';

/** A whole number below 2^53: a plain number, or a bigint where it is money (nano-dollars). */
export type Quantity = number | bigint;

interface LimitBase {
  /** What is limited, e.g. `storeKey(['tenant', 'acme', 'tokens'])`. Limits of different kinds never share state. */
  readonly key: string;
  /** How messages and errors call it. @defaultValue the key */
  readonly name?: string;
  /** Which of the settled amounts counts here, e.g. `requests`, `tokens`, `cost`. @defaultValue 'units' */
  readonly unit?: string;
  /** The most that may be used, or held and used together. */
  readonly maximum: Quantity;
}

/** Rolling: `maximum` per `periodMs`, at most `burst` at once. Any interval T admits at most burst + rate x T (GCRA). */
export interface RateLimit extends LimitBase {
  readonly kind: 'rate';
  readonly periodMs: number;
  /** @defaultValue `maximum` */
  readonly burst?: Quantity;
}

/** A calendar window. Whoever knows the time zone says which window it is and when it ends. */
export interface WindowLimit extends LimitBase {
  readonly kind: 'window';
  /** Identity of the window, e.g. `2026-11`. */
  readonly window: string;
  /** Wall time of its end, milliseconds since the epoch. */
  readonly endsAt: number;
}

/** Never comes back, except by {@link CounterStore.adjust}. */
export interface TotalLimit extends LimitBase {
  readonly kind: 'total';
}

/** How many at once. Every place is a lease: settled, released or expired, it is free again. */
export interface ConcurrencyLimit extends LimitBase {
  readonly kind: 'concurrency';
}

/** A limit to look at. */
export type LimitShape = RateLimit | WindowLimit | TotalLimit | ConcurrencyLimit;

/** A limit to draw on. */
export type Limit = LimitShape & {
  /** The worst case to reserve. May be 0: then only what is already used is looked at. */
  readonly amount: Quantity;
  /**
   * `on-settle`: held until the actual amount is known. `on-reserve`: spent at once and not changed by `settle`
   * (a request is a request); only `release` gives it back.
   *
   * @defaultValue 'on-settle'
   */
  readonly charged?: 'on-settle' | 'on-reserve';
};

export interface ReserveRequest {
  /** The attempt's id. Reserving or settling the same id again changes nothing. */
  readonly id: string;
  /** All of them admit, or nothing is reserved. No two may have the same kind and key (and window or period). */
  readonly limits: readonly Limit[];
  /** Life of the reservation if nobody settles, releases or renews it: the attempt's deadline and some grace. */
  readonly ttlMs: number;
  /** What becomes of an expired reservation: given back, or taken as spent in full. @defaultValue 'release' */
  readonly onExpire?: 'release' | 'charge';
}

export interface LimitState {
  readonly key: string;
  readonly name: string;
  readonly kind: Limit['kind'];
  /** For a rate, its burst. */
  readonly maximum: number;
  /** Spent. For a rate, what has not yet drained. Above `maximum` if more was settled than reserved. */
  readonly used: number;
  /** Reserved and not yet settled. */
  readonly held: number;
  /** What could be reserved now; never below 0. */
  readonly remaining: number;
  /** Milliseconds until `used` is 0 by itself; absent if that never happens. */
  readonly resetMs?: number;
}

export interface Denial extends LimitState {
  /** `size`: more than the limit ever allows. `used`: spent. `held`: reserved by others who may give it back. */
  readonly blockedBy: 'size' | 'used' | 'held';
  /**
   * Waiting this long is enough if nobody else comes. For `held` it is when enough leases have expired; one may be
   * given back much sooner. Absent: no waiting helps.
   */
  readonly retryAfterMs?: number;
}

export type ReserveReply =
  | { readonly admitted: true; readonly limits: readonly LimitState[] }
  | {
      readonly admitted: false;
      /** Of the limits that said no, the one to wait for longest. */
      readonly denial: Denial;
      readonly limits: readonly LimitState[];
    };

/** Actual amounts by unit. A unit that is not named is charged as reserved. */
export type Amounts = Readonly<Record<string, Quantity>>;

export interface SettleReply {
  /**
   * `repeated`: this id was settled before; nothing changed. `unknown`: no such reservation; nothing changed.
   * `deferred`: the store is down and does it when it is back.
   */
  readonly status: 'settled' | 'released' | 'repeated' | 'unknown' | 'deferred';
  /** The limits after `settled` or `released`, in the order they were reserved; otherwise empty. */
  readonly limits: readonly LimitState[];
}

/** Top up or reset. `by` adds to what is used (negative: gives back); `to` sets it. */
export type Adjustment = { readonly by: Quantity } | { readonly to: Quantity };

/**
 * Counts what is spent, exactly: one atomic decision over any number of limits, settled once by attempt id.
 *
 * Held amounts do not drain and do not pass with a window's end into the next: what is settled counts in the window
 * it was reserved in, and in a rate from the moment it is settled. When the store cannot answer, `settle` and `release`
 * resolve with `deferred` and are done when it is back; every other method rejects with `unavailable` (stage `store`),
 * and what to do then is the limiter's `onStoreDown`. A reservation whose answer was lost is
 * released by the store, so ask again under a new id.
 */
export interface CounterStore {
  readonly name: string;
  reserve(request: ReserveRequest): MaybePromise<ReserveReply>;
  /**
   * Replaces the reserved amounts by the actual ones. With `limits`, an unknown id is charged there all the same
   * (a call that was let through while the store was down).
   */
  settle(id: string, actual: Amounts, limits?: readonly Limit[]): MaybePromise<SettleReply>;
  /** Gives everything back: the attempt was not made. */
  release(id: string): MaybePromise<SettleReply>;
  /** Keeps a reservation for `ttlMs` more from now: the lease of a long stream. False if it is not held any more. */
  lease(id: string, ttlMs: number): MaybePromise<boolean>;
  /** How the limits stand. Reserves nothing. */
  remaining(limits: readonly LimitShape[]): MaybePromise<readonly LimitState[]>;
  /** Tops up or resets one limit, once per `id`. */
  adjust(id: string, limit: LimitShape, change: Adjustment): MaybePromise<LimitState>;
  /** Looks at the server now and says what is wrong with it, e.g. an eviction policy that may drop limits. */
  check?(): MaybePromise<StoreHealth>;
  health?(): StoreHealth;
  watch?(listener: (health: StoreHealth) => void): () => void;
  close?(): MaybePromise<void>;
}
