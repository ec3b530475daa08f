import assert from 'node:assert/strict';
import type { CounterStore, Denial, Limit, LimitState, ReserveReply } from '../core/counter-store.ts';
import type { ContractCase } from './store-contract.ts';

export interface CounterStoreSubject {
  /** A store in which nothing is used. */
  readonly store: CounterStore;
  /** Wall time as the store sees it, within a few milliseconds. */
  now(): number;
  /** Lets time pass: moves a fake clock, or waits. */
  advance(ms: number): void | Promise<void>;
  dispose?(): void | Promise<void>;
}

/** What every {@link CounterStore} must do. */
export function counterStoreContract(
  create: () => CounterStoreSubject | Promise<CounterStoreSubject>,
): readonly ContractCase[] {
  return Object.entries(CASES).map(([name, check]) => ({
    name,
    async run() {
      const subject = await create();
      try {
        await check(subject);
      } finally {
        await subject.dispose?.();
      }
    },
  }));
}

/** A life no test outlasts. */
const TTL_MS = 600_000;
/** A life short enough to wait for. */
const SHORT_MS = 60;

const total = (maximum: number, amount: number, key = 'total'): Limit => ({ kind: 'total', key, maximum, amount });
const places = (maximum: number, key = 'places'): Limit => ({ kind: 'concurrency', key, maximum, amount: 1 });
const requests = (maximum: number, periodMs: number, key = 'requests'): Limit => ({
  kind: 'rate',
  key,
  maximum,
  periodMs,
  amount: 1,
  charged: 'on-reserve',
});

async function stateOf(store: CounterStore, limit: Limit): Promise<Pick<LimitState, 'used' | 'held' | 'remaining'>> {
  const [state] = await store.remaining([limit]);
  assert.ok(state);
  return { used: state.used, held: state.held, remaining: state.remaining };
}

function denialOf(reply: ReserveReply): Denial {
  assert.equal(reply.admitted, false);
  return reply.denial;
}

const CASES: Readonly<Record<string, (subject: CounterStoreSubject) => Promise<void>>> = {
  async 'reserves, settles and keeps what was used'({ store }) {
    const limit = total(100, 60);
    const reply = await store.reserve({ id: 'a', limits: [limit], ttlMs: TTL_MS });
    assert.ok(reply.admitted);
    assert.deepEqual(await stateOf(store, limit), { used: 0, held: 60, remaining: 40 });
    const settled = await store.settle('a', { units: 25 });
    assert.equal(settled.status, 'settled');
    assert.equal(settled.limits[0]?.used, 25);
    assert.deepEqual(await stateOf(store, limit), { used: 25, held: 0, remaining: 75 });
  },

  async 'admits exactly what the budget pays for, whoever asks at once (BUD-01)'({ store }) {
    const replies = await Promise.all(
      Array.from({ length: 200 }, async (_, index) =>
        store.reserve({ id: `call${index}`, limits: [total(70, 7)], ttlMs: TTL_MS }),
      ),
    );
    assert.equal(replies.filter((reply) => reply.admitted).length, 10);
    assert.deepEqual(await stateOf(store, total(70, 0)), { used: 0, held: 70, remaining: 0 });
  },

  async 'decides on nested limits together: one denial reserves nothing'({ store }) {
    const limits = [total(100, 10, 'tenant'), total(5, 10, 'user'), places(3)];
    const denial = denialOf(await store.reserve({ id: 'a', limits, ttlMs: TTL_MS }));
    assert.equal(denial.key, 'user');
    assert.equal(denial.blockedBy, 'size');
    assert.equal(denial.retryAfterMs, undefined);
    for (const limit of limits) assert.equal((await stateOf(store, limit)).held, 0);
  },

  async 'names the limit to wait for longest, and its name'({ store, now }) {
    const window: Limit = {
      kind: 'window',
      key: 'day',
      name: 'per day',
      window: 'd1',
      endsAt: now() + 50_000,
      maximum: 1,
      amount: 1,
    };
    const rate: Limit = { ...requests(1, 10_000), name: 'per ten seconds' };
    assert.ok((await store.reserve({ id: 'a', limits: [window, rate], ttlMs: TTL_MS })).admitted);
    await store.settle('a', {});
    const denial = denialOf(await store.reserve({ id: 'b', limits: [rate, window], ttlMs: TTL_MS }));
    assert.equal(denial.name, 'per day');
    assert.equal(denial.kind, 'window');
    assert.equal(denial.blockedBy, 'used');
    assert.ok((denial.retryAfterMs ?? 0) > 40_000 && (denial.retryAfterMs ?? 0) <= 50_000);
  },

  async 'reserves an id once'({ store }) {
    const request = { id: 'same', limits: [total(100, 10)], ttlMs: TTL_MS };
    await store.reserve(request);
    assert.ok((await store.reserve(request)).admitted);
    assert.equal((await stateOf(store, total(100, 0))).held, 10);
    await store.settle('same', { units: 4 });
    assert.ok((await store.reserve(request)).admitted);
    assert.deepEqual(await stateOf(store, total(100, 0)), { used: 4, held: 0, remaining: 96 });
  },

  async 'settles an id once'({ store }) {
    await store.reserve({ id: 'a', limits: [total(100, 10)], ttlMs: TTL_MS });
    assert.equal((await store.settle('a', { units: 9 })).status, 'settled');
    assert.equal((await store.settle('a', { units: 9 })).status, 'repeated');
    assert.equal((await store.release('a')).status, 'repeated');
    assert.equal((await stateOf(store, total(100, 0))).used, 9);
    assert.equal((await store.settle('stranger', { units: 9 })).status, 'unknown');
    assert.equal((await store.release('stranger')).status, 'unknown');
  },

  async 'matches receipts by id, in whatever order they come (BUD-09)'({ store }) {
    const ids = Array.from({ length: 20 }, (_, index) => index);
    for (const id of ids) {
      await store.reserve({ id: `r${id}`, limits: [total(1_000, 10, `account${id}`)], ttlMs: TTL_MS });
    }
    await Promise.all([...ids].reverse().map(async (id) => store.settle(`r${id}`, { units: id })));
    for (const id of ids) assert.equal((await stateOf(store, total(1_000, 0, `account${id}`))).used, id);
  },

  async 'charges by unit, and what is not named as reserved'({ store }) {
    const tokens: Limit = { kind: 'total', key: 'k', unit: 'tokens', maximum: 1_000, amount: 100 };
    const cost: Limit = {
      kind: 'total',
      key: 'cost',
      unit: 'cost',
      maximum: 5_000_000_000_000n,
      amount: 2_000_000_000_001n,
    };
    await store.reserve({ id: 'a', limits: [tokens, cost, requests(10, 60_000)], ttlMs: TTL_MS });
    const reply = await store.settle('a', { cost: 1_234_567_890_123n });
    assert.deepEqual(
      reply.limits.map((limit) => limit.used),
      [100, 1_234_567_890_123, 1],
    );
  },

  async 'keeps large numbers to the last digit'({ store }) {
    const maximum = Number.MAX_SAFE_INTEGER;
    const amount = 4_503_599_627_370_495;
    const limit = (id: string): Limit => ({ kind: 'total', key: id, maximum, amount });
    assert.ok((await store.reserve({ id: 'a', limits: [limit('big')], ttlMs: TTL_MS })).admitted);
    assert.ok((await store.reserve({ id: 'b', limits: [limit('big')], ttlMs: TTL_MS })).admitted);
    assert.deepEqual(await stateOf(store, limit('big')), { used: 0, held: 9_007_199_254_740_990, remaining: 1 });
    await store.settle('a', { units: amount });
    assert.deepEqual(await stateOf(store, limit('big')), { used: amount, held: amount, remaining: 1 });
  },

  async 'reports what was settled above the limit, and then denies'({ store }) {
    await store.reserve({ id: 'a', limits: [total(100, 90)], ttlMs: TTL_MS });
    const reply = await store.settle('a', { units: 150 });
    assert.deepEqual([reply.limits[0]?.used, reply.limits[0]?.remaining], [150, 0]);
    assert.equal(denialOf(await store.reserve({ id: 'b', limits: [total(100, 0)], ttlMs: TTL_MS })).blockedBy, 'used');
  },

  async 'gives everything back on release'({ store, advance }) {
    const limits = [total(100, 40), places(2), requests(5, 60_000)];
    await store.reserve({ id: 'a', limits, ttlMs: TTL_MS });
    assert.equal((await store.release('a')).status, 'released');
    // What drained of a rate before the release stays gone; that little drains once more.
    await advance(50);
    for (const limit of limits) {
      const state = await stateOf(store, limit);
      assert.equal(state.held, 0);
      assert.equal(state.used, 0, limit.kind);
    }
    assert.ok((await store.reserve({ id: 'a', limits, ttlMs: TTL_MS })).admitted);
  },

  async 'lets at most so many in at once, and the next when one leaves (BUD-03)'({ store }) {
    for (const id of ['a', 'b']) assert.ok((await store.reserve({ id, limits: [places(2)], ttlMs: TTL_MS })).admitted);
    const denial = denialOf(await store.reserve({ id: 'c', limits: [places(2)], ttlMs: TTL_MS }));
    assert.equal(denial.blockedBy, 'held');
    assert.ok((denial.retryAfterMs ?? 0) > 0);
    await store.settle('a', {});
    assert.ok((await store.reserve({ id: 'c', limits: [places(2)], ttlMs: TTL_MS })).admitted);
    assert.deepEqual(await stateOf(store, places(2)), { used: 0, held: 2, remaining: 0 });
  },

  async 'frees a place whose holder died, and not before its time (BUD-02, BUD-03)'({ store, advance }) {
    await store.reserve({ id: 'dead', limits: [places(1), total(10, 10)], ttlMs: SHORT_MS });
    await store.reserve({ id: 'alive', limits: [places(1, 'other')], ttlMs: TTL_MS });
    assert.equal((await store.reserve({ id: 'b', limits: [places(1)], ttlMs: TTL_MS })).admitted, false);
    await advance(SHORT_MS + 5);
    assert.ok((await store.reserve({ id: 'b', limits: [places(1), total(10, 10)], ttlMs: TTL_MS })).admitted);
    assert.equal((await stateOf(store, places(1, 'other'))).held, 1);
  },

  async 'charges an expired reservation if told to'({ store, advance }) {
    await store.reserve({ id: 'a', limits: [total(100, 30)], ttlMs: SHORT_MS, onExpire: 'charge' });
    await advance(SHORT_MS + 5);
    assert.deepEqual(await stateOf(store, total(100, 0)), { used: 30, held: 0, remaining: 70 });
    await store.settle('a', { units: 12 });
    assert.equal((await stateOf(store, total(100, 0))).used, 12);
  },

  async 'charges what is settled after its reservation expired'({ store, advance }) {
    await store.reserve({ id: 'late', limits: [total(100, 30)], ttlMs: SHORT_MS });
    await advance(SHORT_MS + 5);
    assert.equal((await stateOf(store, total(100, 0))).held, 0);
    assert.equal((await store.settle('late', { units: 12 })).status, 'settled');
    assert.deepEqual(await stateOf(store, total(100, 0)), { used: 12, held: 0, remaining: 88 });
  },

  async 'keeps a lease that is renewed'({ store, advance }) {
    await store.reserve({ id: 'a', limits: [places(1)], ttlMs: SHORT_MS });
    assert.equal(await store.lease('a', TTL_MS), true);
    await advance(SHORT_MS + 5);
    assert.equal((await store.reserve({ id: 'b', limits: [places(1)], ttlMs: TTL_MS })).admitted, false);
    await store.release('a');
    assert.equal(await store.lease('a', TTL_MS), false);
    await store.reserve({ id: 'c', limits: [places(1)], ttlMs: SHORT_MS });
    await advance(SHORT_MS + 5);
    assert.equal(await store.lease('c', TTL_MS), false);
  },

  async 'charges a call it never admitted, once, if given its limits'({ store }) {
    const limits = [total(100, 50), requests(10, 60_000)];
    assert.equal((await store.settle('x', { units: 20 }, limits)).status, 'settled');
    assert.equal((await store.settle('x', { units: 20 }, limits)).status, 'repeated');
    assert.equal((await stateOf(store, total(100, 0))).used, 20);
    assert.equal((await stateOf(store, requests(10, 60_000))).used, 1);
  },

  async 'drains a rate and admits a caller that waited retryAfterMs (BUD-13, invariant 11)'({ store, advance }) {
    const limit = requests(4, 240);
    for (const id of ['1', '2', '3', '4']) {
      assert.ok((await store.reserve({ id, limits: [limit], ttlMs: TTL_MS })).admitted);
    }
    const denial = denialOf(await store.reserve({ id: '5', limits: [limit], ttlMs: TTL_MS }));
    assert.equal(denial.blockedBy, 'used');
    const wait = denial.retryAfterMs ?? Number.NaN;
    assert.ok(wait > 0 && wait <= 60, `retryAfterMs ${wait}`);
    await advance(wait);
    assert.ok((await store.reserve({ id: '5', limits: [limit], ttlMs: TTL_MS })).admitted);
  },

  async 'keeps windows apart, and settles into the window reserved in'({ store, now }) {
    const window = (name: string, amount: number): Limit => ({
      kind: 'window',
      key: 'budget',
      window: name,
      endsAt: now() + 60_000,
      maximum: 10,
      amount,
    });
    await store.reserve({ id: 'october', limits: [window('2026-10', 10)], ttlMs: TTL_MS });
    assert.ok((await store.reserve({ id: 'november', limits: [window('2026-11', 10)], ttlMs: TTL_MS })).admitted);
    await store.settle('october', { units: 7 });
    assert.equal((await stateOf(store, window('2026-10', 0))).used, 7);
    assert.equal((await stateOf(store, window('2026-11', 0))).used, 0);
  },

  async 'tops up and resets, once an id'({ store }) {
    const limit = total(100, 0);
    await store.settle('spent', { units: 100 }, [limit]);
    assert.equal((await store.adjust('top-up', limit, { by: -30 })).remaining, 30);
    assert.equal((await store.adjust('top-up', limit, { by: -30 })).remaining, 30);
    assert.equal((await store.adjust('reset', limit, { to: 0 })).remaining, 100);
    assert.equal((await store.adjust('gift', limit, { by: -50n })).remaining, 150);
  },

  async 'keeps kinds, periods and awkward keys apart'({ store }) {
    const keys = ['a', 'a:b', '1:a', '{a}', 'ä', '*', '\u0000', ''];
    const limits = keys.flatMap((key) => [
      total(9, 1, key),
      requests(9, 60_000, key),
      requests(9, 30_000, key),
      places(9, key),
    ]);
    assert.ok((await store.reserve({ id: 'a', limits, ttlMs: TTL_MS })).admitted);
    await store.settle('a', {});
    for (const limit of limits) assert.equal((await stateOf(store, limit)).used, limit.kind === 'concurrency' ? 0 : 1);
  },

  async 'refuses what is not a whole number, and the same limit twice'({ store }) {
    for (const amount of [1.5, -1, Number.NaN, 2 ** 53, -1n, 2n ** 60n]) {
      const limits: Limit[] = [{ kind: 'total', key: 'k', maximum: 10, amount }];
      await assert.rejects(async () => store.reserve({ id: 'a', limits, ttlMs: TTL_MS }), /whole number/);
    }
    const twice = { id: 'a', limits: [total(1, 1), total(2, 1)], ttlMs: TTL_MS };
    await assert.rejects(async () => store.reserve(twice), /same kind and key/);
    await assert.rejects(async () => store.reserve({ id: 'a', limits: [total(1, 1)], ttlMs: 0 }), /ttlMs/);
    await store.reserve({ id: 'b', limits: [total(9, 1)], ttlMs: TTL_MS });
    await assert.rejects(async () => store.settle('b', { units: 0.5 }), /whole number/);
    assert.equal((await stateOf(store, total(9, 0))).held, 1);
  },
};
