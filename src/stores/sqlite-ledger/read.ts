import {
  type AttemptTotals,
  type CallTotals,
  checkDimension,
  type Dimension,
  type LedgerFilter,
  type LedgerQuery,
  type LedgerRow,
  limitOf,
} from '../../core/ledger.ts';
import { DIMENSION_COLUMNS, hasDimension } from '../../core/ledger-sql.ts';
import {
  attemptTotals,
  type AttemptSums,
  callTotals,
  type CallSums,
  Groups,
  noAttempts,
  noCalls,
} from '../../core/ledger-sums.ts';
import type { Session, SqliteRecord, SqliteValue } from './database.ts';
import { ATTEMPT_SUMS, CALL_SUMS, dailyName, SHAPE_NAMES, SHAPES, type Shape } from './schema.ts';
import { DAY_MS } from './write.ts';

/** Sums over single rows, in the order of the daily sums. */
const ROW_SUMS = {
  attempt: `COUNT(*), SUM(status = 'failed'), SUM(status = 'cancelled'), SUM(input), SUM(output), SUM(cache_read),
    SUM(cache_write), SUM(reasoning), CAST(SUM(COALESCE(cost_nano_usd, 0)) AS TEXT),
    CAST(SUM(CASE WHEN winner = 0 THEN COALESCE(cost_nano_usd, 0) ELSE 0 END) AS TEXT),
    SUM(cost_nano_usd IS NULL AND billing <> 'no'), SUM(latency_ms)`,
  call: `COUNT(*), SUM(status = 'failed'), SUM(status = 'cancelled'), SUM(cached IS NOT NULL), SUM(redactions),
    CAST(SUM(COALESCE(saved_nano_usd, 0)) AS TEXT), SUM(latency_ms)`,
} as const;
const MONEY = new Set(['cost', 'wasted', 'saved']);

/** A part of a statement with the values of its question marks. */
export interface Part {
  readonly sql: string;
  readonly values: readonly SqliteValue[];
}
interface Source {
  readonly from: Part;
  readonly sums: string;
  /** Turns the time column into the start of an interval. */
  readonly time: string;
  readonly where: readonly Part[];
}

export function readTotals(session: Session, query: LedgerQuery): AttemptTotals[] {
  const groups = new Groups<AttemptSums>(noAttempts);
  collect(session, 'attempt', ATTEMPT_SUMS, query, groups);
  return attemptTotals(groups, query);
}

export function readCalls(session: Session, query: LedgerQuery): CallTotals[] {
  const groups = new Groups<CallSums>(noCalls);
  collect(session, 'call', CALL_SUMS, query, groups);
  return callTotals(groups, query);
}

function collect<S extends AttemptSums | CallSums>(
  session: Session,
  kind: LedgerRow['kind'],
  sums: readonly string[],
  query: LedgerQuery,
  groups: Groups<S>,
): void {
  limitOf(query);
  const names = (query.groupBy ?? []).map(checkDimension);
  for (const source of sourcesOf(kind, sums, query, names)) {
    const keys = names.map((name) => columnOf(kind, name));
    const start = query.interval === undefined ? [] : [{ sql: source.time, values: [] }];
    const columns = [...keys, ...start];
    const conditions = ['1', ...source.where.map((part) => part.sql)].join(' AND ');
    const grouping = columns.length === 0 ? '' : `GROUP BY ${columns.map((_, index) => index + 1).join(', ')}`;
    const sql = `SELECT ${[...columns.map((column, index) => `${column.sql} AS k${index}`), source.sums].join(', ')}
      FROM ${source.from.sql} WHERE ${conditions} ${grouping}`;
    const values = [...columns, source.from, ...source.where].flatMap((part) => part.values);
    for (const record of session.statement(sql).all(...values) as SqliteRecord[]) {
      const cells = Object.values(record);
      if (Number(cells[columns.length]) === 0 || cells[columns.length] === null) continue;
      const named: Record<string, number | bigint> = {};
      for (const [index, name] of sums.entries()) {
        const cell = cells[columns.length + index] ?? 0;
        named[name] = MONEY.has(name) ? BigInt(cell) : Number(cell);
      }
      const key = cells.slice(0, names.length).map((cell) => (cell === null ? null : String(cell)));
      const begin = query.interval === undefined ? undefined : Number(cells[names.length]);
      // The names are exactly the fields of S: both tables are made from the same lists.
      groups.add(key, names, begin, named as unknown as S);
    }
  }
}

/** Whole days come from the daily totals where they can answer; the rest, and the ragged ends, from the rows. */
function sourcesOf(
  kind: LedgerRow['kind'],
  sums: readonly string[],
  query: LedgerQuery,
  names: readonly Dimension[],
): Source[] {
  const used = [...names, ...Object.keys(query.where ?? {})];
  const shape = SHAPE_NAMES.find((name) => used.every((dimension) => isIn(name, dimension)));
  const byDay = query.interval === undefined || query.interval === 'day' || query.interval === 'month';
  if (shape === undefined || !byDay) return [rowSource(kind, query, query.from, query.to)];
  const { firstDay, endDay, head, tail } = wholeDays(query);
  const list: Source[] = [];
  if (firstDay < endDay) {
    const days = periodOf('+day', firstDay === -1e8 ? undefined : firstDay, endDay === 1e8 ? undefined : endDay);
    list.push(dailySource(kind, shape, sums, query, days));
  }
  for (const [from, to] of [head, tail]) if (from < to) list.push(rowSource(kind, query, from, to));
  return list;
}

function isIn(shape: Shape, name: string): boolean {
  return (SHAPES[shape] as readonly string[]).includes(name.startsWith('tag:') ? 'tags' : name);
}

/** Splits a period into whole days and what is before and after them. */
export function wholeDays(filter: LedgerFilter): {
  readonly firstDay: number;
  readonly endDay: number;
  readonly head: readonly [number, number];
  readonly tail: readonly [number, number];
} {
  const from = filter.from ?? Number.MIN_SAFE_INTEGER;
  const to = filter.to ?? Number.MAX_SAFE_INTEGER;
  const firstDay = filter.from === undefined ? -1e8 : Math.ceil(from / DAY_MS);
  const endDay = filter.to === undefined ? 1e8 : Math.floor(to / DAY_MS);
  if (firstDay >= endDay) return { firstDay: 0, endDay: 0, head: [from, to], tail: [0, 0] };
  const head = filter.from === undefined ? ([0, 0] as const) : ([from, firstDay * DAY_MS] as const);
  const tail = filter.to === undefined ? ([0, 0] as const) : ([endDay * DAY_MS, to] as const);
  return { firstDay, endDay, head, tail };
}

function rowSource(
  kind: LedgerRow['kind'],
  query: LedgerQuery,
  from: number | undefined,
  to: number | undefined,
): Source {
  const size = { minute: 60_000, hour: 3_600_000, day: DAY_MS, month: 0 }[query.interval ?? 'day'];
  return {
    from: { sql: kind === 'attempt' ? 'attempts' : 'calls', values: [] },
    sums: ROW_SUMS[kind],
    time: size === 0 ? monthOf('at / 1000') : `(at / ${size}) * ${size}`,
    where: [periodOf('at', from, to), ...whereOf(kind, query)],
  };
}

/**
 * Sums each tuple first, in the order of the table, and only then looks at what the tuples are: a hundred thousand
 * totals become a few thousand before anything is sorted. The `+` keeps the planner from sorting by day instead.
 */
function dailySource(
  kind: LedgerRow['kind'],
  shape: Shape,
  sums: readonly string[],
  query: LedgerQuery,
  days: Part,
): Source {
  const table = dailyName(kind, shape);
  const filters = whereOf(kind, query);
  const chosen =
    filters.length === 0
      ? '1'
      : `dims IN (SELECT id FROM dims WHERE shape = '${shape}' AND ${filters.map((part) => part.sql).join(' AND ')})`;
  const day = query.interval === undefined ? '' : 'day, ';
  const inner = `SELECT dims, ${day}${sums.map((name) => `SUM(${name}) AS ${name}`).join(', ')} FROM ${table}
    WHERE ${chosen} AND ${days.sql} GROUP BY dims${query.interval === undefined ? '' : ', day'}`;
  const named = (query.groupBy ?? []).length > 0;
  return {
    from: {
      sql: `(${inner}) AS daily${named ? ' JOIN dims ON dims.id = daily.dims' : ''}`,
      values: [...filters, days].flatMap((part) => part.values),
    },
    sums: sums.map((name) => (MONEY.has(name) ? `CAST(SUM(daily.${name}) AS TEXT)` : `SUM(daily.${name})`)).join(', '),
    time: query.interval === 'month' ? monthOf(`day * ${DAY_MS / 1000}`) : `day * ${DAY_MS}`,
    where: [],
  };
}

function monthOf(seconds: string): string {
  return `unixepoch(${seconds}, 'unixepoch', 'start of month') * 1000`;
}

export function periodOf(column: string, from: number | undefined, to: number | undefined): Part {
  const parts = [...(from === undefined ? [] : [`${column} >= ?`]), ...(to === undefined ? [] : [`${column} < ?`])];
  const values = [from, to].filter((value) => value !== undefined);
  return { sql: parts.length === 0 ? '1' : parts.join(' AND '), values };
}

/** The expression of a dimension. Names of tags are values, never part of the statement. */
export function columnOf(kind: LedgerRow['kind'], name: Dimension): Part {
  if (name.startsWith('tag:')) return { sql: 'json_extract(tags, ?)', values: [`$."${name.slice(4)}"`] };
  return { sql: hasDimension(kind, name) ? (DIMENSION_COLUMNS[name] as string) : 'NULL', values: [] };
}

export function whereOf(kind: LedgerRow['kind'], filter: LedgerFilter): Part[] {
  return Object.entries(filter.where ?? {}).flatMap(([name, wanted]) => {
    if (wanted === undefined) return [];
    const column = columnOf(kind, checkDimension(name));
    if (wanted === null) return [{ sql: `${column.sql} IS NULL`, values: column.values }];
    if (typeof wanted === 'string') return [{ sql: `${column.sql} = ?`, values: [...column.values, wanted] }];
    return [{ sql: `${column.sql} IN (${wanted.map(() => '?').join(', ')})`, values: [...column.values, ...wanted] }];
  });
}
