import { CLASSES, DIGIT, LETTER, SPACE } from './characters.ts';
import { addTo, type ContextIndex, emptyMask, type Lexicon, maskAt, maskBeyondAscii, NONE } from './context-index.ts';
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

/**
 * Looks up the up to eight words before a place, from the nearest back. Runs between spaces that hold a digit or an `@` are
 * passed over, so that one word speaks for a list of numbers; a placeholder ends the walk, so that a text that was redacted
 * never gets more context than it had. Reading them again for each number takes less time than remembering them.
 */
export class ContextReader {
  /** Where the first word of the last look-up begins: the same stand before any later place that is still near it. */
  earliest = -1;
  readonly index: ContextIndex;
  #text = '';
  #bytes: Uint8Array = NO_BYTES;
  /** The lexicons, one bit each, of the words before the place of the last look-up. */
  readonly #met: Int32Array;
  /** A place before which no look-up finds a word that is known. */
  #emptyBefore = -1;

  constructor(index: ContextIndex) {
    this.index = index;
    this.#met = emptyMask(index.size);
  }

  /** Begins another text; the empty one lets go of the last. */
  open(text: string, bytes: Uint8Array): void {
    this.#text = text;
    this.#bytes = bytes;
    this.earliest = -1;
    this.#emptyBefore = -1;
    this.#met.fill(0);
  }

  /** Whether one of the lexicon's words stood before the place of the last look-up. */
  has({ place }: Lexicon): boolean {
    return ((this.#met[place >> 5] as number) & (1 << (place & 31))) !== 0;
  }

  /** Whether a word of any of the lexicons did. */
  hasAny(mask: Int32Array): boolean {
    const met = this.#met;
    for (let part = 0; part < mask.length; part++)
      if (((met[part] as number) & (mask[part] as number)) !== 0) return true;
    return false;
  }

  /** Looks up the words before `start`. The run right before it counts, too: the hit goes on with it. */
  before(start: number): void {
    const met = this.#met;
    for (let part = 0; part < met.length; part++) met[part] = 0;
    this.earliest = start;
    // What stands right before the hit is read otherwise when more has come.
    const whole = start === 0 || KINDS[this.#bytes[start - 1] as number] === BLANK;
    this.#walk(start, whole ? this.#emptyBefore : -1);
    if (whole && !isAny(met)) this.#emptyBefore = start;
  }

  /** Walks back to where it is known that nothing more is found. */
  #walk(start: number, stop: number): void {
    const bytes = this.#bytes;
    const limit = Math.max(0, start - CONTEXT_UNITS);
    let words = 0;
    let at = start;
    while (words < WORDS_MAX && at > stop) {
      const end = at;
      let mask = NONE;
      let count = 0;
      let mixed = false;
      let kind = BLANK;
      while (at > limit && (kind = KINDS[bytes[at - 1] as number] as number) !== BLANK) {
        if (kind === IN_WORD) {
          const from = wordStart(bytes, at, limit);
          count++;
          if (!mixed) mask = join(mask, this.#maskOf(from, at));
          at = from;
          continue;
        }
        at--;
        if (kind === IN_NUMBER) mixed = true;
        else if (kind === BRACKET && bracketLength(this.#text, at) > 0) return;
      }
      // May have begun before what is looked at.
      if (at === limit && limit > 0) return;
      if (at < end && !mixed) {
        this.earliest = at;
        words += count;
        addTo(this.#met, mask);
      }
      if (at === 0) return;
      at--;
    }
  }

  #maskOf(start: number, end: number): Int32Array {
    return isBeyondAscii(this.#bytes, start, end)
      ? maskBeyondAscii(this.#text.slice(start, end).toLowerCase(), this.index)
      : maskAt(this.index, this.#bytes, start, end);
  }
}

function wordStart(bytes: Uint8Array, end: number, limit: number): number {
  let start = end - 1;
  while (start > limit && KINDS[bytes[start - 1] as number] === IN_WORD) start--;
  return start;
}

function isBeyondAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (bytes[index] === BEYOND_ASCII) return true;
  return false;
}

function isAny(mask: Int32Array): boolean {
  for (let part = 0; part < mask.length; part++) if (mask[part] !== 0) return true;
  return false;
}

const join = (mask: Int32Array, more: Int32Array): Int32Array =>
  more.length === 0 ? mask : mask.length === 0 ? more : addTo(mask.slice(), more);

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
