import type { Clock } from '../../src/core/clock.ts';

export interface ManualClock extends Clock {
  advance(ms: number): void;
  /** Steps wall time only, as an operator or a fail-over does. */
  step(ms: number): void;
}

/** Time that passes only when told. */
export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let elapsed = 0;
  let offset = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => startMs + elapsed + offset,
    monotonic: () => elapsed,
    after(ms, callback) {
      const timer = { at: elapsed + Math.max(0, ms), callback };
      timers.add(timer);
      return { cancel: () => timers.delete(timer) };
    },
    advance(ms) {
      const end = elapsed + ms;
      for (;;) {
        const due = [...timers].filter((timer) => timer.at <= end).sort((left, right) => left.at - right.at)[0];
        if (due === undefined) break;
        elapsed = Math.max(elapsed, due.at);
        timers.delete(due);
        due.callback();
      }
      elapsed = end;
    },
    step(ms) {
      offset += ms;
    },
  };
}
