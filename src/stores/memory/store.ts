import { LRUCache } from 'lru-cache';
import { systemClock, type Clock } from '../../core/clock.ts';
import { invalidOptions } from '../../core/errors.ts';
import { checkInvalidation, checkScan, checkSet, checkStoreKey } from '../../core/store.ts';
import type {
  Invalidation,
  ScanOptions,
  ScanPage,
  SetOptions,
  SetOutcome,
  Store,
  StoreEntry,
  StoreValue,
} from '../../core/store.ts';

export interface MemoryStoreOptions {
  /** Most entries; the least recently used goes first. @defaultValue 10_000 */
  readonly entriesMax?: number;
  /**
   * Most bytes of keys, tags and values together, text counted at two bytes a character. What alone is larger is
   * refused.
   *
   * @defaultValue 67_108_864 (64 MiB)
   */
  readonly bytesMax?: number;
  /** @defaultValue the system's clock */
  readonly clock?: Clock;
}

const NO_TAGS: readonly string[] = [];

interface Held {
  readonly value: StoreValue;
  readonly tags: readonly string[];
  readonly expiresAt: number;
  readonly bytes: number;
}

/** Synchronous, and it says so: no `await` is needed on what it answers. */
export interface MemoryStore extends Store {
  get(key: string): StoreEntry | undefined;
  set(key: string, value: StoreValue, options?: SetOptions): SetOutcome;
  delete(key: string, options?: { readonly ifValue?: string }): boolean;
  invalidate(what: Invalidation): void;
  scan(options?: ScanOptions): ScanPage;
  replace(key: string, was: string, value: StoreValue): boolean;
  /** What it holds now, expired entries that nobody asked for included. */
  usage(): { readonly entries: number; readonly bytes: number };
}

/**
 * Keeps entries in this process: least recently used first out, bounded by entries and by bytes, timed by the clock
 * to the millisecond.
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { entriesMax = 10_000, bytesMax = 64 * 1024 * 1024, clock = systemClock } = options;
  for (const [name, value] of Object.entries({ entriesMax, bytesMax })) {
    if (!Number.isSafeInteger(value) || value < 1) throw invalidOptions(name, 'must be a whole number above 0.');
  }
  return new Memory(entriesMax, bytesMax, clock);
}

class Memory implements MemoryStore {
  readonly name = 'memory';
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #entries: LRUCache<string, Held>;
  readonly #keysByTag = new Map<string, Set<string>>();

  constructor(entriesMax: number, bytesMax: number, clock: Clock) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
    // Its own ages would be read from another clock, so entries carry their end themselves.
    this.#entries = new LRUCache({
      max: entriesMax,
      maxSize: bytesMax,
      sizeCalculation: (held) => held.bytes,
      dispose: (held, key) => this.#untag(key, held.tags),
    });
  }

  get(key: string): StoreEntry | undefined {
    checkStoreKey(key);
    const held = this.#live(key);
    if (held === undefined) return undefined;
    return {
      value: copy(held.value),
      tags: held.tags,
      ...(held.expiresAt !== Number.POSITIVE_INFINITY && { ttlMs: held.expiresAt - this.#clock.now() }),
    };
  }

  set(key: string, value: StoreValue, options: SetOptions = {}): SetOutcome {
    checkSet(key, options);
    if (options.ifAbsent === true && this.#live(key) !== undefined) return 'exists';
    const tags = options.tags === undefined || options.tags.length === 0 ? NO_TAGS : [...new Set(options.tags)];
    const expiresAt = options.ttlMs === undefined ? Number.POSITIVE_INFINITY : this.#clock.now() + options.ttlMs;
    this.#entries.delete(key);
    return this.#put(key, value, tags, expiresAt) ? 'stored' : 'refused';
  }

  delete(key: string, options: { readonly ifValue?: string } = {}): boolean {
    checkStoreKey(key);
    const held = this.#live(key);
    if (held === undefined || (options.ifValue !== undefined && held.value !== options.ifValue)) return false;
    return this.#entries.delete(key);
  }

  invalidate(what: Invalidation): void {
    checkInvalidation(what);
    const keys = 'tag' in what ? (this.#keysByTag.get(what.tag) ?? []) : this.#entries.keys();
    for (const key of [...keys]) if ('tag' in what || key.startsWith(what.prefix)) this.#entries.delete(key);
  }

  /** Sorted by key, so that what is read or written between two pages moves nothing past the cursor. */
  scan(options: ScanOptions = {}): ScanPage {
    const { prefix, cursor, limit } = checkScan(options);
    const now = this.#clock.now();
    const found: { readonly key: string; readonly held: Held }[] = [];
    for (const [key, held] of this.#entries.entries()) {
      if (now < held.expiresAt && key.startsWith(prefix) && (cursor === undefined || key > cursor)) {
        found.push({ key, held });
      }
    }
    found.sort((one, other) => (one.key < other.key ? -1 : 1));
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      entries: page.map(({ key, held }) => ({ key, value: copy(held.value) })),
      ...(found.length > limit && last !== undefined && { cursor: last.key }),
    };
  }

  replace(key: string, was: string, value: StoreValue): boolean {
    checkStoreKey(key);
    const held = this.#live(key);
    if (held === undefined || held.value !== was) return false;
    if (bytesOf(key, value, held.tags) > this.#bytesMax) return false;
    this.#entries.delete(key);
    return this.#put(key, value, held.tags, held.expiresAt);
  }

  usage(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#entries.size, bytes: this.#entries.calculatedSize };
  }

  #put(key: string, value: StoreValue, tags: readonly string[], expiresAt: number): boolean {
    const bytes = bytesOf(key, value, tags);
    if (bytes > this.#bytesMax) return false;
    for (const tag of tags) {
      const keys = this.#keysByTag.get(tag);
      if (keys === undefined) this.#keysByTag.set(tag, new Set([key]));
      else keys.add(key);
    }
    this.#entries.set(key, { value: copy(value), tags, expiresAt, bytes });
    return true;
  }

  #live(key: string): Held | undefined {
    const held = this.#entries.get(key);
    if (held === undefined || this.#clock.now() < held.expiresAt) return held;
    this.#entries.delete(key);
    return undefined;
  }

  #untag(key: string, tags: readonly string[]): void {
    for (const tag of tags) {
      const keys = this.#keysByTag.get(tag);
      if (keys?.delete(key) === true && keys.size === 0) this.#keysByTag.delete(tag);
    }
  }
}

/** Bytes are copied both ways: nobody else's later edit may reach what others read. */
function copy(value: StoreValue): StoreValue {
  return typeof value === 'string' ? value : value.slice();
}

function bytesOf(key: string, value: StoreValue, tags: readonly string[]): number {
  return sizeOf(key) + sizeOf(value) + tags.reduce((sum, tag) => sum + sizeOf(tag), 1);
}

function sizeOf(value: StoreValue): number {
  return typeof value === 'string' ? value.length * 2 : value.byteLength;
}
