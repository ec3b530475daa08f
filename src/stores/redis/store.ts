import { randomUUID } from 'node:crypto';
import { systemClock, type Clock } from '../../core/clock.ts';
import { invalidOptions, invalidRequest } from '../../core/errors.ts';
import { checkInvalidation, checkScan, checkSet, checkStoreKey } from '../../core/store.ts';
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
} from '../../core/store.ts';
import { keyBase, replyError, runScript, sender, type RedisClient, type Script, type SendCommand } from './client.ts';
import { Guard, storeDown } from './guard.ts';
import { DELETE, READ, REPLACE, SCAN, SWEEP, WRITE } from './store-scripts.ts';

export interface RedisStoreOptions {
  /** A connected client of ioredis, iovalkey or redis. The store never closes it. */
  readonly client: RedisClient;
  /** Beginning of every key, and its hash tag: all entries of one prefix live in one slot. @defaultValue 'postern' */
  readonly prefix?: string;
  /** Longest wait for Redis, in milliseconds. @defaultValue 50 */
  readonly timeoutMs?: number;
  /** Failures in a row after which nothing waits for Redis until it answers again. @defaultValue 3 */
  readonly failuresMax?: number;
  /** Time between two looks at a Redis that is down, in milliseconds. @defaultValue 500 */
  readonly probeMs?: number;
  /** Life of entries stored without one, in milliseconds. @defaultValue 86_400_000 (a day) */
  readonly ttlMs?: number;
  /** Largest value in characters or bytes; a larger one is refused. @defaultValue 8_388_608 (8 Mi) */
  readonly valueSizeMax?: number;
  /** Times waits and probes, not entries: those live by the server's time. @defaultValue the system's clock */
  readonly clock?: Clock;
}

/**
 * Keeps entries in Redis, for many processes. A Redis that is slow or gone costs at most `timeoutMs` a few times and
 * then nothing: reads find nothing, writes are refused, until it answers again.
 */
export function redisStore(options: RedisStoreOptions): Store {
  const { client, prefix = 'postern', ttlMs = 86_400_000, valueSizeMax = 8 * 1024 * 1024 } = options;
  for (const [name, value] of Object.entries({ ttlMs, valueSizeMax })) {
    if (!Number.isSafeInteger(value) || value < 1) throw invalidOptions(name, 'must be a whole number above 0.');
  }
  const send = sender(client);
  const base = keyBase(prefix);
  const guard = new Guard({
    clock: options.clock ?? systemClock,
    timeoutMs: options.timeoutMs ?? 50,
    failuresMax: options.failuresMax ?? 3,
    probeMs: options.probeMs ?? 500,
    probe: () => send(base, ['ping']),
    isOutage: (error) => !refusesWrites(error),
    refusesBehindLate: true,
  });
  return new RedisEntries({ send, base, guard, ttlMs, valueSizeMax });
}

interface Parts {
  readonly send: SendCommand;
  readonly base: string;
  readonly guard: Guard;
  readonly ttlMs: number;
  readonly valueSizeMax: number;
}

class RedisEntries implements Store {
  readonly name = 'redis';
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    checkStoreKey(key);
    const found = await this.#run(READ, [this.#entryKey(key)], []).catch(() => undefined);
    if (!Array.isArray(found)) return undefined;
    const [value, ttlMs, names] = found as [string, number, string];
    const tags = names === '' ? [] : (JSON.parse(names) as string[]);
    return { value: decode(value), tags, ...(ttlMs >= 0 && { ttlMs }) };
  }

  async set(key: string, value: StoreValue, options: SetOptions = {}): Promise<SetOutcome> {
    checkSet(key, options);
    if (value.length > this.#parts.valueSizeMax) {
      await this.delete(key).catch(() => false);
      return 'refused';
    }
    const tags = [...new Set(options.tags)];
    const keys: [string, ...string[]] = [this.#entryKey(key), ...tags.map((tag) => this.#tagKey(tag))];
    const ttlMs = String(options.ttlMs ?? this.#parts.ttlMs);
    const args = [encode(value), ttlMs, options.ifAbsent === true ? '1' : '0', JSON.stringify(tags), randomUUID()];
    try {
      const stored = await this.#run(WRITE, keys, args);
      this.#parts.guard.solved('writes-refused');
      return stored === 1 ? 'stored' : 'exists';
    } catch (error) {
      if (refusesWrites(error)) this.#refused();
      return 'refused';
    }
  }

  async delete(key: string, options: { readonly ifValue?: string } = {}): Promise<boolean> {
    checkStoreKey(key);
    const args = options.ifValue === undefined ? [] : [encode(options.ifValue)];
    return (await this.#run(DELETE, [this.#entryKey(key)], args)) === 1;
  }

  async invalidate(what: Invalidation): Promise<void> {
    checkInvalidation(what);
    const { guard, send } = this.#parts;
    if ('tag' in what) {
      const key = this.#tagKey(what.tag);
      await guard.run(() => send(key, ['del', key]));
      return;
    }
    let cursor = '0';
    do {
      cursor = String(await this.#run(SWEEP, [this.#entryKey(what.prefix)], [cursor]));
    } while (cursor !== '0');
  }

  async scan(options: ScanOptions = {}): Promise<ScanPage> {
    const { prefix, cursor = '0', limit } = checkScan(options);
    if (!/^\d{1,20}$/.test(cursor)) throw invalidRequest('cursor', 'must be what a page gave.');
    const [next, ...found] = (await this.#run(SCAN, [this.#entryKey(prefix)], [cursor, String(limit)])) as string[];
    // Redis may name an entry twice, on one page too.
    const values = new Map<string, StoreValue>();
    for (let at = 0; at < found.length; at += 2) values.set(prefix + found[at], decode(found[at + 1] as string));
    const entries = [...values].map(([key, value]) => ({ key, value }));
    return { entries, ...(String(next) !== '0' && { cursor: String(next) }) };
  }

  async replace(key: string, was: string, value: StoreValue): Promise<boolean> {
    checkStoreKey(key);
    if (value.length > this.#parts.valueSizeMax) return false;
    try {
      return (await this.#run(REPLACE, [this.#entryKey(key)], [encode(was), encode(value)])) === 1;
    } catch (error) {
      if (!refusesWrites(error)) throw error;
      this.#refused();
      throw storeDown('it takes no writes', error);
    }
  }

  health(): StoreHealth {
    return this.#parts.guard.health();
  }

  watch(listener: (health: StoreHealth) => void): () => void {
    return this.#parts.guard.watch(listener);
  }

  close(): void {
    this.#parts.guard.close();
  }

  #refused(): void {
    this.#parts.guard.problem('writes-refused', 'Redis is full or read-only.');
  }

  #run(what: Script, keys: readonly [string, ...string[]], args: readonly string[]): Promise<unknown> {
    return this.#parts.guard.run(() => runScript(this.#parts.send, what, keys, args));
  }

  #entryKey(key: string): string {
    return `${this.#parts.base}e:${key}`;
  }

  #tagKey(tag: string): string {
    return `${this.#parts.base}t:${tag}`;
  }
}

/** Refusals that come at once and leave reading possible: no reason to stop asking. */
function refusesWrites(error: unknown): boolean {
  return /^-?(OOM|READONLY|MISCONF|NOREPLICAS)\b/.test(replyError(error));
}

/** Clients give texts back as UTF-8, so bytes and halves of surrogate pairs travel in disguise. */
function encode(value: StoreValue): string {
  if (typeof value !== 'string') return `b${Buffer.from(value).toString('base64')}`;
  return value.isWellFormed() ? `s${value}` : `j${JSON.stringify(value)}`;
}

function decode(stored: string): StoreValue {
  const body = stored.slice(1);
  if (stored.startsWith('b')) return new Uint8Array(Buffer.from(body, 'base64'));
  return stored.startsWith('j') ? (JSON.parse(body) as string) : body;
}
