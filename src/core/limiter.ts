import type { Usage } from '../operations/shared.ts';
import type { Call, Candidate, Scope } from './call.ts';
import { RESERVATION_MS_MAX } from './counter-limits.ts';
import type { CounterStore, Denial, LimitState } from './counter-store.ts';
import { type ErrorCode, type GatewayError, toGatewayError } from './errors.ts';
import type { GatewayEvents } from './events.ts';
import type { HeaderLimits } from './header-limits.ts';
import type { Refusal } from './limit-refusal.ts';
import { refusalError } from './limit-refusal.ts';
import { type LimitAmounts, type Need, Reservation } from './limit-reservation.ts';
import type { ReservationFacts, ReservationHost } from './limit-reservation.ts';
import type { CompiledRule, LimitUnit } from './limit-rule.ts';
import { LimitLookup, type LimitsAt } from './limit-lookup.ts';
import type { AppliedLimit } from './limit-shapes.ts';
import { LimitStore, type StoreAnswer, type StoreDownMode } from './limit-store.ts';
import { LimitThresholds } from './limit-thresholds.ts';
import type { Host } from './middleware.ts';
import type { MaybePromise } from './store.ts';

export interface LimiterOptions {
  /** The middleware: in events, and in front of every key. */
  readonly name: string;
  readonly code: ErrorCode;
  readonly store: CounterStore;
  readonly createLocal: () => CounterStore;
  readonly onStoreDown: StoreDownMode;
  readonly replicas: number;
  readonly onExpire: 'release' | 'charge';
  /** Life of a reservation without a deadline, and grace after one, in milliseconds. */
  readonly leaseMs: number;
  readonly graceMs: number;
  /** The limits in force. */
  rules(): readonly CompiledRule[];
  /** The worst case of an attempt, in the units asked for. May throw: then the attempt is refused. */
  need(call: Call, target: Candidate, units: ReadonlySet<LimitUnit>): Need;
  actual(call: Call, target: Candidate, usage: Usage, units: ReadonlySet<LimitUnit>): LimitAmounts;
  readonly headers?: HeaderLimits;
  /** Told which counters may have room again. */
  freed(keys: Iterable<string>): void;
}

type LimitEvent = GatewayEvents['limit'];

/** What the attempt faces and the queue of one call tell each other. */
export interface CallState {
  /** Held before the call went down, for its first attempt. */
  ready: Reservation | undefined;
  /** Why the last attempt was refused. */
  refusal: Refusal | undefined;
  /** Attempts that run. */
  readonly running: Set<Reservation>;
}

/** Reservations that all attempts need, and what becomes of them: the engine under `budget` and `rateLimit`. */
export class Limiter {
  readonly #options: LimiterOptions;
  readonly #store: LimitStore;
  readonly #lookup: LimitLookup;
  readonly #thresholds: LimitThresholds;
  readonly #reservationHost: ReservationHost;
  readonly #calls = new Map<string, CallState>();
  /** Tells ids of two limiters on one store apart. */
  readonly #tag = crypto.randomUUID().slice(0, 13);
  #ids = 0;
  #host: Host | undefined;

  constructor(options: LimiterOptions) {
    this.#options = options;
    this.#lookup = new LimitLookup(options.name);
    const { store, onStoreDown, replicas, createLocal, name, leaseMs, onExpire } = options;
    this.#store = new LimitStore({
      store,
      onStoreDown,
      replicas,
      createLocal,
      onMode: (mode, error) =>
        this.#host?.emit('limit-mode', {
          middleware: name,
          store: store.name,
          mode,
          ...(error !== undefined && { reason: error.message }),
        }),
    });
    this.#thresholds = new LimitThresholds(({ rule }, state, threshold, scope) =>
      this.emit('threshold', state, scope, { name: rule.name, threshold }),
    );
    this.#reservationHost = {
      store: this.#store,
      leaseMs,
      onExpire,
      actual: options.actual,
      ended: (reservation, states, actual) => this.#ended(reservation, states, actual),
      later: (work) => this.#later(work),
    };
  }

  start(host: Host): void {
    this.#host = host;
  }

  get host(): Host | undefined {
    return this.#host;
  }

  /** Begins to watch a call; the function ends it and gives back what nobody used. */
  watch(call: Call): { readonly state: CallState; readonly leave: () => void } {
    const state: CallState = { ready: undefined, refusal: undefined, running: new Set() };
    this.#calls.set(call.id, state);
    return {
      state,
      leave: () => {
        this.giveBack(state);
        if (this.#calls.get(call.id) === state) this.#calls.delete(call.id);
      },
    };
  }

  /** The state of a call that is watched. */
  stateOf(callId: string): CallState | undefined {
    return this.#calls.get(callId);
  }

  giveBack(state: CallState): void {
    const { ready } = state;
    state.ready = undefined;
    const released = ready?.release();
    if (released instanceof Promise) this.#later(released);
  }

  rule(name: string): CompiledRule | undefined {
    return this.#options.rules().find((rule) => rule.name === name);
  }

  /** The limits of a call at one target. */
  limitsAt(call: Call, target: Candidate): LimitsAt {
    return this.#lookup.at(this.#options.rules(), call.scope, target, call.context.clock.now());
  }

  /** Reserves the worst case of an attempt at a target. `undefined`: nothing limits it. */
  reserve(call: Call, target: Candidate): MaybePromise<Reservation | Refusal | undefined> {
    const { headers, onExpire, leaseMs, graceMs } = this.#options;
    const { clock } = call.context;
    const now = clock.now();
    const { applied, units } = this.#lookup.at(this.#options.rules(), call.scope, target, now);
    if (applied.length === 0 && headers === undefined) return undefined;
    const need = this.#options.need(call, target, headers === undefined ? units : ALL_OF_PROVIDERS);
    const told = headers?.denial(target.id, need, now);
    if (told !== undefined) return { denial: told, target, unit: 'requests', elsewhere: true };
    const limits = applied.map(({ rule, known }) => known.draw(need[rule.unit] ?? 0));
    const hold = headers?.hold(target.id, need);
    const id = `${this.#tag}:${(++this.#ids).toString(36)}`;
    const monotonic = clock.monotonic();
    const untilDeadline = call.deadline === undefined ? leaseMs : call.deadline - monotonic;
    const ttlMs = Math.min(Math.ceil(Math.max(1, untilDeadline)) + graceMs, RESERVATION_MS_MAX);
    const facts = { id, call, target, applied, units, limits, need, hold, expiresAt: monotonic + ttlMs };
    if (applied.length === 0) return new Reservation(facts, 'allow', [], this.#reservationHost);
    try {
      const answer = this.#store.reserve({ id, limits, ttlMs, onExpire });
      if (!(answer instanceof Promise)) return this.#decided(facts, answer);
      return answer.then(
        (decision) => this.#decided(facts, decision),
        (error: unknown) => {
          this.#forget(facts);
          throw this.#failed(error);
        },
      );
    } catch (error) {
      this.#forget(facts);
      throw error;
    }
  }

  #decided(facts: ReservationFacts, { reply, by }: StoreAnswer): Reservation | Refusal {
    const { applied, call, target } = facts;
    if (!reply.admitted) {
      this.#forget(facts);
      return this.#refused(reply.denial, applied, target);
    }
    this.#thresholds.note(applied, by === 'store' ? reply.limits : [], call.scope);
    return new Reservation(facts, by, reply.limits, this.#reservationHost);
  }

  /** The attempt was not made: the provider will not count it. */
  #forget({ hold, target, call }: ReservationFacts): void {
    if (hold !== undefined) this.#options.headers?.end(target.id, hold, NOT_MADE, call.context.clock.now());
  }

  emit(
    kind: LimitEvent['kind'],
    state: Pick<LimitState, 'used' | 'held' | 'maximum'>,
    scope: Scope,
    more: Partial<LimitEvent> & { readonly name: string },
  ): void {
    const host = this.#host;
    if (host === undefined || !host.events.has('limit')) return;
    const { used, held, maximum } = state;
    host.emit('limit', { middleware: this.#options.name, kind, used, held, maximum, scope, ...more });
  }

  refuse(call: Call, refusal: Refusal, waitedMs?: number): GatewayError {
    const { denial } = refusal;
    const retryAfterMs = denial.retryAfterMs === undefined ? {} : { retryAfterMs: denial.retryAfterMs };
    this.emit('refused', denial, call.scope, { name: denial.name, callId: call.id, ...retryAfterMs });
    return refusalError(this.#options.code, refusal, waitedMs);
  }

  #refused(denial: Denial, applied: readonly AppliedLimit[], target: Candidate): Refusal {
    const found = applied.find(({ shape, rule }) => shape.key === denial.key && rule.name === denial.name);
    const unit = found?.rule.unit ?? 'requests';
    return { denial, target, unit, elsewhere: found?.rule.ofTarget === true || unit === 'costUsd' };
  }

  /** The store could not be asked and nothing may pass without it. */
  #failed(thrown: unknown): GatewayError {
    const error = toGatewayError(thrown, this.#options.name);
    return error.with({ retryable: false, fallbackable: false, fault: 'gateway' });
  }

  #ended(reservation: Reservation, states: readonly LimitState[], actual: LimitAmounts | undefined): void {
    const { facts, by } = reservation;
    const { applied, need, call, target, hold } = facts;
    if (by === 'store') this.#thresholds.note(applied, states, call.scope);
    if (actual === undefined) this.#forget(facts);
    for (let index = 0; actual !== undefined && index < applied.length; index++) {
      const { rule } = applied[index] as AppliedLimit;
      const reserved = need[rule.unit] ?? 0;
      const used = actual[rule.unit] ?? 0;
      const state = states[index];
      if (state === undefined || used <= reserved) continue;
      this.emit('overrun', state, call.scope, { name: rule.name, callId: call.id, reserved, actual: used });
    }
    const keys = applied.map(({ shape }) => shape.key);
    if (hold !== undefined) keys.push(`provider ${target.id}`);
    this.#options.freed(keys);
  }

  #later(work: Promise<unknown>): void {
    const { name } = this.#options;
    const watched = work.catch((thrown: unknown) => {
      const error = toGatewayError(thrown, `${name}.store`);
      this.#host?.emit('problem', { stage: `${name}.store`, code: error.code, error });
    });
    this.#host?.waitUntil(watched);
  }
}

const ALL_OF_PROVIDERS: ReadonlySet<LimitUnit> = new Set(['requests', 'inputTokens', 'outputTokens', 'tokens']);
const NOT_MADE = { status: 'refused', durationMs: 0, committed: false, billing: 'no' } as const;
