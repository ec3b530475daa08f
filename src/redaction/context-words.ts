import { CLASSES, codeAt, DIGIT, LETTER, SPACE } from './characters.ts';
import { bracketLength } from './placeholder.ts';
import { BEYOND_ASCII } from './unit-bytes.ts';

/** How far before a hit a context word may stand, in UTF-16 units. */
export const CONTEXT_UNITS = 96;
const WORDS_MAX = 8;

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
  readonly index: ContextIndex;
  #text = '';
  #bytes: Uint8Array = NO_BYTES;
  // The last runs that are not passed over, in a ring: where they begin and end (below zero for one that ends the walk),
  // how many words and what those are known for.
  readonly #froms = new Int32Array(RUNS);
  readonly #ends = new Int32Array(RUNS);
  readonly #words = new Int32Array(RUNS);
  readonly #lexicons: (readonly Lexicon[])[] = Array.from({ length: RUNS }, () => NONE);
  // By place: the look-up that last met one of the lexicon's words.
  readonly #met: Float64Array;
  #lookUp = 0;
  #size = 0;
  #since = 0;
  #until = 0;

  constructor(index: ContextIndex) {
    this.index = index;
    this.#met = new Float64Array(index.size);
  }

  /** Begins another text; the empty one lets go of the last. */
  open(text: string, bytes: Uint8Array): void {
    this.#text = text;
    this.#bytes = bytes;
    this.earliest = -1;
    this.#lookUp++;
    this.#size = 0;
    this.#since = 0;
    this.#until = 0;
  }

  /** Whether one of the lexicon's words stood before the place of the last look-up. */
  has({ place }: Lexicon): boolean {
    return this.#met[place] === this.#lookUp;
  }

  /** Looks up the words before `start`. */
  before(start: number): void {
    this.#lookUp++;
    const limit = Math.max(0, start - CONTEXT_UNITS);
    let own = start;
    while (own > limit && !isSpace(this.#bytes[own - 1] as number)) own--;
    this.earliest = start;
    // May have begun before what is looked at.
    if (own === limit && limit > 0) return;
    this.#cover(own, limit);
    let count = 0;
    // What stands right before the hit is no whole run: the hit goes on with it. It is read last and forgotten.
    const size = this.#size;
    if (own < start) this.#read(own, start);
    for (let slot = this.#size - 1; slot >= 0 && slot >= this.#size - RUNS && count < WORDS_MAX; slot--) {
      const at = slot & (RUNS - 1);
      const from = this.#froms[at] as number;
      const end = this.#ends[at] as number;
      if (Math.abs(end) > start) continue;
      if (from < limit || (from === limit && limit > 0) || end < 0) break;
      this.earliest = from;
      count += this.#words[at] as number;
      const known = this.#lexicons[at] as readonly Lexicon[];
      for (let each = 0; each < known.length; each++) this.#met[(known[each] as Lexicon).place] = this.#lookUp;
    }
    this.#size = size;
  }

  /** Reads the runs from where the last look-up ended, or from `limit`, to `to`, where a run begins. */
  #cover(to: number, limit: number): void {
    const bytes = this.#bytes;
    let at = this.#until;
    if (at <= limit || this.#since > limit || to < at - BACK_UNITS) {
      this.#size = 0;
      this.#since = limit;
      at = limit;
      // The run that stands across the limit is none that counts.
      if (limit > 0) for (at++; at < to && !isSpace(bytes[at - 1] as number); at++);
    }
    while (at < to) {
      const from = at;
      while (at < to && !isSpace(bytes[at] as number)) at++;
      if (at > from) this.#read(from, at);
      at++;
    }
    this.#until = Math.max(at, to);
  }

  #read(from: number, end: number): void {
    const bytes = this.#bytes;
    let kind = PLAIN;
    let words = 0;
    let found: readonly Lexicon[] = NONE;
    for (let at = from; at < end && kind !== CLOSED; at++) {
      const code = bytes[at] as number;
      if (code === 91) {
        if (bracketLength(this.#text, at) > 0) kind = CLOSED;
      } else if (kind === MIXED) continue;
      else if (isLetter(code)) {
        const word = at;
        let hash = hashed(0, code);
        let beyond = code === BEYOND_ASCII;
        for (let next = bytes[at + 1] as number; at + 1 < end && isLetter(next); next = bytes[at + 1] as number) {
          hash = hashed(hash, next);
          if (next === BEYOND_ASCII) beyond = true;
          at++;
        }
        words++;
        const known = beyond
          ? lexiconsOf(this.#text.slice(word, at + 1).toLowerCase(), this.index)
          : lexiconsAt(this.index.byHash[hashKey(hash)], bytes, word, at + 1);
        if (known.length > 0) found = found.length === 0 ? known : [...found, ...known];
      } else if (code === 64 || ((CLASSES[code] as number) & DIGIT) !== 0) kind = MIXED;
    }
    if (kind === MIXED) return;
    const slot = this.#size++ & (RUNS - 1);
    this.#froms[slot] = from;
    this.#ends[slot] = kind === CLOSED ? -end : end;
    this.#words[slot] = words;
    this.#lexicons[slot] = found;
  }
}

const isSpace = (code: number): boolean => ((CLASSES[code] as number) & SPACE) !== 0;
const isLetter = (code: number): boolean => code === BEYOND_ASCII || ((CLASSES[code] as number) & LETTER) !== 0;

const HASH_BITS = 14;
/** Letters without their case, one after the other: most words of a text are told from all that are known. */
const hashed = (hash: number, code: number): number => Math.imul(hash, 33) + (code & 31) + 1;
const hashKey = (hash: number): number => Math.imul(hash, 0x9e3779b1) >>> (32 - HASH_BITS);

interface KnownWord {
  readonly word: string;
  readonly lexicons: readonly Lexicon[];
}

/** Lexicons by word, so that a place is looked up once for all detectors. */
export interface ContextIndex {
  /** How many lexicons there are. */
  readonly size: number;
  readonly byWord: ReadonlyMap<string, readonly Lexicon[]>;
  /** Those with words of scripts written without spaces. */
  readonly inside: readonly Lexicon[];
  /** Words of ASCII letters by their hash, so that none has to be cut out to be looked up. */
  readonly byHash: readonly (readonly KnownWord[] | undefined)[];
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
  const byHash = Array.from({ length: 1 << HASH_BITS }, (): KnownWord[] | undefined => undefined);
  for (const [word, known] of byWord) {
    let hash = 0;
    for (let index = 0; index < word.length; index++) hash = hashed(hash, word.charCodeAt(index));
    const list = (byHash[hashKey(hash)] ??= []);
    list.push({ word, lexicons: known });
  }
  return { size: lexicons.length, byWord, inside: lexicons.filter(({ inside }) => inside.length > 0), byHash };
}

/** A reader between texts. Taken while one is used, so that a detector may itself read another text. */
let spare: ContextReader | undefined;

export function takeReader(index: ContextIndex, text: string, bytes: Uint8Array): ContextReader {
  const reader = spare?.index === index ? spare : new ContextReader(index);
  spare = undefined;
  reader.open(text, bytes);
  return reader;
}

export function returnReader(reader: ContextReader): void {
  reader.open('', NO_BYTES);
  spare = reader;
}

/** The lexicons that have the word of ASCII letters between two places, in whatever case. */
function lexiconsAt(
  list: readonly KnownWord[] | undefined,
  bytes: Uint8Array,
  start: number,
  end: number,
): readonly Lexicon[] {
  if (list === undefined) return NONE;
  for (let each = 0; each < list.length; each++) {
    const { word, lexicons } = list[each] as KnownWord;
    let at = word.length === end - start ? start : end + 1;
    while (at < end && ((bytes[at] as number) | 32) === word.charCodeAt(at - start)) at++;
    if (at === end) return lexicons;
  }
  return NONE;
}

/** The lexicons that have the word. */
function lexiconsOf(word: string, { byWord, inside }: ContextIndex): readonly Lexicon[] {
  const known = byWord.get(word) ?? NONE;
  if (codeAt(word, 0) < 0xe00) return known;
  return [...known, ...inside.filter((entry) => entry.inside.some((part) => word.includes(part)))];
}

const NONE: readonly Lexicon[] = [];
const NO_BYTES = new Uint8Array(0);
