import type { EventSource, EventStream } from './event-stream.ts';
import { GatewayError } from './errors.ts';
import { bytesOf, KeptBytes } from './kept-bytes.ts';
import { LIMITS } from './limits.ts';

/** Where one reader's events, and where it asked for them its bytes, come from. */
export interface BroadcastReader<E> extends EventSource<E> {
  /** The provider's bytes, driven by the same loop as the reader's events. */
  bytesOf(events: EventStream<E>): AsyncIterableIterator<Uint8Array>;
}

export interface ReaderOptions {
  /** Its events are its own: others may have the same. */
  readonly copies: boolean;
  /** Somebody may want the bytes. */
  readonly keepsBytes: boolean;
}

/**
 * One stream of events for many readers: each gets all of it from the beginning, late ones what was sent so far and
 * then live events. The fastest reader pulls; nobody pulls while nobody reads. With the provider's own bytes where
 * upstream has them.
 */
export class Broadcast<E extends object> {
  readonly #upstream: EventStream<E>;
  readonly #onEnd: () => void;
  readonly #body: AsyncIterator<Uint8Array> | undefined;
  /** What was sent, bytes among the events, but for what every reader has and no late one can ask for any more. */
  #sent: (E | Uint8Array)[] = [];
  /** How much was sent before the first of it. */
  #trimmed = 0;
  #pulling = false;
  #news: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  #ended = false;
  #failure: unknown;

  /** Reading the bytes drives the events, so with bytes it is they that are read, and the events are overheard. */
  constructor(upstream: EventStream<E>, onEnd: () => void, body?: AsyncIterable<Uint8Array>) {
    this.#upstream = upstream;
    this.#onEnd = onEnd;
    this.#body = body?.[Symbol.asyncIterator]();
    if (body === undefined) return;
    upstream.append({
      observes: true,
      event: (event, emit) => {
        this.#add(event);
        emit(event);
      },
    });
  }

  /** A new reader may still get everything: what is kept for late ones has a bound. */
  get open(): boolean {
    return !this.#ended && this.#trimmed === 0 && this.#sent.length < LIMITS.queuedEventsMax;
  }

  /** A reader from the beginning. `leave` is called when it stops before the end. */
  reader(leave: () => void, { copies, keepsBytes }: ReaderOptions): BroadcastReader<E> {
    let at = 0;
    const kept = new KeptBytes();
    return {
      read: async (emit) => {
        while (at === this.#trimmed + this.#sent.length && !this.#ended) await this.#pull();
        if (at < this.#trimmed) throw tooSlow();
        while (at < this.#trimmed + this.#sent.length) {
          const item = this.#sent[at++ - this.#trimmed] as E | Uint8Array;
          if (!(item instanceof Uint8Array)) emit(copies ? structuredClone(item) : item);
          else if (keepsBytes) kept.push(item);
        }
        if (!this.#ended) return true;
        if (this.#failure !== undefined) throw this.#failure;
        return false;
      },
      cancel: leave,
      bytesOf: (events) => bytesOf(events, kept),
    };
  }

  cancel(reason: unknown): void {
    this.#upstream.cancel(reason);
    this.#body?.return?.().then(undefined, () => undefined);
  }

  /** Resolves with the next thing that is sent, or with the end. */
  #pull(): Promise<void> {
    this.#news ??= new Promise((resolve) => {
      this.#wake = resolve;
    });
    const news = this.#news;
    if (!this.#pulling) {
      this.#pulling = true;
      (this.#body ?? this.#upstream).next().then(
        ({ done, value }: IteratorResult<E | Uint8Array, unknown>) => {
          this.#pulling = false;
          if (done === true) this.#end();
          else this.#add(value);
        },
        (error: unknown) => {
          this.#failure = error;
          this.#end();
        },
      );
    }
    return news;
  }

  #add(item: E | Uint8Array): void {
    this.#sent.push(item);
    if (this.#sent.length > LIMITS.queuedEventsMax) {
      // The half that most have is let go of. Who has not even that is too slow to be waited for.
      const count = LIMITS.queuedEventsMax / 2;
      this.#sent = this.#sent.slice(count);
      this.#trimmed += count;
    }
    this.#tell();
  }

  #end(): void {
    this.#ended = true;
    this.#onEnd();
    this.#tell();
  }

  #tell(): void {
    this.#news = undefined;
    this.#wake();
  }
}

function tooSlow(): GatewayError {
  return new GatewayError('limit-exceeded', 'This reader of a shared stream fell too far behind the others.', {
    stage: 'consumer',
    limit: { name: 'queuedEventsMax', maximum: LIMITS.queuedEventsMax },
  });
}
