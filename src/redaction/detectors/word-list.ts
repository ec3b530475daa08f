import { classOf, codeAt, DIGIT, LETTER } from '../characters.ts';
import { invalidOptions } from '../../core/errors.ts';
import { MATCH_UNITS_MAX } from '../limits.ts';
import type { SearchDetector } from '../types.ts';

export interface WordListOptions {
  /** Names, code words, customers: whole words or phrases of at most 240 units, compared without regard to case. */
  readonly words: readonly string[];
  /** @defaultValue 'CUSTOM' */
  readonly entity?: string;
  /** @defaultValue 0.9 */
  readonly score?: number;
}

/** Finds a list of your own words, in one pass whatever its length. No patterns, so nothing to go quadratic. */
export function wordList({ words, entity = 'CUSTOM', score = 0.9 }: WordListOptions): SearchDetector {
  const byStart = new Map<string, string[]>();
  for (const word of words) {
    if (word.trim() === '' || word.length > MATCH_UNITS_MAX)
      throw invalidOptions('words', 'A word has 1 to 240 units.');
    const lower = word.toLowerCase();
    const key = lower.slice(0, 2);
    byStart.set(key, [...(byStart.get(key) ?? []), lower]);
  }
  return {
    entity,
    score,
    find(text, report) {
      const lower = text.toLowerCase();
      // A few letters change length with their case (İ): then places would lie, so the text is searched as it is.
      const source = lower.length === text.length ? lower : text;
      for (let start = 0; start < source.length; start++) {
        if (isWord(source, start - 1)) continue;
        for (const word of byStart.get(source.slice(start, start + 2)) ?? []) {
          if (source.startsWith(word, start) && !isWord(source, start + word.length))
            report(start, start + word.length);
        }
      }
    },
  };
}

function isWord(text: string, index: number): boolean {
  const code = codeAt(text, index);
  return (classOf(code) & (LETTER | DIGIT)) !== 0 || (code >= 0xc0 && code < 0x2000);
}
