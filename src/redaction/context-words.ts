import { CLASSES, DIGIT, LETTER, SPACE } from './characters.ts';
import {
  addTo,
  type ContextIndex,
  emptyMask,
  hashed,
  hashKey,
  type Lexicon,
  maskAt,
  maskBeyondAscii,
  NONE,
} from './context-index.ts';
import { bracketLength } from './placeholder.ts';
import { BEYOND_ASCII } from './unit-bytes.ts';

/** How far before a hit a context word may stand, in UTF-16 units. */
export const CONTEXT_UNITS = 96;
const WORDS_MAX = 8;

/** What a unit is to the reader of words. */
const SIGN = 0;
const IN_WORD = 1;
const IN_NUMBER = 2;
const BLANK = 3;
const BRACKET = 4;
const KINDS = Uint8Array.from({ length: 256 }, (_, code) => {
  const bits = CLASSES[code] as number;
  if ((bits & SPACE) !== 0) return BLANK;
  if ((bits & LETTER) !== 0 || code === BEYOND_ASCII) return IN_WORD;
  return (bits & DIGIT) !== 0 || code === 64 ? IN_NUMBER : code === 91 ? BRACKET : SIGN;
});

/** Runs that are remembered: a power of two, more than there are units in a look-up. */
const RUNS = 128;
/** In place of a count of words: a run that is passed over, and one that ends the walk. */
const MIXED = -1;
const CLOSED = -2;

/**
 * Looks up the up to eight words before a place, from the nearest back. A run between spaces is read once, however many
 * numbers follow it. Runs that hold a digit or an `@` are passed over, so that one word speaks for a list of numbers; a
 * placeholder ends the walk, so that a text that was redacted never gets more context than it had.
 */
export class ContextReader {
  /** Where the first word of the last look-up begins: the same stand before any later place that is still near it. */
  earliest = -1;
  readonly index: ContextIndex;
  #text = '';
  #bytes: Uint8Array = NO_BYTES;
  /** The lexicons, one bit each, of the words before the place of the last look-up. */
  readonly #met: Int32Array;
  // The runs that were read, by where they end: that place and what is added to places of this text, so that none is taken
  // for one of another text; where they begin, how many words, what those are known for.
  readonly #ends = new Float64Array(RUNS);
  readonly #froms = new Int32Array(RUNS);
  readonly #counts = new Int32Array(RUNS);
  /** From where on back there may be another run that is not passed over; 0 while it is not known. */
  readonly #links = new Int32Array(RUNS);
  readonly #masks: Int32Array[] = Array.from({ length: RUNS }, () => NONE);
  #added = 1;
  // The last run that was read.
  #count = 0;
  #mask = NONE;

  constructor(index: ContextIndex) {
    this.index = index;
    this.#met = emptyMask(index.size);
  }

  /** Begins another text; the empty one lets go of the last. */
  open(text: string, bytes: Uint8Array): void {
    this.#added += this.#text.length + 1;
    this.#text = text;
    this.#bytes = bytes;
    this.earliest = -1;
    this.#forget();
  }

  /** Whether one of the lexicon's words stood before the place of the last look-up. */
  has({ place }: Lexicon): boolean {
    return ((this.#met[place >> 5] as number) & (1 << (place & 31))) !== 0;
  }

  /** Whether a word of any of the lexicons did. */
  hasAny(mask: Int32Array): boolean {
    for (let part = 0; part < mask.length; part++)
      if (((this.#met[part] as number) & (mask[part] as number)) !== 0) return true;
    return false;
  }

  /** Looks up the words before `start`. */
  before(start: number): void {
    this.#forget();
    this.earliest = start;
    const limit = Math.max(0, start - CONTEXT_UNITS);
    // What stands right before the hit is no whole run: the hit goes on with it.
    let at = this.#read(start, limit);
    // May have begun before what is looked at.
    if (at === limit && limit > 0) return;
    if (at < start && this.#count === CLOSED) return;
    let words = at < start && this.#count !== MIXED ? this.#add(at) : 0;
    // Of the last run that counted: it knows the one before it.
    let slot = -1;
    while (words < WORDS_MAX) {
      const known = slot < 0 ? 0 : (this.#links[slot] as number);
      const end = known > 0 ? known : this.#countedEnd(at, limit);
      if (end <= limit) return;
      at = this.#run(end, limit);
      if ((at <= limit && limit > 0) || this.#count === CLOSED) return;
      if (slot >= 0) this.#links[slot] = end;
      slot = end & (RUNS - 1);
      words += this.#add(at);
    }
  }

  /** Takes the last run that was read into the answer. */
  #add(from: number): number {
    this.earliest = from;
    addTo(this.#met, this.#mask);
    return this.#count;
  }

  /** Where the nearest run before a place ends that is not passed over; 0 when there is none. */
  #countedEnd(place: number, limit: number): number {
    let nearest = -1;
    let found = 0;
    let end = place;
    for (;;) {
      while (end > limit && KINDS[this.#bytes[end - 1] as number] === BLANK) end--;
      if (end <= limit) break;
      const from = this.#run(end, limit);
      if (from <= limit && limit > 0) break;
      if (this.#count !== MIXED) {
        found = end;
        break;
      }
      const slot = end & (RUNS - 1);
      if (nearest < 0) nearest = slot;
      const link = this.#links[slot] as number;
      end = link > 0 ? link : from;
    }
    if (nearest >= 0) this.#links[nearest] = end;
    return found;
  }

  #forget(): void {
    const met = this.#met;
    for (let part = 0; part < met.length; part++) met[part] = 0;
  }

  /** The whole run that ends at a place: gives where it begins, or the limit when it may begin before that. */
  #run(end: number, limit: number): number {
    const slot = end & (RUNS - 1);
    if (this.#ends[slot] === end + this.#added) {
      this.#count = this.#counts[slot] as number;
      this.#mask = this.#masks[slot] as Int32Array;
      return this.#froms[slot] as number;
    }
    const from = this.#read(end, limit);
    if (from === limit && limit > 0) return from;
    this.#ends[slot] = end + this.#added;
    this.#froms[slot] = from;
    this.#counts[slot] = this.#count;
    this.#links[slot] = 0;
    this.#masks[slot] = this.#mask;
    return from;
  }

  /** Reads from a place back to a space or the limit. */
  #read(end: number, limit: number): number {
    const bytes = this.#bytes;
    let words = 0;
    let mask = NONE;
    let mixed = false;
    let closed = false;
    let at = end;
    while (at > limit) {
      let code = bytes[at - 1] as number;
      const kind = KINDS[code] as number;
      if (kind === BLANK) break;
      if (kind !== IN_WORD) {
        at--;
        if (kind === IN_NUMBER) mixed = true;
        else if (kind === BRACKET && bracketLength(this.#text, at) > 0) closed = true;
        continue;
      }
      const wordEnd = at;
      let hash = 0;
      let beyond = false;
      do {
        hash = hashed(hash, code);
        if (code === BEYOND_ASCII) beyond = true;
        at--;
      } while (at > limit && KINDS[(code = bytes[at - 1] as number)] === IN_WORD);
      words++;
      if (mixed) continue;
      const known = beyond
        ? maskBeyondAscii(this.#text.slice(at, wordEnd).toLowerCase(), this.index)
        : maskAt(this.index.byHash[hashKey(hash)], bytes, at, wordEnd);
      if (known.length > 0) mask = mask.length === 0 ? known : addTo(mask.slice(), known);
    }
    this.#count = closed ? CLOSED : mixed ? MIXED : words;
    this.#mask = mask;
    return at;
  }
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

const NO_BYTES = new Uint8Array(0);
