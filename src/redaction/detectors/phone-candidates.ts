import { DIGIT, is, LETTER, runEnd } from '../characters.ts';
import { bracketLength, placeholderEndsAt } from '../placeholder.ts';

const GROUPS_MAX = 7;
const DIGITS_MIN = 7;
const DIGITS_MAX = 15;

/** One way to read the text from a group of digits as a telephone number. */
export interface PhoneCandidate {
  readonly end: number;
  /** Groups of digits in it. */
  readonly groups: number;
  /** Digits in all groups, with a leading 00. */
  readonly count: number;
  readonly extension: boolean;
  /** Lengths of the groups, a hexadecimal digit each: `0x334`. */
  readonly layout: number;
}

/** The groups of digits from one place on: what all candidates that begin there share. */
export interface PhoneReading {
  readonly text: string;
  readonly start: number;
  /** Begins with `+`. */
  readonly plus: boolean;
  readonly parenthesised: boolean;
  /** Where the first group begins. */
  readonly first: number;
  readonly candidates: readonly PhoneCandidate[];
}

/** The digits of all groups of a candidate, without its extension. */
export function digitsOf({ text, first }: PhoneReading, { count }: PhoneCandidate): string {
  let digits = '';
  for (let index = first; digits.length < count; index++) if (is(text, index, DIGIT)) digits += text.charAt(index);
  return digits;
}

/**
 * Every end the number that begins with this group of digits may have. Nothing when the group is letters too, when it
 * goes on from digits before it, or when there are too few digits.
 */
export function readPhone(text: string, wordStart: number, wordEnd: number): PhoneReading | undefined {
  if (wordEnd - wordStart > DIGITS_MAX || !is(text, wordStart, DIGIT)) return undefined;
  const start = opening(text, wordStart, wordEnd);
  if (start < 0 || !hasDigits(text, wordStart)) return undefined;
  const candidates: PhoneCandidate[] = [];
  const parenthesised = text.charCodeAt(wordStart - 1) === 40 && start < wordStart;
  let open = parenthesised;
  let groups = 0;
  let count = 0;
  let layout = 0;
  let index = wordStart;
  while (groups < GROUPS_MAX) {
    const end = runEnd(text, index, DIGIT, index + DIGITS_MAX + 1);
    // Single digits stand only at the front: a country code, a trunk digit, the first group of a French number.
    if (end - index === 1 && groups > 2) break;
    groups++;
    count += end - index;
    layout = (layout << 4) | Math.min(end - index, 15);
    if (count > DIGITS_MAX + 2) break;
    const after = text.charCodeAt(end);
    if (!open && after === 32 && is(text, end + 1, DIGIT)) {
      // The usual case, without the questions below: one space and more digits.
      if (count >= DIGITS_MIN) candidates.push({ end, groups, count, extension: false, layout });
      index = end + 1;
      continue;
    }
    const closes = open && after === 41;
    if (!open) {
      const extended = count >= DIGITS_MIN ? extensionEnd(text, end) : end;
      const last = goesOn(text, extended) ? end : extended;
      if (is(text, last, LETTER)) break;
      if (count >= DIGITS_MIN && !goesOn(text, last)) {
        candidates.push({ end: last, groups, count, extension: last > end, layout });
      }
    }
    const next = separatorEnd(text, closes ? end + 1 : end, closes);
    if (next < 0) break;
    if (text.charCodeAt(next - 1) === 40) open = true;
    else if (closes) open = false;
    index = next;
  }
  if (candidates.length === 0) return undefined;
  return { text, start, plus: text.charCodeAt(start) === 43, parenthesised, first: wordStart, candidates };
}

/** Start with its `+` and `(`, or -1 when this is the middle of something. */
function opening(text: string, wordStart: number, wordEnd: number): number {
  let start = wordStart;
  if (text.charCodeAt(start - 1) === 40 && text.charCodeAt(wordEnd) === 41) start--;
  const before = text.charCodeAt(start - 1);
  if (before === 43) return is(text, start - 2, LETTER | DIGIT) || placeholderEndsAt(text, start - 1) ? -1 : start - 1;
  if (before === 95 || before === 64 || before === 35) return -1;
  const joint = before === 45 || before === 46 || before === 47 || before === 58;
  return joint && (is(text, start - 2, DIGIT) || placeholderEndsAt(text, start - 1)) ? -1 : start;
}

/** Cheap first look: at least seven digits before anything that is neither a digit nor a separator. */
function hasDigits(text: string, from: number): boolean {
  for (let index = from, digits = 0; index < from + 24; index++) {
    const code = text.charCodeAt(index);
    if (code >= 48 && code <= 57) {
      if (++digits >= DIGITS_MIN) return true;
    } else if (
      !(code === 32 || code === 45 || code === 46 || code === 47 || code === 40 || code === 41 || code === 0xa0)
    )
      return false;
  }
  return false;
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
  const code = text.charCodeAt(end) === 32 ? text.charCodeAt(end + 1) : text.charCodeAt(end);
  if ((code | 32) !== 120 && (code | 32) !== 101) return end;
  const match = /^ ?(?:x|ext\.? ?)(\d{1,6})(?![0-9A-Za-z_])/i.exec(text.slice(end, end + 13));
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
