import { checkRemoval, type LedgerRemoval, type LedgerRow } from '../../core/ledger.ts';
import type { Session, SqliteValue } from './database.ts';
import { ATTEMPT_SUMS, CALL_SUMS, DIMS_COLUMNS, dailyName, SHAPE_NAMES, type Shape, shapeColumns } from './schema.ts';
import { DAY_MS } from './write.ts';

/** Sums of rows as they were added at writing. */
const SUMS: Readonly<Record<LedgerRow['kind'], readonly string[]>> = {
  attempt: [
    'COUNT(*)',
    "SUM(status = 'failed')",
    "SUM(status = 'cancelled')",
    'SUM(input)',
    'SUM(output)',
    'SUM(cache_read)',
    'SUM(cache_write)',
    'SUM(reasoning)',
    'SUM(COALESCE(cost_nano_usd, 0))',
    'SUM(CASE WHEN winner = 0 THEN COALESCE(cost_nano_usd, 0) ELSE 0 END)',
    "SUM(cost_nano_usd IS NULL AND billing <> 'no')",
    'SUM(latency_ms)',
  ],
  call: [
    'COUNT(*)',
    "SUM(status = 'failed')",
    "SUM(status = 'cancelled')",
    'SUM(cached IS NOT NULL)',
    'SUM(redactions)',
    'SUM(COALESCE(saved_nano_usd, 0))',
    'SUM(latency_ms)',
  ],
};
const KINDS = ['attempt', 'call'] as const;

interface Condition {
  readonly sql: string;
  readonly values: readonly SqliteValue[];
}

/** Deletes rows and takes them out of the daily totals, all in one transaction. */
export function removeRows(session: Session, removal: LedgerRemoval): number {
  const { tenant, before } = checkRemoval(removal);
  const whose: Condition = tenant === undefined ? { sql: '1', values: [] } : { sql: 'tenant IS ?', values: [tenant] };
  const gone: Condition =
    before === undefined ? whose : { sql: `${whose.sql} AND at < ?`, values: [...whose.values, before] };
  const removed = session.transaction(() => {
    takeOutDurations(session, gone);
    let count = 0;
    for (const kind of KINDS) {
      const table = kind === 'attempt' ? 'attempts' : 'calls';
      count += Number(session.statement(`DELETE FROM ${table} WHERE ${gone.sql}`).run(...gone.values).changes);
    }
    for (const kind of KINDS) {
      for (const shape of SHAPE_NAMES) {
        dropDaily(session, dailyName(kind, shape), whose, before);
        if (before !== undefined && before % DAY_MS !== 0)
          refillDay(session, kind, shape, whose, Math.floor(before / DAY_MS));
      }
    }
    const tables = KINDS.flatMap((kind) => SHAPE_NAMES.map((shape) => dailyName(kind, shape)));
    const unused = tables.map((table) => `NOT EXISTS (SELECT 1 FROM ${table} WHERE ${table}.dims = dims.id)`);
    session.database.exec(`DELETE FROM dims WHERE ${unused.join(' AND ')}; UPDATE removals SET number = number + 1;`);
    return count;
  });
  // What was deleted must not stay readable in the log file.
  session.statement('PRAGMA wal_checkpoint(TRUNCATE)').get();
  return removed;
}

/** Durations are not kept by tenant, so those of the rows that go are subtracted. */
function takeOutDurations(session: Session, gone: Condition): void {
  for (const [name, step] of [
    ['latencyMs', 'latency_step'],
    ['firstContentMs', 'first_content_step'],
  ] as const) {
    session
      .statement(
        `INSERT INTO daily_durations SELECT at / ${DAY_MS}, provider, model, operation, ?, ${step}, -COUNT(*)
         FROM attempts WHERE ${gone.sql} AND ${step} IS NOT NULL GROUP BY 1, 2, 3, 4, 6
         ON CONFLICT DO UPDATE SET count = count + excluded.count`,
      )
      .run(name, ...gone.values);
  }
  session.database.exec('DELETE FROM daily_durations WHERE count <= 0');
}

function dropDaily(session: Session, table: string, whose: Condition, before: number | undefined): void {
  const dims = whose.values.length === 0 ? '1' : `dims IN (SELECT id FROM dims WHERE ${whose.sql})`;
  const days = before === undefined ? '1' : 'day <= ?';
  const values = before === undefined ? whose.values : [...whose.values, Math.ceil(before / DAY_MS) - 1];
  session.statement(`DELETE FROM ${table} WHERE ${dims} AND ${days}`).run(...values);
}

/** Makes the totals of a day that was cut through anew from the rows that are left of it. */
function refillDay(session: Session, kind: LedgerRow['kind'], shape: Shape, whose: Condition, day: number): void {
  const columns = shapeColumns(shape).map((name) => (kind === 'call' && name === 'provider' ? 'NULL' : name));
  const own = shapeColumns(shape);
  const same = DIMS_COLUMNS.map((name) => (own.includes(name) ? `dims.${name} IS kept.d${own.indexOf(name)}` : '1'));
  const names = kind === 'attempt' ? ATTEMPT_SUMS : CALL_SUMS;
  // The key is tried first, since it has an index; text that JSON can write in two ways is found by its columns.
  session
    .statement(
      `INSERT INTO ${dailyName(kind, shape)} (day, dims, ${names.join(', ')})
       SELECT ?, COALESCE((SELECT id FROM dims WHERE dims.key = kept.key),
           (SELECT id FROM dims WHERE shape = ? AND ${same.join(' AND ')})),
         ${names.map((_, index) => `s${index}`).join(', ')}
       FROM (SELECT json_array(?, ${columns.join(', ')}) AS key,
           ${columns.map((column, index) => `${column} AS d${index}`).join(', ')},
           ${SUMS[kind].map((sum, index) => `${sum} AS s${index}`).join(', ')}
         FROM ${kind === 'attempt' ? 'attempts' : 'calls'} WHERE ${whose.sql} AND at >= ? AND at < ?
         GROUP BY ${columns.map((_, index) => index + 2).join(', ')}) AS kept`,
    )
    .run(day, shape, shape, ...whose.values, day * DAY_MS, (day + 1) * DAY_MS);
}
