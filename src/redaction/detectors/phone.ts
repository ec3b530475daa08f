import { countryCodeLength, nationalLengths } from './phone-countries.ts';
import { digitsOf, type PhoneCandidate, type PhoneReading, readPhone } from './phone-candidates.ts';
import { DIGIT, is, LETTER } from '../characters.ts';
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
  token(text, start, end, report) {
    const reading = readPhone(text, start, end);
    if (reading === undefined) return;
    let best: PhoneCandidate | undefined;
    let score = 0;
    for (const candidate of reading.candidates) {
      const value = scoreOf(reading, candidate);
      if (value > 0 && value >= score) {
        best = candidate;
        score = value;
      }
    }
    if (best === undefined) return;
    const spoken = score < 0.75 && isSpokenAfter(text, best.end);
    report(reading.start, best.end, spoken ? 0.75 : score);
  },
};

const AFTER = /^[ ,-]{1,2}(?:office|fax|mobile|cell|phone|home|work|desk|tel|landline)\b/i;

/** `, office`: a letter within two units, then one of the words. */
function isSpokenAfter(text: string, end: number): boolean {
  const near = is(text, end + 1, LETTER) || is(text, end + 2, LETTER);
  return near && AFTER.test(text.slice(end, end + 12));
}

/** 0 when it cannot be one. */
function scoreOf(reading: PhoneReading, candidate: PhoneCandidate): number {
  const { text, first, plus, parenthesised } = reading;
  const { groups, count, extension, layout } = candidate;
  const zero = text.charCodeAt(first) === 48;
  if (plus || (zero && text.charCodeAt(first + 1) === 48 && text.charCodeAt(first + 2) !== 49))
    return internationalScore(reading, candidate);
  // 001 415 555 0132 is the longest.
  if (count > 13) return 0;
  if (groups === 1) return count > 12 ? 0 : zero && count >= 10 && count < 12 ? 0.3 : 0.15;
  if (count >= 10) {
    if (layout === 0x334) {
      const strict = /^[2-9]\d\d.{1,2}[2-9]/.test(text.slice(first, first + 6));
      return strict || parenthesised || extension ? (text.charCodeAt(first + 3) === 47 ? 0.4 : 0.7) : 0.45;
    }
    if ((layout === 0x1334 && text.charCodeAt(first) === 49) || (layout === 0x3334 && text.startsWith('001', first)))
      return 0.75;
    if (layout === 0x2334) return 0.5;
  }
  if (count > 12) return 0;
  if (parenthesised) return count >= 8 ? 0.6 : 0;
  if (zero && count >= 9 && groups >= 3 && groups <= 5) return 0.5;
  if (groups > 6 || hasSingle(layout) || (groups === 3 && count <= 8 && isWrittenDate(text, first, layout))) return 0;
  return 0.3;
}

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
function internationalScore(reading: PhoneReading, candidate: PhoneCandidate): number {
  const digits = digitsOf(reading, candidate).replace(/^00/, '');
  const code = countryCodeLength(digits);
  if (code === 0) return 0;
  const [least, most] = nationalLengths(digits.slice(0, code));
  const trunk = digits.charAt(code) === '0' && code > 1 && !digits.startsWith('39') ? 1 : 0;
  const length = digits.length - code - trunk;
  return length >= least && length <= most ? 0.8 : 0;
}
