import { GatewayError, invalidOptions } from '../core/errors.ts';
import { checkScan, checkSet, checkStoreKey } from '../core/store.ts';
import type {
  Invalidation,
  ScanOptions,
  ScanPage,
  SetOptions,
  SetOutcome,
  Store,
  StoreEntry,
  StoreHealth,
  StoreValue,
} from '../core/store.ts';
import { createKeyring, type Keyring } from './encrypted/keyring.ts';
import { open, seal } from './encrypted/record.ts';
import { StartCheck } from './encrypted/start-check.ts';
import { Unreadable } from './encrypted/unreadable.ts';
import { countUnreadable, type Reencryption, reencryptRecords, type ReencryptOptions } from './encrypted/walk.ts';

export type { Reencryption, ReencryptOptions };

export interface EncryptedOptions {
  /** Keys by id: 32 random bytes each, or their base64. Ids are 1 to 32 characters of `A-Z a-z 0-9 . _ -`. */
  readonly keys: Readonly<Record<string, Uint8Array | string>>;
  /** Id of the key that new records are written with. The others only read. */
  readonly current: string;
  /**
   * Refuses to work while the store holds records that no present key can read: until `check` has passed, reads find
   * nothing and writes are refused. Needs a store that lists its records.
   *
   * @defaultValue false
   */
  readonly strict?: boolean;
}

/** The store, with what an operator needs to change keys. */
export interface EncryptedStore extends Store {
  /**
   * Writes every record that is under an old key anew under the current one; its end, its tags and whose it is stay.
   * Safe while others read, write and delete. Stopped by `limit`, it goes on from the `cursor` it gave; run again, it
   * finds what is left.
   *
   * @throws GatewayError `unavailable` if the store is down (go on from the last cursor), `unsupported` if it cannot
   * list its records.
   */
  reencrypt(options?: ReencryptOptions): Promise<Reencryption>;
  /**
   * Opens every record once and says in `problems` how many no present key can read. With `strict` this is the check
   * to wait for when a program starts.
   *
   * @throws GatewayError `invalid-options` with `strict` if there are any; `unavailable` and `unsupported` as above.
   */
  check(): Promise<StoreHealth>;
}

/** Times a comparison is made anew because the record was encrypted anew meanwhile. */
const COMPARISONS_MAX = 3;

/**
 * Encrypts values with AES-256-GCM. Every record is bound to its key (and with it to the tenant in that key): a record
 * that was changed, moved or swapped is a miss, not an answer. Keys and tags of entries are not encrypted; they should
 * be digests. Uses Web Crypto, so it runs everywhere.
 */
export function encrypted(store: Store, options: EncryptedOptions): EncryptedStore {
  if (typeof store?.get !== 'function') throw invalidOptions('store', 'give the store to encrypt.');
  const { keys, current, strict = false } = options;
  if (typeof strict !== 'boolean') throw invalidOptions('strict', 'must be true or false.');
  if (strict && store.scan === undefined) {
    throw invalidOptions('strict', `needs a store that lists its records; ${store.name} does not.`);
  }
  return new Encrypted(store, createKeyring(keys, current), strict);
}

class Encrypted implements EncryptedStore {
  readonly name: string;
  readonly scan?: NonNullable<Store['scan']>;
  readonly replace?: NonNullable<Store['replace']>;
  readonly #store: Store;
  readonly #keyring: Keyring;
  readonly #unreadable = new Unreadable();
  readonly #start: StartCheck;
  readonly #listeners = new Set<(health: StoreHealth) => void>();

  constructor(store: Store, keyring: Keyring, strict: boolean) {
    this.name = store.name;
    this.#store = store;
    this.#keyring = keyring;
    this.#start = new StartCheck(strict, async () => {
      this.#unreadable.found(await countUnreadable(this.#walked()));
      return this.#unreadable.total;
    });
    if (store.scan !== undefined) this.scan = (options) => this.#scan(options);
    if (store.replace !== undefined) this.replace = (key, was, value) => this.#replace(key, was, value);
  }

  get keyPrefix(): string {
    return this.#store.keyPrefix ?? '';
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    const recordId = this.#record(key);
    if (!this.#mayWork()) return undefined;
    const entry = await this.#store.get(key);
    if (entry === undefined) return undefined;
    const opened = await open(this.#keyring, recordId, entry.value);
    if (opened.status === 'opened') return { ...entry, value: opened.value };
    if (this.#unreadable.met(opened.keyId)) this.#tell();
    return undefined;
  }

  async set(key: string, value: StoreValue, options: SetOptions = {}): Promise<SetOutcome> {
    checkSet(key, options);
    if (!this.#mayWork()) return 'refused';
    return this.#store.set(key, await seal(this.#keyring, this.#record(key), value), options);
  }

  async delete(key: string, options?: { readonly ifValue?: string }): Promise<boolean> {
    checkStoreKey(key);
    const { ifValue } = options ?? {};
    if (ifValue === undefined) return this.#store.delete(key);
    return this.#ifHolds(key, ifValue, async (sealed) => this.#store.delete(key, { ifValue: sealed }));
  }

  invalidate(what: Invalidation): ReturnType<Store['invalidate']> {
    return this.#store.invalidate(what);
  }

  async reencrypt(options: ReencryptOptions = {}): Promise<Reencryption> {
    checkScan(options);
    const { replace } = this.#store;
    const walked = this.#walked();
    if (replace === undefined) throw unsupported(this.name);
    return reencryptRecords(walked, replace.bind(this.#store), options);
  }

  async check(): Promise<StoreHealth> {
    const { running } = this.#start;
    await this.#start.run().finally(() => running || this.#tell());
    return this.health();
  }

  health(): StoreHealth {
    const inner = this.#store.health?.() ?? { state: 'up', problems: [] };
    const problems = [...inner.problems, ...this.#unreadable.problems()];
    const { reason } = this.#start;
    return inner.state === 'up' && reason !== undefined ? { state: 'down', reason, problems } : { ...inner, problems };
  }

  watch(listener: (health: StoreHealth) => void): () => void {
    this.#listeners.add(listener);
    const stop = this.#store.watch?.(() => listener(this.health()));
    return () => {
      this.#listeners.delete(listener);
      stop?.();
    };
  }

  close(): ReturnType<NonNullable<Store['close']>> {
    return this.#store.close?.();
  }

  /** What a record is bound to: the whole key, as the innermost store sees it. */
  #record(key: string): string {
    checkStoreKey(key);
    return this.keyPrefix + key;
  }

  /** A call does not wait for the check: until it has passed, the store is one that has nothing. */
  #mayWork(): boolean {
    if (this.#start.passed) return true;
    if (this.#start.due) void this.check().catch(() => undefined);
    return false;
  }

  async #scan(options: ScanOptions = {}): Promise<ScanPage> {
    const walked = this.#walked();
    const { entries, ...rest } = await walked.store.scan(options);
    const opened = await Promise.all(
      entries.map(async ({ key, value }) => ({ key, record: await open(this.#keyring, this.#record(key), value) })),
    );
    const readable = opened.flatMap(({ key, record }) =>
      record.status === 'opened' ? [{ key, value: record.value }] : [],
    );
    return { ...rest, entries: readable };
  }

  async #replace(key: string, was: string, value: StoreValue): Promise<boolean> {
    const sealed = await seal(this.#keyring, this.#record(key), value);
    return this.#ifHolds(key, was, async (old) => this.#store.replace?.(key, old, sealed) ?? false);
  }

  /**
   * The same value is never the same record twice: compares what it says, then has that very record dealt with. If
   * that is gone, it may have been encrypted anew, and still say the same.
   */
  async #ifHolds(key: string, value: string, deal: (sealed: string) => Promise<boolean>): Promise<boolean> {
    let seen: StoreValue | undefined;
    for (let comparison = 0; comparison < COMPARISONS_MAX; comparison++) {
      const sealed = (await this.#store.get(key))?.value;
      if (typeof sealed !== 'string' || sealed === seen) return false;
      const opened = await open(this.#keyring, this.#record(key), sealed);
      if (opened.status !== 'opened' || opened.value !== value) return false;
      if (await deal(sealed)) return true;
      seen = sealed;
    }
    return false;
  }

  #walked() {
    const { scan } = this.#store;
    if (scan === undefined) throw unsupported(this.name);
    const store = { scan: scan.bind(this.#store) };
    return { store, keyring: this.#keyring, recordId: (key: string) => this.#record(key) };
  }

  #tell(): void {
    const health = this.health();
    for (const listener of [...this.#listeners]) listener(health);
  }
}

function unsupported(name: string): GatewayError {
  const message = `The ${name} store cannot list and exchange its records, so they cannot be encrypted anew or counted.`;
  return new GatewayError('unsupported', message, { fault: 'gateway', fallbackable: false, stage: 'store' });
}
