import assert from 'node:assert/strict';
import { isGatewayError } from '../../core/errors.ts';
import { exportCsv, exportJsonl } from '../../core/ledger-export.ts';
import type { AttemptRow, CallRow } from '../../core/ledger.ts';
import { ATTEMPTS, CALLS, costOf, DAY, FROM, FULL, list, type LedgerCases, SAMPLE, START } from './sample.ts';

/** Rows come back as they went in, once, until they are removed. */
export const keeping: LedgerCases = {
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
