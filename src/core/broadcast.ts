import type { EventSource, EventStream } from './event-stream.ts';
import { GatewayError } from './errors.ts';
import { LIMITS } from './limits.ts';

/**
 * One stream of events for many readers: each gets all of it from the beginning, late ones what was sent so far and
 * then live events. The fastest reader pulls; nobody pulls while nobody reads.
 */
export class Broadcast<E> {
  readonly #upstream: EventStream<E>;
  readonly #onEnd: () => void;
  /** What was sent, but for what every reader has and no late one can ask for any more. */
  #events: E[] = [];
  /** How many were sent before the first of them. */
  #trimmed = 0;
  #pulling: Promise<void> | undefined;
  #ended = false;
  #failure: unknown;

  constructor(upstream: EventStream<E>, onEnd: () => void) {
    this.#upstream = upstream;
    this.#onEnd = onEnd;
  }

  /** A new reader may still get everything: what is kept for late ones has a bound. */
  get open(): boolean {
    return !this.#ended && this.#trimmed === 0 && this.#events.length < LIMITS.queuedEventsMax;
  }

  /** A reader from the beginning. `leave` is called when it stops before the end; `copies`: its events are its own. */
  reader(leave: () => void, copies: boolean): EventSource<E> {
    const place = { at: 0 };
    return {
      read: async (emit) => {
        if (place.at === this.#trimmed + this.#events.length && !this.#ended) await this.#pull();
        if (place.at < this.#trimmed) throw tooSlow();
        while (place.at < this.#trimmed + this.#events.length) {
          const event = this.#events[place.at++ - this.#trimmed] as E;
          emit(copies ? structuredClone(event) : event);
        }
        if (!this.#ended) return true;
        if (this.#failure !== undefined) throw this.#failure;
        return false;
      },
      cancel: leave,
    };
  }

  cancel(reason: unknown): void {
    this.#upstream.cancel(reason);
  }

  #pull(): Promise<void> {
    this.#pulling ??= this.#upstream
      .next()
      .then(
        ({ done, value }) => {
          if (done === true) this.#end();
          else this.#add(value);
        },
        (error: unknown) => {
          this.#failure = error;
          this.#end();
        },
      )
      .finally(() => {
        this.#pulling = undefined;
      });
    return this.#pulling;
  }

  #add(event: E): void {
    this.#events.push(event);
    if (this.#events.length <= LIMITS.queuedEventsMax) return;
    // The half that most have is let go of. Who has not even that is too slow to be waited for.
    const count = LIMITS.queuedEventsMax / 2;
    this.#events = this.#events.slice(count);
    this.#trimmed += count;
  }

  #end(): void {
    this.#ended = true;
    this.#onEnd();
  }
}

function tooSlow(): GatewayError {
  return new GatewayError('limit-exceeded', 'This reader of a shared stream fell too far behind the others.', {
    stage: 'consumer',
    limit: { name: 'queuedEventsMax', maximum: LIMITS.queuedEventsMax },
  });
}
