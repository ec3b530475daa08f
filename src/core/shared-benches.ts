import type { Clock } from './clock.ts';
import { type MaybePromise, storeKey, type Store, type StoreEntry } from './store.ts';

/** What other processes found out about a target. */
export interface Bench {
  readonly ms: number;
  readonly reason: string;
}

/** Benches in a store, so that many processes leave the same target alone. A store that is down changes nothing. */
export interface SharedBenches {
  publish(key: string, bench: Bench): Promise<void>;
  withdraw(key: string): Promise<void>;
  /** `undefined` at once if it was asked less than `freshMs` ago. */
  read(key: string): Promise<Bench | undefined> | undefined;
}

export interface SharedBenchesOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** How old an answer may be, in milliseconds. */
  readonly freshMs: number;
  /** Longest wait for the store, in milliseconds. */
  readonly waitMs: number;
  readonly keysMax: number;
}

export function sharedBenches({ store, clock, freshMs, waitMs, keysMax }: SharedBenchesOptions): SharedBenches {
  const askedAt = new Map<string, number>();
  const nameOf = (key: string): string => storeKey(['postern', 'bench', key]);
  const get = async (key: string): Promise<Bench | undefined> => {
    const entry = await within(clock, waitMs, store.get(nameOf(key)));
    if (entry === undefined || typeof entry.value !== 'string') return undefined;
    const { untilMs, reason } = parse(entry.value);
    // The store's own remaining time is better: two machines need not agree on the time.
    const ms = entry.ttlMs ?? untilMs - clock.now();
    return ms > 0 ? { ms, reason } : undefined;
  };
  return {
    async publish(key, { ms, reason }) {
      const value = JSON.stringify({ untilMs: clock.now() + ms, reason });
      await store.set(nameOf(key), value, { ttlMs: Math.max(1, Math.ceil(ms)) });
    },
    async withdraw(key) {
      await store.delete(nameOf(key));
    },
    read(key) {
      const now = clock.monotonic();
      const last = askedAt.get(key);
      if (last !== undefined && now - last < freshMs) return undefined;
      if (last === undefined && askedAt.size >= keysMax) askedAt.delete(askedAt.keys().next().value as string);
      askedAt.set(key, now);
      return get(key);
    },
  };
}

/** The entry, or nothing if the store fails or takes too long. */
function within(
  clock: Clock,
  ms: number,
  work: MaybePromise<StoreEntry | undefined>,
): MaybePromise<StoreEntry | undefined> {
  if (!(work instanceof Promise)) return work;
  return new Promise((resolve) => {
    const timer = clock.after(ms, () => resolve(undefined));
    work
      .catch(() => undefined)
      .then((entry) => {
        timer.cancel();
        resolve(entry);
      });
  });
}

function parse(text: string): { untilMs: number; reason: string } {
  try {
    const { untilMs, reason } = JSON.parse(text) as Record<string, unknown>;
    return { untilMs: Number(untilMs), reason: typeof reason === 'string' ? reason : 'circuit-open' };
  } catch {
    return { untilMs: 0, reason: '' };
  }
}
