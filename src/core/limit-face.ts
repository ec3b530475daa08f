import type { Call, Candidate } from './call.ts';
import { Reservation } from './limit-reservation.ts';
import type { CallState, Limiter, LimiterOptions } from './limiter.ts';
import type { AttemptObserver } from './middleware.ts';
import { type MaybePromise, whenReady } from './store.ts';

/** What stands before every attempt: no attempt without a reservation, no reservation without an end. */
export class LimitFace {
  readonly #limiter: Limiter;
  readonly #options: Pick<LimiterOptions, 'need' | 'headers'>;

  constructor(limiter: Limiter, options: Pick<LimiterOptions, 'need' | 'headers'>) {
    this.#limiter = limiter;
    this.#options = options;
  }

  /** Takes what is held for this call already, or reserves. */
  attempt(call: Call): MaybePromise<AttemptObserver | undefined> {
    const target = call.target as Candidate;
    const state = this.#limiter.stateOf(call.id);
    const ready = state?.ready;
    if (state !== undefined && ready !== undefined) {
      state.ready = undefined;
      if (this.#fits(ready, call, target)) return this.#observe(call, ready, state);
      return whenReady(ready.release(), () => this.#take(call, target, state));
    }
    return this.#take(call, target, state);
  }

  #take(call: Call, target: Candidate, state: CallState | undefined): MaybePromise<AttemptObserver | undefined> {
    return whenReady(this.#limiter.reserve(call, target), (made) => {
      if (made === undefined) return undefined;
      if (made instanceof Reservation) return this.#observe(call, made, state);
      const parent = this.#parentInWait(call);
      if (parent !== undefined) {
        // A sub-call comes before the attempt its parent holds room for: it may have that room.
        const { ready } = parent;
        parent.ready = undefined;
        return whenReady((ready as Reservation).release(), () => this.#take(call, target, state));
      }
      if (state !== undefined) state.refusal = made;
      throw this.#limiter.refuse(call, made);
    });
  }

  #observe(call: Call, reservation: Reservation, state: CallState | undefined): AttemptObserver {
    state?.running.add(reservation);
    if (call.deadline === undefined) reservation.keep();
    return {
      commit: () => {
        if (call.stream) reservation.keep();
      },
      end: (outcome) => {
        state?.running.delete(reservation);
        const { hold, target } = reservation.facts;
        if (hold !== undefined) this.#options.headers?.end(target.id, hold, outcome, call.context.clock.now());
        reservation.settle(outcome);
      },
    };
  }

  /** Whether what is held is for this target and enough: an inner middleware may have changed the request. */
  #fits({ facts }: Reservation, call: Call, target: Candidate): boolean {
    if (facts.target.id !== target.id) return false;
    if (facts.call.request === call.request) return true;
    const need = this.#options.need(call, target, facts.units);
    return facts.applied.every(({ rule }) => (need[rule.unit] ?? 0) <= (facts.need[rule.unit] ?? 0));
  }

  #parentInWait(call: Call): CallState | undefined {
    for (let id = call.id, end = id.lastIndexOf('/'); end > 0; end = id.lastIndexOf('/')) {
      id = id.slice(0, end);
      const state = this.#limiter.stateOf(id);
      if (state?.ready !== undefined) return state;
    }
    return undefined;
  }
}
