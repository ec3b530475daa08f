import { CLASSES, codeAt, DIGIT, LETTER, SPACE } from './characters.ts';
import { bracketLength } from './placeholder.ts';
import { BEYOND_ASCII } from './unit-bytes.ts';

/** How far before a hit a context word may stand, in UTF-16 units. */
export const CONTEXT_UNITS = 96;
const WORDS_MAX = 8;

/** A detector's context words, ready to be looked up. */
export interface Lexicon {
  readonly words: ReadonlySet<string>;
  /** Words of scripts written without spaces: looked for inside longer runs. */
  readonly inside: readonly string[];
}

export function lexicon(words: readonly string[]): Lexicon {
  const plain = words.flatMap((word) => [word, `${word}s`]);
  return {
    words: new Set(plain),
    inside: words.filter((word) => /[\u0e00-\u0e7f\u3040-\u9fff\uac00-\ud7af]/.test(word)),
  };
}

/** What one look-up found. */
export interface Context {
  readonly lexicons: readonly Lexicon[];
  /** Where the first word begins: the same stand before any later place that is still near it. */
  readonly earliest: number;
}

/**
 * The lexicons that have one of the up to eight words before `start`. Words that hold a digit or an `@` are passed over, so
 * that one word speaks for a list of numbers; a placeholder ends the walk, so that a text that was redacted never gets
 * more context than it had.
 */
export function contextBefore(text: string, bytes: Uint8Array, start: number, index: ContextIndex): Context {
  const limit = Math.max(0, start - CONTEXT_UNITS);
  let lexicons: Lexicon[] | undefined;
  let earliest = start;
  let count = 0;
  let end = start;
  while (end > limit && count < WORDS_MAX) {
    const from = runFrom(text, bytes, end, limit);
    // A run that may have begun before what is looked at, or holds a placeholder.
    if (from < 0 || (from === limit && limit > 0)) break;
    if (from < end && isPlain(bytes, from, end)) {
      earliest = from;
      for (let at = from; at < end; at++) {
        if (!isLetter(bytes[at] as number)) continue;
        const word = at;
        while (at < end && isLetter(bytes[at] as number)) at++;
        count++;
        if (index.filter[filterKey(bytes[word] as number, bytes[at - 1] as number, at - word)] !== 1) continue;
        const known = lexiconsOf(text.slice(word, at).toLowerCase(), index);
        if (known.length > 0) lexicons = lexicons === undefined ? [...known] : [...lexicons, ...known];
      }
    }
    end = from - 1;
  }
  return { lexicons: lexicons ?? NONE, earliest };
}

/** Where the run without spaces begins that ends before `end`; -1 when a placeholder is in it. */
function runFrom(text: string, bytes: Uint8Array, end: number, limit: number): number {
  let from = end;
  while (from > limit) {
    const code = bytes[from - 1] as number;
    if (((CLASSES[code] as number) & SPACE) !== 0) break;
    from--;
    if (code === 91 && bracketLength(text, from) > 0) return -1;
  }
  return from;
}

/** Holds neither a digit nor an `@`. */
function isPlain(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at++) {
    const code = bytes[at] as number;
    if (code === 64 || ((CLASSES[code] as number) & DIGIT) !== 0) return false;
  }
  return true;
}

const isLetter = (code: number): boolean => code === BEYOND_ASCII || ((CLASSES[code] as number) & LETTER) !== 0;

const FILTER_UNITS = 1 << 14;
/** First and last letter without their case, and the length: most words of a text are told from all that are known. */
const filterKey = (first: number, last: number, length: number): number =>
  ((first & 31) << 9) | ((last & 31) << 4) | Math.min(length, 15);

/** Lexicons by word, so that a place is looked up once for all detectors. */
export interface ContextIndex {
  readonly byWord: ReadonlyMap<string, readonly Lexicon[]>;
  /** Those with words of scripts written without spaces. */
  readonly inside: readonly Lexicon[];
  /** 1 by {@link filterKey} where a word may be known; always where it begins or ends beyond ASCII. */
  readonly filter: Uint8Array;
}

export function contextIndex(lexicons: readonly Lexicon[]): ContextIndex {
  const byWord = new Map<string, Lexicon[]>();
  for (const entry of lexicons) {
    for (const word of entry.words) {
      const list = byWord.get(word);
      if (list) list.push(entry);
      else byWord.set(word, [entry]);
    }
  }
  return { byWord, inside: lexicons.filter(({ inside }) => inside.length > 0), filter: filterOf(byWord.keys()) };
}

function filterOf(words: Iterable<string>): Uint8Array {
  const filter = new Uint8Array(FILTER_UNITS);
  // What begins or ends beyond ASCII has a case of its own, so those are all looked up.
  for (let other = 0; other < 32; other++) {
    for (let length = 0; length < 16; length++) {
      filter[filterKey(BEYOND_ASCII, other, length)] = 1;
      filter[filterKey(other, BEYOND_ASCII, length)] = 1;
    }
  }
  for (const word of words) filter[filterKey(word.charCodeAt(0), word.charCodeAt(word.length - 1), word.length)] = 1;
  return filter;
}

/** The lexicons that have the word. */
function lexiconsOf(word: string, { byWord, inside }: ContextIndex): readonly Lexicon[] {
  const known = byWord.get(word) ?? NONE;
  if (codeAt(word, 0) < 0xe00) return known;
  return [...known, ...inside.filter((entry) => entry.inside.some((part) => word.includes(part)))];
}

const NONE: readonly Lexicon[] = [];
