import type { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../../core/errors.ts';

/** Loaded here and now: a program that never calls this works without `node:sqlite`, and no bundler sees an import. */
export function openDatabase(path: string, busyMs: number): DatabaseSync {
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
CREATE TRIGGER IF NOT EXISTS postern_replaced AFTER UPDATE OF bytes ON postern_entries BEGIN
  UPDATE postern_usage SET bytes = bytes - OLD.bytes + NEW.bytes; END;
`;

export const STATEMENTS = {
  read: 'SELECT id, kind, value, tags, expires_at AS expiresAt FROM postern_entries WHERE key = ?',
  write: 'INSERT INTO postern_entries (key, kind, value, tags, expires_at, bytes) VALUES (?, ?, ?, ?, ?, ?)',
  tag: 'INSERT INTO postern_tags (tag, entry) VALUES (?, ?)',
  remove: 'DELETE FROM postern_entries WHERE key = ?',
  removeTag: 'DELETE FROM postern_entries WHERE id IN (SELECT entry FROM postern_tags WHERE tag = ?)',
  removeFrom: 'DELETE FROM postern_entries WHERE key >= ?',
  removeRange: 'DELETE FROM postern_entries WHERE key >= ? AND key < ?',
  removeExpired: 'DELETE FROM postern_entries WHERE expires_at <= ?',
  removeOldest: 'DELETE FROM postern_entries WHERE id = (SELECT min(id) FROM postern_entries)',
  replace: 'UPDATE postern_entries SET kind = ?, value = ?, bytes = ? WHERE key = ?',
  // Keys are text in UTF-8, which has no byte 0xff: nothing comes after it.
  scan: `SELECT key, kind, value FROM postern_entries WHERE key >= ? AND key < ?
    AND (expires_at IS NULL OR expires_at > ?) ORDER BY key LIMIT ?`,
  usage: 'SELECT entries, bytes FROM postern_usage',
} as const;

/** What every failure of the database becomes. */
export function unavailable(cause: unknown): GatewayError {
  const facts = { fault: 'gateway', fallbackable: false, stage: 'store', cause } as const;
  return new GatewayError('unavailable', 'The SQLite store cannot be used (see its cause).', facts);
}
