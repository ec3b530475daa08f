import type { Clock, Timer } from '../src/core/clock.ts';

/** The smallest fake clock: for tests below the test kit. */
export class ManualClock implements Clock {
  #now = 0;
  #timers: { at: number; callback: () => void }[] = [];
  now = (): number => 1_700_000_000_000 + this.#now;
  monotonic = (): number => this.#now;
  after = (ms: number, callback: () => void): Timer => {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  };
  get pending(): number {
    return this.#timers.length;
  }
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = until;
  }
}
