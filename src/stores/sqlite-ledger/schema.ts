import { GatewayError } from '../../core/errors.ts';
import type { LedgerRow } from '../../core/ledger.ts';
import { ATTEMPT_COLUMNS, CALL_COLUMNS, type Column, DIMENSION_COLUMNS } from '../../core/ledger-sql.ts';
import type { Session, SqliteRecord } from './database.ts';

const VERSION = 1;
/** Pages held in memory: ids arrive in no order, and reading pages back is what makes a batch slow. */
const CACHE_KIB = 32_768;
const TYPES = { text: 'TEXT', integer: 'INTEGER', real: 'REAL', json: 'TEXT' } as const;

/**
 * Totals are kept by day in two shapes, so that a million rows answer at once: one without users, one with users and
 * little else. A single one with everything would have nearly as many rows as there are attempts. What neither has
 * (sessions, regions, users by tag) is answered from the rows.
 */
export const SHAPES = {
  broad: ['tenant', 'app', 'agent', 'operation', 'purpose', 'provider', 'model', 'status', 'errorCode', 'tags'],
  user: ['tenant', 'user', 'operation', 'provider', 'model'],
} as const;
export type Shape = keyof typeof SHAPES;
export const SHAPE_NAMES = ['broad', 'user'] as const satisfies readonly Shape[];

/** The columns of both shapes; what a shape does not have is null. */
export const DIMS_COLUMNS = [
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

/** The shape's columns among them. */
export function shapeColumns(shape: Shape): string[] {
  return SHAPES[shape].map((name) => DIMENSION_COLUMNS[name] ?? name);
}

/** Table of the daily totals of a kind of rows. */
export function dailyName(kind: LedgerRow['kind'], shape: Shape): string {
  return `daily_${kind}_${shape}`;
}

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
    PRIMARY KEY (dims, day)) WITHOUT ROWID;`;
}

/** Opens or creates the tables. */
export function createTables(session: Session): void {
  const { database } = session;
  database.exec(`PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    PRAGMA secure_delete = ON; PRAGMA cache_size = -${CACHE_KIB};`);
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
        shape TEXT NOT NULL, ${DIMS_COLUMNS.map((name) => `${name} TEXT`).join(', ')});
      CREATE INDEX IF NOT EXISTS dims_tenant ON dims (shape, tenant);
      ${SHAPE_NAMES.map((shape) => dailyTable(dailyName('attempt', shape), ATTEMPT_SUMS)).join('\n')}
      ${SHAPE_NAMES.map((shape) => dailyTable(dailyName('call', shape), CALL_SUMS)).join('\n')}
      CREATE TABLE IF NOT EXISTS daily_durations (day INTEGER NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
        operation TEXT NOT NULL, "of" TEXT NOT NULL, step INTEGER NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (day, provider, model, operation, "of", step)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS removals (number INTEGER NOT NULL);
      INSERT INTO removals SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM removals);
      PRAGMA user_version = ${VERSION};`);
  });
}
