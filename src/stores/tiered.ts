import { invalidOptions } from '../core/errors.ts';
import type {
  Invalidation,
  SetOptions,
  SetOutcome,
  Store,
  StoreEntry,
  StoreHealth,
  StoreValue,
} from '../core/store.ts';

export interface TieredOptions {
  /**
   * How long the near store answers without asking the far one, in milliseconds: also how long another process may
   * still see what was invalidated here. @defaultValue 10_000
   */
  readonly nearTtlMs?: number;
}

/**
 * A near store (memory) in front of a far one (Redis): what was read or written here lately is answered without the
 * network, and still there while the far store is down.
 *
 * @example
 * const store = tiered(memoryStore(), redisStore({ client }));
 */
export function tiered(near: Store, far: Store, options: TieredOptions = {}): Store {
  const { nearTtlMs = 10_000 } = options;
  if (!Number.isSafeInteger(nearTtlMs) || nearTtlMs < 1) {
    throw invalidOptions('nearTtlMs', 'must be a whole number of milliseconds above 0.');
  }
  return new Tiered(near, far, nearTtlMs);
}

class Tiered implements Store {
  readonly name: string;
  /** Lists what is far; what only the near store took while the far one was down is not in it. */
  readonly scan?: NonNullable<Store['scan']>;
  readonly replace?: NonNullable<Store['replace']>;
  readonly #near: Store;
  readonly #far: Store;
  readonly #nearTtlMs: number;
  /** Removals so far. A read that began before one must not bring back what it removed. */
  #removals = 0;

  constructor(near: Store, far: Store, nearTtlMs: number) {
    this.name = `${near.name}+${far.name}`;
    this.#near = near;
    this.#far = far;
    this.#nearTtlMs = nearTtlMs;
    if (far.scan !== undefined) this.scan = far.scan.bind(far);
    if (far.replace !== undefined) this.replace = this.#replaceBy(far.replace.bind(far));
  }

  get keyPrefix(): string {
    return this.#far.keyPrefix ?? '';
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    const nearby = await this.#near.get(key);
    // How long it still lives only the far store knows.
    if (nearby !== undefined) return { value: nearby.value, tags: nearby.tags };
    const removals = this.#removals;
    const entry = await this.#far.get(key);
    if (entry !== undefined && removals === this.#removals) {
      // A newer value that was written meanwhile stays.
      await this.#near.set(key, entry.value, { ...this.#nearOptions(entry), ifAbsent: true });
    }
    return entry;
  }

  async set(key: string, value: StoreValue, options: SetOptions = {}): Promise<SetOutcome> {
    if (options.ifAbsent === true) return this.#setIfAbsent(key, value, options);
    const near = await this.#near.set(key, value, this.#nearOptions(options));
    const far = await this.#far.set(key, value, options);
    return far === 'refused' ? near : far;
  }

  async delete(key: string, options?: { readonly ifValue?: string }): Promise<boolean> {
    this.#removals++;
    // The far store decides whether the value matches: the near one may be behind.
    const dropped = options === undefined ? await this.#near.delete(key) : false;
    const deleted = await this.#far.delete(key, options);
    this.#removals++;
    if (deleted) await this.#near.delete(key);
    return deleted || dropped;
  }

  async invalidate(what: Invalidation): Promise<void> {
    this.#removals++;
    await this.#near.invalidate(what);
    await this.#far.invalidate(what);
    // Reads that fetched between the two lines above may have put it back.
    this.#removals++;
    await this.#near.invalidate(what);
  }

  health(): StoreHealth {
    const near = this.#near.health?.() ?? { state: 'up', problems: [] };
    const far = this.#far.health?.() ?? { state: 'up', problems: [] };
    const down = [near, far].find(({ state }) => state === 'down');
    const problems = [...near.problems, ...far.problems];
    return down === undefined ? { state: 'up', problems } : { ...down, problems };
  }

  watch(listener: (health: StoreHealth) => void): () => void {
    const tell = (): void => listener(this.health());
    const stops = [this.#near.watch?.(tell), this.#far.watch?.(tell)];
    return () => {
      for (const stop of stops) stop?.();
    };
  }

  async close(): Promise<void> {
    await this.#near.close?.();
    await this.#far.close?.();
  }

  #replaceBy(replaceFar: NonNullable<Store['replace']>): NonNullable<Store['replace']> {
    return async (key, was, value) => {
      this.#removals++;
      const replaced = await replaceFar(key, was, value);
      this.#removals++;
      // The near one reads it anew; what was written there since is newer and stays.
      if (replaced) await this.#near.delete(key, { ifValue: was });
      return replaced;
    };
  }

  /** Only the far store knows whether somebody else was first. */
  async #setIfAbsent(key: string, value: StoreValue, options: SetOptions): Promise<SetOutcome> {
    const outcome = await this.#far.set(key, value, options);
    if (outcome === 'stored') {
      await this.#near.set(key, value, this.#nearOptions(options));
    }
    return outcome;
  }

  #nearOptions(from: { readonly ttlMs?: number; readonly tags?: readonly string[] }): SetOptions {
    const ttlMs = Math.max(1, Math.min(from.ttlMs ?? this.#nearTtlMs, this.#nearTtlMs));
    return { ttlMs, ...(from.tags !== undefined && { tags: from.tags }) };
  }
}
