import { DIGIT, is, LETTER, runEnd } from '../characters.ts';
import { bracketLength, placeholderEndsAt } from '../placeholder.ts';

const GROUPS_MAX = 7;
const DIGITS_MIN = 7;
const DIGITS_MAX = 15;
const NONE: readonly never[] = [];

/** One way to read the text from a group of digits as a telephone number. */
export interface PhoneCandidate {
  readonly start: number;
  readonly end: number;
  /** Without a leading + or 00. */
  readonly digits: string;
  /** Digits in each group. */
  readonly groups: readonly number[];
  readonly separators: string;
  readonly international: boolean;
  readonly parenthesised: boolean;
  readonly extension: boolean;
}

/**
 * Every end the number that begins with this group of digits may have. Nothing when the group is letters too, or when
 * it goes on from digits before it.
 */
export function phoneCandidates(text: string, wordStart: number, wordEnd: number): readonly PhoneCandidate[] {
  if (!is(text, wordStart, DIGIT) || wordEnd - wordStart > DIGITS_MAX) return NONE;
  const start = opening(text, wordStart, wordEnd);
  if (start < 0) return NONE;
  const plus = text.charCodeAt(start) === 43;
  const found: PhoneCandidate[] = [];
  const groups: number[] = [];
  let digits = '';
  let separators = '';
  let open = text.charCodeAt(wordStart - 1) === 40 && start < wordStart;
  const parenthesised = open;
  let index = wordStart;
  while (groups.length < GROUPS_MAX) {
    const end = runEnd(text, index, DIGIT, index + DIGITS_MAX + 1);
    // Single digits stand only at the front: a country code, a trunk digit, the first group of a French number.
    if (end - index === 1 && groups.length > 2) break;
    groups.push(end - index);
    digits += text.slice(index, end);
    if (digits.length > DIGITS_MAX + 2) break;
    const closes = open && text.charCodeAt(end) === 41;
    if (!open || closes) {
      const extended = extensionEnd(text, end);
      if (!is(text, end, LETTER) || extended > end) {
        const zeros = !plus && digits.startsWith('00') && !digits.startsWith('001');
        const last = extended > end ? extended : end;
        if (digits.length >= DIGITS_MIN && !goesOn(text, last) && !closes) {
          found.push({
            start,
            end: last,
            digits: zeros ? digits.slice(2) : digits,
            groups: [...groups],
            separators,
            international: plus || zeros,
            parenthesised,
            extension: extended > end,
          });
        }
      }
      if (!closes && is(text, end, LETTER)) break;
    }
    const next = separatorEnd(text, closes ? end + 1 : end, closes);
    if (next < 0) break;
    if (text.charCodeAt(next - 1) === 40) open = true;
    else if (closes) open = false;
    separators += text.slice(end, next);
    index = next;
  }
  return found;
}

/** Start with its `+` and `(`, or -1 when this is the middle of something. */
function opening(text: string, wordStart: number, wordEnd: number): number {
  let start = wordStart;
  if (text.charCodeAt(start - 1) === 40 && text.charCodeAt(wordEnd) === 41) start--;
  if (text.charCodeAt(start - 1) === 43) return is(text, start - 2, LETTER | DIGIT) ? -1 : start - 1;
  const before = text.charCodeAt(start - 1);
  if (before === 95 || before === 64 || before === 35 || before === 61) return before === 61 ? start : -1;
  const joint = before === 45 || before === 46 || before === 47 || before === 58;
  if (joint && (is(text, start - 2, DIGIT) || placeholderEndsAt(text, start - 1))) return -1;
  // After other digits and a space, only what looks like a number by itself: (415) or 415-.
  const after = text.charCodeAt(wordEnd);
  const alone = start < wordStart || (wordEnd - wordStart === 3 && (after === 45 || after === 46));
  return before === 32 && is(text, start - 2, DIGIT) && !alone ? -1 : start;
}

/** More digits right after: `-4`, `.5`, `/6`, `:7`; or a name, as in `123@`. */
function goesOn(text: string, end: number): boolean {
  const code = text.charCodeAt(end);
  if (code === 95 || code === 64) return true;
  const joint = code === 45 || code === 46 || code === 47 || code === 58;
  return joint && (is(text, end + 1, DIGIT) || bracketLength(text, end + 1) > 0);
}

/** `x4587`, ` ext. 12`. */
function extensionEnd(text: string, end: number): number {
  const match = /^(?:x| ?ext\.? ?| x)(\d{1,6})(?![0-9A-Za-z_])/i.exec(text.slice(end, end + 13));
  return match ? end + match[0].length : end;
}

/** Where the next group of digits begins after one separator (or `) `, ` (`), or -1. */
function separatorEnd(text: string, end: number, closed: boolean): number {
  let index = end;
  const code = text.charCodeAt(index);
  if (code === 32 || code === 45 || code === 46 || code === 47 || code === 0xa0) index++;
  if (index === end && !closed && text.charCodeAt(index) !== 40) return -1;
  if (!closed && text.charCodeAt(index) === 40) index++;
  return is(text, index, DIGIT) ? index : -1;
}
