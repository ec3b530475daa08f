import { setImmediate } from 'node:timers';
import type { Clock, Timer } from '../core/clock.ts';
import { preload } from './preload.ts';

export interface FakeClock extends Clock {
  /** Goes forward: runs every timer that falls due, in order, and lets promises settle between them. */
  advance(ms: number): Promise<void>;
  /** Runs timers until none is left. Gives the milliseconds that took. Fails after `timersMax` (10_000) of them. */
  runAll(options?: { readonly timersMax?: number }): Promise<number>;
  /**
   * Runs timers until `work` settles, and settles like it. Fails, with what is known, if the work waits for real time
   * or for something that never comes.
   */
  settled<T>(work: PromiseLike<T>, options?: SettledOptions): Promise<T>;
  /** Sets the wall clock, as a correction by the system would. Durations and timers do not notice. */
  setNow(ms: number): void;
  /** Timers that are waiting. */
  readonly pending: number;
  /** Milliseconds from now to each waiting timer, soonest first. */
  readonly due: readonly number[];
}

export interface SettledOptions {
  /** Real milliseconds to wait for the network before each jump in time. @defaultValue 0 */
  readonly patienceMs?: number;
  /** Real milliseconds to wait once no timer is left. @defaultValue 250 */
  readonly graceMs?: number;
  /** Longest way forward in fake time, in milliseconds. @defaultValue 30 days */
  readonly limitMs?: number;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Turns of the event loop after each timer: enough for promises, streams and `import()` of what is loaded already. */
const TURNS = 3;
const DAY_MS = 86_400_000;
/** 2026-01-01T00:00:00Z. */
const START_MS = 1_767_225_600_000;

/**
 * A clock that stands still until told to go. Give it to a gateway, a store or a mock, and a day of back-offs,
 * cooldowns and budgets takes milliseconds.
 *
 * @param startMs - Wall time at the start, milliseconds since the epoch. Default 2026-01-01 UTC.
 * @example
 * const clock = fakeClock();
 * const gateway = createGateway({ providers: [mock], clock });
 * const response = await clock.settled(gateway.chat('Hello'));
 */
export function fakeClock(startMs: number = START_MS): FakeClock {
  let elapsed = 0;
  let wall = startMs;
  let order = 0;
  const timers = new Set<Entry>();

  const earliest = (): Entry | undefined => {
    let first: Entry | undefined;
    for (const entry of timers) {
      if (first === undefined || entry.at < first.at || (entry.at === first.at && entry.order < first.order)) {
        first = entry;
      }
    }
    return first;
  };
  const goTo = (at: number): void => {
    const step = Math.max(0, at - elapsed);
    elapsed += step;
    wall += step;
  };
  const run = async (entry: Entry): Promise<void> => {
    goTo(entry.at);
    timers.delete(entry);
    entry.callback();
    await turns();
  };

  return {
    now: () => wall,
    monotonic: () => elapsed,
    after(ms, callback): Timer {
      const entry = { at: elapsed + Math.max(0, ms), order: order++, callback };
      timers.add(entry);
      return { cancel: () => void timers.delete(entry) };
    },
    async advance(ms) {
      const until = elapsed + ms;
      await preload();
      await turns();
      for (let next = earliest(); next !== undefined && next.at <= until; next = earliest()) await run(next);
      goTo(until);
      await turns();
    },
    async runAll({ timersMax = 10_000 } = {}) {
      const began = elapsed;
      await preload();
      await turns();
      for (let count = 0, next = earliest(); next !== undefined; next = earliest(), count++) {
        if (count === timersMax)
          throw new Error(`${timersMax} timers ran and more are waiting: one starts itself again.`);
        await run(next);
      }
      return elapsed - began;
    },
    settled: (work, options) => settle(work, options ?? {}, { earliest, run, elapsed: () => elapsed }),
    setNow(ms) {
      wall = ms;
    },
    get pending() {
      return timers.size;
    },
    get due() {
      return [...timers].map(({ at }) => at - elapsed).sort((a, b) => a - b);
    },
  };
}

interface Inside {
  earliest(): Entry | undefined;
  run(entry: Entry): Promise<void>;
  elapsed(): number;
}

async function settle<T>(work: PromiseLike<T>, options: SettledOptions, clock: Inside): Promise<T> {
  const { patienceMs = 0, graceMs = 250, limitMs = 30 * DAY_MS } = options;
  let done = false;
  const watched = Promise.resolve(work).finally(() => {
    done = true;
  });
  // It is awaited below; a rejection in between is not an unhandled one.
  watched.catch(() => undefined);
  const until = clock.elapsed() + limitMs;
  await preload();
  await turns();
  while (!done) {
    if (patienceMs > 0) await realTime(patienceMs, () => done);
    if (done) break;
    const next = clock.earliest();
    if (next !== undefined && next.at <= until) {
      await clock.run(next);
      continue;
    }
    await realTime(graceMs, () => done || (next === undefined && clock.earliest() !== undefined));
    if (!done && (next !== undefined || clock.earliest() === undefined)) throw stuck(next, graceMs, limitMs);
  }
  return watched;
}

function stuck(next: Entry | undefined, graceMs: number, limitMs: number): Error {
  if (next !== undefined) return new Error(`The work was not done after ${limitMs} ms of fake time (limitMs).`);
  return new Error(
    `No timer of the fake clock is left, and the work was not done after ${graceMs} ms of real time: ` +
      'it waits for real time (setTimeout, the network, another clock) or for something that never comes. ' +
      'Give this clock to everything that waits, or raise graceMs if it only needs the network.',
  );
}

/** Lets promises, and what they start, settle. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
}

/** Real waiting, in turns of the event loop. */
async function realTime(ms: number, enough: () => boolean): Promise<void> {
  const until = performance.now() + ms;
  while (!enough() && performance.now() < until) await turns();
}
