/** The slice of a SQLite driver that is used: `DatabaseSync` of node:sqlite and better-sqlite3 both have it. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): void;
}
export interface SqliteStatement {
  run(...values: SqliteValue[]): { readonly changes: number | bigint };
  all(...values: SqliteValue[]): unknown[];
  get(...values: SqliteValue[]): unknown;
}
export type SqliteValue = string | number | bigint | null;
export type SqliteRecord = Readonly<Record<string, SqliteValue>>;

/** Statements are prepared once. Bounded, since queries come in many shapes. */
const STATEMENTS_MAX = 200;

export interface Session {
  readonly database: SqliteDatabase;
  statement(sql: string): SqliteStatement;
  /** Runs inside one transaction: all of it or nothing. */
  transaction<T>(work: () => T): T;
}

export function createSession(database: SqliteDatabase): Session {
  const statements = new Map<string, SqliteStatement>();
  const statement = (sql: string): SqliteStatement => {
    let known = statements.get(sql);
    if (known === undefined) {
      known = database.prepare(sql);
      if (statements.size >= STATEMENTS_MAX) statements.delete(statements.keys().next().value as string);
      statements.set(sql, known);
    }
    return known;
  };
  return {
    database,
    statement,
    transaction(work) {
      database.exec('BEGIN IMMEDIATE');
      try {
        const value = work();
        database.exec('COMMIT');
        return value;
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    },
  };
}
