import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresLedger } from '../../src/stores/postgres-ledger.ts';
import { ledgerContract } from '../../src/testing/ledger-contract.ts';
import { sampleRows } from '../../src/testing/ledger-rows.ts';
import { hasPostgres, type PostgresServer, startPostgres } from '../postgres-server.ts';

describe('postgresLedger on PGlite (PostgreSQL in the process)', () => {
  let client: PGlite;
  let tables = 0;
  beforeAll(async () => {
    client = await PGlite.create();
  }, 60_000);
  afterAll(() => client.close());

  for (const { name, run } of ledgerContract(() => postgresLedger({ client, prefix: `t${tables++}_` }))) {
    it(name, run, 20_000);
  }

  it('refuses a prefix that is not a name, and no client', () => {
    expect(() => postgresLedger({ client, prefix: 'a; DROP' })).toThrow(/prefix/);
    expect(() => postgresLedger({ client: {} as never })).toThrow(/query/);
  });

  it('keeps text that Postgres cannot hold, NUL replaced', async () => {
    const ledger = postgresLedger({ client, prefix: 'nul_' });
    await ledger.write([
      {
        kind: 'call',
        id: 'n\0ul',
        at: 0,
        scope: { tags: { team: 'a\0b' } },
        operation: 'chat',
        model: 'm',
        status: 'completed',
        latencyMs: 1,
        stream: false,
        attemptIds: [],
        redactions: 0,
      },
    ]);
    expect((await ledger.calls({ groupBy: ['tag:team'] }))[0]?.key).toEqual({ 'tag:team': 'a\ufffdb' });
  });
});

describe.skipIf(!hasPostgres)(
  `postgresLedger on a real server${hasPostgres ? '' : ' (skipped: no PostgreSQL)'}`,
  () => {
    let server: PostgresServer;
    let tables = 0;
    const mine = `postern_${process.pid}_`;
    const ledger = () => postgresLedger({ client: server.pool, prefix: `${mine}${tables++}_` });
    beforeAll(async () => {
      server = await startPostgres();
    }, 60_000);
    afterAll(async () => {
      // A server that somebody named keeps nothing of ours.
      const { rows } = await server.pool.query('SELECT tablename FROM pg_tables WHERE starts_with(tablename, $1)', [
        mine,
      ]);
      for (const { tablename } of rows) await server.pool.query(`DROP TABLE IF EXISTS "${String(tablename)}"`);
      await server.stop();
    }, 60_000);

    for (const { name, run } of ledgerContract(ledger)) it(name, run, 20_000);

    it('takes batches of several connections at once, each row once', async () => {
      const shared = ledger();
      const rows = [...sampleRows({ calls: 400, from: 0, to: 86_400_000, users: 5, tenants: 2 })];
      const attempts = rows.filter(({ kind }) => kind === 'attempt').length;
      // Everybody writes everything, in batches that overlap.
      await Promise.all(
        Array.from({ length: 4 }, async (_, writer) => {
          for (let start = writer * 7; start < rows.length + writer * 7; start += 50) {
            await shared.write(rows.slice(Math.max(0, start - 25), start + 50));
          }
          await shared.write(rows);
        }),
      );
      expect((await shared.totals())[0]?.attempts).toBe(attempts);
    });
  },
);
