import { byteAt, classAt, codeAt, DIGIT, is, LETTER } from '../characters.ts';
import { isDate } from '../check-digits.ts';
import type { PrefixDetector, TokenDetector } from '../types.ts';

const MONTH =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';
const TIME = '(?:[T ]\\d{1,2}:\\d{2}(?::\\d{2}(?:[.,]\\d{1,9})?)?(?:Z| ?[+-]\\d{2}:?\\d{2}| ?[AaPp][Mm]\\b)?)?';
/** Year first, with or without time. */
const YEAR_FIRST = new RegExp(`(\\d{4})([-/.])(\\d{1,2})\\2(\\d{1,2})${TIME}`, 'y');
/** 5/20/2021, 20.5.21. */
const YEAR_LAST = new RegExp(`(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4}|\\d{2})${TIME}`, 'y');
/** 5-MAY-2021, 5 May 2021, 1st of May. */
const DAY_MONTH = new RegExp(
  `(\\d{1,2})(?:st|nd|rd|th)?(?:[ -]of)?[ -]${MONTH}(?:(?:[ ,-]{1,2}\\d{4}|-\\d{2})(?!\\w))?`,
  'iy',
);
/** Month and year, 5/2021. */
const MONTH_YEAR = /(\d{1,2})[/](\d{4})/y;
const MONTH_DAY = /(\d{1,2})[/](\d{1,2})/y;
/** May 2021; May 1st, 1977; May-21-2021; May-21. */
const MONTH_FIRST = new RegExp(`${MONTH}\\.?[ -](?:\\d{4}|\\d{1,2}(?:st|nd|rd|th)?(?:(?:,? |-)\\d{4}(?!\\w))?)`, 'iy');

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
    if (isJoined(bytes, start)) return;
    const found = readDate(text, bytes, start, end);
    if (found) report(start, found.end, found.score);
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
  token(text, start, end, report, bytes) {
    if (isJoined(bytes, start)) return;
    const found = readDate(text, bytes, start, end);
    if (found && found.score >= 0.6) report(start, found.end, 0);
  },
};

const isJoined = (bytes: Uint8Array, start: number): boolean => {
  const before = byteAt(bytes, start - 1);
  return (
    before === 95 ||
    ((before === 45 || before === 46 || before === 47 || before === 58) &&
      (classAt(bytes, start - 2) & (DIGIT | LETTER)) !== 0)
  );
};

function readDate(
  text: string,
  bytes: Uint8Array,
  start: number,
  end: number,
): { end: number; score: number } | undefined {
  const length = end - start;
  const next = bytes[end] as number;
  if (length === 4 && next !== 45 && next !== 47 && next !== 46) return readYear(bytes, start, end);
  if (length >= 4)
    return full(text, start, YEAR_FIRST, (match) => dated(match[1], match[3], match[4])) ?? readYear(bytes, start, end);
  const signed = next === 45 || next === 46 || next === 47;
  if (signed && (classAt(bytes, end + 1) & DIGIT) !== 0) {
    const whole = isDayAndMonth(bytes, start, end, next)
      ? full(text, start, YEAR_LAST, (match) => isYearLast(text, match))
      : undefined;
    if (whole !== undefined || next !== 47) return whole;
    return (
      full(text, start, MONTH_YEAR, (match) => Number(match[1]) >= 1 && Number(match[1]) <= 12, 0.5) ??
      full(
        text,
        start,
        MONTH_DAY,
        (match) => dated('2000', match[1], match[2]) || dated('2000', match[2], match[1]),
        0.4,
      )
    );
  }
  // A name of a month, perhaps after `st of`; a day with its `st` is longer than its digits.
  const named =
    (classAt(bytes, end - 1) & LETTER) !== 0 ||
    ((next === 32 || next === 45) && (classAt(bytes, end + 1) & LETTER) !== 0);
  return named ? full(text, start, DAY_MONTH, (match) => Number(match[1]) <= 31) : undefined;
}

/** A day and a month in either order, the same sign again and a year of two or four digits: what every date with the year last has. */
function isDayAndMonth(bytes: Uint8Array, start: number, end: number, sign: number): boolean {
  const second = bytes[end + 2] === sign ? end + 2 : end + 3;
  if (bytes[second] !== sign || (classAt(bytes, end + 1) & classAt(bytes, second - 1) & DIGIT) === 0) return false;
  const [one, other] = [numberAt(bytes, start, end), numberAt(bytes, end + 1, second)];
  if (one === 0 || other === 0 || Math.min(one, other) > 12 || Math.max(one, other) > 31) return false;
  let year = second + 1;
  while (year < second + 6 && (classAt(bytes, year) & DIGIT) !== 0) year++;
  if (year !== second + 3 && year !== second + 5) return false;
  const after = bytes[year] as number;
  return !((after === 45 || after === 46 || after === 47) && (classAt(bytes, year + 1) & DIGIT) !== 0);
}

/** Either order; with dots and two digits of the year the day comes first, and `5.5.31-beta` is a version. */
function isYearLast(text: string, match: RegExpExecArray): boolean {
  const [all, first, sign, second, year] = match;
  if (dated(year, second, first)) return sign !== '.' || !isSuffixed(text, match.index + all.length);
  return (sign !== '.' || year?.length === 4) && dated(year, first, second);
}

/** `-beta`. */
const isSuffixed = (text: string, end: number): boolean => codeAt(text, end) === 45 && is(text, end + 1, LETTER);

function numberAt(bytes: Uint8Array, start: number, end: number): number {
  let number = 0;
  for (let index = start; index < end; index++) number = number * 10 + (bytes[index] as number) - 48;
  return number;
}

const dated = (year?: string, month?: string, day?: string): boolean =>
  isDate(Number(year), Number(month), Number(day));

function full(text: string, start: number, pattern: RegExp, valid: (match: RegExpExecArray) => boolean, score = 0.7) {
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  if (match === null || !valid(match)) return undefined;
  const end = start + match[0].length;
  if (is(text, end, DIGIT | LETTER) || codeAt(text, end) === 95) return undefined;
  const joint = codeAt(text, end);
  return (joint === 45 || joint === 46 || joint === 47) && is(text, end + 1, DIGIT) ? undefined : { end, score };
}

/** 1900 to 2099 by itself; only a date in words like "in 1972". */
function readYear(bytes: Uint8Array, start: number, end: number): { end: number; score: number } | undefined {
  if (end - start !== 4 || bytes[end] === 95) return undefined;
  const opens = (bytes[start] === 49 && bytes[start + 1] === 57) || (bytes[start] === 50 && bytes[start + 1] === 48);
  if (!opens || (classAt(bytes, start + 2) & classAt(bytes, start + 3) & DIGIT) === 0) return undefined;
  const joint = bytes[end];
  return (joint === 45 || joint === 46 || joint === 47 || joint === 58) &&
    (classAt(bytes, end + 1) & (DIGIT | LETTER)) !== 0
    ? undefined
    : { end, score: 0.3 };
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
  from(text, start, report, prefix) {
    const end = start + prefix.length;
    const before = codeAt(text, start - 1);
    const joint = before === 45 || before === 46 || before === 47 || before === 58;
    if (before === 95 || (joint && is(text, start - 2, DIGIT | LETTER))) return;
    if (/day$/i.test(prefix)) {
      if (!is(text, end, LETTER | DIGIT) && codeAt(text, end) !== 95) report(start, end);
      return;
    }
    const found = full(text, start, MONTH_FIRST, () => true);
    if (found) report(start, found.end);
  },
};
