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

/** Runs that are remembered: those of at least 128 units, more than a look-up needs. */
const RUNS = 64;
/** How far before the last look-up another may be without reading its words again. */
const BACK_UNITS = RUNS * 2 - CONTEXT_UNITS;
const PLAIN = 0;
const MIXED = 1;
const CLOSED = 2;

/**
 * Looks up the up to eight words before a place. Each run between spaces is read once, however many numbers follow it.
 * Words that hold a digit or an `@` are passed over, so that one word speaks for a list of numbers; a placeholder ends the
 * walk, so that a text that was redacted never gets more context than it had.
 */
export class ContextReader {
  /** Where the first word of the last look-up begins: the same stand before any later place that is still near it. */
  earliest = -1;
  readonly #text: string;
  readonly #bytes: Uint8Array;
  readonly #index: ContextIndex;
  // The last runs, in a ring: where they begin and end, their kind, how many words and what those are known for.
  readonly #froms: number[] = [];
  readonly #ends: number[] = [];
  readonly #kinds: number[] = [];
  readonly #words: number[] = [];
  readonly #lexicons: (readonly Lexicon[])[] = [];
  #size = 0;
  #since = 0;
  #until = 0;

  constructor(text: string, bytes: Uint8Array, index: ContextIndex) {
    this.#text = text;
    this.#bytes = bytes;
    this.#index = index;
  }

  /** The lexicons that have one of the words before `start`. */
  before(start: number): readonly Lexicon[] {
    const limit = Math.max(0, start - CONTEXT_UNITS);
    let own = start;
    while (own > limit && !isSpace(this.#bytes[own - 1] as number)) own--;
    this.earliest = start;
    // May have begun before what is looked at.
    if (own === limit && limit > 0) return NONE;
    this.#cover(own, limit);
    let found: readonly Lexicon[] = NONE;
    let count = 0;
    // What stands right before the hit is no whole run: the hit goes on with it. It is read last and forgotten.
    const size = this.#size;
    if (own < start) this.#read(own, start);
    for (let slot = this.#size - 1; slot >= 0 && slot >= this.#size - RUNS && count < WORDS_MAX; slot--) {
      const at = slot % RUNS;
      const from = this.#froms[at] as number;
      if ((this.#ends[at] as number) > start) continue;
      if (from < limit || (from === limit && limit > 0) || this.#kinds[at] === CLOSED) break;
      if (this.#kinds[at] === MIXED) continue;
      this.earliest = from;
      count += this.#words[at] as number;
      const known = this.#lexicons[at] as readonly Lexicon[];
      if (known.length > 0) found = found.length === 0 ? known : [...found, ...known];
    }
    this.#size = size;
    return found;
  }

  /** Reads the runs from where the last look-up ended, or from `limit`, to `to`, where a run begins. */
  #cover(to: number, limit: number): void {
    let at = this.#until;
    if (at <= limit || this.#since > limit || to < at - BACK_UNITS) {
      this.#size = 0;
      this.#since = limit;
      at = limit;
      // The run that stands across the limit is none that counts.
      if (limit > 0) for (at++; at < to && !isSpace(this.#bytes[at - 1] as number); at++);
    }
    while (at < to) {
      const from = at;
      while (at < to && !isSpace(this.#bytes[at] as number)) at++;
      if (at > from) this.#read(from, at);
      at++;
    }
    this.#until = Math.max(at, to);
  }

  #read(from: number, end: number): void {
    const slot = this.#size++ % RUNS;
    const bytes = this.#bytes;
    let kind = PLAIN;
    let words = 0;
    let found: readonly Lexicon[] = NONE;
    for (let at = from; at < end && kind !== CLOSED; at++) {
      const code = bytes[at] as number;
      if (isLetter(code)) {
        const word = at;
        while (at + 1 < end && isLetter(bytes[at + 1] as number)) at++;
        words++;
        if (kind !== PLAIN || this.#index.filter[filterKey(code, bytes[at] as number, at + 1 - word)] !== 1) continue;
        const known = lexiconsOf(this.#text.slice(word, at + 1).toLowerCase(), this.#index);
        if (known.length > 0) found = found.length === 0 ? known : [...found, ...known];
      } else if (code === 64 || ((CLASSES[code] as number) & DIGIT) !== 0) kind = MIXED;
      else if (code === 91 && bracketLength(this.#text, at) > 0) kind = CLOSED;
    }
    this.#froms[slot] = from;
    this.#ends[slot] = end;
    this.#kinds[slot] = kind;
    this.#words[slot] = words;
    this.#lexicons[slot] = found;
  }
}

const isSpace = (code: number): boolean => ((CLASSES[code] as number) & SPACE) !== 0;
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
