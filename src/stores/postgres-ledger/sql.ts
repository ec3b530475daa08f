import {
  checkDimension,
  type Dimension,
  type LedgerFilter,
  type LedgerQuery,
  type LedgerRemoval,
  type LedgerRow,
  type PercentileQuery,
} from '../../core/ledger.ts';
import {
  ATTEMPT_COLUMNS,
  CALL_COLUMNS,
  type Column,
  DIMENSION_COLUMNS,
  hasDimension,
  rowValues,
} from '../../core/ledger-sql.ts';
import type { AttemptSums, CallSums } from '../../core/ledger-sums.ts';

/** The slice of a Postgres client that is used: a `pg` Pool or Client and PGlite have it. */
export interface PostgresClient {
  query(
    text: string,
    values?: unknown[],
  ): Promise<{ readonly rows: readonly unknown[]; readonly rowCount?: number | null; readonly affectedRows?: number }>;
}
export type Values = unknown[];
export type RawRecord = Readonly<Record<string, string | number | null>>;
const TYPES = { text: 'TEXT', integer: 'BIGINT', real: 'DOUBLE PRECISION', json: 'JSONB' } as const;

/** How each sum is made from rows. */
export const ATTEMPT_SUMS: Readonly<Record<keyof AttemptSums, string>> = {
  attempts: 'COUNT(*)',
  failed: `COUNT(*) FILTER (WHERE status = 'failed')`,
  cancelled: `COUNT(*) FILTER (WHERE status = 'cancelled')`,
  input: 'SUM(input)',
  output: 'SUM(output)',
  cacheRead: 'SUM(cache_read)',
  cacheWrite: 'SUM(cache_write)',
  reasoning: 'SUM(reasoning)',
  cost: 'COALESCE(SUM(cost_nano_usd), 0)',
  wasted: 'COALESCE(SUM(cost_nano_usd) FILTER (WHERE winner = 0), 0)',
  unpriced: `COUNT(*) FILTER (WHERE cost_nano_usd IS NULL AND billing <> 'no')`,
  latencyMs: 'SUM(latency_ms)',
};
export const CALL_SUMS: Readonly<Record<keyof CallSums, string>> = {
  calls: 'COUNT(*)',
  failed: `COUNT(*) FILTER (WHERE status = 'failed')`,
  cancelled: `COUNT(*) FILTER (WHERE status = 'cancelled')`,
  cached: 'COUNT(cached)',
  redactions: 'SUM(redactions)',
  saved: 'COALESCE(SUM(saved_nano_usd), 0)',
  latencyMs: 'SUM(latency_ms)',
};
export const MONEY = new Set(['cost', 'wasted', 'saved']);

export async function createTables(client: PostgresClient, prefix: string): Promise<void> {
  const table = (name: string, columns: readonly Column[]): string =>
    `CREATE TABLE IF NOT EXISTS ${prefix}${name} (${columns
      .map((column) => {
        const type = `${column.name} ${TYPES[column.kind]}`;
        return column.name === 'id' ? `${type} PRIMARY KEY` : column.required ? `${type} NOT NULL` : type;
      })
      .join(', ')})`;
  for (const sql of [
    table('attempts', ATTEMPT_COLUMNS),
    table('calls', CALL_COLUMNS),
    ...['at', 'tenant, at', 'user_id, at', 'session', 'call_id'].map(
      (columns, index) => `CREATE INDEX IF NOT EXISTS ${prefix}attempts_${index} ON ${prefix}attempts (${columns})`,
    ),
    ...['at', 'tenant, at'].map(
      (columns, index) => `CREATE INDEX IF NOT EXISTS ${prefix}calls_${index} ON ${prefix}calls (${columns})`,
    ),
  ]) {
    await client.query(sql);
  }
}

/** One statement, so all of its rows are kept or none. */
export function insertOf(table: string, columns: readonly Column[], rows: readonly LedgerRow[]): [string, Values] {
  const values: Values = [];
  const tuples = rows.map((row) => {
    const cells = rowValues(row).map(
      (value) => `$${values.push(typeof value === 'bigint' ? value.toString() : clean(value))}`,
    );
    return `(${cells.map((cell, index) => (columns[index]?.kind === 'json' ? `${cell}::jsonb` : cell)).join(', ')})`;
  });
  const names = columns.map(({ name }) => name).join(', ');
  return [`INSERT INTO ${table} (${names}) VALUES ${tuples.join(', ')} ON CONFLICT (id) DO NOTHING`, values];
}

/** Postgres text holds no NUL, and its JSON not even an escaped one. */
function clean(value: string | number | null): string | number | null {
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd').replaceAll('\\u0000', '\\ufffd') : value;
}

export function columnOf(kind: LedgerRow['kind'], name: Dimension, values: Values): string {
  if (name.startsWith('tag:')) return `tags ->> $${values.push(name.slice(4))}::text`;
  return hasDimension(kind, name) ? (DIMENSION_COLUMNS[name] as string) : 'NULL::text';
}

export function startOf(interval: NonNullable<LedgerQuery['interval']>): string {
  if (interval === 'month') {
    return `(EXTRACT(EPOCH FROM date_trunc('month', to_timestamp(at / 1000.0) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') * 1000)::bigint`;
  }
  const size = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[interval];
  return `(at / ${size}) * ${size}`;
}

export function whereOf(kind: LedgerRow['kind'], filter: LedgerFilter, values: Values): string {
  const parts = ['TRUE'];
  if (filter.from !== undefined) parts.push(`at >= $${values.push(filter.from)}`);
  if (filter.to !== undefined) parts.push(`at < $${values.push(filter.to)}`);
  for (const [name, wanted] of Object.entries(filter.where ?? {})) {
    if (wanted === undefined) continue;
    const column = columnOf(kind, checkDimension(name), values);
    if (wanted === null) parts.push(`${column} IS NULL`);
    else if (typeof wanted === 'string') parts.push(`${column} = $${values.push(wanted)}`);
    else parts.push(`${column} = ANY($${values.push([...wanted])}::text[])`);
  }
  return parts.join(' AND ');
}

export function percentilesSql(table: string, query: PercentileQuery, names: readonly Dimension[]): [string, Values] {
  const values: Values = [];
  const step = query.of === 'latencyMs' ? 'latency_step' : 'first_content_step';
  const keys = names.map((name, index) => `${columnOf('attempt', name, values)} AS k${index}, `).join('');
  const grouping = [...names, step].map((_, index) => index + 1).join(', ');
  const where = `${step} IS NOT NULL AND ${whereOf('attempt', query, values)}`;
  return [
    `SELECT ${keys}${step} AS step, COUNT(*)::text AS count FROM ${table} WHERE ${where} GROUP BY ${grouping}`,
    values,
  ];
}

/** The condition of what is to go. */
export function removalSql({ tenant, before }: LedgerRemoval): [string, Values] {
  const values: Values = [];
  const conditions: string[] = [];
  if (tenant === null) conditions.push('tenant IS NULL');
  else if (tenant !== undefined) conditions.push(`tenant = $${values.push(tenant)}`);
  if (before !== undefined) conditions.push(`at < $${values.push(before)}`);
  return [conditions.join(' AND '), values];
}
