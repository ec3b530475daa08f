import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { systemClock, type Clock } from '../core/clock.ts';
import { GatewayError, invalidOptions } from '../core/errors.ts';
import { checkInvalidation, checkSet, checkStoreKey, type Invalidation, type SetOptions } from '../core/store.ts';
import type { SetOutcome, Store, StoreEntry, StoreValue } from '../core/store.ts';

export interface SqliteStoreOptions {
  /** The file, or `:memory:`. Processes of one machine may share a file. */
  readonly path: string;
  /** Most entries; the longest ago written goes first. @defaultValue 100_000 */
  readonly entriesMax?: number;
  /** Most bytes of keys and values together. @defaultValue 268_435_456 (256 MiB) */
  readonly bytesMax?: number;
  /** Longest wait for another process that is writing, in milliseconds. The whole process waits. @defaultValue 50 */
  readonly busyMs?: number;
  /** @defaultValue the system's clock */
  readonly clock?: Clock;
}

/**
 * Keeps entries in a SQLite file, so that they outlive the process. Uses `node:sqlite`; synchronous.
 *
 * @throws GatewayError `unsupported` where the runtime has no SQLite, `unavailable` if the file cannot be opened.
 */
export function sqliteStore(options: SqliteStoreOptions): Store {
  const { path, entriesMax = 100_000, bytesMax = 2 ** 28, busyMs = 50, clock = systemClock } = options;
  if (typeof path !== 'string' || path === '') throw invalidOptions('path', 'must be a file name, or :memory:.');
  for (const [name, value] of Object.entries({ entriesMax, bytesMax, busyMs })) {
    if (!Number.isSafeInteger(value) || value < 1) throw invalidOptions(name, 'must be a whole number above 0.');
  }
  return new SqliteEntries(openDatabase(path, busyMs), entriesMax, bytesMax, clock);
}

/** Loaded here and now: a program that never calls this works without `node:sqlite`, and no bundler sees an import. */
function openDatabase(path: string, busyMs: number): DatabaseSync {
  const sqlite = globalThis.process?.getBuiltinModule?.('node:sqlite');
  if (sqlite === undefined) {
    throw new GatewayError('unsupported', 'sqliteStore needs node:sqlite: Node.js 22.13 or later.', { stage: 'store' });
  }
  try {
    const database = new sqlite.DatabaseSync(path);
    database.exec(`PRAGMA busy_timeout = ${busyMs}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`);
    database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
    return database;
  } catch (error) {
    throw unavailable(error);
  }
}

/** Keys are bytes, so that their order is that of their prefixes and no character is special. Row ids grow by writing. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS postern_entries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, value BLOB NOT NULL,
  tags TEXT NOT NULL, expires_at INTEGER, bytes INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS postern_entries_end ON postern_entries (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS postern_tags (
  tag BLOB NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (tag, entry)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS postern_tags_entry ON postern_tags (entry);
CREATE TABLE IF NOT EXISTS postern_usage (one INTEGER PRIMARY KEY CHECK (one = 1), entries INTEGER, bytes INTEGER);
INSERT OR IGNORE INTO postern_usage VALUES (1, 0, 0);
CREATE TRIGGER IF NOT EXISTS postern_added AFTER INSERT ON postern_entries BEGIN
  UPDATE postern_usage SET entries = entries + 1, bytes = bytes + NEW.bytes; END;
CREATE TRIGGER IF NOT EXISTS postern_removed AFTER DELETE ON postern_entries BEGIN
  DELETE FROM postern_tags WHERE entry = OLD.id;
  UPDATE postern_usage SET entries = entries - 1, bytes = bytes - OLD.bytes; END;
`;

const STATEMENTS = {
  read: 'SELECT id, kind, value, tags, expires_at AS expiresAt FROM postern_entries WHERE key = ?',
  write: 'INSERT INTO postern_entries (key, kind, value, tags, expires_at, bytes) VALUES (?, ?, ?, ?, ?, ?)',
  tag: 'INSERT INTO postern_tags (tag, entry) VALUES (?, ?)',
  remove: 'DELETE FROM postern_entries WHERE key = ?',
  removeTag: 'DELETE FROM postern_entries WHERE id IN (SELECT entry FROM postern_tags WHERE tag = ?)',
  removeFrom: 'DELETE FROM postern_entries WHERE key >= ?',
  removeRange: 'DELETE FROM postern_entries WHERE key >= ? AND key < ?',
  removeExpired: 'DELETE FROM postern_entries WHERE expires_at <= ?',
  removeOldest: 'DELETE FROM postern_entries WHERE id = (SELECT min(id) FROM postern_entries)',
  usage: 'SELECT entries, bytes FROM postern_usage',
} as const;

const TEXT = 0;
const BYTES = 1;
/** Text with half of a surrogate pair, which UTF-8 cannot say. */
const JSON_TEXT = 2;

interface Row {
  readonly id: number;
  readonly kind: number;
  readonly value: Uint8Array;
  readonly tags: string;
  readonly expiresAt: number | null;
}

class SqliteEntries implements Store {
  readonly name = 'sqlite';
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #clock: Clock;

  constructor(database: DatabaseSync, entriesMax: number, bytesMax: number, clock: Clock) {
    this.#database = database;
    this.#entriesMax = entriesMax;
    this.#bytesMax = bytesMax;
    this.#clock = clock;
    const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof STATEMENTS, StatementSync>;
  }

  get(key: string): StoreEntry | undefined {
    checkStoreKey(key);
    try {
      const row = this.#live(key);
      if (row === undefined) return undefined;
      const ttlMs = row.expiresAt === null ? undefined : row.expiresAt - this.#clock.now();
      return { value: decode(row), tags: JSON.parse(row.tags) as string[], ...(ttlMs !== undefined && { ttlMs }) };
    } catch {
      return undefined;
    }
  }

  set(key: string, value: StoreValue, options: SetOptions = {}): SetOutcome {
    checkSet(key, options);
    const blob = encode(value);
    try {
      return this.#transaction(() => {
        if (options.ifAbsent === true && this.#live(key) !== undefined) return 'exists';
        this.#statements.remove.run(bytesOf(key));
        const bytes = key.length + blob.data.length;
        if (bytes > this.#bytesMax) return 'refused';
        this.#insert(key, blob, bytes, options);
        this.#makeRoom();
        return 'stored';
      });
    } catch {
      return 'refused';
    }
  }

  delete(key: string, options: { readonly ifValue?: string } = {}): boolean {
    checkStoreKey(key);
    return this.#orUnavailable(() =>
      this.#transaction(() => {
        const row = this.#live(key);
        if (row === undefined || (options.ifValue !== undefined && decode(row) !== options.ifValue)) return false;
        return this.#statements.remove.run(bytesOf(key)).changes === 1;
      }),
    );
  }

  invalidate(what: Invalidation): void {
    checkInvalidation(what);
    this.#orUnavailable(() => {
      if ('tag' in what) {
        this.#statements.removeTag.run(bytesOf(what.tag));
        return;
      }
      const from = bytesOf(what.prefix);
      if (from.length === 0) this.#statements.removeFrom.run(from);
      else this.#statements.removeRange.run(from, after(from));
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #live(key: string): Row | undefined {
    // The statement names these columns; its type cannot.
    const row = this.#statements.read.get(bytesOf(key)) as unknown as Row | undefined;
    return row === undefined || (row.expiresAt !== null && row.expiresAt <= this.#clock.now()) ? undefined : row;
  }

  #insert(key: string, { kind, data }: Blob, bytes: number, options: SetOptions): void {
    const tags = [...new Set(options.tags)];
    const expiresAt = options.ttlMs === undefined ? null : this.#clock.now() + options.ttlMs;
    const written = this.#statements.write.run(bytesOf(key), kind, data, JSON.stringify(tags), expiresAt, bytes);
    for (const tag of tags) this.#statements.tag.run(bytesOf(tag), written.lastInsertRowid);
  }

  /** Expired entries go first, then those written longest ago. */
  #makeRoom(): void {
    if (this.#fits()) return;
    this.#statements.removeExpired.run(this.#clock.now());
    while (!this.#fits()) this.#statements.removeOldest.run();
  }

  #fits(): boolean {
    const usage = this.#statements.usage.get() as unknown as { readonly entries: number; readonly bytes: number };
    return usage.entries <= this.#entriesMax && usage.bytes <= this.#bytesMax;
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const value = work();
      this.#database.exec('COMMIT');
      return value;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #orUnavailable<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw unavailable(error);
    }
  }
}

interface Blob {
  readonly kind: number;
  readonly data: Uint8Array;
}

function encode(value: StoreValue): Blob {
  if (typeof value !== 'string') return { kind: BYTES, data: value };
  return value.isWellFormed()
    ? { kind: TEXT, data: bytesOf(value) }
    : { kind: JSON_TEXT, data: bytesOf(JSON.stringify(value)) };
}

function decode({ kind, value }: Row): StoreValue {
  if (kind === BYTES) return new Uint8Array(value);
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(value);
  return kind === JSON_TEXT ? (JSON.parse(text) as string) : text;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The first bytes after everything that begins with these. UTF-8 never holds 0xff, so adding one cannot overflow. */
function after(prefix: Uint8Array): Uint8Array {
  const next = Uint8Array.from(prefix);
  next[next.length - 1] = (next.at(-1) as number) + 1;
  return next;
}

function unavailable(cause: unknown): GatewayError {
  const facts = { fault: 'gateway', fallbackable: false, stage: 'store', cause } as const;
  return new GatewayError('unavailable', 'The SQLite store cannot be used (see its cause).', facts);
}
