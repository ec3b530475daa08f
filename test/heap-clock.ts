import type { Clock, Timer } from '../src/core/clock.ts';
import { Heap } from '../src/core/heap.ts';

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/** A fake clock for very many timers: it lets promises settle between moments, not between timers. */
export class HeapClock implements Clock {
  #elapsed = 0;
  #order = 0;
  readonly #timers = new Heap<Entry>(
    (one, other) => one.at < other.at || (one.at === other.at && one.order < other.order),
  );

  now = (): number => 1_767_225_600_000 + this.#elapsed;
  monotonic = (): number => this.#elapsed;
  after = (ms: number, callback: () => void): Timer => {
    const entry = { at: this.#elapsed + Math.max(0, ms), order: this.#order++, callback, cancelled: false };
    this.#timers.push(entry);
    return { cancel: () => void (entry.cancelled = true) };
  };

  /** Runs everything until a moment. Timers within `stepMs` of each other share one turn of the event loop. */
  async runUntil(untilMs: number, stepMs = 0): Promise<void> {
    await turn();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.at > untilMs) break;
      const moment = next.at + stepMs;
      for (let entry = this.#next(); entry !== undefined && entry.at <= moment; entry = this.#next()) {
        this.#timers.pop();
        this.#elapsed = Math.max(this.#elapsed, entry.at);
        entry.callback();
      }
      await turn();
    }
    this.#elapsed = Math.max(this.#elapsed, untilMs);
  }

  #next(): Entry | undefined {
    while (this.#timers.peek()?.cancelled === true) this.#timers.pop();
    return this.#timers.peek();
  }
}

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => void setImmediate(resolve));
}
