import { invalidOptions } from '../core/errors.ts';
import { checkDimension, checkRemoval, type Ledger, type LedgerRow } from '../core/ledger.ts';
import { Durations } from '../core/ledger-durations.ts';
import { mergeByTime } from '../core/ledger-merge.ts';
import { ATTEMPT_COLUMNS, CALL_COLUMNS } from '../core/ledger-sql.ts';
import { attemptTotals, callTotals, Groups, noAttempts, noCalls } from '../core/ledger-sums.ts';
import { collect } from './postgres-ledger/collect.ts';
import { openClient } from './postgres-ledger/open.ts';
import { pages } from './postgres-ledger/pages.ts';
import {
  ATTEMPT_SUMS,
  CALL_SUMS,
  insertOf,
  percentilesSql,
  type PostgresClient,
  removalSql,
} from './postgres-ledger/sql.ts';

export type { PostgresClient };
export interface PostgresLedgerOptions {
  readonly client: PostgresClient;
  /** Begin of the table names: letters, digits and underscores. @defaultValue 'postern_' */
  readonly prefix?: string;
  /** Creates the tables if they are missing, at the first use. @defaultValue true */
  readonly create?: boolean;
}

/** Rows of one INSERT: Postgres takes at most 65,535 values. */
const INSERT_ROWS = 500;

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
  const { query, close } = openClient(client, prefix, create);
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
      attemptTotals(
        await collect(query, tableOf('attempt'), 'attempt', ATTEMPT_SUMS, asked, new Groups(noAttempts)),
        asked,
      ),
    calls: async (asked = {}) =>
      callTotals(await collect(query, tableOf('call'), 'call', CALL_SUMS, asked, new Groups(noCalls)), asked),
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
      const [where, values] = removalSql(checkRemoval(removal));
      let removed = 0;
      for (const kind of ['attempt', 'call'] as const) {
        const sql = `WITH gone AS (DELETE FROM ${tableOf(kind)} WHERE ${where} RETURNING 1)
          SELECT COUNT(*)::text AS count FROM gone`;
        removed += Number((await query(sql, values))[0]?.count ?? 0);
      }
      return removed;
    },
    flush: async () => undefined,
    close: async () => close(),
  };
}
