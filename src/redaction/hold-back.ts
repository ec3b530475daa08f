import { classOf, codeAt, LETTER, SPACE } from './characters.ts';
import { HOLD_BACK_UNITS_MAX } from './limits.ts';

/** Words of letters this long end whatever came before: no hit has one inside, save a month. */
const PLAIN_UNITS_MIN = 5;
/** A hit opens with at most two words of letters. */
const LETTER_WORDS_MAX = 2;
const MONTHS = /^(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/i;
const PEM_TITLE_UNITS_MAX = 100;

/**
 * Where the part of `text` begins that a hit which is still open may need: everything before it is settled. Never more
 * than `HOLD_BACK_UNITS_MAX` before the end.
 *
 * It walks back word by word from the end. The last word is always held, it may go on. Words with digits or signs are
 * held, hits have spaces in them; a plain word of five letters or more, a line end, or a letter of a script written
 * without spaces stops the walk.
 */
export function holdFrom(text: string): number {
  const limit = Math.max(0, text.length - HOLD_BACK_UNITS_MAX);
  return whole(text, Math.max(limit, Math.min(wordsFrom(text, limit), pemFrom(text))));
}

function wordsFrom(text: string, limit: number): number {
  let end = text.length;
  let held = end;
  let letters = 0;
  let afterLetters = end;
  while (end > limit) {
    const edge = codeAt(text, end - 1);
    if (edge === 10 || edge === 13 || edge >= 0x2e80) return held;
    if ((classOf(edge) & SPACE) !== 0) {
      end--;
      continue;
    }
    let start = end;
    while (start > limit && !isBreak(codeAt(text, start - 1))) start--;
    const kind = end === text.length ? 'open' : kindOf(text.slice(start, end));
    if (kind === 'plain') return held;
    if (kind === 'letters') {
      letters++;
      if (letters > LETTER_WORDS_MAX) return afterLetters;
    } else letters = 0;
    held = start;
    afterLetters = start;
    end = start;
  }
  return held;
}

const isBreak = (code: number): boolean => (classOf(code) & SPACE) !== 0 || code >= 0x2e80;

/** `plain` ends a hit, `letters` may open one, anything else may be part of one. */
function kindOf(word: string): 'plain' | 'letters' | 'other' {
  let end = word.length;
  while (end > 0 && ',.!?;)'.includes(word.charAt(end - 1))) end--;
  for (let index = 0; index < end; index++) {
    const code = codeAt(word, index);
    if ((classOf(code) & LETTER) === 0 && code < 0xc0) return 'other';
  }
  // A hit may open right after a letter beyond ASCII: what follows the last of them counts as a word by itself.
  let ascii = end;
  while (ascii > 0 && codeAt(word, ascii - 1) < 128) ascii--;
  if (ascii > 0 && ascii < end && (end - ascii < PLAIN_UNITS_MIN || MONTHS.test(word.slice(ascii)))) return 'other';
  if (end < PLAIN_UNITS_MIN || MONTHS.test(word))
    return end < word.length && end < PLAIN_UNITS_MIN ? 'other' : 'letters';
  return 'plain';
}

/** The title line of a private key has plain words in it: it is held until it is whole. */
function pemFrom(text: string): number {
  const open = text.lastIndexOf('-----B');
  if (open < 0 || text.length - open > PEM_TITLE_UNITS_MAX) return text.length;
  return text.indexOf('-----', open + 6) >= 0 ? text.length : open;
}

/** Not between the halves of a surrogate pair, of which the second may not have come yet. */
function whole(text: string, index: number): number {
  const last = codeAt(text, text.length - 1);
  if (index === text.length && last >= 0xd800 && last <= 0xdbff) return index - 1;
  const code = codeAt(text, index);
  return index > 0 && code >= 0xdc00 && code <= 0xdfff ? index - 1 : index;
}
