import type { Usage } from '../operations/shared.ts';
import type { Call, Candidate } from './call.ts';
import type { Timer } from './clock.ts';
import type { Amounts, Denial, Limit, LimitState } from './counter-store.ts';
import type { HeaderHold } from './header-limits.ts';
import type { LimitUnit } from './limit-rule.ts';
import type { AppliedLimit } from './limit-shapes.ts';
import type { AdmittedBy, LimitStore } from './limit-store.ts';
import type { AttemptOutcome } from './middleware.ts';
import { type MaybePromise, whenReady } from './store.ts';

/** Amounts of one attempt by unit: the worst case, or what it was. */
export type LimitAmounts = Readonly<Partial<Record<LimitUnit, number>>>;

/** What an attempt may use, and what one more output token adds to it. */
export interface Need extends LimitAmounts {
  /** Output tokens the amounts assume. */
  readonly outputAssumed: number;
  /** Whether the provider was told not to write more. */
  readonly outputBound: boolean;
  /** Amounts of so many more output tokens. */
  more(outputTokens: number): LimitAmounts;
}

export interface ReservationFacts {
  readonly id: string;
  readonly call: Call;
  readonly target: Candidate;
  readonly applied: readonly AppliedLimit[];
  /** What must be measured for them. */
  readonly units: ReadonlySet<LimitUnit>;
  readonly limits: readonly Limit[];
  readonly need: Need;
  readonly hold: HeaderHold | undefined;
  /** Monotonic milliseconds at which its lease ends. */
  readonly expiresAt: number;
}

export interface ReservationHost {
  readonly store: LimitStore;
  /** Life of a reservation that is renewed, in milliseconds. */
  readonly leaseMs: number;
  readonly onExpire: 'release' | 'charge';
  actual(call: Call, target: Candidate, usage: Usage, units: ReadonlySet<LimitUnit>): LimitAmounts;
  /** Hears how it ended, after the store has. `actual` is absent if the attempt was not made. */
  ended(reservation: Reservation, states: readonly LimitState[], actual: LimitAmounts | undefined): void;
  /** Work nobody waits for. */
  later(work: Promise<unknown>): void;
}

/** Units that only the answer decides. */
const OF_ANSWER: ReadonlySet<string> = new Set(['outputTokens', 'tokens', 'costUsd']);
const NOTHING_USED: LimitAmounts = { inputTokens: 0, outputTokens: 0, tokens: 0, costUsd: 0 };

/** What one attempt holds of its limits, from before it is made until the store knows what it used. Ends once. */
export class Reservation {
  readonly facts: ReservationFacts;
  readonly by: AdmittedBy;
  /** How its limits stood when it was made, in the order of `facts.applied`. */
  readonly states: readonly LimitState[];
  /** Output tokens a stream may still reach. */
  outputMax: number;
  readonly #host: ReservationHost;
  readonly #grown: string[] = [];
  #growing = false;
  #ended = false;
  #timer: Timer | undefined;
  /** Why it could not grow. */
  denial: Denial | undefined;

  constructor(facts: ReservationFacts, by: AdmittedBy, states: readonly LimitState[], host: ReservationHost) {
    this.facts = facts;
    this.by = by;
    this.states = states;
    this.#host = host;
    this.outputMax = facts.need.outputAssumed;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether a limit depends on how much the model writes. */
  get measuresOutput(): boolean {
    return this.facts.limits.some((limit) => OF_ANSWER.has(limit.unit ?? ''));
  }

  /** Keeps the lease of a stream alive: it may outlast the call's deadline. */
  keep(): void {
    const { clock } = this.facts.call.context;
    this.#renewAfter(Math.max(0, this.facts.expiresAt - clock.monotonic()) / 2);
  }

  #renewAfter(ms: number): void {
    const { leaseMs, store } = this.#host;
    const { by } = this;
    const { id, call } = this.facts;
    this.#timer?.cancel();
    if (this.#ended) return;
    this.#timer = call.context.clock.after(Math.min(ms, leaseMs / 3), () => {
      for (const each of [id, ...this.#grown]) this.#later(store.lease(each, by, leaseMs));
      this.#renewAfter(leaseMs / 3);
    });
  }

  /** Holds room for so many more output tokens, if there is any. One question at a time. */
  grow(outputTokens: number): void {
    if (this.#growing || this.#ended || this.denial !== undefined) return;
    this.#growing = true;
    const { id, limits, need } = this.facts;
    const more: LimitAmounts = need.more(outputTokens);
    const wanted = limits
      .filter((limit) => OF_ANSWER.has(limit.unit ?? ''))
      .map((limit) => ({ ...limit, amount: more[limit.unit as LimitUnit] ?? 0 }));
    const growth = `${id}+${this.#grown.length}`;
    const { leaseMs, store, onExpire } = this.#host;
    this.#later(
      whenReady(store.reserve({ id: growth, limits: wanted, ttlMs: leaseMs, onExpire }), ({ reply, by }) => {
        this.#growing = false;
        if (!reply.admitted) this.denial = reply.denial;
        else if (this.#ended) this.#later(store.end(growth, by, undefined, wanted));
        else {
          this.#grown.push(growth);
          this.outputMax += outputTokens;
        }
      }),
    );
  }

  /** The attempt was not made: everything goes back. */
  release(): MaybePromise<void> {
    return this.#end(undefined);
  }

  settle(outcome: AttemptOutcome): void {
    const { call, target, units } = this.facts;
    const { status, usage } = outcome;
    if (status === 'refused') this.#later(this.#end(undefined));
    else this.#later(this.#end(usage === undefined ? NOTHING_USED : this.#host.actual(call, target, usage, units)));
  }

  #end(actual: LimitAmounts | undefined): MaybePromise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    const { id, limits } = this.facts;
    if (limits.length === 0) return this.#host.ended(this, [], actual);
    const told = this.#host.store.end(id, this.by, actual as Amounts | undefined, limits);
    if (told instanceof Promise) return told.then(({ limits: states }) => this.#told(states, actual));
    this.#told(told.limits, actual);
  }

  #told(states: readonly LimitState[], actual: LimitAmounts | undefined): void {
    // What it grew goes back only now, so that the limit never looks emptier than it is.
    for (const growth of this.#grown) this.#later(this.#host.store.end(growth, this.by, undefined, []));
    this.#host.ended(this, states, actual);
  }

  /** Watches work whose failure is no call's. */
  #later(work: MaybePromise<unknown>): void {
    if (work instanceof Promise) this.#host.later(work);
  }
}
