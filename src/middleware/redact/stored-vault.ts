import { takeTurn } from '../../core/answer-lock.ts';
import type { Call } from '../../core/call.ts';
import { digestFields } from '../../core/digest.ts';
import { invalidOptions } from '../../core/errors.ts';
import { checkOptions, milliseconds, type OptionRule, wholeNumber } from '../../core/options.ts';
import { type Store, storeKey } from '../../core/store.ts';
import { hmacSha256 } from '../../platform/sha256.ts';
import { placeholderLength, TAG_UNITS, tagOf } from '../../redaction/placeholder.ts';
import type { TagKey } from '../../redaction/tags.ts';
import type { Vault } from '../../redaction/vault.ts';
import { encrypted } from '../../stores/encrypted.ts';

/** Where the values of earlier requests of a session are kept, for answers that speak of them. */
export interface RedactVaultOptions {
  /** Records are encrypted with a key made from `redact`'s own before they get here. */
  readonly store: Store;
  /** How long after its last new value a session is remembered, in milliseconds. @defaultValue 86_400_000 (a day) */
  readonly ttlMs?: number;
  /** Most values kept of one session; the oldest go first. @defaultValue 1_000 */
  readonly entriesMax?: number;
}

const NEVER = new AbortController().signal;

type Entry = readonly [placeholder: string, value: string];

/** Brings the values of earlier requests of a call's session, and keeps the new ones. */
export interface StoredVault {
  /** Fills a vault; gives what keeps what is put in after it. Without a session there is nothing to bring or keep. */
  open(call: Call, vault: Vault): Promise<() => void>;
}

const aStore: OptionRule = (value) =>
  typeof (value as Store | null)?.get === 'function' ? undefined : 'expected a store, like redisStore()';

/** Checks the options and makes the encrypting store. */
export function storedVault(options: RedactVaultOptions, key: TagKey): StoredVault {
  checkOptions('redact.vault', options, { store: aStore, ttlMs: milliseconds, entriesMax: wholeNumber(1) });
  if (options.store === undefined) throw invalidOptions('redact.vault.store', 'expected a store, like redisStore().');
  const { store, ttlMs = 86_400_000, entriesMax = 1_000 } = options;
  const bytes = typeof key === 'string' ? new TextEncoder().encode(key) : key;
  const secret = hmacSha256(bytes)(new TextEncoder().encode('postern redact vault'));
  const sealed = encrypted(store, { keys: { vault: secret }, current: 'vault' });

  // Writes of one session stand in line here, and behind those of other processes at the store's lock.
  const lines = new Map<string, Promise<void>>();

  function save(call: Call, record: string, fresh: readonly Entry[]): Promise<void> {
    const mine = (lines.get(record) ?? Promise.resolve()).then(() => write(call, record, fresh));
    const settled = mine.catch(() => {}).then(() => void (lines.get(record) === settled && lines.delete(record)));
    lines.set(record, settled);
    return mine;
  }

  async function write(call: Call, record: string, fresh: readonly Entry[]): Promise<void> {
    // The wait is no part of the call: it goes on when the caller has gone.
    const turn = await takeTurn({ ...call, signal: NEVER }, store, record, () => Promise.resolve(undefined));
    try {
      // Read again: another call of the session may have written meanwhile.
      const entries = new Map([...(await load(sealed, record)), ...fresh]);
      const kept = [...entries].slice(-entriesMax);
      await sealed.set(record, JSON.stringify(kept), { ttlMs });
    } finally {
      if ('release' in turn) await turn.release();
    }
  }

  return {
    async open(call, vault) {
      const { tenant = '', user = '', session } = call.scope;
      if (session === undefined) return () => {};
      const record = storeKey(['redact-vault', digestFields([tenant, user, session], secret)]);
      const known = await load(sealed, record);
      for (const [placeholder, value] of known) put(vault, placeholder, value);
      return () => {
        const fresh = [...vault.entries()].filter(([placeholder]) => !known.has(placeholder));
        if (fresh.length > 0) call.context.waitUntil(save(call, record, fresh));
      };
    },
  };
}

async function load(store: Store, record: string): Promise<Map<string, string>> {
  const value = (await store.get(record))?.value;
  return new Map(typeof value === 'string' ? (JSON.parse(value) as Entry[]) : []);
}

function put(vault: Vault, placeholder: string, value: string): void {
  const length = placeholderLength(placeholder, 0);
  const entity = placeholder.slice(1, -TAG_UNITS - 2);
  if (length === placeholder.length) vault.put(tagOf(placeholder, 0, length), value, entity);
}
