import { describe, expect, it } from 'vitest';
import { type BatchWriterOptions, createBatchWriter } from '../../src/core/batch-writer.ts';
import type { Clock } from '../../src/core/clock.ts';
import { isGatewayError } from '../../src/core/errors.ts';

/** A clock that only moves when told, and waits for what the timers set off. */
function manualClock(): Clock & { advance(ms: number): Promise<void>; readonly timers: number } {
  let now = 0;
  let timers: { at: number; callback: () => void }[] = [];
  return {
    now: () => now,
    monotonic: () => now,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.push(timer);
      return { cancel: () => void (timers = timers.filter((other) => other !== timer)) };
    },
    async advance(ms) {
      now += ms;
      const due = timers.filter((timer) => timer.at <= now);
      timers = timers.filter((timer) => timer.at > now);
      for (const timer of due) timer.callback();
      await settle();
    },
    get timers() {
      return timers.length;
    },
  };
}
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);

function setUp(options: Partial<BatchWriterOptions<number>> = {}) {
  const clock = manualClock();
  const batches: number[][] = [];
  const write = async (batch: readonly number[]): Promise<void> => void batches.push([...batch]);
  const writer = createBatchWriter({ write, clock, batchSize: 3, intervalMs: 100, queueMax: 6, ...options });
  return { clock, batches, writer };
}

describe('createBatchWriter', () => {
  it('writes a full batch at once and the rest after the interval', async () => {
    const { clock, batches, writer } = setUp();
    await writer.add(...numbers(4));
    await settle();
    expect(batches).toEqual([[0, 1, 2]]);
    await clock.advance(99);
    expect(batches).toHaveLength(1);
    await clock.advance(1);
    expect(batches).toEqual([[0, 1, 2], [3]]);
    expect([writer.size, clock.timers]).toEqual([0, 0]);
  });

  it('LEAK-11: flush and close write everything and leave no timer', async () => {
    const { clock, batches, writer } = setUp();
    await writer.add(1);
    await writer.flush();
    await writer.add(2, 3, 4, 5);
    await writer.close();
    expect(batches.flat()).toEqual([1, 2, 3, 4, 5]);
    expect(clock.timers).toBe(0);
    expect(isGatewayError(await writer.add(6).catch((error: unknown) => error), 'closed')).toBe(true);
    await writer.close();
  });

  it('keeps order and writes one batch at a time', async () => {
    let running = 0;
    const seen: number[] = [];
    const write = async (batch: readonly number[]): Promise<void> => {
      expect(++running).toBe(1);
      await settle();
      seen.push(...batch);
      running--;
    };
    const { writer } = setUp({ write, queueMax: 100 });
    for (const item of numbers(50)) await writer.add(item);
    await writer.flush();
    expect(seen).toEqual(numbers(50));
  });

  it('tries a failed batch again, then gives it up and counts it', async () => {
    let failures = 1;
    const problems: number[] = [];
    const batches: number[][] = [];
    const write = async (batch: readonly number[]): Promise<void> => {
      if (failures-- > 0) throw new Error('disk full');
      batches.push([...batch]);
    };
    const { clock, writer } = setUp({ write, attemptsMax: 2, onProblem: (_error, dropped) => problems.push(dropped) });
    await writer.add(...numbers(3));
    await settle();
    expect([batches.length, writer.size]).toEqual([0, 3]);
    await clock.advance(100);
    expect(batches).toEqual([[0, 1, 2]]);
    failures = 2;
    await writer.add(...numbers(3, 3));
    await writer.flush();
    expect([writer.dropped, writer.size]).toEqual([3, 0]);
    expect(problems).toEqual([0, 0, 3]);
  });

  describe('when the queue is full', () => {
    /** A write that hangs until it is let go. */
    function stuck(onFull: NonNullable<BatchWriterOptions<number>['onFull']>) {
      const written: number[] = [];
      let letGo = (): void => {};
      const gate = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      const write = async (batch: readonly number[]): Promise<void> => {
        await gate;
        written.push(...batch);
      };
      return { ...setUp({ write, onFull }), written, letGo };
    }

    it('drop-oldest loses what waited longest and says how much', async () => {
      const { writer, written, letGo } = stuck('drop-oldest');
      await writer.add(...numbers(3));
      await settle();
      await writer.add(...numbers(5, 3));
      expect([writer.size, writer.dropped]).toEqual([6, 2]);
      letGo();
      await writer.close();
      expect(written).toEqual([0, 1, 2, 5, 6, 7]);
    });

    it('throw refuses and loses nothing that was taken', async () => {
      const { writer, written, letGo } = stuck('throw');
      await writer.add(...numbers(6));
      const refused = await writer.add(6).catch((error: unknown) => error);
      expect(isGatewayError(refused, 'limit-exceeded')).toBe(true);
      letGo();
      await writer.close();
      expect(written).toEqual(numbers(6));
      expect(writer.dropped).toBe(0);
    });

    it('block waits for room', async () => {
      const { writer, written, letGo } = stuck('block');
      let added = false;
      const adding = writer.add(...numbers(20)).then(() => {
        added = true;
      });
      await settle();
      expect([added, writer.size]).toEqual([false, 6]);
      letGo();
      await adding;
      await writer.close();
      expect(written).toEqual(numbers(20));
    });
  });

  it('refuses options that make no sense', () => {
    for (const options of [
      { batchSize: 0 },
      { queueMax: 2 },
      { intervalMs: -1 },
      { onFull: 'wait' as never },
      { attemptsMax: 0.5 },
    ]) {
      expect(() => setUp(options)).toThrow(/Option/);
    }
  });
});
