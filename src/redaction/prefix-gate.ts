import { classOf, TOKEN } from './characters.ts';
import { byteOf, type PrefixEntry } from './entries.ts';
import { WORD_BITS } from './shapes.ts';
import { BEYOND_ASCII } from './unit-bytes.ts';

/** Which words may begin with a known literal: told by their first three characters, their length and what follows. */
export interface PrefixGate {
  /** By three opening characters, hashed to 14 bits: 0 or the place of a list, counted from one. */
  readonly listAt: Uint16Array;
  readonly lists: readonly (readonly PrefixEntry[])[];
  /** 1 for what may follow a word that is shorter than `unitsMin` where a literal begins. */
  readonly ends: Uint8Array;
  /** Shortest word that a literal may begin with whatever follows. */
  readonly unitsMin: number;
}

const KEYS = 1 << 14;

/** 14-bit key of three opening characters. */
export const openingKey = (first: number, second: number, third: number): number =>
  (Math.imul(first, 1031) ^ Math.imul(second, 37) ^ Math.imul(third, 9109)) & (KEYS - 1);

export function prefixGate(entries: readonly PrefixEntry[]): PrefixGate {
  const listAt = new Uint16Array(KEYS);
  const lists: PrefixEntry[][] = [];
  for (const entry of entries) {
    for (const key of keysOf(entry.prefix)) {
      const place = listAt[key] as number;
      if (place > 0) (lists[place - 1] as PrefixEntry[]).push(entry);
      else listAt[key] = lists.push([entry]);
    }
  }
  return { listAt, lists, ...endsOf(entries) };
}

/** The keys of all texts that begin so: a literal of two characters may have anything behind it. */
function keysOf(prefix: string): Set<number> {
  const [first = 0, second = 0, third] = [...prefix.slice(0, 3)].map((unit) => byteOf(unit.charCodeAt(0)));
  const thirds = third === undefined ? Array.from({ length: BEYOND_ASCII + 1 }, (_, code) => code) : [third];
  return new Set(thirds.map((one) => openingKey(first, second, one)));
}

/** A hit that is one run of token characters is longer than the words of a language, or goes on with a sign. */
function endsOf(entries: readonly PrefixEntry[]): Pick<PrefixGate, 'ends' | 'unitsMin'> {
  const ends = new Uint8Array(256);
  let unitsMin = Number.MAX_SAFE_INTEGER;
  for (let code = 0; code < 128; code++) if ((classOf(code) & (TOKEN | WORD_BITS)) === TOKEN) ends[code] = 1;
  for (const { prefix, detector } of entries) {
    const sign = /[^0-9A-Za-z]/.exec(prefix);
    if (sign !== null) ends[byteOf(sign[0].charCodeAt(0))] = 1;
    else unitsMin = Math.min(unitsMin, detector.runMin ?? prefix.length);
  }
  return { ends, unitsMin };
}
