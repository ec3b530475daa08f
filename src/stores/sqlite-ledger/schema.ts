import { GatewayError } from '../../core/errors.ts';
import { ATTEMPT_COLUMNS, CALL_COLUMNS, type Column } from '../../core/ledger-sql.ts';
import type { Session, SqliteRecord } from './database.ts';

const VERSION = 1;
const TYPES = { text: 'TEXT', integer: 'INTEGER', real: 'REAL', json: 'TEXT' } as const;

/**
 * Dimensions whose totals are kept by day, so that a million rows answer at once. Sessions, regions and the like are
 * too many or too rarely asked for; they are answered from the rows.
 */
export const DAILY_DIMENSIONS = [
  'tenant',
  'user',
  'app',
  'agent',
  'operation',
  'purpose',
  'provider',
  'model',
  'status',
  'errorCode',
] as const;
export const DAILY_COLUMNS = [
  'tenant',
  'user_id',
  'app',
  'agent',
  'operation',
  'purpose',
  'provider',
  'model',
  'status',
  'error_code',
  'tags',
] as const;

/** Sums kept by day: of attempts, then of calls. */
export const ATTEMPT_SUMS = [
  'attempts',
  'failed',
  'cancelled',
  'input',
  'output',
  'cacheRead',
  'cacheWrite',
  'reasoning',
  'cost',
  'wasted',
  'unpriced',
  'latencyMs',
] as const;
export const CALL_SUMS = ['calls', 'failed', 'cancelled', 'cached', 'redactions', 'saved', 'latencyMs'] as const;

function table(name: string, columns: readonly Column[]): string {
  const lines = columns.map((column) => {
    const type = `${column.name} ${TYPES[column.kind]}`;
    if (column.name === 'id') return `${type} PRIMARY KEY`;
    return column.required ? `${type} NOT NULL` : type;
  });
  return `CREATE TABLE IF NOT EXISTS ${name} (${lines.join(', ')});`;
}

function dailyTable(name: string, sums: readonly string[]): string {
  const columns = sums.map((sum) => `${sum} ${sum === 'latencyMs' ? 'REAL' : 'INTEGER'} NOT NULL`);
  return `CREATE TABLE IF NOT EXISTS ${name} (day INTEGER NOT NULL, dims INTEGER NOT NULL, ${columns.join(', ')},
    PRIMARY KEY (day, dims)) WITHOUT ROWID;`;
}

/** Opens or creates the tables. */
export function createTables(session: Session): void {
  const { database } = session;
  database.exec(`PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    PRAGMA secure_delete = ON;`);
  const found = Number((session.statement('PRAGMA user_version').get() as SqliteRecord).user_version);
  if (found > VERSION) {
    throw new GatewayError('unsupported', `The ledger file is of version ${found}; this package knows ${VERSION}.`);
  }
  session.transaction(() => {
    database.exec(`
      ${table('attempts', ATTEMPT_COLUMNS)}
      ${table('calls', CALL_COLUMNS)}
      CREATE INDEX IF NOT EXISTS attempts_at ON attempts (at);
      CREATE INDEX IF NOT EXISTS attempts_tenant ON attempts (tenant, at);
      CREATE INDEX IF NOT EXISTS attempts_user ON attempts (user_id, at);
      CREATE INDEX IF NOT EXISTS attempts_session ON attempts (session) WHERE session IS NOT NULL;
      CREATE INDEX IF NOT EXISTS attempts_call ON attempts (call_id);
      CREATE INDEX IF NOT EXISTS calls_at ON calls (at);
      CREATE INDEX IF NOT EXISTS calls_tenant ON calls (tenant, at);
      CREATE TABLE IF NOT EXISTS dims (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,
        ${DAILY_COLUMNS.map((name) => `${name} TEXT`).join(', ')});
      CREATE INDEX IF NOT EXISTS dims_tenant ON dims (tenant);
      ${dailyTable('daily_attempts', ATTEMPT_SUMS)}
      ${dailyTable('daily_calls', CALL_SUMS)}
      CREATE INDEX IF NOT EXISTS daily_attempts_dims ON daily_attempts (dims, day);
      CREATE INDEX IF NOT EXISTS daily_calls_dims ON daily_calls (dims, day);
      CREATE TABLE IF NOT EXISTS daily_durations (day INTEGER NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
        operation TEXT NOT NULL, "of" TEXT NOT NULL, step INTEGER NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (day, provider, model, operation, "of", step)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS removals (number INTEGER NOT NULL);
      INSERT INTO removals SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM removals);
      PRAGMA user_version = ${VERSION};`);
  });
}
