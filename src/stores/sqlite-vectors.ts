import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { GatewayError, invalidOptions } from '../core/errors.ts';
import { normalised, similarityOf, type VectorIndex, type VectorMatch } from '../core/vector-index.ts';

/** What is used of a database to load an extension into it. */
export interface ExtensionHost {
  loadExtension(path: string): void;
}

export interface SqliteVectorIndexOptions {
  /** The file, or `:memory:`. Processes of one machine may share a file; a `sqliteStore` may lie in it, too. */
  readonly path: string;
  /** Loads sqlite-vec into a database: `load` of the package `sqlite-vec`. */
  readonly load: (database: ExtensionHost) => void;
  /** The vectors written last that are kept, over all buckets. @defaultValue 100_000 */
  readonly entriesMax?: number;
  /** Longest wait for another process that is writing, in milliseconds. The whole process waits. @defaultValue 50 */
  readonly busyMs?: number;
}

/** An index in a SQLite file. Close it when nothing uses it any more. */
export type SqliteVectorIndex = VectorIndex & { close(): void };

/**
 * Keeps the vectors of a semantic cache in a SQLite file: an exact scan of one bucket by sqlite-vec. Uses
 * `node:sqlite`; synchronous.
 *
 * @throws GatewayError `unsupported` where the runtime has no SQLite, `unavailable` if the file or the extension cannot
 * be opened.
 * @example
 * import { load } from 'sqlite-vec';
 * semanticCache({ embed, index: sqliteVectorIndex({ path: 'vectors.db', load }), store: sqliteStore({ path: 'answers.db' }) })
 */
export function sqliteVectorIndex(options: SqliteVectorIndexOptions): SqliteVectorIndex {
  const { path, load, entriesMax = 100_000, busyMs = 50 } = options;
  if (typeof path !== 'string' || path === '') throw invalidOptions('path', 'must be a file name, or :memory:.');
  if (typeof load !== 'function') throw invalidOptions('load', 'expected `load` of the package sqlite-vec.');
  for (const [name, value] of Object.entries({ entriesMax, busyMs })) {
    if (!Number.isSafeInteger(value) || value < 1) throw invalidOptions(name, 'must be a whole number above 0.');
  }
  return new SqliteVectors(openDatabase(path, load, busyMs), entriesMax);
}

function openDatabase(path: string, load: SqliteVectorIndexOptions['load'], busyMs: number): DatabaseSync {
  // No import: a program that never calls this works without `node:sqlite`, and no bundler sees one.
  const sqlite = globalThis.process?.getBuiltinModule?.('node:sqlite');
  if (sqlite === undefined) {
    const message = 'sqliteVectorIndex needs node:sqlite: Node.js 22.13 or later.';
    throw new GatewayError('unsupported', message, { stage: 'vector index' });
  }
  let database: DatabaseSync | undefined;
  try {
    database = new sqlite.DatabaseSync(path, { allowExtension: true });
    load(database);
    database.prepare('SELECT vec_version()').get();
    // From here on no SQL can load another one.
    database.enableLoadExtension(false);
    database.exec(`PRAGMA busy_timeout = ${busyMs}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`);
    database.exec(SCHEMA);
    return database;
  } catch (cause) {
    database?.close();
    const facts = { fault: 'gateway', fallbackable: false, stage: 'vector index', cause } as const;
    throw new GatewayError('unavailable', 'The SQLite vector index cannot be opened (see its cause).', facts);
  }
}

/** A plain table, not a virtual one of sqlite-vec: those take a megabyte for each bucket and one size of vector. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS postern_vectors (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, id TEXT NOT NULL, vector BLOB NOT NULL,
  UNIQUE (bucket, id));
`;

const STATEMENTS = {
  add: 'INSERT OR REPLACE INTO postern_vectors (bucket, id, vector) VALUES (?, ?, ?)',
  trim: 'DELETE FROM postern_vectors WHERE seq <= ?',
  search: `SELECT id, vec_distance_cosine(vector, ?) AS distance FROM postern_vectors
    WHERE bucket = ? AND length(vector) = ? ORDER BY distance LIMIT ?`,
  remove: 'DELETE FROM postern_vectors WHERE bucket = ? AND id = ?',
  clear: 'DELETE FROM postern_vectors WHERE substr(bucket, 1, length(?1)) = ?1',
} as const;

class SqliteVectors implements SqliteVectorIndex {
  readonly name = 'sqlite';
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;
  readonly #entriesMax: number;

  constructor(database: DatabaseSync, entriesMax: number) {
    this.#database = database;
    this.#entriesMax = entriesMax;
    const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof STATEMENTS, StatementSync>;
  }

  add(bucket: string, id: string, vector: Float32Array): void {
    const unit = normalised(vector);
    if (unit === undefined) return;
    const { lastInsertRowid } = this.#statements.add.run(bucket, id, bytesOf(unit));
    this.#statements.trim.run(Number(lastInsertRowid) - this.#entriesMax);
  }

  search(
    bucket: string,
    vector: Float32Array,
    { limit, threshold }: { readonly limit: number; readonly threshold: number },
  ): readonly VectorMatch[] {
    const unit = normalised(vector);
    if (unit === undefined) return [];
    const found = this.#statements.search.all(bytesOf(unit), bucket, unit.byteLength, limit) as unknown as {
      readonly id: string;
      readonly distance: number;
    }[];
    return found
      .map(({ id, distance }) => ({ id, similarity: similarityOf(1 - distance) }))
      .filter(({ similarity }) => similarity >= threshold);
  }

  remove(bucket: string, id: string): void {
    this.#statements.remove.run(bucket, id);
  }

  clear(bucketPrefix: string): void {
    this.#statements.clear.run(bucketPrefix);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}
