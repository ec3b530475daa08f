import assert from 'node:assert/strict';
import { isGatewayError } from '../core/errors.ts';
import { exportCsv, exportJsonl } from '../core/ledger-export.ts';
import type { AttemptRow, CallRow, Ledger, LedgerFilter, LedgerRow } from '../core/ledger.ts';
import { sampleRows } from './ledger-rows.ts';
import type { ContractCase } from './store-contract.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 9, 30);
const FROM = START + 5 * 3_600_000;
const TO = START + 4 * DAY + 1234;

/**
 * What every {@link Ledger} must do. `create` gives an empty one; each case closes its own.
 *
 * @example
 * for (const { name, run } of ledgerContract(() => memoryLedger())) it(name, run);
 */
export function ledgerContract(create: () => Ledger | Promise<Ledger>): readonly ContractCase[] {
  return Object.entries(CASES).map(([name, check]) => ({
    name,
    async run() {
      const ledger = await create();
      try {
        await check(ledger);
      } finally {
        await ledger.close();
      }
    },
  }));
}

const SAMPLE: readonly LedgerRow[] = [...sampleRows({ calls: 400, from: FROM, to: TO })];
const ATTEMPTS = SAMPLE.filter((row): row is AttemptRow => row.kind === 'attempt');
const CALLS = SAMPLE.filter((row): row is CallRow => row.kind === 'call');
const costOf = (rows: readonly AttemptRow[]): bigint => rows.reduce((sum, row) => sum + (row.costNanoUsd ?? 0n), 0n);
const countOf = (rows: readonly AttemptRow[], name: 'input' | 'output'): number =>
  rows.reduce((sum, row) => sum + row[name], 0);

const FULL: AttemptRow = {
  kind: 'attempt',
  id: 'full',
  callId: 'call-full',
  parentId: 'parent',
  number: 2,
  at: FROM,
  scope: {
    tenant: 'ten"ant',
    user: "o'hara",
    app: 'app',
    agent: 'agent',
    session: 's',
    tags: { 'a.b': 'ü\n😀', team: 'x' },
  },
  operation: 'chat',
  purpose: 'judge',
  provider: 'openai',
  model: 'gpt-5',
  servedModel: 'gpt-5-2025-08-07',
  region: 'eu',
  credential: 'second',
  input: 10,
  output: 5,
  tokens: { input: 4, cacheRead: 6, output: 5 },
  units: { webSearch: 1, audioSeconds: 2.5 },
  quality: 'partial',
  costNanoUsd: 9_007_199_254_740_993n,
  reportedNanoUsd: 1n,
  billing: 'possible',
  status: 'failed',
  errorCode: 'stream-interrupted',
  latencyMs: 12.5,
  firstContentMs: 3.25,
  finish: 'stop',
  httpStatus: 200,
  stream: true,
  winner: true,
};

async function list(rows: AsyncIterable<LedgerRow>): Promise<LedgerRow[]> {
  const found: LedgerRow[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

const CASES: Readonly<Record<string, (ledger: Ledger) => Promise<void>>> = {
  async 'gives back every field of a row as it was written'(ledger) {
    const bare: CallRow = {
      kind: 'call',
      id: 'bare',
      at: FROM + 1,
      scope: {},
      operation: 'embed',
      model: 'm',
      status: 'completed',
      latencyMs: 0,
      stream: false,
      attemptIds: [],
      redactions: 0,
    };
    const saved: CallRow = { ...bare, id: 'saved', at: FROM + 2, cached: 'semantic', savedNanoUsd: null };
    const unpriced: AttemptRow = {
      ...FULL,
      id: 'unpriced',
      at: FROM + 3,
      costNanoUsd: null,
      unpriced: 'unknown-model',
    };
    await ledger.write([unpriced, saved, bare, FULL]);
    assert.deepEqual(await list(ledger.rows()), [FULL, bare, saved, unpriced]);
    assert.deepEqual(await list(ledger.rows({ kind: 'call' })), [bare, saved]);
  },

  async 'writes each row once, however often it is given'(ledger) {
    await ledger.write([FULL, FULL]);
    await ledger.write([FULL, { ...FULL, latencyMs: 99 }]);
    const call: CallRow = { ...(CALLS[0] as CallRow), id: 'full' };
    await ledger.write([call, call]);
    assert.equal((await ledger.totals())[0]?.attempts, 1);
    assert.equal((await ledger.calls())[0]?.calls, 1);
    assert.equal((await list(ledger.rows())).length, 2);
  },

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

  async 'removes a tenant, or what is old, from rows and totals alike'(ledger) {
    await ledger.write([...SAMPLE, FULL]);
    const noon = START + DAY + 12 * 3_600_000;
    const gone = SAMPLE.filter((row) => row.scope.tenant === 'tenant-2').length;
    assert.equal(await ledger.remove({ tenant: 'tenant-2' }), gone);
    assert.deepEqual(await ledger.totals({ where: { tenant: 'tenant-2' } }), []);
    const old = [...SAMPLE, FULL].filter((row) => row.scope.tenant !== 'tenant-2' && row.at < noon).length;
    assert.equal(await ledger.remove({ before: noon }), old);
    const left = ATTEMPTS.filter((row) => row.scope.tenant !== 'tenant-2' && row.at >= noon);
    const [total] = await ledger.totals();
    assert.deepEqual([total?.attempts, total?.costNanoUsd], [left.length, costOf(left)]);
    const byTenant = await ledger.totals({ groupBy: ['tenant'] });
    assert.ok(byTenant.every((group) => group.key.tenant !== 'tenant-2'));
    assert.equal(
      byTenant.reduce((sum, group) => sum + group.attempts, 0),
      left.length,
    );
    const [spread] = await ledger.percentiles({ of: 'latencyMs' });
    assert.equal(spread?.count, left.length);
    assert.ok((await list(ledger.rows())).every((row) => row.at >= noon && row.scope.tenant !== 'tenant-2'));
    await assert.rejects(ledger.remove({}), (error) => isGatewayError(error, 'invalid-request'));
    await ledger.write([{ ...FULL, id: 'after' }]);
    assert.equal((await ledger.totals({ where: { tenant: FULL.scope.tenant ?? null } }))[0]?.attempts, 1);
    assert.ok((await ledger.remove({ tenant: null })) > 0);
  },

  async 'SEC-C13: exports safe lines and cells that no spreadsheet runs'(ledger) {
    const nasty = '=HYPERLINK("http://x")\r\n\u001b[31m\u2028,end';
    await ledger.write([
      { ...FULL, scope: { tenant: nasty, user: '-1+1', tags: { team: '@x' } } },
      ...SAMPLE.slice(0, 20),
    ]);
    let jsonl = '';
    for await (const line of exportJsonl(ledger.rows())) jsonl += line;
    const lines = jsonl.split('\n').slice(0, -1);
    assert.equal(lines.length, 21);
    assert.ok(lines.some((line) => (JSON.parse(line) as AttemptRow).scope.tenant === nasty));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for control characters is the point
    assert.doesNotMatch(jsonl.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    let csv = '';
    for await (const line of exportCsv(ledger.rows())) csv += line;
    assert.equal(csv.split('\r\n').length, 23);
    assert.match(csv, /"'=HYPERLINK\(""http:\/\/x""\) {2,}\[31m ,end","'-1\+1"/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for control characters is the point
    assert.doesNotMatch(csv.replaceAll('\r\n', ''), /[\u0000-\u001f\u2028]|(^|,)[=+@]/);
  },

  async 'refuses dimensions it does not know and limits beyond its bound'(ledger) {
    const invalid = (error: unknown): boolean => isGatewayError(error, 'invalid-request');
    for (const name of ['password', 'tag:', 'tag:a"b', "tenant'; DROP TABLE attempts"]) {
      await assert.rejects(ledger.totals({ groupBy: [name as 'user'] }), invalid);
    }
    await assert.rejects(ledger.totals({ limit: 0 }), invalid);
    await assert.rejects(ledger.calls({ limit: 1e9 }), invalid);
  },

  async 'has nothing to say when empty, and refuses after close'(ledger) {
    assert.deepEqual(await ledger.totals(), []);
    assert.deepEqual(await ledger.calls({ groupBy: ['user'] }), []);
    assert.deepEqual(await ledger.percentiles({ of: 'latencyMs' }), []);
    await ledger.write([]);
    await ledger.flush();
    await ledger.close();
    await ledger.close();
    await assert.rejects(ledger.write([FULL]), (error) => isGatewayError(error, 'closed'));
    await assert.rejects(ledger.totals(), (error) => isGatewayError(error, 'closed'));
  },
};
