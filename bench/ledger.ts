/**
 * How fast a ledger writes and answers.
 *
 *   node bench/ledger.ts                     100,000 attempts
 *   POSTERN_LEDGER_ROWS=1000000 node bench/ledger.ts
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ledger, LedgerRow } from '../src/core/ledger.ts';
import { sqliteLedger } from '../src/stores/sqlite-ledger.ts';
import { sampleRows } from '../src/testing/ledger-rows.ts';

const ROWS = Number(process.env.POSTERN_LEDGER_ROWS ?? 100_000);
const USERS = Number(process.env.POSTERN_LEDGER_USERS ?? 1000);
const BATCH = 500;
const DAY = 86_400_000;
const FROM = Date.UTC(2026, 9, 23, 5);
const TO = FROM + 30 * DAY;

const folder = mkdtempSync(join(tmpdir(), 'postern-ledger-bench-'));
const path = join(folder, 'ledger.sqlite');
try {
  const ledger = sqliteLedger({ path });
  await fill(ledger);
  console.log(`file ${(statSync(path).size / 1e6).toFixed(0)} MB`);
  const now = TO - 3_600_000 * 7;
  await time('total of everything', () => ledger.totals());
  await time('by model, everything', () => ledger.totals({ groupBy: ['provider', 'model'] }));
  await time('top 10 users, everything', () => ledger.totals({ groupBy: ['user'], limit: 10 }));
  await time('top 10 users, last 30 days to the minute', () =>
    ledger.totals({ groupBy: ['user'], limit: 10, from: FROM + 60_000, to: now }),
  );
  await time('by tenant and model, everything', () => ledger.totals({ groupBy: ['tenant', 'model'] }));
  await time('by day, everything', () => ledger.totals({ interval: 'day' }));
  await time('by day and provider of one tenant', () =>
    ledger.totals({ interval: 'day', groupBy: ['provider'], where: { tenant: 'tenant-3' } }),
  );
  await time('one user, this month', () =>
    ledger.totals({ groupBy: ['model'], where: { user: 'user-7' }, from: Date.UTC(2026, 10, 1) }),
  );
  await time('by tag, everything', () => ledger.totals({ groupBy: ['tag:team'] }));
  await time('by error code, everything', () => ledger.totals({ groupBy: ['errorCode'] }));
  await time('by hour, last 24 hours', () => ledger.totals({ interval: 'hour', from: now - DAY }));
  await time('one session', () => ledger.totals({ where: { session: 'session-77' } }));
  await time('calls and savings, everything', () => ledger.calls());
  await time('percentiles by model, everything', () => ledger.percentiles({ of: 'latencyMs', groupBy: ['model'] }));
  await time('percentiles of one tenant', () => ledger.percentiles({ of: 'latencyMs', where: { tenant: 'tenant-3' } }));
  await time('by hour, everything (from the rows)', () => ledger.totals({ interval: 'hour' }));
  await time('by region, everything (from the rows)', () => ledger.totals({ groupBy: ['region'] }));
  await time('remove one tenant', () => ledger.remove({ tenant: 'tenant-1' }), 1);
  await ledger.close();
} finally {
  rmSync(folder, { recursive: true });
}

async function fill(ledger: Ledger): Promise<void> {
  const start = performance.now();
  let rows = 0;
  let attempts = 0;
  let longest = 0;
  let batch: LedgerRow[] = [];
  // About 1.05 attempts a call.
  for (const row of sampleRows({ calls: Math.ceil(ROWS / 1.05), from: FROM, to: TO, users: USERS, tenants: 20 })) {
    if (row.kind === 'attempt') attempts++;
    rows++;
    batch.push(row);
    if (batch.length < BATCH) continue;
    const begin = performance.now();
    await ledger.write(batch);
    longest = Math.max(longest, performance.now() - begin);
    batch = [];
  }
  await ledger.write(batch);
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${attempts} attempts, ${rows} rows in ${seconds.toFixed(1)} s: ${((seconds / rows) * 1e6).toFixed(1)} µs a row, longest batch of ${BATCH} ${longest.toFixed(0)} ms`,
  );
}

async function time(name: string, query: () => Promise<unknown>, rounds = 5): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await query();
    times.push(performance.now() - start);
  }
  times.sort((left, right) => left - right);
  console.log(`${name.padEnd(46)} ${(times[Math.floor(times.length / 2)] ?? 0).toFixed(1).padStart(8)} ms`);
}
