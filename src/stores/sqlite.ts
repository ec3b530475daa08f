import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { systemClock, type Clock } from '../core/clock.ts';
import { invalidOptions } from '../core/errors.ts';
import { checkInvalidation, checkScan, checkSet, checkStoreKey } from '../core/store.ts';
import type {
  Invalidation,
  ScanOptions,
  ScanPage,
  SetOptions,
  SetOutcome,
  Store,
  StoreEntry,
  StoreValue,
} from '../core/store.ts';
import { openDatabase, STATEMENTS, unavailable } from './sqlite/database.ts';
import { after, type Blob, bytesOf, decode, encode, type Row } from './sqlite/value.ts';

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

  scan(options: ScanOptions = {}): ScanPage {
    const { prefix, cursor, limit } = checkScan(options);
    const first = bytesOf(prefix);
    // The next key after one is the same with a zero byte behind it.
    const from = cursor === undefined ? first : bytesOf(`${cursor}\0`);
    const to = first.length === 0 ? Uint8Array.of(0xff) : after(first);
    return this.#orUnavailable(() => {
      // The statement names these columns; its type cannot.
      const rows = this.#statements.scan.all(from, to, this.#clock.now(), limit) as unknown as (Row & {
        key: Uint8Array;
      })[];
      const entries = rows.map((row) => ({
        key: new TextDecoder('utf-8', { ignoreBOM: true }).decode(row.key),
        value: decode(row),
      }));
      const last = entries.at(-1);
      return { entries, ...(entries.length === limit && last !== undefined && { cursor: last.key }) };
    });
  }

  /** The row stays the row it was, with its place in the order of writing. */
  replace(key: string, was: string, value: StoreValue): boolean {
    checkStoreKey(key);
    const { kind, data } = encode(value);
    const bytes = key.length + data.length;
    return this.#orUnavailable(() =>
      this.#transaction(() => {
        const row = this.#live(key);
        if (row === undefined || decode(row) !== was || bytes > this.#bytesMax) return false;
        this.#statements.replace.run(kind, data, bytes, bytesOf(key));
        this.#makeRoom();
        return true;
      }),
    );
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
