import { GatewayError, invalidOptions } from '../core/errors.ts';
import {
  checkDimension,
  checkRemoval,
  type Dimension,
  type Ledger,
  type LedgerFilter,
  type LedgerQuery,
  type LedgerRow,
  limitOf,
  type PercentileQuery,
} from '../core/ledger.ts';
import { mergeByTime } from '../core/ledger-merge.ts';
import {
  ATTEMPT_COLUMNS,
  CALL_COLUMNS,
  type Column,
  DIMENSION_COLUMNS,
  hasDimension,
  rowFrom,
  rowValues,
  selectColumns,
} from '../core/ledger-sql.ts';
import {
  type AttemptSums,
  attemptTotals,
  type CallSums,
  callTotals,
  Durations,
  Groups,
  noAttempts,
  noCalls,
} from '../core/ledger-sums.ts';

/** The slice of a Postgres client that is used: a `pg` Pool or Client and PGlite have it. */
export interface PostgresClient {
  query(
    text: string,
    values?: unknown[],
  ): Promise<{ readonly rows: readonly unknown[]; readonly rowCount?: number | null; readonly affectedRows?: number }>;
}
export interface PostgresLedgerOptions {
  readonly client: PostgresClient;
  /** Begin of the table names: letters, digits and underscores. @defaultValue 'postern_' */
  readonly prefix?: string;
  /** Creates the tables if they are missing, at the first use. @defaultValue true */
  readonly create?: boolean;
}

type Values = unknown[];
type RawRecord = Readonly<Record<string, string | number | null>>;
const TYPES = { text: 'TEXT', integer: 'BIGINT', real: 'DOUBLE PRECISION', json: 'JSONB' } as const;
/** Rows of one INSERT: Postgres takes at most 65,535 values. */
const INSERT_ROWS = 500;
const PAGE_ROWS = 1000;
const ATTEMPT_SUMS: Readonly<Record<keyof AttemptSums, string>> = {
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
const CALL_SUMS: Readonly<Record<keyof CallSums, string>> = {
  calls: 'COUNT(*)',
  failed: `COUNT(*) FILTER (WHERE status = 'failed')`,
  cancelled: `COUNT(*) FILTER (WHERE status = 'cancelled')`,
  cached: 'COUNT(cached)',
  redactions: 'SUM(redactions)',
  saved: 'COALESCE(SUM(saved_nano_usd), 0)',
  latencyMs: 'SUM(latency_ms)',
};
const MONEY = new Set(['cost', 'wasted', 'saved']);

/**
 * A ledger in Postgres, for many processes and machines. Give it a `pg` Pool or anything with its `query`.
 *
 * @example
 * const ledger = postgresLedger({ client: new pg.Pool({ connectionString }) });
 */
export function postgresLedger(options: PostgresLedgerOptions): Ledger {
  const { client, prefix = 'postern_', create = true } = options;
  if (typeof client?.query !== 'function') throw invalidOptions('client', 'must have query(text, values).');
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(prefix))
    throw invalidOptions('prefix', 'must be lower-case letters, digits and _.');
  const tableOf = (kind: LedgerRow['kind']): string => `${prefix}${kind === 'attempt' ? 'attempts' : 'calls'}`;
  let ready: Promise<void> | undefined;
  let closed = false;
  const query = async (sql: string, values: Values = []): Promise<readonly RawRecord[]> => {
    if (closed) throw new GatewayError('closed', 'The ledger was closed.');
    ready ??= create ? createTables(client, prefix) : Promise.resolve();
    // A failed creation is tried again at the next use.
    await ready.catch((error: unknown) => {
      ready = undefined;
      throw error;
    });
    return (await client.query(sql, values)).rows as readonly RawRecord[];
  };
  const collect = async <S extends AttemptSums | CallSums>(
    kind: LedgerRow['kind'],
    sums: Readonly<Record<string, string>>,
    asked: LedgerQuery,
    groups: Groups<S>,
  ): Promise<Groups<S>> => {
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
    const sql = `SELECT ${selected.join(', ')} FROM ${tableOf(kind)} WHERE ${whereOf(kind, asked, values)} ${grouping}`;
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
  };
  return {
    async write(rows) {
      for (const kind of ['attempt', 'call'] as const) {
        const list = rows.filter((row) => row.kind === kind);
        const columns = kind === 'attempt' ? ATTEMPT_COLUMNS : CALL_COLUMNS;
        for (let at = 0; at < list.length; at += INSERT_ROWS) {
          const [sql, values] = insertOf(tableOf(kind), columns, list.slice(at, at + INSERT_ROWS));
          await query(sql, values);
        }
      }
    },
    totals: async (asked = {}) =>
      attemptTotals(await collect('attempt', ATTEMPT_SUMS, asked, new Groups(noAttempts)), asked),
    calls: async (asked = {}) => callTotals(await collect('call', CALL_SUMS, asked, new Groups(noCalls)), asked),
    async percentiles(asked) {
      const durations = new Durations();
      const names = (asked.groupBy ?? []).map(checkDimension);
      const [sql, values] = percentilesSql(tableOf('attempt'), asked, names);
      for (const record of await query(sql, values)) {
        const key = names.map((_, index) => record[`k${index}`] as string | null);
        durations.add(key, Number(record.step), Number(record.count));
      }
      return durations.list(asked);
    },
    async *rows(filter = {}) {
      const kinds = filter.kind === undefined ? (['attempt', 'call'] as const) : [filter.kind];
      const readers = kinds.map((kind) => pages(kind, tableOf(kind), filter, query));
      yield* mergeByTime(readers);
    },
    async remove(removal) {
      const { tenant, before } = checkRemoval(removal);
      const values: Values = [];
      const conditions: string[] = [];
      if (tenant === null) conditions.push('tenant IS NULL');
      else if (tenant !== undefined) conditions.push(`tenant = $${values.push(tenant)}`);
      if (before !== undefined) conditions.push(`at < $${values.push(before)}`);
      let removed = 0;
      for (const kind of ['attempt', 'call'] as const) {
        const sql = `WITH gone AS (DELETE FROM ${tableOf(kind)} WHERE ${conditions.join(' AND ')} RETURNING 1)
          SELECT COUNT(*)::text AS count FROM gone`;
        removed += Number((await query(sql, values))[0]?.count ?? 0);
      }
      return removed;
    },
    flush: async () => undefined,
    async close() {
      closed = true;
    },
  };
}

async function createTables(client: PostgresClient, prefix: string): Promise<void> {
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
function insertOf(table: string, columns: readonly Column[], rows: readonly LedgerRow[]): [string, Values] {
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

function columnOf(kind: LedgerRow['kind'], name: Dimension, values: Values): string {
  if (name.startsWith('tag:')) return `tags ->> $${values.push(name.slice(4))}::text`;
  return hasDimension(kind, name) ? (DIMENSION_COLUMNS[name] as string) : 'NULL::text';
}

function startOf(interval: NonNullable<LedgerQuery['interval']>): string {
  if (interval === 'month') {
    return `(EXTRACT(EPOCH FROM date_trunc('month', to_timestamp(at / 1000.0) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') * 1000)::bigint`;
  }
  const size = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[interval];
  return `(at / ${size}) * ${size}`;
}

function whereOf(kind: LedgerRow['kind'], filter: LedgerFilter, values: Values): string {
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

function percentilesSql(table: string, query: PercentileQuery, names: readonly Dimension[]): [string, Values] {
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

type Query = (sql: string, values: Values) => Promise<readonly RawRecord[]>;

async function* pages(
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
