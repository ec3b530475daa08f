import { countryCodeLength, nationalLeast, nationalMost } from './phone-countries.ts';
import { type PhoneReading, readPhone } from './phone-candidates.ts';
import { byteAt, classAt, DIGIT, is, LETTER } from '../characters.ts';
import { BEYOND_ASCII } from '../unit-bytes.ts';
import type { TokenDetector } from '../types.ts';

/**
 * Telephone numbers: E.164 with the length of its country, the North American plan, and other national ways of writing
 * that need a word like "call" beside them unless they are grouped like a number that begins with its trunk 0.
 */
export const phoneNumber: TokenDetector = {
  entity: 'PHONE_NUMBER',
  score: 0.4,
  lengthMin: 1,
  lengthMax: 15,
  opens: 'digit',
  context: [
    'phone',
    'telephone',
    'tel',
    'mobile',
    'cell',
    'cellphone',
    'call',
    'dial',
    'ring',
    'fax',
    'desk',
    'office',
    'whatsapp',
    'sms',
    'texting',
    'answering',
    'reach',
    'handy',
    'telefon',
    'telefono',
    'teléfono',
    'telefone',
    'téléphone',
    'portable',
    'numer',
    'hotline',
    'landline',
    'contact',
    'pager',
    'mob',
    'ph',
  ],
  contextScore: 0.75,
  weak: isWeak,
  token(text, start, end, report, bytes) {
    const reading = readPhone(text, bytes, start, end);
    if (reading === undefined) return;
    let best = -1;
    let score = 0;
    for (let at = 0; at < reading.size; at++) {
      const value = scoreOf(reading, at);
      if (value > 0 && value >= score) {
        best = at;
        score = value;
      }
    }
    if (best < 0) return;
    const last = reading.ends[best] as number;
    report(reading.start, last, score < 0.75 && isSpokenAfter(text, reading.bytes, last) ? 0.75 : score);
  },
};

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
/** Digits and groups from here on are looked at; more make no number. */
const DIGITS_LOOKED_AT = 17;
const GROUPS_LOOKED_AT = 7;

/**
 * What scores more by itself begins with `+`, `(` or 0, has groups of three, three and four, or a word behind it.
 */
function isWeak(bytes: Uint8Array, start: number): boolean {
  const before = byteAt(bytes, start - 1);
  if (bytes[start] === 48 || before === 43 || before === 40) return false;
  // In the middle of something no number begins.
  if ((before === 58 || (before >= 45 && before <= 47)) && isDigit(byteAt(bytes, start - 2))) return true;
  let layout = 0;
  let index = start;
  for (let groups = 1, digits = 0; groups <= GROUPS_LOOKED_AT && digits <= DIGITS_LOOKED_AT; groups++) {
    const group = index;
    while (isDigit(bytes[index] as number) && index - group <= DIGITS_LOOKED_AT) index++;
    const length = index - group;
    // Single digits stand only at the front.
    if (length === 1 && groups > 3) return true;
    digits += length;
    layout = ((layout << 4) | length) & 0xfff;
    if (layout === 0x334) return false;
    const code = bytes[index] as number;
    if (code === 44 || code === 32) {
      const next = bytes[index + 1] as number;
      if (isDigit(next)) index++;
      else return next !== 40 && !hasLetter(bytes, index + 1);
    } else if (code === 45 || code === 46 || code === 47 || code === BEYOND_ASCII) {
      index++;
      if (!isDigit(bytes[index] as number)) return bytes[index] !== 40 && !hasLetter(bytes, index);
    } else return code !== 40 && !hasLetter(bytes, index);
  }
  return true;
}

/** A letter within two units: a word behind a number, or its extension. */
const hasLetter = (bytes: Uint8Array, from: number): boolean =>
  ((classAt(bytes, from) | classAt(bytes, from + 1)) & LETTER) !== 0;

const AFTER = /^[ ,-]{1,2}(?:office|fax|mobile|cell|phone|home|work|desk|tel|landline)\b/i;

/** `, office`: one or two signs, then one of the words. */
function isSpokenAfter(text: string, bytes: Uint8Array, end: number): boolean {
  const word = (classAt(bytes, end + 1) & LETTER) !== 0 ? end + 1 : end + 2;
  const [first, second] = [(bytes[word] as number) | 32, (bytes[word + 1] as number) | 32];
  if (!isOpening(first, second)) return false;
  return AFTER.test(text.slice(end, end + 12));
}

/** The two letters one of the words begins with. */
function isOpening(first: number, second: number): boolean {
  for (let at = 0; at < OPENINGS.length; at += 2)
    if (OPENINGS.charCodeAt(at) === first && OPENINGS.charCodeAt(at + 1) === second) return true;
  return false;
}
const OPENINGS = 'offamocephhowodetela';

/** 0 when it cannot be one. */
function scoreOf(reading: PhoneReading, at: number): number {
  const { bytes, first, parenthesised } = reading;
  const zero = bytes[first] === 48;
  if (reading.plus || (zero && bytes[first + 1] === 48 && bytes[first + 2] !== 49))
    return internationalScore(reading, at);
  const groups = reading.groups[at] as number;
  const count = reading.counts[at] as number;
  const layout = reading.layouts[at] as number;
  // 001 415 555 0132 is the longest.
  if (count > 13) return 0;
  if (groups === 1) return count > 12 ? 0 : zero && count >= 10 && count < 12 ? 0.3 : 0.15;
  if (layout === 0x44 && isYear(bytes, first) && isYear(bytes, first + 5)) return 0;
  if (count >= 10) {
    if (layout === 0x334) {
      const strict = isTwoToNine(bytes[first]) && (isTwoToNine(bytes[first + 4]) || isTwoToNine(bytes[first + 5]));
      return strict || parenthesised || reading.extensions[at] === 1 ? (bytes[first + 3] === 47 ? 0.4 : 0.7) : 0.45;
    }
    if ((layout === 0x1334 && bytes[first] === 49) || (layout === 0x3334 && isTrunkOne(bytes, first))) return 0.75;
    if (layout === 0x2334) return 0.5;
  }
  if (count > 12) return 0;
  if (parenthesised) return count >= 8 ? 0.6 : 0;
  if (zero && count >= 9 && groups >= 3 && groups <= 5) return 0.5;
  if (groups > 6 || hasSingle(layout) || (groups === 3 && count <= 8 && isWrittenDate(reading.text, first, layout)))
    return 0;
  return 0.3;
}

/** `001`. */
const isTrunkOne = (bytes: Uint8Array, first: number): boolean =>
  bytes[first] === 48 && bytes[first + 1] === 48 && bytes[first + 2] === 49;

/** Area and exchange codes of North America begin so. */
const isTwoToNine = (code: number | undefined): boolean => code !== undefined && code >= 50 && code <= 57;

/** 19.. or 20..: two of them are years, `2008-2019`. */
const isYear = (bytes: Uint8Array, at: number): boolean =>
  (bytes[at] === 49 && bytes[at + 1] === 57) || (bytes[at] === 50 && bytes[at + 1] === 48);

/** A group of one digit. */
function hasSingle(layout: number): boolean {
  for (let rest = layout; rest > 0; rest >>= 4) if ((rest & 15) === 1) return true;
  return false;
}

/** 2024-06-05, 5.6.2024: one separator between the groups. */
function isWrittenDate(text: string, first: number, layout: number): boolean {
  const opens = layout >> 8 === 4;
  if (!opens && (layout & 15) !== 4) return false;
  let year = first;
  for (let groups = opens ? 1 : 3; groups > 1; year++)
    if (!is(text, year, DIGIT) && is(text, year + 1, DIGIT)) groups--;
  return text.startsWith('19', year) || text.startsWith('20', year);
}

/** Country code, perhaps a trunk 0 as in +46 (0)70, and as many digits as its numbers have. */
function internationalScore(reading: PhoneReading, at: number): number {
  const { bytes, first } = reading;
  // 00 stands for the +.
  const zeros = bytes[first] === 48 && bytes[first + 1] === 48 ? 2 : 0;
  const three = reading.firstDigits(zeros, 3);
  const code = countryCodeLength(three);
  if (code === 0) return 0;
  const trunk = code > 1 && Math.floor(three / 10) !== 39 && reading.firstDigits(zeros + code, 1) === 0 ? 1 : 0;
  const length = (reading.counts[at] as number) - zeros - code - trunk;
  const most = nationalMost(three);
  // One digit too many is a slip more often than another number.
  return length < nationalLeast(three) || length > most + 1 ? 0 : length > most ? 0.5 : 0.8;
}
