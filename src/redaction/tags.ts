import { hmacSha256 } from '../platform/sha256.ts';
import { TAG_UNITS } from './placeholder.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const encoder = new TextEncoder();

/** Secret of the tags: random per gateway, or the caller's when several processes share a store. */
export type TagKey = Uint8Array | string;

/** Makes deterministic bytes for a value, different for each key, partition, purpose and entity. */
export type Digest = (purpose: string, entity: string, value: string) => Uint8Array;

export function digestOf(key: TagKey, partition: string): Digest {
  const mac = hmacSha256(typeof key === 'string' ? encoder.encode(key) : key);
  return (purpose, entity, value) => {
    // Lengths first, so that no two lists of parts give the same bytes.
    const parts = [purpose, partition, entity, value];
    return mac(encoder.encode(`${parts.map((part) => part.length).join(',')};${parts.join('')}`));
  };
}

/** Fourteen letters, 65 bits, from two times five bytes. */
export function tagFrom(digest: Uint8Array): string {
  let tag = '';
  for (const offset of [0, 5]) {
    let number = 0;
    for (let index = 0; index < 5; index++) number = number * 256 + (digest[offset + index] as number);
    for (let index = 0; index < TAG_UNITS / 2; index++) {
      tag += LETTERS.charAt(number % 26);
      number = Math.floor(number / 26);
    }
  }
  return tag;
}
