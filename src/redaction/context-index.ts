import { codeAt } from './characters.ts';

/** A detector's context words, ready to be looked up. */
export interface Lexicon {
  /** Its place among the lexicons of one plan. */
  readonly place: number;
  readonly words: ReadonlySet<string>;
  /** Words of scripts written without spaces: looked for inside longer runs. */
  readonly inside: readonly string[];
}

export function lexicon(words: readonly string[], place: number): Lexicon {
  const plain = words.flatMap((word) => [word, `${word}s`]);
  return {
    place,
    words: new Set(plain),
    inside: words.filter((word) => /[\u0e00-\u0e7f\u3040-\u9fff\uac00-\ud7af]/.test(word)),
  };
}

const KEYS = 1 << 15;

/** By its first two letters without their case, its last and its length: most words of a text are told so from all that are known. */
const keyOf = (first: number, second: number, last: number, length: number): number =>
  (((first & 31) << 10) | ((last & 31) << 5) | (length & 31)) ^ ((second & 31) << 3);

interface KnownWord {
  readonly word: string;
  /** One bit for each lexicon that has it. */
  readonly mask: Int32Array;
}

/** Lexicons by word, so that a place is looked up once for all detectors. */
export interface ContextIndex {
  /** How many lexicons there are. */
  readonly size: number;
  readonly byWord: ReadonlyMap<string, Int32Array>;
  /** Those with words of scripts written without spaces. */
  readonly inside: readonly Lexicon[];
  /** One bit for each key of a word. */
  readonly keys: Int32Array;
  /** Words of ASCII letters by their key, so that none has to be cut out to be looked up. */
  readonly byKey: ReadonlyMap<number, readonly KnownWord[]>;
}

export function contextIndex(lexicons: readonly Lexicon[]): ContextIndex {
  const size = lexicons.length;
  const byWord = new Map<string, Int32Array>();
  for (const entry of lexicons) {
    for (const word of entry.words) byWord.set(word, addTo(byWord.get(word) ?? emptyMask(size), maskOf([entry], size)));
  }
  const keys = new Int32Array(KEYS >> 5);
  const byKey = new Map<number, KnownWord[]>();
  for (const [word, mask] of byWord) {
    const { length } = word;
    const second = word.charCodeAt(Math.min(1, length - 1));
    const key = keyOf(word.charCodeAt(0), second, word.charCodeAt(length - 1), length);
    keys[key >> 5] = (keys[key >> 5] as number) | (1 << (key & 31));
    const list = byKey.get(key);
    if (list) list.push({ word, mask });
    else byKey.set(key, [{ word, mask }]);
  }
  return { size, byWord, inside: lexicons.filter(({ inside }) => inside.length > 0), keys, byKey };
}

export const emptyMask = (size: number): Int32Array => new Int32Array((size + 31) >> 5);

/** One bit for each of the lexicons, of as many as a plan has. */
export function maskOf(lexicons: readonly (Lexicon | undefined)[], size: number): Int32Array {
  const mask = emptyMask(size);
  for (const entry of lexicons)
    if (entry !== undefined) mask[entry.place >> 5] = (mask[entry.place >> 5] as number) | (1 << (entry.place & 31));
  return mask;
}

export function addTo(mask: Int32Array, more: Int32Array): Int32Array {
  for (let part = 0; part < more.length; part++) mask[part] = (mask[part] as number) | (more[part] as number);
  return mask;
}

/** The lexicons that have the word of ASCII letters between two places, in whatever case. */
export function maskAt({ keys, byKey }: ContextIndex, bytes: Uint8Array, start: number, end: number): Int32Array {
  const length = end - start;
  const second = bytes[length > 1 ? start + 1 : start] as number;
  const key = keyOf(bytes[start] as number, second, bytes[end - 1] as number, length);
  if (((keys[key >> 5] as number) & (1 << (key & 31))) === 0) return NONE;
  const list = byKey.get(key) ?? [];
  for (let each = 0; each < list.length; each++) {
    const { word, mask } = list[each] as KnownWord;
    let at = word.length === length ? start : end + 1;
    while (at < end && ((bytes[at] as number) | 32) === word.charCodeAt(at - start)) at++;
    if (at === end) return mask;
  }
  return NONE;
}

/** The lexicons that have the word. */
export function maskBeyondAscii(word: string, { byWord, inside, size }: ContextIndex): Int32Array {
  const known = byWord.get(word) ?? NONE;
  if (codeAt(word, 0) < 0xe00) return known;
  const within = inside.filter((entry) => entry.inside.some((part) => word.includes(part)));
  return within.length === 0 ? known : addTo(maskOf(within, size), known);
}

/** The mask of a word that no lexicon has. */
export const NONE: Int32Array = new Int32Array(0);
