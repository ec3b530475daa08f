import type { Clock, Timer } from './clock.ts';
import { GatewayError, invalidOptions } from './errors.ts';

export interface BatchWriterOptions<T> {
  /** Keeps a batch. A rejection is retried with the same items, so it must bear repetition. */
  readonly write: (batch: readonly T[]) => Promise<void>;
  readonly clock: Clock;
  /** Items that make a batch go out at once. @defaultValue 200 */
  readonly batchSize?: number;
  /** Longest wait of an item before its batch goes out, in milliseconds. @defaultValue 1000 */
  readonly intervalMs?: number;
  /** Items waiting, the batch being written included. @defaultValue 10_000 */
  readonly queueMax?: number;
  /**
   * What happens when the queue is full: `drop-oldest` loses the items that waited longest and counts them, `block`
   * makes `add` wait, `throw` refuses with `limit-exceeded`.
   *
   * @defaultValue 'drop-oldest'
   */
  readonly onFull?: 'drop-oldest' | 'block' | 'throw';
  /** Writes of one batch before it is given up and counted as dropped. @defaultValue 5 */
  readonly attemptsMax?: number;
  /** Hears of every failed write and of dropped items. Must not throw. */
  readonly onProblem?: (error: unknown, dropped: number) => void;
}
export interface BatchWriter<T> {
  /** Takes items. Resolves at once unless the queue is full and the policy is `block`. */
  add(...items: readonly T[]): Promise<void>;
  /** Resolves when everything added so far was written or dropped. */
  flush(): Promise<void>;
  /** Flushes and takes no more. */
  close(): Promise<void>;
  /** Items waiting or being written. */
  readonly size: number;
  /** Items lost so far, to a full queue or to writes that kept failing. */
  readonly dropped: number;
}

/** Longest pause between two writes of the same batch. */
const PAUSE_MS_MAX = 30_000;

/** Collects items and writes them in batches, one batch at a time and in order. Its timer never holds the process. */
export function createBatchWriter<T>(options: BatchWriterOptions<T>): BatchWriter<T> {
  const batchSize = count('batchSize', options.batchSize ?? 200);
  const queueMax = count('queueMax', options.queueMax ?? 10_000);
  const attemptsMax = count('attemptsMax', options.attemptsMax ?? 5);
  const { intervalMs = 1000, onFull = 'drop-oldest' } = options;
  if (!(intervalMs >= 0)) throw invalidOptions('intervalMs', 'must be 0 or more milliseconds.');
  if (!['drop-oldest', 'block', 'throw'].includes(onFull)) {
    throw invalidOptions('onFull', 'must be drop-oldest, block or throw.');
  }
  if (queueMax < batchSize) throw invalidOptions('queueMax', 'must be at least batchSize.');
  return new Batches({ ...options, batchSize, queueMax, attemptsMax, intervalMs, onFull });
}

type Settings<T> = BatchWriterOptions<T> &
  Required<Pick<BatchWriterOptions<T>, 'batchSize' | 'queueMax' | 'attemptsMax' | 'intervalMs' | 'onFull'>>;

class Batches<T> implements BatchWriter<T> {
  readonly #options: Settings<T>;
  #queue: T[] = [];
  #writing = 0;
  #dropped = 0;
  #closed = false;
  #timer: Timer | undefined;
  #work: Promise<void> | undefined;
  /** Somebody waits for the end: no pauses. */
  #urgent = false;
  #endPause: (() => void) | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: Settings<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#queue.length + this.#writing;
  }

  get dropped(): number {
    return this.#dropped;
  }

  async add(...items: readonly T[]): Promise<void> {
    const { onFull, queueMax, batchSize } = this.#options;
    if (this.#closed) throw new GatewayError('closed', 'The writer was closed: nothing more is kept.');
    for (const item of items) {
      if (onFull !== 'drop-oldest' && this.size >= queueMax) {
        if (onFull === 'throw') throw full(queueMax);
        void this.#start();
        while (this.size >= queueMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      this.#push(item);
    }
    if (this.#queue.length >= batchSize) void this.#start();
    else if (this.#queue.length > 0) this.#schedule();
  }

  async flush(): Promise<void> {
    while (this.#queue.length > 0 || this.#work !== undefined) {
      this.#urgent = true;
      this.#endPause?.();
      await this.#start();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    this.#timer?.cancel();
  }

  #push(item: T): void {
    const { queueMax } = this.#options;
    if (this.size >= queueMax) {
      // What is being written cannot be dropped, so at most all that waits goes.
      if (this.#queue.length === 0) return this.#drop(1, full(queueMax));
      this.#queue.shift();
      this.#drop(1, full(queueMax));
    }
    this.#queue.push(item);
  }

  #drop(number: number, error: unknown): void {
    this.#dropped += number;
    this.#options.onProblem?.(error, number);
  }

  #schedule(): void {
    this.#timer ??= this.#options.clock.after(this.#options.intervalMs, () => {
      this.#timer = undefined;
      void this.#start();
    });
  }

  #start(): Promise<void> {
    this.#work ??= this.#run().finally(() => {
      this.#work = undefined;
      this.#urgent = false;
      if (this.#queue.length >= this.#options.batchSize) void this.#start();
      else if (this.#queue.length > 0) this.#schedule();
    });
    return this.#work;
  }

  /** Writes what is due: full batches, and the rest if its time has come or somebody waits. */
  async #run(): Promise<void> {
    const { batchSize } = this.#options;
    while (this.#queue.length > 0 && (this.#urgent || this.#queue.length >= batchSize || this.#timer === undefined)) {
      this.#timer?.cancel();
      this.#timer = undefined;
      const batch = this.#queue.slice(0, batchSize);
      this.#queue = this.#queue.slice(batchSize);
      this.#writing = batch.length;
      await this.#write(batch);
      this.#writing = 0;
      const released = this.#waiting;
      this.#waiting = [];
      for (const release of released) release();
      if (this.#queue.length > 0 && this.#queue.length < batchSize && !this.#urgent) this.#schedule();
    }
  }

  async #write(batch: readonly T[]): Promise<void> {
    const { write, attemptsMax, intervalMs, onProblem } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        await write(batch);
        return;
      } catch (error) {
        if (attempt >= attemptsMax) return this.#drop(batch.length, error);
        onProblem?.(error, 0);
        if (!this.#urgent) await this.#pause(Math.min(PAUSE_MS_MAX, intervalMs * 2 ** (attempt - 1)));
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, resolve);
      this.#endPause = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

function full(queueMax: number): GatewayError {
  const limit = { name: 'queueMax', maximum: queueMax };
  return new GatewayError('limit-exceeded', `The queue of rows to write is full (queueMax ${queueMax}).`, { limit });
}

function count(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) throw invalidOptions(name, 'must be a whole number of 1 or more.');
  return value;
}
