import assert from 'node:assert/strict';
import type { Limit } from '../../core/counter-store.ts';
import { TTL_MS, SHORT_MS, total, places, requests, stateOf, denialOf, type Cases } from './subject.ts';

/** What leases, rates, windows and corrections do. */
export const TIME_CASES: Cases = {
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
