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
  const { write, clock, onProblem } = options;
  const batchSize = count('batchSize', options.batchSize ?? 200);
  const queueMax = count('queueMax', options.queueMax ?? 10_000);
  const attemptsMax = count('attemptsMax', options.attemptsMax ?? 5);
  const intervalMs = options.intervalMs ?? 1000;
  const onFull = options.onFull ?? 'drop-oldest';
  if (!(intervalMs >= 0)) throw invalidOptions('intervalMs', 'must be 0 or more milliseconds.');
  if (!['drop-oldest', 'block', 'throw'].includes(onFull))
    throw invalidOptions('onFull', 'must be drop-oldest, block or throw.');
  if (queueMax < batchSize) throw invalidOptions('queueMax', 'must be at least batchSize.');
  let queue: T[] = [];
  let writing = 0;
  let dropped = 0;
  let closed = false;
  let timer: Timer | undefined;
  let work: Promise<void> | undefined;
  let urgent = false;
  let wake: (() => void) | undefined;
  let waiting: (() => void)[] = [];

  const drop = (number: number, error: unknown): void => {
    dropped += number;
    onProblem?.(error, number);
  };
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const pausing = clock.after(ms, resolve);
      // A flush does not wait for the pause.
      wake = () => {
        pausing.cancel();
        resolve();
      };
    });
  const writeBatch = async (batch: readonly T[]): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        await write(batch);
        return;
      } catch (error) {
        if (attempt >= attemptsMax) return drop(batch.length, error);
        onProblem?.(error, 0);
        if (!urgent) await pause(Math.min(PAUSE_MS_MAX, intervalMs * 2 ** (attempt - 1)));
      }
    }
  };
  const run = async (): Promise<void> => {
    while (queue.length > 0 && (urgent || queue.length >= batchSize || timer === undefined)) {
      timer?.cancel();
      timer = undefined;
      const batch = queue.slice(0, batchSize);
      queue = queue.slice(batchSize);
      writing = batch.length;
      await writeBatch(batch);
      writing = 0;
      const released = waiting;
      waiting = [];
      for (const release of released) release();
      if (queue.length > 0 && queue.length < batchSize && !urgent) schedule();
    }
  };
  const start = (): Promise<void> => {
    work ??= run().finally(() => {
      work = undefined;
      urgent = false;
      if (queue.length >= batchSize) void start();
      else if (queue.length > 0) schedule();
    });
    return work;
  };
  const schedule = (): void => {
    timer ??= clock.after(intervalMs, () => {
      timer = undefined;
      void start();
    });
  };
  const push = (item: T): void => {
    if (queue.length + writing >= queueMax) {
      // What is being written cannot be dropped, so at most the whole queue goes.
      if (queue.length === 0) return drop(1, full(queueMax));
      queue.shift();
      drop(1, full(queueMax));
    }
    queue.push(item);
  };
  const writer: BatchWriter<T> = {
    async add(...items) {
      if (closed) throw new GatewayError('closed', 'The writer was closed: nothing more is kept.');
      for (const item of items) {
        if (onFull !== 'drop-oldest' && queue.length + writing >= queueMax) {
          if (onFull === 'throw') throw full(queueMax);
          void start();
          while (queue.length + writing >= queueMax) await new Promise<void>((resolve) => waiting.push(resolve));
        }
        push(item);
      }
      if (queue.length >= batchSize) void start();
      else if (queue.length > 0) schedule();
    },
    async flush() {
      while (queue.length > 0 || work !== undefined) {
        urgent = true;
        wake?.();
        await start();
      }
    },
    async close() {
      closed = true;
      await writer.flush();
      timer?.cancel();
    },
    get size() {
      return queue.length + writing;
    },
    get dropped() {
      return dropped;
    },
  };
  return writer;
}

function full(queueMax: number): GatewayError {
  const limit = { name: 'queueMax', maximum: queueMax };
  return new GatewayError('limit-exceeded', `The queue of rows to write is full (queueMax ${queueMax}).`, { limit });
}

function count(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) throw invalidOptions(name, 'must be a whole number of 1 or more.');
  return value;
}
