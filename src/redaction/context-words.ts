import { DIGIT, is, LETTER, SPACE } from './characters.ts';
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

export interface WordsBefore {
  readonly words: readonly string[];
  /** Where the first of them begins: the same words stand before any later place from which this is still near. */
  readonly earliest: number;
}

/**
 * The up to eight words before `start`, lower case. Words that hold a digit or an `@` are passed over, so that one word
 * speaks for a list of numbers; a placeholder ends the walk, so that a text that was redacted never gets more context
 * than it had.
 */
export function wordsBefore(text: string, start: number): WordsBefore {
  const found: string[] = [];
  let earliest = start;
  const limit = Math.max(0, start - CONTEXT_UNITS);
  let end = start;
  while (end > limit && found.length < WORDS_MAX) {
    let from = end;
    let plain = true;
    while (from > limit && !is(text, from - 1, SPACE)) {
      from--;
      const code = text.charCodeAt(from);
      if (code === 91 && bracketLength(text, from) > 0) return { words: found, earliest };
      if (is(text, from, DIGIT) || code === 64) plain = false;
    }
    if (from === limit && limit > 0) break;
    if (plain && from < end) {
      lettersOf(text.slice(from, end).toLowerCase(), found);
      earliest = from;
    }
    end = from - 1;
  }
  return { words: found, earliest };
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
export function lexiconsOf(words: readonly string[], { byWord, inside }: ContextIndex): readonly Lexicon[] {
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
