import { SCAN_LIMIT, type Store } from '../../core/store.ts';
import type { Keyring } from './keyring.ts';
import { open, seal } from './record.ts';

export interface ReencryptOptions {
  /** Where to go on: what the run before this one gave. Left out: from the beginning. */
  readonly cursor?: string;
  /** About how many records this run looks at. @defaultValue all that are left */
  readonly limit?: number;
  /** Only records whose keys begin with this. @defaultValue '': all */
  readonly prefix?: string;
}

export interface Reencryption {
  /** Records that were under another key and are under the current one now. */
  readonly rewritten: number;
  /** Records that were under the current key already. */
  readonly current: number;
  /** Records that no present key can read. They stay as they are. */
  readonly unreadable: number;
  /** Records that were written, removed or ended meanwhile, or that the store would not take: left alone. */
  readonly skipped: number;
  /** Absent: every record was looked at. */
  readonly cursor?: string;
}

/** What a walk needs: a store that lists, and what its records are bound to. */
export interface Walked {
  readonly store: Required<Pick<Store, 'scan'>>;
  readonly keyring: Keyring;
  readonly recordId: (key: string) => string;
}

type Fate = 'rewritten' | 'current' | 'unreadable' | 'skipped';

/** Writes records under old keys anew. Only the very record that was read is exchanged, so nothing newer is lost. */
export async function reencryptRecords(
  walked: Walked,
  replace: NonNullable<Store['replace']>,
  { cursor, limit = Number.POSITIVE_INFINITY, prefix = '' }: ReencryptOptions,
): Promise<Reencryption> {
  const counts: Record<Fate, number> = { rewritten: 0, current: 0, unreadable: 0, skipped: 0 };
  let next = cursor;
  let left = limit;
  do {
    const page = await walked.store.scan(pageOf(prefix, next, left));
    const fates = await Promise.all(page.entries.map(({ key, value }) => rewrite(walked, replace, key, value)));
    for (const fate of fates) counts[fate]++;
    left -= page.entries.length;
    next = page.cursor;
  } while (next !== undefined && left > 0);
  return { ...counts, ...(next !== undefined && { cursor: next }) };
}

async function rewrite(
  { keyring, recordId }: Walked,
  replace: NonNullable<Store['replace']>,
  key: string,
  sealed: string | Uint8Array,
): Promise<Fate> {
  const opened = await open(keyring, recordId(key), sealed);
  if (opened.status !== 'opened' || typeof sealed !== 'string') return 'unreadable';
  if (opened.keyId === keyring.current) return 'current';
  const fresh = await seal(keyring, recordId(key), opened.value);
  return (await replace(key, sealed, fresh)) ? 'rewritten' : 'skipped';
}

/** How many records no present key can read, by the key they name. */
export async function countUnreadable({ store, keyring, recordId }: Walked): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let cursor: string | undefined;
  do {
    const page = await store.scan(pageOf('', cursor, SCAN_LIMIT));
    const opened = await Promise.all(page.entries.map(({ key, value }) => open(keyring, recordId(key), value)));
    for (const one of opened) {
      if (one.status === 'unreadable') counts.set(one.keyId, (counts.get(one.keyId) ?? 0) + 1);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return counts;
}

function pageOf(prefix: string, cursor: string | undefined, left: number) {
  return { prefix, limit: Math.min(SCAN_LIMIT, left), ...(cursor !== undefined && { cursor }) };
}
