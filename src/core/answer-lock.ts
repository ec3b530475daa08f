import type { Call } from './call.ts';
import { sleep } from './clock.ts';
import type { Store } from './store.ts';

/** A lock is given up by its holder's death after this long, in milliseconds. */
const LOCK_MS = 60_000;
/** First and longest wait between two looks, in milliseconds. */
const LOOK_MS = 10;
const LOOK_MS_MAX = 200;
/** Longest wait for somebody else's answer, in milliseconds; then this call asks for itself. */
const TURN_MS_MAX = 30_000;

/**
 * Lets one call of all processes ask while the others wait for what it keeps. Gives the answer that came, or the
 * function that ends the turn. A store that is gone lets everybody go.
 */
export async function takeTurn<T>(
  call: Call,
  store: Store,
  key: string,
  look: () => Promise<T | undefined>,
): Promise<{ readonly found: T } | { readonly release: () => Promise<void> }> {
  const lockKey = `${key}lock`;
  const { clock, callId } = call.context;
  const until = clock.monotonic() + TURN_MS_MAX;
  for (let waitMs = LOOK_MS; ; waitMs = Math.min(LOOK_MS_MAX, waitMs * 2)) {
    const outcome = await lock(store, lockKey, callId);
    if (outcome !== 'exists') {
      // Between our look before the lock and the lock itself the holder may have finished.
      const found = outcome === 'stored' ? await look() : undefined;
      const release = async (): Promise<void> => {
        if (outcome === 'stored') await Promise.resolve(store.delete(lockKey, { ifValue: callId })).catch(() => false);
      };
      if (found === undefined) return { release };
      await release();
      return { found };
    }
    await sleep(clock, waitMs, call.signal);
    const found = await look();
    if (found !== undefined) return { found };
    if (clock.monotonic() >= until) return { release: async () => undefined };
  }
}

async function lock(store: Store, key: string, value: string): Promise<'stored' | 'exists' | 'refused'> {
  try {
    return await store.set(key, value, { ifAbsent: true, ttlMs: LOCK_MS });
  } catch {
    return 'refused';
  }
}
