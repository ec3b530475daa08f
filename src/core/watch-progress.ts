import { GatewayError } from './errors.ts';
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

/** Why a stream that nobody reads was closed. */
export function unread(idleMs: number): GatewayError {
  const limit = { name: 'consumerIdleMs', maximum: idleMs };
  const message = `Nobody read the stream for ${idleMs} ms, so it was closed.`;
  return new GatewayError('limit-exceeded', message, { stage: 'consumer', limit });
}
