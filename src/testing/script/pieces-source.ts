import { type Clock, sleep } from '../../core/clock.ts';
import type { EventSource } from '../../core/event-stream.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';

export interface PiecesSourceOptions {
  readonly clock: Clock;
  /** Before each piece of content, in milliseconds. */
  readonly pieceDelayMs: number;
}

/** Scripted events, one piece of content a read, as a network would bring them. */
export class PiecesSource implements EventSource<ChatEvent> {
  readonly #events: Iterator<ChatEvent>;
  readonly #options: PiecesSourceOptions;
  readonly #stopped = new AbortController();

  constructor(events: Iterable<ChatEvent>, options: PiecesSourceOptions) {
    this.#events = events[Symbol.iterator]();
    this.#options = options;
  }

  async read(emit: (event: ChatEvent) => void): Promise<boolean> {
    const { clock, pieceDelayMs } = this.#options;
    for (;;) {
      const { done, value } = this.#events.next();
      if (done === true) return false;
      const content = isPiece(value);
      if (content && pieceDelayMs > 0) await sleep(clock, pieceDelayMs, this.#stopped.signal);
      emit(value);
      if (content) return true;
    }
  }

  cancel(reason: unknown): void {
    this.#stopped.abort(reason);
    this.#events.return?.();
  }
}

/** An event a model would send by itself, as against those that only frame it. */
export function isPiece(event: ChatEvent): boolean {
  return event.type.endsWith('-delta') || event.type === 'part' || event.type === 'progress';
}
