import type { Clock } from '../../src/core/clock.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

export const TIMEOUT_MS = 50;
export const PROBE_MS = 40;
/** Only so that a test that hangs ends: nothing is judged by it. */
const HANG_MS = 15_000;

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The stores' time. A real server answers while none passes, so a busy machine never looks like a slow server. */
export const outageClock = (): ManualClock => manualClock();

export interface Outcome<T> {
  /** How much of the stores' time passed until there was an answer. */
  readonly waitedMs: number;
  readonly value?: T;
  readonly error?: unknown;
}

/** Asks where nobody answers: lets the stores' time pass, a millisecond at once, until the asking is over. */
export async function unanswered<T>(clock: ManualClock, work: () => Promise<T> | T): Promise<Outcome<T>> {
  const began = clock.monotonic();
  let outcome: Outcome<T> | undefined;
  void (async () => work())().then(
    (value) => {
      outcome = { waitedMs: clock.monotonic() - began, value };
    },
    (error: unknown) => {
      outcome = { waitedMs: clock.monotonic() - began, error };
    },
  );
  for (;;) {
    // What can be said at once is said at once, over some turns of the event loop.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (outcome !== undefined) return outcome;
    clock.advance(1);
  }
}

/** Asks where everything is answered, or refused, at once: none of the stores' time passes. */
export async function atOnce<T>(clock: Clock, work: () => Promise<T> | T): Promise<Outcome<T>> {
  const began = clock.monotonic();
  const settled = await (async () => work())().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return { waitedMs: clock.monotonic() - began, ...settled };
}

/** Lets time pass from probe to probe, and the server answer in between, until the check passes. */
export async function eventually(clock: ManualClock, check: () => unknown): Promise<void> {
  const start = performance.now();
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() - start > HANG_MS) throw error;
    }
    clock.advance(PROBE_MS);
    // Longer and longer, so that a busy machine gets its answer through before the wait for it is over.
    const patienceMs = Math.min(500, 10 + (performance.now() - start) / 4);
    await wait(patienceMs);
  }
}
