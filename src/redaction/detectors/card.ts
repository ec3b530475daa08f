import type { ShapeDetector } from '../types.ts';

/** Payment cards: Luhn and the issuer ranges of ISO/IEC 7812 with the lengths each network uses. */
export const creditCard: ShapeDetector = {
  entity: 'CREDIT_CARD',
  score: 0.9,
  shapes: [
    '9{12}',
    '9{13}',
    '9{14}',
    '9{15}',
    '9{16}',
    '9{17}',
    '9{18}',
    '9{19}',
    '9999_9999_9999_9999',
    '9999_999999_99999',
    '9999_999999_9999',
    '9999_9999_9999_9',
    '9999_9999_9999',
    '9999_9999_9999_999',
    '9999_9999_9999_99',
    '99999999_99999999',
    '9999_9999_9999_9999_999',
    '9999_999_999_999',
    '9999_9999_99999',
  ],
  separators: ' -.',
  context: [
    'card',
    'credit',
    'debit',
    'visa',
    'mastercard',
    'amex',
    'cc',
    'carte',
    'karte',
    'tarjeta',
    'carta',
    'maestro',
    'pan',
  ],
  contextScore: 0.95,
  likely: scoreOf,
};

/** Nine numbers of ten end at the issuer's range or length, nine of the rest at the check digit. */
function scoreOf(bytes: Uint8Array, start: number, end: number): number | false {
  let length = 0;
  let opening = 0;
  for (let index = start; index < end; index++) {
    const value = (bytes[index] as number) - 48;
    if (value < 0 || value > 9) continue;
    if (length < 4) opening = opening * 10 + value;
    length++;
  }
  const score = networkScore(opening, length);
  return score > 0 && hasLuhn(bytes, start, end) ? score : false;
}

/** The Luhn sum from the right, past separators; no card has the same digit throughout. */
function hasLuhn(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start] as number;
  let same = true;
  let sum = 0;
  for (let index = end - 1, double = false; index >= start; index--) {
    const code = bytes[index] as number;
    const value = code - 48;
    if (value < 0 || value > 9) continue;
    if (code !== first) same = false;
    sum += double ? (value > 4 ? value * 2 - 9 : value * 2) : value;
    double = !double;
  }
  return sum % 10 === 0 && !same;
}

/** By the first four digits. */
function networkScore(four: number, length: number): number {
  const two = Math.floor(four / 100);
  const three = Math.floor(four / 10);
  if (two >= 40 && two <= 49) return length === 16 || length === 19 ? 0.9 : length === 13 ? 0.7 : 0;
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return length === 16 ? 0.9 : 0;
  if (two === 34 || two === 37) return length === 15 ? 0.9 : 0;
  if ((three >= 300 && three <= 305) || three === 309 || two === 36 || two === 38 || two === 39)
    return length === 14 ? 0.8 : length === 16 ? 0.7 : 0;
  if (four >= 3528 && four <= 3589) return length >= 16 ? 0.9 : 0;
  if (four === 2131 || four === 1800) return length === 15 ? 0.8 : 0;
  if (four === 6011 || two === 65 || (three >= 644 && three <= 649)) return length === 16 || length === 19 ? 0.9 : 0;
  if (two === 62 || two === 81) return length >= 16 ? 0.85 : 0;
  if (four >= 2200 && four <= 2204) return length >= 16 ? 0.85 : 0;
  // Maestro and relatives share 50 and 56 to 69 and any length: bare short ones are only likely beside a word like "card".
  if (two === 50 || (two >= 56 && two <= 69)) return length >= 16 ? 0.8 : 0.4;
  // UATP.
  return four >= 1000 && four < 2000 && length === 15 ? 0.5 : 0;
}
