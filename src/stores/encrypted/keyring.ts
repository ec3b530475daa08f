import { invalidOptions } from '../../core/errors.ts';

/** A key to write with, and the salt it was derived with. */
export interface WritingKey {
  readonly keyId: string;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly key: CryptoKey;
}

export interface Keyring {
  /** Id of the key that new records are written with. */
  readonly current: string;
  writing(): Promise<WritingKey>;
  /** `undefined`: no such key here. */
  reading(keyId: string, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> | undefined;
}

export const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** Records under one derived key: far below the 2^32 after which random nonces may repeat. */
const RECORDS_MAX = 2 ** 30;
/** Derived keys kept for reading, one a process that wrote. */
const DERIVED_MAX = 1_000;

/**
 * The keys of a store. No master key encrypts anything itself: every process derives a key of its own with a random
 * salt (HKDF), a new one every 2^30 records, so that no nonce is used up however many processes write.
 */
export function createKeyring(keys: Readonly<Record<string, Uint8Array | string>>, current: string): Keyring {
  const masters = new Map<string, Promise<CryptoKey>>();
  for (const [keyId, key] of Object.entries(keys ?? {})) masters.set(keyId, importMaster(keyId, key));
  const master = masters.get(current);
  if (master === undefined)
    throw invalidOptions('current', `must be the id of one of the keys: ${[...masters.keys()].join(', ')}.`);
  const derived = new Map<string, Promise<CryptoKey>>();
  let writing: Promise<WritingKey> | undefined;
  let left = 0;
  return {
    current,
    writing() {
      if (writing === undefined || left-- <= 0) {
        left = RECORDS_MAX;
        const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
        writing = master.then(async (base) => ({ keyId: current, salt, key: await derive(base, salt) }));
      }
      return writing;
    },
    reading(keyId, salt) {
      const base = masters.get(keyId);
      if (base === undefined) return undefined;
      const name = `${keyId}:${salt.join()}`;
      const known = derived.get(name);
      if (known !== undefined) return known;
      if (derived.size >= DERIVED_MAX) derived.delete(derived.keys().next().value as string);
      const key = base.then((one) => derive(one, salt));
      derived.set(name, key);
      return key;
    },
  };
}

function importMaster(keyId: string, key: Uint8Array | string): Promise<CryptoKey> {
  if (!/^[A-Za-z0-9._-]{1,32}$/.test(keyId)) {
    throw invalidOptions('keys', 'ids are 1 to 32 characters of A-Z a-z 0-9 . _ -');
  }
  const bytes = typeof key === 'string' ? fromBase64(keyId, key) : Uint8Array.from(key);
  if (bytes.length !== KEY_BYTES) throw invalidOptions(`keys.${keyId}`, 'must be 32 bytes, or their base64.');
  return crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey']);
}

function fromBase64(keyId: string, text: string): Uint8Array<ArrayBuffer> {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    // The text is a secret: it is in no message.
    throw invalidOptions(`keys.${keyId}`, 'must be 32 bytes, or their base64.');
  }
}

function derive(base: CryptoKey, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const info = new TextEncoder().encode('postern store record v1');
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt, info };
  return crypto.subtle.deriveKey(algorithm, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}
