import type { Clock, Timer } from './clock.ts';

/**
 * Calls back when a number has stood still for one to two periods. `NaN` never stands still: somebody else is waiting.
 * One timer a period, however often the number changes.
 */
export function watchProgress(clock: Clock, periodMs: number, progress: () => number, onStill: () => void): Timer {
  let seen = progress();
  let timer: Timer;
  const arm = (): void => {
    timer = clock.after(periodMs, () => {
      const now = progress();
      if (now === seen) {
        onStill();
        return;
      }
      seen = now;
      arm();
    });
  };
  arm();
  return { cancel: () => timer.cancel() };
}
