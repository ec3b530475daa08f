import type { Priority } from './call.ts';
import type { Clock, Timer } from './clock.ts';
import { abortedError, GatewayError } from './errors.ts';
import { Heap } from './heap.ts';

export interface AdmissionOptions {
  readonly clock: Clock;
  /** How many may be inside at once, asked anew each time. */
  readonly maximum: () => number;
  /** Most that wait. */
  readonly queueMax: number;
  /** Longest wait, in milliseconds. */
  readonly queueMs: number;
  /** What is limited, for messages. */
  readonly name: string;
}

export interface Admission {
  readonly priority: Priority;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds. */
  readonly deadline?: number | undefined;
}

interface Waiter {
  readonly rank: number;
  readonly order: number;
  admit(): void;
  refuse(error: GatewayError): void;
}

const RANKS: Readonly<Record<Priority, number>> = { critical: 0, normal: 1, background: 2 };

/** Lets so many in at once; the others wait by priority, then by arrival, bounded in number and in time. */
export class AdmissionQueue {
  readonly #options: AdmissionOptions;
  readonly #waiting = new Heap<Waiter>(isBefore);
  #inside = 0;
  #order = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get inside(): number {
    return this.#inside;
  }
  get waiting(): number {
    return this.#waiting.size;
  }
  /** Whether one could come in at once. */
  get isFree(): boolean {
    return this.#inside < this.#options.maximum() && this.#waiting.size === 0;
  }

  /**
   * Resolves with the function that leaves again, which may be called more than once.
   *
   * @throws GatewayError `overloaded` when the queue is full or the wait too long, `aborted`.
   */
  enter(admission: Admission): (() => void) | Promise<() => void> {
    if (this.isFree) return this.#come();
    const rank = RANKS[admission.priority];
    if (this.#waiting.size >= this.#options.queueMax) this.#shed(rank);
    return this.#wait(rank, admission);
  }

  /** Lets in as many as there is room for: the maximum may have grown. */
  drain(): void {
    while (this.#inside < this.#options.maximum()) {
      const next = this.#waiting.pop();
      if (next === undefined) return;
      next.admit();
    }
  }

  #come(): () => void {
    this.#inside++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#inside--;
      this.drain();
    };
  }

  /** Makes room by turning away the least important that came last; that may be the one who asks. */
  #shed(rank: number): void {
    let last: Waiter | undefined;
    for (const waiter of this.#waiting.values()) if (last === undefined || isBefore(last, waiter)) last = waiter;
    if (last === undefined || last.rank <= rank) throw this.#full('its queue is full');
    this.#waiting.remove(last);
    last.refuse(this.#full('more important calls took its place in the queue'));
  }

  #wait(rank: number, { signal, deadline }: Admission): Promise<() => void> {
    const { clock, queueMs } = this.#options;
    if (signal.aborted) throw abortedError(signal.reason);
    const waitMs = Math.min(queueMs, deadline === undefined ? queueMs : deadline - clock.monotonic());
    if (waitMs <= 0) throw this.#full('there is no time to wait');
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const settle = (): void => {
        timer?.cancel();
        signal.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        rank,
        order: this.#order++,
        admit: () => {
          settle();
          resolve(this.#come());
        },
        refuse: (error) => {
          settle();
          reject(error);
        },
      };
      const leave = (error: GatewayError): void => {
        if (this.#waiting.remove(waiter)) waiter.refuse(error);
      };
      const onAbort = (): void => leave(abortedError(signal.reason));
      timer = clock.after(waitMs, () => leave(this.#full(`it was still waiting after ${Math.round(waitMs)} ms`)), {
        holds: true,
      });
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #full(why: string): GatewayError {
    const { name, maximum } = this.#options;
    return overloadedHere(`${name} has its ${maximum()} calls in flight, and ${why}.`, name, maximum());
  }
}

/** Our own refusal for load: another target may serve the call, the same one not yet. */
export function overloadedHere(message: string, name: string, maximum: number): GatewayError {
  return new GatewayError('overloaded', message, {
    fault: 'gateway',
    stage: 'queue',
    retryable: false,
    limit: { name, maximum },
  });
}

function isBefore(one: Waiter, other: Waiter): boolean {
  return one.rank < other.rank || (one.rank === other.rank && one.order < other.order);
}
