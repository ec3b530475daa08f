import { type AttemptRow, durationStep, type LedgerRow } from '../../core/ledger.ts';
import { ATTEMPT_COLUMNS, CALL_COLUMNS, rowValues, tagsText } from '../../core/ledger-sql.ts';
import {
  addSums,
  type AttemptSums,
  attemptSums,
  callSums,
  type CallSums,
  dimensionOf,
} from '../../core/ledger-sums.ts';
import type { Session, SqliteRecord, SqliteValue } from './database.ts';
import {
  ATTEMPT_SUMS,
  CALL_SUMS,
  DIMS_COLUMNS,
  dailyName,
  SHAPE_NAMES,
  SHAPES,
  type Shape,
  shapeColumns,
} from './schema.ts';

export const DAY_MS = 86_400_000;
/** Dimension tuples whose ids are remembered between batches. */
const DIMS_MAX = 50_000;

const insertSql = (table: string, columns: readonly { name: string }[]): string =>
  `INSERT INTO ${table} (${columns.map(({ name }) => name).join(', ')})
   VALUES (${columns.map(() => '?').join(', ')}) ON CONFLICT (id) DO NOTHING`;
const upsertSql = (table: string, sums: readonly string[]): string =>
  `INSERT INTO ${table} (day, dims, ${sums.join(', ')}) VALUES (?, ?, ${sums.map(() => '?').join(', ')})
   ON CONFLICT DO UPDATE SET ${sums.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`;

const INSERT_ATTEMPT = insertSql('attempts', ATTEMPT_COLUMNS);
const INSERT_CALL = insertSql('calls', CALL_COLUMNS);
const INSERT_DIMS = `INSERT INTO dims (key, shape, ${DIMS_COLUMNS.join(', ')})
  VALUES (?, ?, ${DIMS_COLUMNS.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`;
const UPSERT_DURATION = `INSERT INTO daily_durations VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET count = count + excluded.count`;

interface Daily<S> {
  readonly table: string;
  readonly day: number;
  readonly dims: number;
  readonly sums: S;
}
interface Duration {
  readonly values: SqliteValue[];
  count: number;
}

/** Makes the function that writes a batch and adds it to the daily totals, all in one transaction. */
export function createWrite(session: Session): (rows: readonly LedgerRow[]) => void {
  const ids = new Map<string, number>();
  let removals: unknown;

  /** Another process may have removed tuples: what was remembered before is void then. */
  const checkIds = (): void => {
    const { number } = session.statement('SELECT number FROM removals').get() as SqliteRecord;
    if (number !== removals || ids.size > DIMS_MAX) ids.clear();
    removals = number;
  };
  const dimsOf = (row: LedgerRow, shape: Shape): number => {
    const own = SHAPES[shape].map((name) => (name === 'tags' ? tagsText(row.scope) : dimensionOf(row, name)));
    const key = dimsKey(shape, own);
    let id = ids.get(key);
    if (id === undefined) {
      const columns = shapeColumns(shape);
      const values = DIMS_COLUMNS.map((name) => own[columns.indexOf(name)] ?? null);
      session.statement(INSERT_DIMS).run(key, shape, ...values);
      id = Number((session.statement('SELECT id FROM dims WHERE key = ?').get(key) as SqliteRecord).id);
      ids.set(key, id);
    }
    return id;
  };
  const writeAll = (rows: readonly LedgerRow[]): void =>
    session.transaction(() => {
      checkIds();
      const attempts = new Map<string, Daily<AttemptSums>>();
      const calls = new Map<string, Daily<CallSums>>();
      const durations = new Map<string, Duration>();
      for (const row of rows) {
        const insert = session.statement(row.kind === 'attempt' ? INSERT_ATTEMPT : INSERT_CALL);
        if (Number(insert.run(...rowValues(row)).changes) === 0) continue;
        const day = Math.floor(row.at / DAY_MS);
        for (const shape of SHAPE_NAMES) {
          const dims = dimsOf(row, shape);
          const table = dailyName(row.kind, shape);
          if (row.kind === 'attempt') addDaily(attempts, table, day, dims, attemptSums(row));
          else addDaily(calls, table, day, dims, callSums(row));
        }
        if (row.kind === 'attempt') addDurations(durations, day, row);
      }
      save(session, attempts, ATTEMPT_SUMS);
      save(session, calls, CALL_SUMS);
      for (const { values, count } of durations.values()) session.statement(UPSERT_DURATION).run(...values, count);
    });
  return (rows) => {
    try {
      writeAll(rows);
    } catch (error) {
      // Tuples made in the transaction went with it.
      ids.clear();
      throw error;
    }
  };
}

/** A tuple's identity: its shape and its values in the shape's order. */
export function dimsKey(shape: Shape, values: readonly (string | null)[]): string {
  return JSON.stringify([shape, ...values]);
}

function addDaily<S extends AttemptSums | CallSums>(
  all: Map<string, Daily<S>>,
  table: string,
  day: number,
  dims: number,
  sums: S,
): void {
  const key = `${table} ${day} ${dims}`;
  const known = all.get(key);
  if (known === undefined) all.set(key, { table, day, dims, sums });
  else addSums(known.sums, sums);
}

function addDurations(all: Map<string, Duration>, day: number, row: AttemptRow): void {
  for (const name of ['latencyMs', 'firstContentMs'] as const) {
    const ms = row[name];
    if (ms === undefined) continue;
    const values = [day, row.provider, row.model, row.operation, name, durationStep(ms)];
    const key = JSON.stringify(values);
    const known = all.get(key);
    if (known === undefined) all.set(key, { values, count: 1 });
    else known.count++;
  }
}

function save<S extends AttemptSums | CallSums>(
  session: Session,
  all: ReadonlyMap<string, Daily<S>>,
  names: readonly string[],
): void {
  for (const { table, day, dims, sums } of all.values()) {
    const values = sums as unknown as Readonly<Record<string, number | bigint>>;
    session.statement(upsertSql(table, names)).run(day, dims, ...names.map((name) => values[name] ?? 0));
  }
}
