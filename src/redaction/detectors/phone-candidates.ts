import { byteAt, classAt, codeAt, DIGIT, LETTER } from '../characters.ts';
import { bracketLength, placeholderEndsAt } from '../placeholder.ts';
import { BEYOND_ASCII } from '../unit-bytes.ts';

const GROUPS_MAX = 7;
const DIGITS_MIN = 7;
const DIGITS_MAX = 15;

/**
 * The groups of digits from one place on, and every end a number that begins there may have. One object is used for all
 * numbers: it holds until the next is read.
 */
export class PhoneReading {
  text = '';
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  /** Begins with `+`. */
  plus = false;
  parenthesised = false;
  /** Where the first group begins. */
  first = 0;
  /** Ends found. What follows has one entry for each. */
  size = 0;
  readonly ends = new Int32Array(GROUPS_MAX);
  /** Groups of digits. */
  readonly groups = new Int32Array(GROUPS_MAX);
  /** Digits in all groups, with a leading 00. */
  readonly counts = new Int32Array(GROUPS_MAX);
  /** Lengths of the groups, a hexadecimal digit each: `0x334`. */
  readonly layouts = new Int32Array(GROUPS_MAX);
  /** 1 with an extension, `x12`. */
  readonly extensions = new Int32Array(GROUPS_MAX);

  add(end: number, groups: number, count: number, layout: number, extension: 0 | 1): void {
    const at = this.size++;
    this.ends[at] = end;
    this.groups[at] = groups;
    this.counts[at] = count;
    this.layouts[at] = layout;
    this.extensions[at] = extension;
  }

  /** A few digits after the first `skipped`, as a number. */
  firstDigits(skipped: number, count: number): number {
    let number = 0;
    for (let index = this.first, seen = 0; seen < skipped + count; index++) {
      const code = this.bytes[index] as number;
      if (isDigit(code) && seen++ >= skipped) number = number * 10 + code - 48;
      if (code === 0) break;
    }
    return number;
  }
}

const NO_BYTES = new Uint8Array(0);
const reading = new PhoneReading();

/**
 * Reads the number that may begin with this group of digits. Nothing when the group is letters too, when it goes on from
 * digits before it, or when there are too few digits. Several detectors ask for the same one: it is read once.
 */
export function readPhone(
  text: string,
  bytes: Uint8Array,
  wordStart: number,
  wordEnd: number,
): PhoneReading | undefined {
  reading.bytes = bytes;
  if (reading.first !== wordStart || reading.text !== text) {
    reading.text = text;
    reading.first = wordStart;
    reading.size = 0;
    // `0.9522542486` is a fraction.
    const fraction = bytes[wordStart] === 48 && bytes[wordStart + 1] === 46;
    const numeric = wordEnd - wordStart <= DIGITS_MAX && isDigit(bytes[wordStart] as number) && !fraction;
    const start = numeric && hasDigits(bytes, wordStart) ? opening(text, bytes, wordStart, wordEnd) : -1;
    if (start >= 0) {
      reading.start = start;
      reading.plus = start < wordStart && bytes[wordStart - 1] === 43;
      reading.parenthesised = start < wordStart && bytes[start] === 40;
      readGroups(text, bytes, wordStart, reading);
    }
  }
  return reading.size === 0 ? undefined : reading;
}

function readGroups(text: string, bytes: Uint8Array, first: number, into: PhoneReading): void {
  let open = into.parenthesised;
  let groups = 0;
  let count = 0;
  let layout = 0;
  let index = first;
  while (groups < GROUPS_MAX) {
    let end = index;
    while (isDigit(bytes[end] as number) && end - index <= DIGITS_MAX) end++;
    // Single digits stand only at the front: a country code, a trunk digit, the first group of a French number.
    if (end - index === 1 && groups > 2) break;
    groups++;
    count += end - index;
    layout = (layout << 4) | Math.min(end - index, 15);
    if (count > DIGITS_MAX + 2) break;
    const after = bytes[end] as number;
    if (!open && (after === 32 || (after >= 45 && after <= 47)) && isDigit(bytes[end + 1] as number)) {
      // The usual case, without the questions below: one separator and more digits.
      if (count >= DIGITS_MIN && after === 32) into.add(end, groups, count, layout, 0);
      index = end + 1;
      continue;
    }
    const closes = open && after === 41;
    if (!open) {
      const extended = count >= DIGITS_MIN ? extensionEnd(bytes, end) : end;
      const last = goesOn(text, bytes, extended) ? end : extended;
      if ((classAt(bytes, last) & LETTER) !== 0) break;
      if (count >= DIGITS_MIN && !goesOn(text, bytes, last)) into.add(last, groups, count, layout, last > end ? 1 : 0);
    }
    const next =
      groups === 1 && bytes[first] === 48 && bytes[end] === 32 && bytes[end + 1] === 45
        ? dashedEnd(bytes, end + 2)
        : separatorEnd(text, bytes, closes ? end + 1 : end, closes);
    if (next < 0) break;
    if (bytes[next - 1] === 40) open = true;
    else if (closes) open = false;
    index = next;
  }
}

/** Start with its `+` and `(`, or -1 when this is the middle of something. */
function opening(text: string, bytes: Uint8Array, wordStart: number, wordEnd: number): number {
  let start = wordStart;
  // A whole number may stand in parentheses, too: these are not its own.
  const area = wordEnd - wordStart < DIGITS_MIN;
  if (area && byteAt(bytes, start - 1) === 40 && bytes[wordEnd] === 41) start--;
  const before = byteAt(bytes, start - 1);
  // (+351) 912 …
  if (area && before === 43 && byteAt(bytes, start - 2) === 40 && bytes[wordEnd] === 41) return start - 2;
  if (before === 43)
    return (classAt(bytes, start - 2) & (LETTER | DIGIT)) !== 0 || placeholderEndsAt(text, start - 1) ? -1 : start - 1;
  if (before === 95 || before === 64 || before === 35) return -1;
  const joint = before === 45 || before === 46 || before === 47 || before === 58;
  return joint && ((classAt(bytes, start - 2) & DIGIT) !== 0 || placeholderEndsAt(text, start - 1)) ? -1 : start;
}

/** Cheap first look: at least seven digits before anything that is neither a digit nor a separator (a unit beyond ASCII may be a space). */
function hasDigits(bytes: Uint8Array, from: number): boolean {
  for (let index = from, digits = 0; index < from + 24; index++) {
    const code = bytes[index] as number;
    if (isDigit(code)) {
      if (++digits >= DIGITS_MIN) return true;
    } else if (!(code === 32 || (code >= 45 && code <= 47) || code === 40 || code === 41 || code === BEYOND_ASCII))
      return false;
  }
  return false;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** More digits right after: `-4`, `.5`, `/6`, `:7`; or a name, as in `123@`. */
function goesOn(text: string, bytes: Uint8Array, end: number): boolean {
  const code = bytes[end] as number;
  if (code === 95 || code === 64) return true;
  const joint = code === 45 || code === 46 || code === 47 || code === 58;
  return joint && (isDigit(bytes[end + 1] as number) || bracketLength(text, end + 1) > 0);
}

const EXTENSION_DIGITS_MAX = 6;

/** `x4587`, ` ext. 12`. */
function extensionEnd(bytes: Uint8Array, end: number): number {
  let at = bytes[end] === 32 ? end + 1 : end;
  const first = (bytes[at] as number) | 32;
  if (first === 120) at++;
  else if (first === 101 && ((bytes[at + 1] as number) | 32) === 120 && ((bytes[at + 2] as number) | 32) === 116) {
    at += 3;
    if (bytes[at] === 46) at++;
    if (bytes[at] === 32) at++;
  } else return end;
  const digits = at;
  while (at - digits <= EXTENSION_DIGITS_MAX && isDigit(bytes[at] as number)) at++;
  const goesOnAs = classAt(bytes, at) & LETTER;
  return at > digits && at - digits <= EXTENSION_DIGITS_MAX && goesOnAs === 0 && bytes[at] !== 95 ? at : end;
}

/** `08 - 123 45 67`: the dash between spaces only after an area code with its 0. */
const dashedEnd = (bytes: Uint8Array, dash: number): number =>
  bytes[dash] === 32 && isDigit(bytes[dash + 1] as number) ? dash + 1 : -1;

/** Where the next group of digits begins after one separator (or `) `, ` (`), or -1. */
function separatorEnd(text: string, bytes: Uint8Array, end: number, closed: boolean): number {
  let index = end;
  const code = bytes[index] as number;
  if (code === 32 || (code >= 45 && code <= 47) || (code === BEYOND_ASCII && codeAt(text, index) === 0xa0)) index++;
  if (index === end && !closed && bytes[index] !== 40) return -1;
  if (!closed && bytes[index] === 40) index++;
  return isDigit(bytes[index] as number) ? index : -1;
}
