/** The only source of time. Tests inject a fake one; a day then takes milliseconds. */
export interface Clock {
  /** Wall time, milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that only go forward, for durations. */
  monotonic(): number;
  /** Calls back once after `ms`. The timer does not hold the process, unless somebody waits for it: `holds`. */
  after(ms: number, callback: () => void, options?: TimerOptions): Timer;
}

export interface TimerOptions {
  /** A caller is waiting for what comes after: the process must not end before. @defaultValue false */
  readonly holds?: boolean;
}
export interface Timer {
  cancel(): void;
  /** Whether the process is to wait for it from now on. Absent where a clock cannot change its mind. */
  hold?(holds: boolean): void;
}

/** Longest delay `setTimeout` takes; longer ones would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback, { holds = false } = {}) {
    const handle: unknown = setTimeout(callback, Math.min(Math.max(0, ms), DELAY_MS_MAX));
    const cancel = (): void => clearTimeout(handle as number);
    // Web runtimes give a number; Node gives an object whose timer would keep the process alive.
    if (!isNodeTimer(handle)) return { cancel };
    const hold = (on: boolean): void => void (on ? handle.ref() : handle.unref());
    if (!holds) hold(false);
    return { cancel, hold };
  },
};

function isNodeTimer(handle: unknown): handle is { ref(): void; unref(): void } {
  return typeof handle === 'object' && handle !== null && 'unref' in handle && 'ref' in handle;
}

/** Waits `ms` on the clock; rejects with the signal's reason if it aborts first. Leaves no listener and no timer. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(
      ms,
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      { holds: true },
    );
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
