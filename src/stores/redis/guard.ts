import type { Clock, Timer } from '../../core/clock.ts';
import { GatewayError, invalidOptions } from '../../core/errors.ts';
import type { StoreHealth, StoreProblem } from '../../core/store.ts';

export interface GuardOptions {
  readonly clock: Clock;
  /** Longest wait for one answer. */
  readonly timeoutMs: number;
  /** Failures in a row that open the breaker. */
  readonly failuresMax: number;
  /** Time between two probes while it is open. */
  readonly probeMs: number;
  /** Asks the server whether it would do our work. */
  readonly probe: () => Promise<unknown>;
  /** Whether an error says that the server as a whole cannot be used. */
  readonly isOutage: (error: unknown) => boolean;
  /**
   * Refuses work at once while an answer is late: a server answers in order, so it would only wait behind that. One
   * call that asks several times then waits once. @defaultValue false
   */
  readonly refusesBehindLate?: boolean;
}

/** A probe that was never answered is given up after this long, and another one sent. */
const PROBE_LOST_MS = 10_000;

/**
 * Stands between us and the server: every wait is bounded, and after a few failures nothing waits at all until a
 * probe of its own was answered in time.
 */
export class Guard {
  readonly #options: GuardOptions;
  readonly #listeners = new Set<(health: StoreHealth) => void>();
  readonly #problems = new Map<StoreProblem['code'], StoreProblem>();
  #failures = 0;
  /** Answers nobody waits for any more and that have not come, since the server was last up. */
  #late = new Set<object>();
  #reason: string | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: GuardOptions) {
    for (const name of ['timeoutMs', 'failuresMax', 'probeMs'] as const) {
      if (!Number.isSafeInteger(options[name]) || options[name] < 1) {
        throw invalidOptions(name, 'must be a whole number above 0.');
      }
    }
    this.#options = options;
  }

  /**
   * Does work within the time limit. Rejects with `unavailable` at once while the breaker is open. `late` hears how
   * work ended that nobody waited for any more.
   */
  run<T>(work: () => Promise<T>, late?: (answered: boolean) => void): Promise<T> {
    if (this.#closed)
      return Promise.reject(new GatewayError('closed', 'The Redis store is closed.', { stage: 'store' }));
    if (this.#reason !== undefined) return Promise.reject(storeDown(this.#reason));
    if (this.#options.refusesBehindLate === true && this.#late.size > 0) {
      return Promise.reject(this.#failed(new LateError()));
    }
    return this.#timed(work, late).then(
      (value) => {
        this.#failures = 0;
        return value;
      },
      (error: unknown) => {
        if (!this.#options.isOutage(error)) throw error;
        throw this.#failed(error);
      },
    );
  }

  health(): StoreHealth {
    const problems = [...this.#problems.values()];
    return this.#reason === undefined ? { state: 'up', problems } : { state: 'down', reason: this.#reason, problems };
  }

  watch(listener: (health: StoreHealth) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Records what an operator should know; the same problem again only counts. */
  problem(code: StoreProblem['code'], message: string): void {
    const known = this.#problems.get(code);
    this.#problems.set(code, { code, message, count: (known?.count ?? 0) + 1 });
    if (known === undefined) this.#tell();
  }

  solved(code: StoreProblem['code']): void {
    if (this.#problems.delete(code)) this.#tell();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#listeners.clear();
  }

  #failed(error: unknown): GatewayError {
    this.#failures++;
    const reason = reasonOf(error);
    if (this.#failures >= this.#options.failuresMax) this.#open(reason);
    return storeDown(reason, error);
  }

  #timed<T>(work: () => Promise<T>, late?: (answered: boolean) => void): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      let waiting = true;
      const one = {};
      const expire = (): void => {
        waiting = false;
        this.#late.add(one);
        reject(new TimeoutError(timeoutMs));
      };
      // After a stall of the event loop the timer runs before an answer that is already there: look once more.
      let timer = clock.after(timeoutMs, () => {
        timer = clock.after(0, expire);
      });
      const end = (settle: () => void, answered: boolean): void => {
        timer.cancel();
        this.#late.delete(one);
        if (waiting) settle();
        else late?.(answered);
      };
      work().then(
        (value) => end(() => resolve(value), true),
        (error: unknown) => end(() => reject(error), false),
      );
    });
  }

  #open(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#tell();
    this.#schedule();
  }

  #schedule(): void {
    this.#timer?.cancel();
    if (!this.#closed) this.#timer = this.#options.clock.after(this.#options.probeMs, () => this.#probe());
  }

  /** One probe at a time: a server that is only slow is not sent more and more of them. */
  #probe(): void {
    let over = false;
    const next = (): void => {
      if (over) return;
      over = true;
      lost.cancel();
      if (this.#reason !== undefined) this.#schedule();
    };
    const lost = this.#options.clock.after(PROBE_LOST_MS, next);
    this.#timed(this.#options.probe, next).then(
      () => {
        this.#failures = 0;
        this.#reason = undefined;
        // A client may have lost some for good.
        this.#late.clear();
        next();
        this.#tell();
      },
      (error: unknown) => {
        // Still on its way: the next probe waits for its answer.
        if (!(error instanceof TimeoutError)) next();
      },
    );
  }

  #tell(): void {
    const health = this.health();
    for (const listener of [...this.#listeners]) listener(health);
  }
}

class TimeoutError extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

class LateError extends Error {
  constructor() {
    super('an earlier answer is late');
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof TimeoutError || error instanceof LateError) return error.message;
  const code: unknown =
    error instanceof Error ? (Reflect.get(error, 'code') ?? error.message.split(' ')[0]) : undefined;
  return typeof code === 'string' && /^[A-Za-z_]{1,40}$/.test(code) ? code : 'the connection failed';
}

/** What calls that are promises to the user reject with. */
export function storeDown(reason: string, cause?: unknown): GatewayError {
  return new GatewayError('unavailable', `The Redis store cannot be used: ${reason}. It is tried again by itself.`, {
    fault: 'gateway',
    fallbackable: false,
    stage: 'store',
    ...(cause !== undefined && { cause }),
  });
}
