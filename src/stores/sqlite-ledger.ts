import { DatabaseSync } from 'node:sqlite';
import { GatewayError, invalidOptions } from '../core/errors.ts';
import type { Ledger, LedgerFilter, LedgerRow } from '../core/ledger.ts';
import { mergeByTime } from '../core/ledger-merge.ts';
import { rowFrom, selectColumns } from '../core/ledger-sql.ts';
import { createSession, type SqliteDatabase, type SqliteRecord } from './sqlite-ledger/database.ts';
import { readPercentiles } from './sqlite-ledger/percentiles.ts';
import { periodOf, readCalls, readTotals, whereOf } from './sqlite-ledger/read.ts';
import { removeRows } from './sqlite-ledger/remove.ts';
import { createTables } from './sqlite-ledger/schema.ts';
import { createWrite } from './sqlite-ledger/write.ts';

export interface SqliteLedgerOptions {
  /** File of the ledger, made if it is not there. `:memory:` keeps it in the process. */
  readonly path?: string;
  /** An open database instead: `DatabaseSync` of node:sqlite or better-sqlite3. Left open by `close()`. */
  readonly database?: SqliteDatabase;
}

/** Rows read at once while going through many. */
const PAGE_ROWS = 1000;

/**
 * A ledger in one SQLite file, over the driver that is built into Node. The default for keeping.
 *
 * Each write is one transaction; a killed process loses at most the batch it had not written. Several processes may
 * write to one file. Totals by day are kept beside the rows, so a million rows answer at once.
 *
 * @example
 * const ledger = sqliteLedger({ path: 'ledger.sqlite' });
 */
export function sqliteLedger(options: SqliteLedgerOptions): Ledger {
  const { path, database: given } = options;
  if ((path === undefined) === (given === undefined)) throw invalidOptions('path', 'give either a path or a database.');
  const session = createSession(given ?? (new DatabaseSync(path as string) as SqliteDatabase));
  createTables(session);
  const write = createWrite(session);
  let closed = false;
  const open = <T>(work: () => T): Promise<T> => {
    if (closed) return Promise.reject(new GatewayError('closed', 'The ledger was closed.'));
    // A synchronous throw becomes a rejection.
    return new Promise((resolve) => resolve(work()));
  };
  return {
    write: (rows) => open(() => write(rows)),
    totals: (query = {}) => open(() => readTotals(session, query)),
    calls: (query = {}) => open(() => readCalls(session, query)),
    percentiles: (query) => open(() => readPercentiles(session, query)),
    rows: (filter = {}) => readRows(filter, (sql, values) => open(() => session.statement(sql).all(...values))),
    remove: (removal) => open(() => removeRows(session, removal)),
    flush: () => open(() => undefined),
    async close() {
      if (closed) return;
      closed = true;
      if (given === undefined) session.database.close();
    },
  };
}

type Read = (sql: string, values: (string | number | bigint | null)[]) => Promise<unknown[]>;

/** Goes through the rows of each kind by time and id, a page at a time, and merges them by time. */
function readRows(filter: LedgerFilter & { readonly kind?: LedgerRow['kind'] }, read: Read): AsyncIterable<LedgerRow> {
  const kinds = filter.kind === undefined ? (['attempt', 'call'] as const) : [filter.kind];
  return mergeByTime(kinds.map((kind) => pages(kind, filter, read)));
}

async function* pages(kind: LedgerRow['kind'], filter: LedgerFilter, read: Read): AsyncGenerator<LedgerRow, undefined> {
  const where = [periodOf('at', filter.from, filter.to), ...whereOf(kind, filter)];
  let at = Number.MIN_SAFE_INTEGER;
  let id = '';
  while (true) {
    const sql = `SELECT ${selectColumns(kind)} FROM ${kind === 'attempt' ? 'attempts' : 'calls'}
      WHERE ${where.map((part) => part.sql).join(' AND ')} AND (at, id) > (?, ?) ORDER BY at, id LIMIT ${PAGE_ROWS}`;
    const records = (await read(sql, [...where.flatMap((part) => part.values), at, id])) as SqliteRecord[];
    for (const record of records) yield rowFrom(kind, record);
    const last = records.at(-1);
    if (last === undefined || records.length < PAGE_ROWS) return undefined;
    at = Number(last.at);
    id = String(last.id);
  }
}
