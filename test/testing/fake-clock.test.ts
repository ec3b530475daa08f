import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/core/clock.ts';
import { fakeClock } from '../../src/testing/index.ts';

describe('fakeClock', () => {
  it('stands still until told to go, and runs timers in order of time', async () => {
    const clock = fakeClock(1_000);
    const ran: string[] = [];
    clock.after(20, () => ran.push('b'));
    clock.after(10, () => ran.push('a'));
    clock.after(20, () => ran.push('c'));
    clock.after(30, () => ran.push('d'));
    expect([clock.now(), clock.monotonic(), clock.pending]).toEqual([1_000, 0, 4]);
    await clock.advance(25);
    expect(ran).toEqual(['a', 'b', 'c']);
    expect([clock.now(), clock.monotonic()]).toEqual([1_025, 25]);
    expect(clock.due).toEqual([5]);
  });

  it('lets promises settle between timers, so that chained waits all run', async () => {
    const clock = fakeClock();
    const seen: number[] = [];
    void (async () => {
      for (let step = 0; step < 5; step++) {
        await sleep(clock, 100);
        seen.push(clock.monotonic());
      }
    })();
    await clock.advance(450);
    expect(seen).toEqual([100, 200, 300, 400]);
  });

  it('forgets cancelled timers', async () => {
    const clock = fakeClock();
    let ran = false;
    clock
      .after(5, () => {
        ran = true;
      })
      .cancel();
    expect(await clock.runAll()).toBe(0);
    expect(ran).toBe(false);
  });

  it('runs all timers, and says so when one starts itself again', async () => {
    const clock = fakeClock();
    await Promise.all([sleep(clock, 86_400_000), clock.runAll()]);
    expect(clock.monotonic()).toBe(86_400_000);
    const again = (): void => void clock.after(1, again);
    again();
    await expect(clock.runAll({ timersMax: 20 })).rejects.toThrow('20 timers ran');
  });

  it('settles work that waits on it, in either way', async () => {
    const clock = fakeClock();
    expect(await clock.settled(sleep(clock, 3_600_000).then(() => 'done'))).toBe('done');
    const failing = sleep(clock, 50).then(() => Promise.reject(new Error('no')));
    await expect(clock.settled(failing)).rejects.toThrow('no');
  });

  it('says that work waits for real time instead of hanging', async () => {
    const clock = fakeClock();
    const real = new Promise((resolve) => setTimeout(resolve, 5_000).unref());
    await expect(clock.settled(real, { graceMs: 10 })).rejects.toThrow('waits for real time');
    const far = sleep(clock, 10_000);
    await expect(clock.settled(far, { graceMs: 10, limitMs: 100 })).rejects.toThrow('100 ms of fake time');
  });

  it('takes a correction of the wall clock without touching durations', async () => {
    const clock = fakeClock(0);
    clock.setNow(3_600_000);
    await clock.advance(10);
    expect([clock.now(), clock.monotonic()]).toEqual([3_600_010, 10]);
  });
});
