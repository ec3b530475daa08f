import type { Priority } from './call.ts';
import type { Clock, Timer } from './clock.ts';

interface Waiter<T> {
  readonly ticket: number;
  readonly why: T;
  readonly leave: (how: 'woken' | 'displaced') => void;
}

const RANKS: Readonly<Record<Priority, number>> = { critical: 0, normal: 1, background: 2 };
/** Tickets of one priority: those of the next one begin after so many. */
const TICKETS = 2 ** 48;

/** Calls that wait for room under a limit, by priority, then in the order they came. Bounded. */
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

  /** Whether there is room for one more; a full queue turns away the least important that came last, if it can. */
  makeRoom(priority: Priority): boolean {
    if (this.#size < this.#callsMax) return true;
    let last: Waiter<T> | undefined;
    for (const list of this.#waiters.values()) {
      const end = list.at(-1);
      if (end !== undefined && (last === undefined || end.ticket > last.ticket)) last = end;
    }
    if (last === undefined || last.ticket < endOf(priority)) return false;
    last.leave('displaced');
    return true;
  }

  /** A place in the order, kept when a call has to wait again. */
  ticket(priority: Priority): number {
    return RANKS[priority] * TICKETS + ++this.#orders;
  }

  /** Why the last one waits that a newcomer of this priority comes after; `undefined` if there is none. */
  ahead(key: string, priority: Priority): T | undefined {
    const end = endOf(priority);
    return this.#waiters.get(key)?.findLast(({ ticket }) => ticket < end)?.why;
  }

  /** Whether nobody with an earlier ticket waits for this limit. */
  isFirst(key: string, ticket: number): boolean {
    const first = this.#waiters.get(key)?.[0];
    return first === undefined || first.ticket >= ticket;
  }

  /**
   * Waits until woken or for `ms`, or until a more important call took its place; rejects with the signal's reason.
   * Leaves nothing behind.
   */
  wait(
    key: string,
    ticket: number,
    why: T,
    ms: number,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<'woken' | 'displaced'> {
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
      const waiter: Waiter<T> = {
        ticket,
        why,
        leave(how) {
          leave();
          resolve(how);
        },
      };
      this.#insert(key, waiter);
      timer = clock.after(ms, () => waiter.leave('woken'));
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets the first in each of these queues ask again. */
  wake(keys: Iterable<string>): void {
    if (this.#size === 0) return;
    for (const key of keys) this.#waiters.get(key)?.[0]?.leave('woken');
  }

  #insert(key: string, waiter: Waiter<T>): void {
    const list = this.#waiters.get(key) ?? [];
    const after = list.findLastIndex((other) => other.ticket < waiter.ticket);
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

/** The first ticket that is less important than all of a priority. */
function endOf(priority: Priority): number {
  return (RANKS[priority] + 1) * TICKETS;
}
