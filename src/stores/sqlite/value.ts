import type { StoreValue } from '../../core/store.ts';

const TEXT = 0;
const BYTES = 1;
/** Text with half of a surrogate pair, which UTF-8 cannot say. */
const JSON_TEXT = 2;

/** An entry as the table has it. */
export interface Row {
  readonly id: number;
  readonly kind: number;
  readonly value: Uint8Array;
  readonly tags: string;
  readonly expiresAt: number | null;
}

/** A value as the table has it. */
export interface Blob {
  readonly kind: number;
  readonly data: Uint8Array;
}

export function encode(value: StoreValue): Blob {
  if (typeof value !== 'string') return { kind: BYTES, data: value };
  return value.isWellFormed()
    ? { kind: TEXT, data: bytesOf(value) }
    : { kind: JSON_TEXT, data: bytesOf(JSON.stringify(value)) };
}

export function decode({ kind, value }: Row): StoreValue {
  if (kind === BYTES) return new Uint8Array(value);
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(value);
  return kind === JSON_TEXT ? (JSON.parse(text) as string) : text;
}

/** UTF-8: keys and tags are kept as bytes. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The first bytes after everything that begins with these. UTF-8 never holds 0xff, so adding one cannot overflow. */
export function after(prefix: Uint8Array): Uint8Array {
  const next = Uint8Array.from(prefix);
  next[next.length - 1] = (next.at(-1) as number) + 1;
  return next;
}
