import type { Clock, Timer } from '../../core/clock.ts';
import type { Amounts, Limit, SettleReply } from '../../core/counter-store.ts';

/** What could not be told to the server: how attempts ended. */
export interface Ending {
  readonly id: string;
  /** Absent: released. */
  readonly actual?: Amounts;
  readonly limits?: readonly Limit[];
}

export interface OutboxOptions {
  readonly clock: Clock;
  /** Time until what failed is tried again, in milliseconds. */
  readonly retryMs: number;
  readonly endingsMax: number;
  readonly send: (ending: Ending) => Promise<SettleReply>;
  /** Called with how many were dropped because there was no room. */
  readonly onLost: () => void;
}

/** Sent at once when the server is back; the rest follows as these are answered. */
const SENT_AT_ONCE = 32;

/** Keeps endings until the server is back. Each counts once by its id, so sending one twice is harmless. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #endings = new Map<string, Ending>();
  #flushing = false;
  #closed = false;
  #timer: Timer | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** A settlement replaces a release: money that was spent is never forgotten for one that was not. */
  add(ending: Ending): void {
    const known = this.#endings.get(ending.id);
    if (known?.actual !== undefined) return;
    if (known === undefined && this.#endings.size >= this.#options.endingsMax) {
      this.#options.onLost();
      return;
    }
    this.#endings.set(ending.id, ending);
    this.#schedule();
  }

  /** Sends everything; what fails stays for the next time. */
  async flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      const queue = [...this.#endings.values()];
      const work = async (): Promise<void> => {
        for (let ending = queue.shift(); ending !== undefined; ending = queue.shift()) {
          await this.#options.send(ending);
          if (this.#endings.get(ending.id) === ending) this.#endings.delete(ending.id);
        }
      };
      await Promise.all(Array.from({ length: SENT_AT_ONCE }, work));
    } catch {
      // The server is away or went away again: later.
    } finally {
      this.#flushing = false;
      if (this.#endings.size > 0) this.#schedule();
    }
  }

  /** Stops sending; what is still here is lost. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer?.cancel();
    if (!this.#closed) this.#timer = this.#options.clock.after(this.#options.retryMs, () => void this.flush());
  }
}
