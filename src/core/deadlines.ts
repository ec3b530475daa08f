import type { Clock, Timer } from './clock.ts';

/** One deadline. Whoever entered it leaves it, once there is nothing to wait for. */
export interface Deadline {
  /** Monotonic milliseconds at which it passes. */
  readonly atMs: number;
  leave(): void;
}

/** Delays whose timer is kept while nobody waits. */
const IDLE_DELAYS_MAX = 16;

/**
 * Deadlines of calls. Nearly all calls may take equally long and end long before: those share one timer, because
 * setting and clearing one for each would take longer than anything else a short call does. While somebody waits, the
 * process does not end.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #queues = new Map<number, DeadlineQueue>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `onPassed` is called after `ms`, unless the deadline is left before. */
  enter(ms: number, onPassed: () => void): Deadline {
    let queue = this.#queues.get(ms);
    if (queue === undefined) {
      if (this.#queues.size >= IDLE_DELAYS_MAX) this.#forgetIdle();
      this.#queues.set(ms, (queue = new DeadlineQueue(this.#clock, ms)));
    }
    return queue.enter(onPassed);
  }

  #forgetIdle(): void {
    for (const [ms, queue] of this.#queues) if (queue.stopIdle()) this.#queues.delete(ms);
  }
}

interface Waiting extends Deadline {
  readonly onPassed: () => void;
}

/** Deadlines of one delay: those who came first are due first, so that one timer does for all. */
class DeadlineQueue {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #waiting = new Set<Waiting>();
  #timer: Timer | undefined;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  enter(onPassed: () => void): Deadline {
    const atMs = this.#clock.monotonic() + this.#ms;
    const deadline: Waiting = { atMs, onPassed, leave: () => this.#leave(deadline) };
    this.#waiting.add(deadline);
    if (this.#timer === undefined) this.#arm(this.#ms);
    else if (this.#waiting.size === 1) this.#timer.hold?.(true);
    return deadline;
  }

  /** Whether nobody waits; then no timer is left. */
  stopIdle(): boolean {
    if (this.#waiting.size > 0) return false;
    this.#stop();
    return true;
  }

  #leave(deadline: Waiting): void {
    if (!this.#waiting.delete(deadline) || this.#waiting.size > 0) return;
    // The next call will want the timer; until then it holds nobody.
    if (this.#timer?.hold === undefined) this.#stop();
    else this.#timer.hold(false);
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.after(ms, this.#passed, { holds: true });
  }

  readonly #passed = (): void => {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (const deadline of this.#waiting) {
      if (deadline.atMs > now) {
        this.#arm(deadline.atMs - now);
        return;
      }
      this.#waiting.delete(deadline);
      deadline.onPassed();
    }
  };
}
