import { checkRemoval, type LedgerRemoval } from '../../core/ledger.ts';
import type { Session, SqliteRecord, SqliteValue } from './database.ts';
import { ATTEMPT_SUMS, CALL_SUMS, DAILY_COLUMNS } from './schema.ts';
import { DAY_MS } from './write.ts';

/** Sums of rows as they were added at writing, in the order of the daily sums. */
const SUMS = {
  attempts: `COUNT(*), SUM(status = 'failed'), SUM(status = 'cancelled'), SUM(input), SUM(output), SUM(cache_read),
    SUM(cache_write), SUM(reasoning), SUM(COALESCE(cost_nano_usd, 0)),
    SUM(CASE WHEN winner = 0 THEN COALESCE(cost_nano_usd, 0) ELSE 0 END),
    SUM(cost_nano_usd IS NULL AND billing <> 'no'), SUM(latency_ms)`,
  calls: `COUNT(*), SUM(status = 'failed'), SUM(status = 'cancelled'), SUM(cached IS NOT NULL), SUM(redactions),
    SUM(COALESCE(saved_nano_usd, 0)), SUM(latency_ms)`,
} as const;

/** Deletes rows and takes them out of the daily totals, all in one transaction. */
export function removeRows(session: Session, removal: LedgerRemoval): number {
  const { tenant, before } = checkRemoval(removal);
  const conditions: string[] = [];
  const values: SqliteValue[] = [];
  if (tenant !== undefined) {
    conditions.push(tenant === null ? 'tenant IS NULL' : 'tenant = ?');
    if (tenant !== null) values.push(tenant);
  }
  if (before !== undefined) {
    conditions.push('at < ?');
    values.push(before);
  }
  const where = conditions.join(' AND ');
  const removed = session.transaction(() => {
    const days = daysOf(session, where, values);
    let count = 0;
    for (const table of ['attempts', 'calls']) {
      count += Number(session.statement(`DELETE FROM ${table} WHERE ${where}`).run(...values).changes);
    }
    rebuild(session, days);
    session.database.exec(`DELETE FROM dims WHERE id NOT IN (SELECT dims FROM daily_attempts)
      AND id NOT IN (SELECT dims FROM daily_calls); UPDATE removals SET number = number + 1;`);
    return count;
  });
  // What was deleted must not stay readable in the log file.
  session.statement('PRAGMA wal_checkpoint(TRUNCATE)').get();
  return removed;
}

function daysOf(session: Session, where: string, values: readonly SqliteValue[]): number[] {
  const sql = `SELECT at / ${DAY_MS} AS day FROM attempts WHERE ${where} UNION SELECT at / ${DAY_MS} FROM calls WHERE ${where}`;
  return (session.statement(sql).all(...values, ...values) as SqliteRecord[]).map((record) => Number(record.day));
}

/** Makes the totals of the given days anew from the rows that are left. */
function rebuild(session: Session, days: readonly number[]): void {
  for (const day of days) {
    const period = [day * DAY_MS, (day + 1) * DAY_MS] as const;
    for (const [table, names] of [
      ['attempts', ATTEMPT_SUMS],
      ['calls', CALL_SUMS],
    ] as const) {
      session.statement(`DELETE FROM daily_${table} WHERE day = ?`).run(day);
      const own = DAILY_COLUMNS.map((name) => (table === 'calls' && name === 'provider' ? 'NULL' : name));
      const columns = own.map((column, index) => `${column} AS d${index}`).join(', ');
      const sameTuple = DAILY_COLUMNS.map((name, index) => `dims.${name} IS grouped.d${index}`).join(' AND ');
      session
        .statement(
          `INSERT INTO daily_${table} (day, dims, ${names.join(', ')})
           SELECT ?, COALESCE((SELECT id FROM dims WHERE dims.key = grouped.key), (SELECT id FROM dims WHERE ${sameTuple})),
             ${names.map((_, index) => `s${index}`).join(', ')}
           FROM (SELECT json_array(${own.join(', ')}) AS key, ${columns}, ${named(SUMS[table])}
             FROM ${table} WHERE at >= ? AND at < ? GROUP BY ${own.map((_, index) => index + 2).join(', ')}) AS grouped`,
        )
        .run(day, ...period);
    }
    session.statement('DELETE FROM daily_durations WHERE day = ?').run(day);
    for (const [name, step] of [
      ['latencyMs', 'latency_step'],
      ['firstContentMs', 'first_content_step'],
    ] as const) {
      session
        .statement(
          `INSERT INTO daily_durations SELECT ?, provider, model, operation, ?, ${step}, COUNT(*) FROM attempts
           WHERE at >= ? AND at < ? AND ${step} IS NOT NULL GROUP BY provider, model, operation, ${step}`,
        )
        .run(day, name, ...period);
    }
  }
}

/** Gives the sums the names s0, s1, … */
function named(sums: string): string {
  let index = 0;
  let depth = 0;
  let out = '';
  for (const character of `${sums},`) {
    if (character === '(') depth++;
    if (character === ')') depth--;
    out += character === ',' && depth === 0 ? ` AS s${index++},` : character;
  }
  return out.slice(0, -1);
}
