import { checkDimension, type LedgerQuery, type LedgerRow, limitOf } from '../../core/ledger.ts';
import type { AttemptSums, CallSums, Groups } from '../../core/ledger-sums.ts';
import type { Query } from './pages.ts';
import { columnOf, MONEY, startOf, type Values, whereOf } from './sql.ts';

/** Asks for the sums of all groups and adds them up. */
export async function collect<S extends AttemptSums | CallSums>(
  query: Query,
  table: string,
  kind: LedgerRow['kind'],
  sums: Readonly<Record<string, string>>,
  asked: LedgerQuery,
  groups: Groups<S>,
): Promise<Groups<S>> {
  limitOf(asked);
  const names = (asked.groupBy ?? []).map(checkDimension);
  const values: Values = [];
  const columns = names.map((name) => columnOf(kind, name, values));
  if (asked.interval !== undefined) columns.push(startOf(asked.interval));
  const selected = [
    ...columns.map((sql, index) => `${sql} AS k${index}`),
    ...Object.entries(sums).map(([name, sql]) => `(${sql})::text AS "${name}"`),
  ];
  const grouping =
    columns.length === 0 ? 'HAVING COUNT(*) > 0' : `GROUP BY ${columns.map((_, index) => index + 1).join(', ')}`;
  const sql = `SELECT ${selected.join(', ')} FROM ${table} WHERE ${whereOf(kind, asked, values)} ${grouping}`;
  for (const record of await query(sql, values)) {
    const named = Object.fromEntries(
      Object.keys(sums).map((name) => [name, MONEY.has(name) ? BigInt(record[name] ?? 0) : Number(record[name])]),
    );
    const key = names.map((_, index) => record[`k${index}`] as string | null);
    const start = asked.interval === undefined ? undefined : Number(record[`k${names.length}`]);
    // The fields selected are the fields of S: the tables above are keyed by them.
    groups.add(key, names, start, named as unknown as S);
  }
  return groups;
}
