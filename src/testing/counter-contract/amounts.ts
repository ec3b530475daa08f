import assert from 'node:assert/strict';
import type { Limit } from '../../core/counter-store.ts';
import { TTL_MS, total, places, requests, stateOf, denialOf, type Cases } from './subject.ts';

/** What is reserved, settled and given back. */
export const AMOUNT_CASES: Cases = {
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
    await Promise.all(ids.toReversed().map(async (id) => store.settle(`r${id}`, { units: id })));
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
};
