import { classOf, DIGIT, is, LETTER, SPACE } from './characters.ts';
import { bracketLength } from './placeholder.ts';

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

/** Runs between spaces that are remembered, by where they end. */
const REMEMBERED = 128;

/**
 * Looks up the up to eight words before a place. Each run between spaces of a text is read once, however many numbers
 * follow it. Words that hold a digit or an `@` are passed over, so that one word speaks for a list of numbers; a
 * placeholder ends the walk, so that a text that was redacted never gets more context than it had.
 */
export class ContextReader {
  /** Where the first word of the last look-up begins: the same stand before any later place that is still near it. */
  earliest = -1;
  readonly #text: string;
  readonly #index: ContextIndex;
  readonly #ends: Int32Array = new Int32Array(REMEMBERED).fill(-1);
  readonly #runs: Run[] = [];

  constructor(text: string, index: ContextIndex) {
    this.#text = text;
    this.#index = index;
  }

  /** The lexicons that have one of the words before `start`. */
  before(start: number): readonly Lexicon[] {
    let found: readonly Lexicon[] = NONE;
    let count = 0;
    this.earliest = start;
    const limit = Math.max(0, start - CONTEXT_UNITS);
    let end = start;
    while (end > limit && count < WORDS_MAX) {
      // What stands right before the hit is no whole run: the hit goes on with it.
      const run = end === start ? readRun(this.#text, end, this.#index) : this.#runAt(end);
      if (run.from < limit || (run.from === limit && limit > 0) || run.closed) break;
      if (run.words > 0) {
        count += run.words;
        if (run.lexicons.length > 0) found = found.length === 0 ? run.lexicons : [...found, ...run.lexicons];
      }
      if (run.plain && run.from < end) this.earliest = run.from;
      end = run.from - 1;
    }
    return found;
  }

  #runAt(end: number): Run {
    const slot = end & (REMEMBERED - 1);
    if (this.#ends[slot] === end) return this.#runs[slot] as Run;
    const run = readRun(this.#text, end, this.#index);
    this.#ends[slot] = end;
    this.#runs[slot] = run;
    return run;
  }
}

/** What stands between two spaces. */
interface Run {
  readonly from: number;
  /** Holds neither a digit nor an `@`. */
  readonly plain: boolean;
  /** Holds a placeholder: nothing before it counts. */
  readonly closed: boolean;
  readonly words: number;
  readonly lexicons: readonly Lexicon[];
}

function readRun(text: string, end: number, index: ContextIndex): Run {
  const limit = Math.max(0, end - CONTEXT_UNITS - 1);
  let from = end;
  let plain = true;
  while (from > limit) {
    const code = text.charCodeAt(from - 1);
    const bits = classOf(code);
    if ((bits & SPACE) !== 0) break;
    from--;
    if (code === 91 && bracketLength(text, from) > 0) return { from, plain, closed: true, words: 0, lexicons: NONE };
    if ((bits & DIGIT) !== 0 || code === 64) plain = false;
  }
  if (!plain || from === end) return { from, plain, closed: false, words: 0, lexicons: NONE };
  const words: string[] = [];
  lettersOf(text.slice(from, end).toLowerCase(), words);
  return { from, plain, closed: false, words: words.length, lexicons: lexiconsOf(words, index) };
}

function lettersOf(token: string, found: string[]): void {
  let from = 0;
  for (let index = 0; index <= token.length; index++) {
    if (index < token.length && (is(token, index, LETTER) || token.charCodeAt(index) > 127)) continue;
    if (index > from) found.push(token.slice(from, index));
    from = index + 1;
  }
}

/** Lexicons by word, so that a place is looked up once for all detectors. */
export interface ContextIndex {
  readonly byWord: ReadonlyMap<string, readonly Lexicon[]>;
  /** Those with words of scripts written without spaces. */
  readonly inside: readonly Lexicon[];
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
  return { byWord, inside: lexicons.filter(({ inside }) => inside.length > 0) };
}

/** The lexicons that have one of the words. */
function lexiconsOf(words: readonly string[], { byWord, inside }: ContextIndex): readonly Lexicon[] {
  let found: Lexicon[] | undefined;
  for (const word of words) {
    const known = byWord.get(word);
    if (known !== undefined) found = found === undefined ? [...known] : [...found, ...known];
    if (word.charCodeAt(0) < 0xe00) continue;
    for (const entry of inside) if (entry.inside.some((part) => word.includes(part))) found = [...(found ?? []), entry];
  }
  return found ?? NONE;
}

const NONE: readonly Lexicon[] = [];
