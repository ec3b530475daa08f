import assert from 'node:assert/strict';
import { isGatewayError } from '../../core/errors.ts';
import type { AttemptRow, LedgerFilter } from '../../core/ledger.ts';
import { ATTEMPTS, CALLS, costOf, countOf, DAY, FROM, type LedgerCases, SAMPLE, START, TO } from './sample.ts';

/** Answers are exact, whatever is asked. */
export const asking: LedgerCases = {
  async 'USE-11: totals are the exact sum of all attempts, and of nothing else'(ledger) {
    await ledger.write(SAMPLE.slice(0, 200));
    await ledger.write(SAMPLE.slice(150));
    const [total] = await ledger.totals();
    assert.equal(total?.attempts, ATTEMPTS.length);
    assert.equal(total?.costNanoUsd, costOf(ATTEMPTS));
    assert.equal(total?.wastedNanoUsd, costOf(ATTEMPTS.filter((row) => !row.winner)));
    assert.equal(total?.input, countOf(ATTEMPTS, 'input'));
    assert.equal(total?.output, countOf(ATTEMPTS, 'output'));
    assert.equal(
      total?.cacheWrite,
      ATTEMPTS.reduce((sum, row) => sum + (row.tokens.cacheWrite5m ?? 0), 0),
    );
    assert.equal(total?.failed, ATTEMPTS.filter((row) => row.status === 'failed').length);
    assert.equal(total?.unpriced, ATTEMPTS.filter((row) => row.costNanoUsd === null && row.billing !== 'no').length);
    const [calls] = await ledger.calls();
    assert.equal(calls?.calls, CALLS.length);
    assert.equal(calls?.cached, CALLS.filter((row) => row.cached !== undefined).length);
    assert.equal(
      calls?.savedNanoUsd,
      CALLS.reduce((sum, row) => sum + (row.savedNanoUsd ?? 0n), 0n),
    );
  },

  async 'groups by any dimension, the dearest first'(ledger) {
    await ledger.write(SAMPLE);
    for (const name of [
      'tenant',
      'user',
      'session',
      'model',
      'errorCode',
      'finish',
      'tag:team',
      'tag:absent',
    ] as const) {
      const groups = await ledger.totals({ groupBy: [name] });
      assert.equal(
        groups.reduce((sum, group) => sum + group.costNanoUsd, 0n),
        costOf(ATTEMPTS),
        name,
      );
      for (const [index, group] of groups.entries()) {
        const before = groups[index - 1];
        assert.ok(before === undefined || before.costNanoUsd >= group.costNanoUsd, name);
      }
    }
    const [top] = await ledger.totals({ groupBy: ['user', 'provider'], limit: 1 });
    const same = ATTEMPTS.filter((row) => row.scope.user === top?.key.user && row.provider === top?.key.provider);
    assert.equal(top?.costNanoUsd, costOf(same));
    assert.equal((await ledger.totals({ groupBy: ['tag:absent'] }))[0]?.key['tag:absent'], null);
  },

  async 'filters by value, by several values, by absence and by time'(ledger) {
    await ledger.write(SAMPLE);
    const noon = START + DAY + 12 * 3_600_000;
    const check = async (
      where: NonNullable<LedgerFilter['where']>,
      keep: (row: AttemptRow) => boolean,
      more: object = {},
    ): Promise<void> => {
      const [total] = await ledger.totals({ where, ...more });
      const kept = ATTEMPTS.filter(keep);
      assert.deepEqual(
        [total?.attempts, total?.costNanoUsd],
        [kept.length, costOf(kept)],
        JSON.stringify([where, more]),
      );
    };
    await check({ tenant: 'tenant-1' }, (row) => row.scope.tenant === 'tenant-1');
    await check({ tenant: null }, (row) => row.scope.tenant === undefined);
    await check(
      { model: ['gpt-5', 'gpt-5-mini'], 'tag:team': 'team-2' },
      (row) => row.provider === 'openai' && row.scope.tags?.team === 'team-2',
    );
    await check({}, (row) => row.at >= noon, { from: noon });
    await check({}, (row) => row.at < noon, { to: noon });
    await check({ user: 'user-3' }, (row) => row.scope.user === 'user-3' && row.at >= noon && row.at < TO - 777, {
      from: noon,
      to: TO - 777,
    });
    await check({}, (row) => row.at >= noon && row.at < noon + 1e6, { from: noon, to: noon + 1e6 });
    assert.deepEqual(await ledger.totals({ where: { tenant: 'nobody' } }), []);
    assert.deepEqual(await ledger.totals({ where: { tenant: "' OR 1=1 --" } }), []);
  },

  async 'makes time series by hour, day and month, in UTC'(ledger) {
    await ledger.write(SAMPLE);
    for (const interval of ['hour', 'day'] as const) {
      const size = interval === 'day' ? DAY : 3_600_000;
      const series = await ledger.totals({ interval, from: FROM + 1000, to: TO });
      const starts = series.map((point) => point.start ?? 0);
      assert.deepEqual(
        starts,
        [...starts].sort((left, right) => left - right),
      );
      for (const point of series) {
        const rows = ATTEMPTS.filter(
          (row) => row.at >= FROM + 1000 && Math.floor(row.at / size) * size === point.start,
        );
        assert.equal(point.costNanoUsd, costOf(rows), `${interval} ${point.start}`);
      }
    }
    const months = await ledger.totals({ interval: 'month', groupBy: ['provider'] });
    assert.deepEqual([...new Set(months.map((point) => point.start))], [Date.UTC(2026, 9, 1), Date.UTC(2026, 10, 1)]);
    assert.equal(
      months.reduce((sum, point) => sum + point.costNanoUsd, 0n),
      costOf(ATTEMPTS),
    );
  },

  async 'gives error rates and percentiles within one per cent'(ledger) {
    await ledger.write(SAMPLE);
    const [worst] = await ledger.totals({ groupBy: ['model'], orderBy: 'errors' });
    const own = ATTEMPTS.filter((row) => row.model === worst?.key.model);
    assert.equal(worst?.errorRate, own.filter((row) => row.status === 'failed').length / own.length);
    for (const groupBy of [['provider'], ['tenant']] as const) {
      for (const group of await ledger.percentiles({
        of: 'latencyMs',
        groupBy,
        from: FROM + 99,
        shares: [0.5, 0.95],
      })) {
        const times = ATTEMPTS.filter((row) => row.at >= FROM + 99)
          .filter(
            (row) => (groupBy[0] === 'provider' ? row.provider : (row.scope.tenant ?? null)) === group.key[groupBy[0]],
          )
          .map((row) => row.latencyMs)
          .sort((left, right) => left - right);
        assert.equal(group.count, times.length);
        for (const [index, share] of [0.5, 0.95].entries()) {
          const exact = times[Math.ceil(share * times.length) - 1] ?? 0;
          assert.ok(
            Math.abs((group.values[index] ?? 0) - exact) <= exact * 0.0101,
            `${group.values[index]} is not ${exact}`,
          );
        }
      }
    }
    const [first] = await ledger.percentiles({ of: 'firstContentMs' });
    assert.equal(first?.count, ATTEMPTS.filter((row) => row.firstContentMs !== undefined).length);
  },

  async 'refuses dimensions it does not know and limits beyond its bound'(ledger) {
    const invalid = (error: unknown): boolean => isGatewayError(error, 'invalid-request');
    for (const name of ['password', 'tag:', 'tag:a"b', "tenant'; DROP TABLE attempts"]) {
      await assert.rejects(ledger.totals({ groupBy: [name as 'user'] }), invalid);
    }
    await assert.rejects(ledger.totals({ limit: 0 }), invalid);
    await assert.rejects(ledger.calls({ limit: 1e9 }), invalid);
  },
};
