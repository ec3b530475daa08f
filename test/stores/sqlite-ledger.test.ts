import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { AttemptRow } from '../../src/core/ledger.ts';
import { sqliteLedger } from '../../src/stores/sqlite-ledger.ts';
import { ledgerContract } from '../../src/testing/ledger-contract.ts';
import { sampleRows } from '../../src/testing/ledger-rows.ts';

describe('sqliteLedger', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sqlite-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const { name, run } of ledgerContract(() => sqliteLedger({ path: ':memory:' }))) it(name, run);

  it('takes an open database and leaves it open', async () => {
    const database = new DatabaseSync(':memory:');
    const ledger = sqliteLedger({ database });
    await ledger.write([...sampleRows({ calls: 5, from: 0, to: 1000 })]);
    await ledger.close();
    expect(database.prepare('SELECT COUNT(*) AS count FROM calls').get()).toEqual({ count: 5 });
    expect(() => sqliteLedger({})).toThrow(/path or a database/);
  });

  it('keeps all of a batch or nothing of it', async () => {
    const ledger = sqliteLedger({ path: ':memory:' });
    const rows = [...sampleRows({ calls: 5, from: 0, to: 1000 })];
    const broken = { ...(rows[0] as AttemptRow), id: 'broken', operation: null as never };
    await expect(ledger.write([...rows, broken])).rejects.toThrow();
    expect(await ledger.totals()).toEqual([]);
    await ledger.write(rows);
    expect((await ledger.calls())[0]?.calls).toBe(5);
  });

  it('lets two connections write to one file, and notices what the other removed', async () => {
    const path = join(folder, 'shared.sqlite');
    const [first, second] = [sqliteLedger({ path }), sqliteLedger({ path })];
    const rows = [...sampleRows({ calls: 40, from: 0, to: 1000, tenants: 2 })];
    await first.write(rows);
    await second.write(rows);
    await first.remove({ tenant: 'tenant-1' });
    const more = [...sampleRows({ calls: 40, from: 0, to: 1000, tenants: 2, seed: 2 })];
    await second.write(more);
    const sum = (list: readonly (typeof rows)[number][]): bigint =>
      list.reduce((total, row) => total + (row.kind === 'attempt' ? (row.costNanoUsd ?? 0n) : 0n), 0n);
    const left = [...rows.filter((row) => row.scope.tenant !== 'tenant-1'), ...more];
    expect((await first.totals())[0]?.costNanoUsd).toBe(sum(left));
    await Promise.all([first.close(), second.close()]);
  });

  it('leaves no trace of a removed tenant in its files', async () => {
    const path = join(folder, 'gone.sqlite');
    const ledger = sqliteLedger({ path });
    const [row] = [...sampleRows({ calls: 1, from: 0, to: 1 })];
    const name = 'tenant-who-wants-to-be-forgotten';
    await ledger.write([{ ...(row as AttemptRow), scope: { tenant: name, user: `${name}-user` } }]);
    expect(await ledger.remove({ tenant: name })).toBe(1);
    await ledger.close();
    const { readFileSync } = await import('node:fs');
    expect(readFileSync(path).includes(name)).toBe(false);
  });

  it('loses at most the batch that was not yet written when its process is killed', async () => {
    const path = join(folder, 'killed.sqlite');
    const script = join(folder, 'writer.mjs');
    const source = (name: string): string => new URL(`../../src/${name}`, import.meta.url).href;
    writeFileSync(
      script,
      `import { sqliteLedger } from '${source('stores/sqlite-ledger.ts')}';
       import { sampleRows } from '${source('testing/ledger-rows.ts')}';
       const ledger = sqliteLedger({ path: process.argv[2] });
       for (let batch = 0; ; batch++) {
         await ledger.write([...sampleRows({ calls: 50, seed: batch + 1, from: 0, to: 1000 })]);
         process.stdout.write(batch + '\\n');
         await new Promise((resolve) => setImmediate(resolve));
       }`,
    );
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const acknowledged = await killAfter(child, 20);
    expect(acknowledged).toBeGreaterThanOrEqual(20);
    const ledger = sqliteLedger({ path });
    const calls = (await ledger.calls())[0]?.calls ?? 0;
    // Every acknowledged batch is there, and at most the one that was being acknowledged besides.
    expect(calls % 50).toBe(0);
    expect(calls).toBeGreaterThanOrEqual(acknowledged * 50);
    let attempts = 0n;
    for await (const row of ledger.rows({ kind: 'attempt' })) attempts += (row as AttemptRow).costNanoUsd ?? 0n;
    expect((await ledger.totals())[0]?.costNanoUsd).toBe(attempts);
    await ledger.close();
    const check = new DatabaseSync(path).prepare('PRAGMA integrity_check').get();
    expect(check).toEqual({ integrity_check: 'ok' });
  });
});

/** Kills the writer without warning once it has acknowledged enough, and says how many batches it did. */
function killAfter(child: ChildProcess, batches: number): Promise<number> {
  let acknowledged = 0;
  child.stdout?.on('data', (data: Buffer) => {
    acknowledged += data.toString().split('\n').length - 1;
    if (acknowledged >= batches) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('close', () => resolve(acknowledged));
    child.on('error', reject);
  });
}
