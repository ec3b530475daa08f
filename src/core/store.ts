import { invalidRequest } from './errors.ts';

/** Memory answers at once, a network store later; callers `await` both. */
export type MaybePromise<T> = T | Promise<T>;

/** What a store keeps. It comes back as the same type with the same content. */
export type StoreValue = string | Uint8Array;

export interface StoreEntry {
  readonly value: StoreValue;
  /** Milliseconds until the entry ends; absent if it has no end, or if only a store further away knows. */
  readonly ttlMs?: number;
  /** The tags it was stored with. */
  readonly tags: readonly string[];
}

export interface SetOptions {
  /** Life of the entry in milliseconds. Left out: as long as the store keeps things. */
  readonly ttlMs?: number;
  /** Names under which this entry can be invalidated together with others. */
  readonly tags?: readonly string[];
  /** Store only if nothing is there: the building block of a lock. */
  readonly ifAbsent?: boolean;
}

/** `exists`: `ifAbsent` found an entry. `refused`: too large, or the store is down; nothing was stored. */
export type SetOutcome = 'stored' | 'exists' | 'refused';

/** Either every entry with a tag, or every entry whose key begins with a prefix (a tenant, say). */
export type Invalidation = { readonly tag: string } | { readonly prefix: string };

export interface ScanOptions {
  /** Only keys that begin with this. @defaultValue '': all */
  readonly prefix?: string;
  /** Where to go on: what the page before this one gave. Left out: from the beginning. */
  readonly cursor?: string;
  /** About how many entries make a page. @defaultValue 100 */
  readonly limit?: number;
}

export interface ScanPage {
  /** May be empty although there is a next page. */
  readonly entries: readonly { readonly key: string; readonly value: StoreValue }[];
  /** Absent: this was the last page. */
  readonly cursor?: string;
}

/**
 * Where shared state lives. Small enough to be written in an afternoon; `storeContract` of `postern/testing` says
 * whether it is right.
 *
 * A store never makes a call fail: while it is down, `get` finds nothing and `set` answers `refused`. `delete` and
 * `invalidate` are promises to the user, so they reject with `unavailable` when they cannot be kept.
 */
export interface Store {
  readonly name: string;
  /** What the store puts in front of every key; encryption binds records to it. */
  readonly keyPrefix?: string;
  get(key: string): MaybePromise<StoreEntry | undefined>;
  set(key: string, value: StoreValue, options?: SetOptions): MaybePromise<SetOutcome>;
  /** Removes one entry; with `ifValue` only if it holds exactly that. Says whether one was removed. */
  delete(key: string, options?: { readonly ifValue?: string }): MaybePromise<boolean>;
  /** After it resolves, no entry it names is ever served again. */
  invalidate(what: Invalidation): MaybePromise<void>;
  /**
   * One page of what is stored, without counting as use. A walk from the first page to the last meets every entry that
   * is there all the time, perhaps twice; what comes or goes meanwhile it may miss. Rejects with `unavailable`.
   */
  scan?(options?: ScanOptions): MaybePromise<ScanPage>;
  /**
   * Puts another value in the place of exactly this one; the end and the tags of the entry stay. Says whether it did:
   * not if the entry is gone or holds something else, and not if the new value is too large. Rejects with
   * `unavailable`.
   */
  replace?(key: string, was: string, value: StoreValue): MaybePromise<boolean>;
  /** How the store is. Absent: always up. */
  health?(): StoreHealth;
  /** Called when {@link Store.health} changes. Returns the function that stops it. */
  watch?(listener: (health: StoreHealth) => void): () => void;
  close?(): MaybePromise<void>;
}

export interface StoreHealth {
  readonly state: 'up' | 'down';
  /** Why it is down. */
  readonly reason?: string;
  /** What an operator should know although the store works. */
  readonly problems: readonly StoreProblem[];
}

export interface StoreProblem {
  /**
   * `eviction-policy`: the server may drop limit keys. `eviction-policy-unknown`: it does not tell.
   * `unreadable`: records that no present key can decrypt. `writes-refused`: full or read-only.
   * `outbox-full`: settlements were lost while the store was down.
   */
  readonly code: 'eviction-policy' | 'eviction-policy-unknown' | 'unreadable' | 'writes-refused' | 'outbox-full';
  readonly message: string;
  readonly count?: number;
}

/** Longest key and tag, in UTF-16 units. */
export const STORE_KEY_LENGTH_MAX = 4096;

/**
 * One key of several fields, each with its length in front, so that no two lists of fields make the same key.
 *
 * @example storeKey(['acme', 'chat']) // '4:acme4:chat'
 */
export function storeKey(fields: readonly string[]): string {
  let key = '';
  for (const field of fields) key += `${field.length}:${field}`;
  return key;
}

/** Refuses keys that two stores would tell apart differently: too long, or with half of a surrogate pair. */
export function checkStoreKey(key: string, field = 'key'): void {
  if (typeof key !== 'string' || key.length > STORE_KEY_LENGTH_MAX || !key.isWellFormed()) {
    throw invalidRequest(field, `must be well-formed text of at most ${STORE_KEY_LENGTH_MAX} characters.`);
  }
}

/** Checks the key and options of one `set`. */
export function checkSet(key: string, options: SetOptions): void {
  checkStoreKey(key);
  const { ttlMs } = options;
  if (ttlMs !== undefined && !(Number.isSafeInteger(ttlMs) && ttlMs > 0)) {
    throw invalidRequest('ttlMs', 'must be a whole number of milliseconds above 0.');
  }
  for (const tag of options.tags ?? []) checkStoreKey(tag, 'tags');
}

/** Checks what is to be invalidated. */
export function checkInvalidation(what: Invalidation): void {
  if ('tag' in what) checkStoreKey(what.tag, 'tag');
  else checkStoreKey(what.prefix, 'prefix');
}

/** Entries of a page of `scan`, where nobody says how many. */
export const SCAN_LIMIT = 100;

/** Checks what is to be listed, and fills in what was left out. */
export function checkScan({ prefix = '', cursor, limit = SCAN_LIMIT }: ScanOptions): {
  readonly prefix: string;
  readonly cursor: string | undefined;
  readonly limit: number;
} {
  checkStoreKey(prefix, 'prefix');
  if (cursor !== undefined && typeof cursor !== 'string') throw invalidRequest('cursor', 'must be what a page gave.');
  if (!(Number.isSafeInteger(limit) && limit > 0)) throw invalidRequest('limit', 'must be a whole number above 0.');
  return { prefix, cursor, limit };
}

/** Continues with a value now if it is there now, later if it comes later. Keeps memory stores synchronous. */
export function whenReady<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
