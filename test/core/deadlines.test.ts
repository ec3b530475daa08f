import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { Deadlines } from '../../src/core/deadlines.ts';
import { fakeClock } from '../../src/testing/index.ts';

describe('deadlines', () => {
  it('pass each at its own time, over one timer for all of one delay', async () => {
    const clock = fakeClock();
    const deadlines = new Deadlines(clock);
    const passed: string[] = [];
    const enter = (name: string, ms = 100): void => void deadlines.enter(ms, () => passed.push(name));
    enter('first');
    await clock.advance(40);
    enter('second');
    enter('third');
    expect(clock.pending).toBe(1);
    await clock.advance(60);
    expect(passed).toEqual(['first']);
    await clock.advance(39);
    expect(passed).toEqual(['first']);
    await clock.advance(1);
    expect(passed).toEqual(['first', 'second', 'third']);
    expect(clock.pending).toBe(0);
  });

  it('never pass once they are left, and leave no timer that anybody would wait for', async () => {
    const clock = fakeClock();
    const deadlines = new Deadlines(clock);
    const passed: string[] = [];
    const left = deadlines.enter(100, () => passed.push('left'));
    await clock.advance(50);
    const kept = deadlines.enter(100, () => passed.push('kept'));
    expect(kept.atMs - clock.monotonic()).toBe(100);
    left.leave();
    left.leave();
    await clock.advance(99);
    expect(passed).toEqual([]);
    kept.leave();
    expect(clock.pending).toBe(0);
  });

  it('may leave others, and enter new ones, as they pass', async () => {
    const clock = fakeClock();
    const deadlines = new Deadlines(clock);
    const passed: string[] = [];
    deadlines.enter(100, () => {
      passed.push('first');
      second.leave();
      deadlines.enter(100, () => passed.push('third'));
    });
    const second = deadlines.enter(100, () => passed.push('second'));
    await clock.advance(100);
    await clock.advance(100);
    expect(passed).toEqual(['first', 'third']);
    expect(clock.pending).toBe(0);
  });

  it('keep the timer of a usual delay for the next call, without holding the process', () => {
    const holds: boolean[] = [];
    let timers = 0;
    let cancelled = 0;
    const clock: Clock = {
      ...systemClock,
      after: (ms, callback) => {
        timers++;
        const timer = systemClock.after(ms, callback);
        const cancel = (): void => {
          cancelled++;
          timer.cancel();
        };
        return { cancel, hold: (on) => void holds.push(on) };
      },
    };
    const deadlines = new Deadlines(clock);
    for (let call = 0; call < 3; call++) deadlines.enter(60_000, () => undefined).leave();
    expect(timers).toBe(1);
    expect(holds).toEqual([false, true, false, true, false]);
    // However many delays there are, few idle timers are kept.
    for (let ms = 1_000; ms < 1_100; ms++) deadlines.enter(ms, () => undefined).leave();
    expect(timers).toBe(101);
    expect(timers - cancelled).toBeLessThanOrEqual(16);
  });
});
