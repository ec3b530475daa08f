import type { Clock, Timer } from './clock.ts';

interface Waiter<T> {
  readonly order: number;
  readonly why: T;
  readonly wake: () => void;
}

/** Calls that wait for room under a limit, in the order they came. Bounded. */
export class LimitQueue<T> {
  readonly #waiters = new Map<string, Waiter<T>[]>();
  readonly #callsMax: number;
  #size = 0;
  #orders = 0;

  constructor(callsMax: number) {
    this.#callsMax = callsMax;
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= this.#callsMax;
  }

  /** A place in the order, kept when a call has to wait again. */
  ticket(): number {
    return ++this.#orders;
  }

  /** Why the last one in the queue of this limit waits; `undefined` if nobody does. */
  last(key: string): T | undefined {
    return this.#waiters.get(key)?.at(-1)?.why;
  }

  /** Whether nobody with an earlier ticket waits for this limit. */
  isFirst(key: string, order: number): boolean {
    const first = this.#waiters.get(key)?.[0];
    return first === undefined || first.order >= order;
  }

  /** Waits until woken, or for `ms`; rejects with the signal's reason. Leaves nothing behind. */
  wait(key: string, order: number, why: T, ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      let timer: Timer | undefined;
      const leave = (): void => {
        timer?.cancel();
        signal.removeEventListener('abort', onAbort);
        this.#remove(key, waiter);
      };
      const onAbort = (): void => {
        leave();
        reject(signal.reason);
      };
      const wake = (): void => {
        leave();
        resolve();
      };
      const waiter: Waiter<T> = { order, why, wake };
      this.#insert(key, waiter);
      timer = clock.after(ms, wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets the first in each of these queues ask again. */
  wake(keys: Iterable<string>): void {
    if (this.#size === 0) return;
    for (const key of keys) this.#waiters.get(key)?.[0]?.wake();
  }

  #insert(key: string, waiter: Waiter<T>): void {
    const list = this.#waiters.get(key) ?? [];
    const after = list.findLastIndex((other) => other.order < waiter.order);
    list.splice(after + 1, 0, waiter);
    this.#waiters.set(key, list);
    this.#size++;
  }

  #remove(key: string, waiter: Waiter<T>): void {
    const list = this.#waiters.get(key);
    const index = list?.indexOf(waiter) ?? -1;
    if (list === undefined || index < 0) return;
    list.splice(index, 1);
    this.#size--;
    if (list.length === 0) this.#waiters.delete(key);
  }
}
