import { classAt, CLASSES, DIGIT, LETTER } from '../characters.ts';
import { isDate } from '../check-digits.ts';
import {
  areDigits,
  digitsEnd,
  isClosed,
  isDigit,
  isJoined,
  isSign,
  monthFirstEnd,
  namedMonthEnd,
  numberAt,
  timeEnd,
} from './date-forms.ts';
import type { PrefixDetector, TokenDetector } from '../types.ts';

/** Dates and times written with digits: ISO 8601, day, month and year in any order, month names, bare years. */
export const dateTime: TokenDetector = {
  entity: 'DATE_TIME',
  score: 0.6,
  lengthMin: 1,
  lengthMax: 6,
  opens: 'digit',
  context: ['date', 'born', 'birth', 'birthday', 'dob', 'on', 'since', 'in', 'during', 'year', 'of', 'until', 'when'],
  contextScore: 0.6,
  token(text, start, end, report, bytes) {
    const date = readDate(text, bytes, start, end);
    if (date.end > 0) report(start, date.end, date.score);
  },
};

/** As {@link dateTime} with a full date, and only where the text says that it is about a birth. */
export const dateOfBirth: TokenDetector = {
  entity: 'DATE_OF_BIRTH',
  score: 0,
  lengthMin: 1,
  lengthMax: 6,
  opens: 'digit',
  context: [
    'born',
    'birth',
    'birthday',
    'birthdate',
    'dob',
    'geboren',
    'geburtsdatum',
    'naissance',
    'née',
    'nacimiento',
    'nascita',
    'nascimento',
  ],
  contextScore: 0.8,
  weak: () => true,
  token(text, start, end, report, bytes) {
    const date = readDate(text, bytes, start, end);
    if (date.end > 0 && date.score >= 0.6) report(start, date.end, 0);
  },
};

/** The date that begins with one run of letters and digits; `end` is -1 when there is none. */
const reading = { text: '', start: -1, end: -1, score: 0 };

/** Several detectors ask for the same date: it is read once. It holds until the next is read. */
function readDate(text: string, bytes: Uint8Array, start: number, end: number): typeof reading {
  if (reading.start === start && reading.text === text) return reading;
  reading.text = text;
  reading.start = start;
  reading.end = -1;
  if (!isJoined(bytes, start)) {
    const length = end - start;
    if (length >= 4) readYearFirst(bytes, start, end);
    else if (isSign(bytes[end] as number) && isDigit(bytes[end + 1] as number)) readYearLast(bytes, start, end);
    else readNamed(bytes, start, end);
  }
  return reading;
}

function found(bytes: Uint8Array, end: number, score: number): boolean {
  if (!isClosed(bytes, end)) return false;
  reading.end = end;
  reading.score = score;
  return true;
}

/** 2021-05-20T09:15:30Z, 2021/5/20; or the year alone. */
function readYearFirst(bytes: Uint8Array, start: number, end: number): void {
  if (end - start !== 4 || !areDigits(bytes, start, 4)) return;
  const sign = bytes[end] as number;
  if (isSign(sign)) {
    const month = digitsEnd(bytes, end + 1, 2);
    const day = digitsEnd(bytes, month + 1, 2);
    const whole = month > end + 1 && bytes[month] === sign && day > month + 1;
    const [year, second, third] = [
      numberAt(bytes, start, end),
      numberAt(bytes, end + 1, month),
      numberAt(bytes, month + 1, day),
    ];
    if (whole && isDate(year, second, third) && found(bytes, timeEnd(bytes, day), 0.7)) return;
  }
  readYear(bytes, start, end);
}

/** 5/20/2021, 20.5.21; 5/2021; 5/20. */
function readYearLast(bytes: Uint8Array, start: number, end: number): void {
  if (end - start > 2 || !areDigits(bytes, start, end - start)) return;
  const sign = bytes[end] as number;
  const first = numberAt(bytes, start, end);
  const secondEnd = digitsEnd(bytes, end + 1, 2);
  const second = numberAt(bytes, end + 1, secondEnd);
  if (bytes[secondEnd] === sign && isYearLast(bytes, first, second, secondEnd, sign)) return;
  if (sign !== 47) return;
  if (areDigits(bytes, end + 1, 4) && first >= 1 && first <= 12 && found(bytes, end + 5, 0.5)) return;
  if (isDate(2000, first, second) || isDate(2000, second, first)) found(bytes, secondEnd, 0.4);
}

/** Either order; with dots and two digits of the year the day comes first, and `5.5.31-beta` is a version. */
function isYearLast(bytes: Uint8Array, first: number, second: number, secondEnd: number, sign: number): boolean {
  const yearEnd = digitsEnd(bytes, secondEnd + 1, 5);
  const digits = yearEnd - secondEnd - 1;
  if ((digits !== 2 && digits !== 4) || (isSign(bytes[yearEnd] as number) && isDigit(bytes[yearEnd + 1] as number)))
    return false;
  const year = numberAt(bytes, secondEnd + 1, yearEnd);
  const end = timeEnd(bytes, yearEnd);
  const dated = isDate(year, second, first)
    ? sign !== 46 || !isSuffixed(bytes, end)
    : (sign !== 46 || digits === 4) && isDate(year, first, second);
  return dated && found(bytes, end, 0.7);
}

/** `-beta`. */
const isSuffixed = (bytes: Uint8Array, end: number): boolean =>
  bytes[end] === 45 && ((CLASSES[bytes[end + 1] as number] as number) & LETTER) !== 0;

/** A day before the name of a month: the day has its `st` within its run of letters and digits. */
function readNamed(bytes: Uint8Array, start: number, end: number): void {
  const day = digitsEnd(bytes, start, 2);
  if (day < end && isDigit(bytes[day] as number)) return;
  const month = namedMonthEnd(bytes, day);
  if (month > 0 && numberAt(bytes, start, day) <= 31) found(bytes, month, 0.7);
}

/** 1900 to 2099 by itself; only a date in words like "in 1972". */
function readYear(bytes: Uint8Array, start: number, end: number): void {
  const century = numberAt(bytes, start, start + 2);
  if ((century !== 19 && century !== 20) || bytes[end] === 95) return;
  const joint = bytes[end] as number;
  if ((isSign(joint) || joint === 58) && (classAt(bytes, end + 1) & (DIGIT | LETTER)) !== 0) return;
  reading.end = end;
  reading.score = 0.3;
}

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
  'Jan',
  'Feb',
  'Mar',
  'Apr',
  'Jun',
  'Jul',
  'Aug',
  'Sep',
  'Oct',
  'Nov',
  'Dec',
];
const bothCases = (names: readonly string[]): string[] =>
  names.flatMap((name) => [name, name.toLowerCase(), name.toUpperCase()]);

/** Dates that begin with a name: `May 1st, 1977`, `Saturday`. */
export const namedDate: PrefixDetector = {
  entity: 'DATE_TIME',
  score: 0.6,
  prefixes: [...bothCases(WEEKDAYS), ...bothCases(MONTHS)],
  from(_text, start, report, prefix, bytes) {
    if (isJoined(bytes, start)) return;
    if (prefix.endsWith('day') || prefix.endsWith('DAY')) {
      const end = start + prefix.length;
      if ((classAt(bytes, end) & (LETTER | DIGIT)) === 0 && bytes[end] !== 95) report(start, end);
      return;
    }
    const end = monthFirstEnd(bytes, start);
    if (end > 0 && isClosed(bytes, end)) report(start, end);
  },
};
