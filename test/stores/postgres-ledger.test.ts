import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresLedger } from '../../src/stores/postgres-ledger.ts';
import { ledgerContract } from '../../src/testing/ledger-contract.ts';

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
