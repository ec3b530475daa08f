import { invalidOptions } from '../core/errors.ts';
import { checkSet, checkStoreKey } from '../core/store.ts';
import type {
  Invalidation,
  SetOptions,
  SetOutcome,
  Store,
  StoreEntry,
  StoreHealth,
  StoreProblem,
  StoreValue,
} from '../core/store.ts';
import { createKeyring, type Keyring } from './encrypted/keyring.ts';
import { open, seal } from './encrypted/record.ts';

export interface EncryptedOptions {
  /** Keys by id: 32 random bytes each, or their base64. Ids are 1 to 32 characters of `A-Z a-z 0-9 . _ -`. */
  readonly keys: Readonly<Record<string, Uint8Array | string>>;
  /** Id of the key that new records are written with. The others only read. */
  readonly current: string;
}

/**
 * Encrypts values with AES-256-GCM. Every record is bound to its key (and with it to the tenant in that key): a record
 * that was changed, moved or swapped is a miss, not an answer. Keys and tags of entries are not encrypted; they should
 * be digests. Uses Web Crypto, so it runs everywhere.
 */
export function encrypted(store: Store, options: EncryptedOptions): Store {
  if (typeof store?.get !== 'function') throw invalidOptions('store', 'give the store to encrypt.');
  return new Encrypted(store, createKeyring(options.keys, options.current));
}

class Encrypted implements Store {
  readonly name: string;
  readonly #store: Store;
  readonly #keyring: Keyring;
  readonly #unreadable = new Map<string, number>();
  readonly #listeners = new Set<(health: StoreHealth) => void>();

  constructor(store: Store, keyring: Keyring) {
    this.name = store.name;
    this.#store = store;
    this.#keyring = keyring;
  }

  get keyPrefix(): string {
    return this.#store.keyPrefix ?? '';
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    const entry = await this.#store.get(key);
    if (entry === undefined) return undefined;
    const opened = await open(this.#keyring, this.#record(key), entry.value);
    if (opened.status === 'opened') return { ...entry, value: opened.value };
    this.#countUnreadable(opened.keyId);
    return undefined;
  }

  async set(key: string, value: StoreValue, options: SetOptions = {}): Promise<SetOutcome> {
    checkSet(key, options);
    return this.#store.set(key, await seal(this.#keyring, this.#record(key), value), options);
  }

  async delete(key: string, options?: { readonly ifValue?: string }): Promise<boolean> {
    checkStoreKey(key);
    if (options?.ifValue === undefined) return this.#store.delete(key);
    // The same value is never the same record twice: compare what it says, then remove exactly that record.
    const entry = await this.#store.get(key);
    if (entry === undefined || typeof entry.value !== 'string') return false;
    const opened = await open(this.#keyring, this.#record(key), entry.value);
    if (opened.status !== 'opened' || opened.value !== options.ifValue) return false;
    return this.#store.delete(key, { ifValue: entry.value });
  }

  invalidate(what: Invalidation): ReturnType<Store['invalidate']> {
    return this.#store.invalidate(what);
  }

  health(): StoreHealth {
    const inner = this.#store.health?.() ?? { state: 'up', problems: [] };
    const own: StoreProblem[] = [...this.#unreadable].map(([keyId, count]) => ({
      code: 'unreadable',
      message: `Records under key ${keyId} cannot be read: the key is missing or they were changed.`,
      count,
    }));
    return { ...inner, problems: [...inner.problems, ...own] };
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

  #countUnreadable(keyId: string): void {
    // Ids come from records, so from strangers: more than a few are one.
    const name = this.#unreadable.has(keyId) || this.#unreadable.size < UNREADABLE_KEYS_MAX ? keyId : 'others';
    const count = (this.#unreadable.get(name) ?? 0) + 1;
    this.#unreadable.set(name, count);
    if (count === 1) for (const listener of [...this.#listeners]) listener(this.health());
  }
}

const UNREADABLE_KEYS_MAX = 16;
