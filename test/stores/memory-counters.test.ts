import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Limit } from '../../src/core/counter-store.ts';
import { isGatewayError } from '../../src/core/errors.ts';
import { memoryCounterStore } from '../../src/stores/memory.ts';
import { counterStoreContract } from '../../src/testing/counter-store-contract.ts';
import { size } from '../size.ts';
import { commands, compareWithReference } from './counter-model.ts';
import { manualClock } from './manual-clock.ts';

const TTL_MS = 60_000;
const rate = (maximum: number, periodMs: number, amount = 1, burst = maximum): Limit => ({
  kind: 'rate',
  key: 'rate',
  maximum,
  periodMs,
  burst,
  amount,
  charged: 'on-reserve',
});

describe('memoryCounterStore', () => {
  for (const { name, run } of counterStoreContract(() => {
    const clock = manualClock();
    return { store: memoryCounterStore({ clock }), now: clock.now, advance: clock.advance };
  })) {
    it(name, run);
  }

  it('equals the sequential reference under random commands (invariants 5 and 12)', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const clock = manualClock();
        await compareWithReference(memoryCounterStore({ clock }), clock, list);
      }),
      { numRuns: size(1_000, 50_000), seed: 17 },
    );
  });

  it('admits at most burst + rate x T in any window, and a waiter after retryAfterMs (BUD-13, invariant 11)', () => {
    const shape = fc.record({
      maximum: fc.integer({ min: 1, max: 200 }),
      periodMs: fc.integer({ min: 1, max: 5_000 }),
      burst: fc.integer({ min: 1, max: 50 }),
    });
    const arrivals = fc.array(fc.record({ gapMs: fc.nat({ max: 400 }), amount: fc.integer({ min: 1, max: 20 }) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(shape, arrivals, ({ maximum, periodMs, burst }, list) => {
        const clock = manualClock();
        const store = memoryCounterStore({ clock });
        const admitted: { at: number; amount: number }[] = [];
        let id = 0;
        const ask = (amount: number) => {
          const limits = [rate(maximum, periodMs, amount, burst)];
          const reply = store.reserve({ id: String(id++), limits, ttlMs: TTL_MS });
          if (reply instanceof Promise) throw new Error('not synchronous');
          if (reply.admitted) admitted.push({ at: clock.now(), amount });
          return reply;
        };
        for (const { gapMs, amount } of list) {
          clock.advance(gapMs);
          const reply = ask(amount);
          if (reply.admitted) continue;
          const { retryAfterMs, blockedBy } = reply.denial;
          expect(blockedBy).toBe(amount > burst ? 'size' : 'used');
          if (retryAfterMs === undefined) continue;
          if (retryAfterMs > 1) {
            clock.advance(retryAfterMs - 1);
            expect(ask(amount).admitted).toBe(false);
            clock.advance(1);
          } else clock.advance(retryAfterMs);
          expect(ask(amount).admitted).toBe(true);
        }
        for (let from = 0; from < admitted.length; from++) {
          let sum = 0n;
          for (let to = from; to < admitted.length; to++) {
            const last = admitted[to] as { at: number; amount: number };
            sum += BigInt(last.amount);
            const elapsed = BigInt(last.at - (admitted[from] as { at: number }).at);
            const bound = BigInt(burst) * BigInt(periodMs) + elapsed * BigInt(maximum);
            expect(sum * BigInt(periodMs) <= bound).toBe(true);
          }
        }
      }),
      { numRuns: size(500, 20_000), seed: 19 },
    );
  });

  it.each([
    ['a million tokens a minute', 1_000_000_007, 60_000],
    ['one a month', 1, 30 * 86_400_000],
    ['a budget of nano-dollars a month', 1_000_000_000_000_007, 31 * 86_400_000],
  ])('stays exact over long times: %s', (_name, maximum, periodMs) => {
    const clock = manualClock();
    const store = memoryCounterStore({ clock });
    const limit = { ...rate(maximum, periodMs, maximum) };
    expect(store.reserve({ id: 'all', limits: [limit], ttlMs: TTL_MS })).toMatchObject({ admitted: true });
    const denied = store.reserve({ id: 'more', limits: [{ ...limit, amount: 1 }], ttlMs: TTL_MS });
    if (denied instanceof Promise || denied.admitted) throw new Error('admitted');
    const wait = denied.denial.retryAfterMs as number;
    expect(wait).toBeLessThanOrEqual(Math.ceil(periodMs / maximum) + Math.ceil(periodMs / 86_400_000));
    for (let step = 0; step < 97; step++) {
      clock.advance(Math.floor(periodMs / 97));
      store.remaining([limit]);
    }
    clock.advance(periodMs - 97 * Math.floor(periodMs / 97));
    // Looked at 97 times on the way, and still the whole period drained the whole amount: within one unit of time.
    const [state] = store.remaining([limit]) as readonly { used: number }[];
    expect(state?.used).toBeLessThanOrEqual(Math.ceil(maximum / 86_400_000));
  });

  it('survives clock steps: no more than rate x step extra, no denial beyond 5 s + period (BUD-14)', () => {
    for (const stepMs of [-5_000, 5_000, -4_999, -3_600_000, 3_600_000]) {
      const clock = manualClock();
      const store = memoryCounterStore({ clock });
      const limit = rate(10, 1_000);
      let id = 0;
      const burst = (): number => {
        let count = 0;
        for (;;) {
          const reply = store.reserve({ id: String(id++), limits: [limit], ttlMs: TTL_MS });
          if (reply instanceof Promise) throw new Error('not synchronous');
          if (!reply.admitted) return count;
          count++;
        }
      };
      expect(burst()).toBe(10);
      clock.step(stepMs);
      expect(burst()).toBeLessThanOrEqual(Math.max(0, (stepMs / 1_000) * 10));
      clock.advance(5_000 + 1_000);
      expect(burst()).toBe(10);
    }
  });

  it('leaves nothing reserved after many random exits (BUD-02)', () => {
    const clock = manualClock();
    const store = memoryCounterStore({ clock });
    const limits: Limit[] = [
      { kind: 'total', key: 'cost', maximum: Number.MAX_SAFE_INTEGER, amount: 7 },
      { kind: 'concurrency', key: 'places', maximum: 50_000, amount: 1 },
    ];
    let spent = 0;
    for (let index = 0; index < size(20_000, 100_000); index++) {
      store.reserve({ id: `c${index}`, limits, ttlMs: 1_000 });
      const exit = (index * 7_919) % 4;
      if (exit === 0) store.release(`c${index}`);
      if (exit === 1) {
        store.settle(`c${index}`, { units: index % 11 });
        spent += index % 11;
      }
      if (exit === 2) clock.advance(1);
    }
    clock.advance(1_000);
    const states = store.remaining(limits) as readonly { used: number; held: number }[];
    expect(states.map((state) => state.held)).toEqual([0, 0]);
    expect(states[0]?.used).toBe(spent);
  });

  it('forgets idle limits at its bound, and refuses rather than forget one in use', () => {
    const clock = manualClock();
    const store = memoryCounterStore({ clock, limitsMax: 3 });
    const one = (key: string): Limit => ({ ...rate(1, 1_000), key });
    for (const key of ['a', 'b', 'c']) store.reserve({ id: key, limits: [one(key)], ttlMs: TTL_MS });
    expect(() => store.reserve({ id: 'd', limits: [one('d')], ttlMs: TTL_MS })).toThrowError(
      expect.objectContaining({ code: 'limit-exceeded' }),
    );
    clock.advance(1_000);
    expect(store.reserve({ id: 'd', limits: [one('d')], ttlMs: TTL_MS })).toMatchObject({ admitted: true });
    expect(store.reserve({ id: 'e', limits: [one('a'), one('e')], ttlMs: TTL_MS })).toMatchObject({ admitted: true });
  });

  it('bounds open reservations', () => {
    const store = memoryCounterStore({ reservationsMax: 2 });
    const limits: Limit[] = [{ kind: 'total', key: 'k', maximum: 10, amount: 1 }];
    for (const id of ['a', 'b']) store.reserve({ id, limits, ttlMs: TTL_MS });
    try {
      store.reserve({ id: 'c', limits, ttlMs: TTL_MS });
      expect.unreachable();
    } catch (error) {
      expect(isGatewayError(error, 'limit-exceeded')).toBe(true);
    }
    expect((store.remaining(limits) as readonly { held: number }[])[0]?.held).toBe(2);
  });

  it.each(['limitsMax', 'reservationsMax', 'settledMax'])('refuses a wrong %s', (field) => {
    expect(() => memoryCounterStore({ [field]: 0 })).toThrowError(expect.objectContaining({ field }));
  });
});
