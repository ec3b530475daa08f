import { CLASSES, classAt, DIGIT, LETTER } from '../characters.ts';

/** What may follow the first three letters of a month, by those letters in lower case. */
const TAILS: ReadonlyMap<number, readonly string[]> = new Map(
  ['jan uary', 'feb ruary', 'mar ch', 'apr il', 'may', 'jun e', 'jul y', 'aug ust', 'sep t ember', 'oct ober']
    .concat(['nov ember', 'dec ember'])
    .map((name) => {
      const [head = '', ...tails] = name.split(' ');
      return [headKey(head.charCodeAt(0), head.charCodeAt(1), head.charCodeAt(2)), tails];
    }),
);

/** Letters of either case. */
function headKey(first: number, second: number, third: number): number {
  return ((first | 32) << 16) | ((second | 32) << 8) | (third | 32);
}

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;
/** A letter, a digit or `_`. */
const isWord = (code: number): boolean => ((CLASSES[code] as number) & (DIGIT | LETTER)) !== 0 || code === 95;
/** `-`, `.` or `/`. */
export const isSign = (code: number): boolean => code === 45 || code === 46 || code === 47;

export function areDigits(bytes: Uint8Array, from: number, count: number): boolean {
  for (let index = from; index < from + count; index++) if (!isDigit(bytes[index] as number)) return false;
  return true;
}

/** The digits from a place on, at most so many. */
export function digitsEnd(bytes: Uint8Array, from: number, countMax: number): number {
  let end = from;
  while (end < from + countMax && isDigit(bytes[end] as number)) end++;
  return end;
}

export function numberAt(bytes: Uint8Array, start: number, end: number): number {
  let number = 0;
  for (let index = start; index < end; index++) number = number * 10 + (bytes[index] as number) - 48;
  return number;
}

/** Nothing goes on behind a date: no word, no `-4`, `.5`, `/6`. */
export function isClosed(bytes: Uint8Array, end: number): boolean {
  const code = bytes[end] as number;
  return !isWord(code) && !(isSign(code) && isDigit(bytes[end + 1] as number));
}

/** `T09:15`, ` 9:15:30.5 pm`, `T09:15Z`, ` 09:15 +01:00`: where it ends, or where it would have begun. */
export function timeEnd(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== 84 && bytes[from] !== 32) return from;
  const hours = digitsEnd(bytes, from + 1, 2);
  if (hours === from + 1 || bytes[hours] !== 58 || !areDigits(bytes, hours + 1, 2)) return from;
  let end = hours + 3;
  if (bytes[end] === 58 && areDigits(bytes, end + 1, 2)) {
    end += 3;
    if ((bytes[end] === 46 || bytes[end] === 44) && isDigit(bytes[end + 1] as number))
      end = digitsEnd(bytes, end + 1, 9);
  }
  return zoneEnd(bytes, end);
}

/** `Z`, `+01:00`, `am`. */
function zoneEnd(bytes: Uint8Array, from: number): number {
  if (bytes[from] === 90) return from + 1;
  const at = bytes[from] === 32 ? from + 1 : from;
  const code = bytes[at] as number;
  if (code === 43 || code === 45) {
    if (!areDigits(bytes, at + 1, 2)) return from;
    const minutes = bytes[at + 3] === 58 ? at + 4 : at + 3;
    return areDigits(bytes, minutes, 2) ? minutes + 2 : from;
  }
  const letter = code | 32;
  const named = (letter === 97 || letter === 112) && ((bytes[at + 1] as number) | 32) === 109;
  return named && !isWord(bytes[at + 2] as number) ? at + 2 : from;
}

/** `May`, `sept`, `JANUARY`: where the name ends, or -1. */
function monthEnd(bytes: Uint8Array, from: number): number {
  const key = headKey(bytes[from] as number, bytes[from + 1] as number, bytes[from + 2] as number);
  const tails = TAILS.get(key);
  if (tails === undefined) return -1;
  let end = from + 3;
  for (let index = 0; index < tails.length; index++) end = spelledEnd(bytes, end, tails[index] as string);
  return end;
}

/** Past letters of either case, when they stand here. */
function spelledEnd(bytes: Uint8Array, from: number, letters: string): number {
  for (let index = 0; index < letters.length; index++)
    if (((bytes[from + index] as number) | 32) !== letters.charCodeAt(index)) return from;
  return from + letters.length;
}

/** Past `st`, `nd`, `rd`, `th`. */
function ordinalEnd(bytes: Uint8Array, from: number): number {
  const [first, second] = [(bytes[from] as number) | 32, (bytes[from + 1] as number) | 32];
  const ordinal =
    (first === 115 && second === 116) ||
    ((first === 110 || first === 114) && second === 100) ||
    (first === 116 && second === 104);
  return ordinal ? from + 2 : from;
}

const isGap = (code: number): boolean => code === 32 || code === 45;

/** 5-MAY-2021, 5 May, 1st of May: what follows the day, or -1. */
export function namedMonthEnd(bytes: Uint8Array, dayEnd: number): number {
  let at = ordinalEnd(bytes, dayEnd);
  if (!isGap(bytes[at] as number)) return -1;
  if (((bytes[at + 1] as number) | 32) === 111 && ((bytes[at + 2] as number) | 32) === 102) at += 3;
  if (!isGap(bytes[at] as number)) return -1;
  const month = monthEnd(bytes, at + 1);
  if (month < 0) return -1;
  let year = month;
  while (year < month + 2 && (isGap(bytes[year] as number) || bytes[year] === 44)) year++;
  if (year > month && isYear(bytes, year)) return year + 4;
  const short = bytes[month] === 45 && areDigits(bytes, month + 1, 2) && !isWord(bytes[month + 3] as number);
  return short ? month + 3 : month;
}

/** May 2021; May 1st, 1977; May-21-2021; May-21: what follows the name of the month, or -1. */
export function monthFirstEnd(bytes: Uint8Array, from: number): number {
  const month = monthEnd(bytes, from);
  if (month < 0) return -1;
  const gap = bytes[month] === 46 ? month + 1 : month;
  if (!isGap(bytes[gap] as number)) return -1;
  if (areDigits(bytes, gap + 1, 4)) return gap + 5;
  const day = digitsEnd(bytes, gap + 1, 2);
  if (day === gap + 1) return -1;
  const end = ordinalEnd(bytes, day);
  const comma = bytes[end] === 44 ? end + 1 : end;
  const before = bytes[comma] === 32 ? comma : bytes[end] === 45 ? end : -1;
  return before >= 0 && isYear(bytes, before + 1) ? before + 5 : end;
}

const isYear = (bytes: Uint8Array, from: number): boolean =>
  areDigits(bytes, from, 4) && !isWord(bytes[from + 4] as number);

/** Part of something longer: behind `12-`, `a.`, `_`. */
export function isJoined(bytes: Uint8Array, start: number): boolean {
  const before = start > 0 ? (bytes[start - 1] as number) : 0;
  return before === 95 || ((isSign(before) || before === 58) && (classAt(bytes, start - 2) & (DIGIT | LETTER)) !== 0);
}
