import { storeKey, type StoreValue } from '../../core/store.ts';
import { SALT_BYTES, type Keyring } from './keyring.ts';

/** `unreadable` names the key the record says it needs, or `unknown`. */
export type Opened =
  | { readonly status: 'opened'; readonly value: StoreValue; readonly keyId: string }
  | { readonly status: 'unreadable'; readonly keyId: string };

const VERSION = 1;
const NONCE_BYTES = 12;
const TEXT = 0;
const BYTES = 1;
/** Text with half of a surrogate pair, which UTF-8 cannot say. */
const JSON_TEXT = 2;

/** A record: version, length of the key id, key id, salt, nonce, ciphertext with tag; as base64 text for any store. */
export async function seal(keyring: Keyring, recordId: string, value: StoreValue): Promise<string> {
  const { keyId, salt, key } = await keyring.writing();
  const name = new TextEncoder().encode(keyId);
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const header = concat([Uint8Array.of(VERSION, name.length), name, salt, nonce]);
  const additionalData = bound(header, recordId);
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData }, key, encodeValue(value));
  return toBase64(concat([header, new Uint8Array(sealed)]));
}

/** Opens a record of this very id. Anything else about it is unreadable: no exception and no hint. */
export async function open(keyring: Keyring, recordId: string, stored: StoreValue): Promise<Opened> {
  let keyId = 'unknown';
  try {
    const record = typeof stored === 'string' ? fromBase64(stored) : Uint8Array.from(stored);
    const headerLength = 2 + (record[1] ?? 0) + SALT_BYTES + NONCE_BYTES;
    if (record[0] !== VERSION || record.length <= headerLength) return { status: 'unreadable', keyId };
    const header = record.slice(0, headerLength);
    const name = new TextDecoder().decode(header.subarray(2, 2 + (record[1] as number)));
    const salt = header.slice(headerLength - NONCE_BYTES - SALT_BYTES, headerLength - NONCE_BYTES);
    if (/^[A-Za-z0-9._-]{1,32}$/.test(name)) keyId = name;
    const key = await keyring.reading(name, salt);
    if (key === undefined) return { status: 'unreadable', keyId };
    const iv = header.slice(headerLength - NONCE_BYTES);
    const algorithm = { name: 'AES-GCM', iv, additionalData: bound(header, recordId) };
    const plain = new Uint8Array(await crypto.subtle.decrypt(algorithm, key, record.slice(headerLength)));
    return { status: 'opened', value: decodeValue(plain), keyId: name };
  } catch {
    return { status: 'unreadable', keyId };
  }
}

/** What the tag vouches for besides the value: what kind of record this is, how it was made, and whose it is. */
function bound(header: Uint8Array, recordId: string): Uint8Array<ArrayBuffer> {
  return concat([new TextEncoder().encode(storeKey(['postern', 'store', recordId])), header]);
}

function encodeValue(value: StoreValue): Uint8Array<ArrayBuffer> {
  if (typeof value !== 'string') return concat([Uint8Array.of(BYTES), value]);
  if (value.isWellFormed()) return concat([Uint8Array.of(TEXT), new TextEncoder().encode(value)]);
  return concat([Uint8Array.of(JSON_TEXT), new TextEncoder().encode(JSON.stringify(value))]);
}

function decodeValue(plain: Uint8Array): StoreValue {
  const body = plain.slice(1);
  if (plain[0] === BYTES) return body;
  // A byte order mark at the beginning is content here, not a mark.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
  return plain[0] === JSON_TEXT ? (JSON.parse(text) as string) : text;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Arguments of one `String.fromCharCode`: more overflow the stack. */
const SLICE_BYTES = 0x8000;

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let from = 0; from < bytes.length; from += SLICE_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(from, from + SLICE_BYTES));
  }
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  // Base64 has several spellings of one record; ours is the only one we wrote.
  const tail = bytes.subarray(bytes.length - (bytes.length % 3));
  if (text.length % 4 !== 0 || (tail.length > 0 && !text.endsWith(toBase64(tail)))) throw new Error('not our spelling');
  return bytes;
}
