import type { LedgerFilter, LedgerRow } from '../../core/ledger.ts';
import { rowFrom, selectColumns } from '../../core/ledger-sql.ts';
import { type RawRecord, type Values, whereOf } from './sql.ts';

const PAGE_ROWS = 1000;
export type Query = (sql: string, values: Values) => Promise<readonly RawRecord[]>;

/** The rows of a table by time and id, a page at a time. */
export async function* pages(
  kind: LedgerRow['kind'],
  table: string,
  filter: LedgerFilter,
  query: Query,
): AsyncGenerator<LedgerRow, undefined> {
  let after: readonly [number, string] | undefined;
  while (true) {
    const values: Values = [];
    const where = whereOf(kind, filter, values);
    const next =
      after === undefined ? '' : ` AND (at, id) > ($${values.push(after[0])}::bigint, $${values.push(after[1])})`;
    const sql = `SELECT ${selectColumns(kind)} FROM ${table} WHERE ${where}${next} ORDER BY at, id LIMIT ${PAGE_ROWS}`;
    const records = await query(sql, values);
    for (const record of records) yield rowFrom(kind, record);
    const last = records.at(-1);
    if (last === undefined || records.length < PAGE_ROWS) return undefined;
    after = [Number(last.at), String(last.id)];
  }
}
