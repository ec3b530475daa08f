import { codeAt } from './characters.ts';

/** Digit at `index` of a string of digits. */
export const digit = (text: string, index: number): number => codeAt(text, index) - 48;

/** Sum of digit times weight; weights repeat from the start when there are fewer of them. */
export function weighted(text: string, weights: readonly number[], count: number = weights.length): number {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += digit(text, index) * (weights[index % weights.length] as number);
  return sum;
}

/** Luhn (ISO/IEC 7812): cards, SIN, NPI, personnummer, SIRET. */
export function luhn(text: string): boolean {
  let sum = 0;
  for (let index = text.length - 1, double = false; index >= 0; index--, double = !double) {
    const value = digit(text, index) * (double ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

/** ISO 7064 mod 97-10 of an alphanumeric string; letters count 10 to 35. An IBAN, first four moved to the end, gives 1. */
export function mod97(text: string): number {
  let rest = 0;
  for (let index = 0; index < text.length; index++) {
    const value = letterValue(text, index);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

/** 0 to 9 for digits, 10 to 35 for upper-case letters. */
export function letterValue(text: string, index: number): number {
  const code = codeAt(text, index);
  return code < 58 ? code - 48 : code - 55;
}

/** ISO 7064 mod 11,10: German tax id and VAT, Croatian OIB. The last digit is the check digit. */
export function mod11And10(text: string): boolean {
  let product = 10;
  for (let index = 0; index < text.length - 1; index++) {
    const sum = (digit(text, index) + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === digit(text, text.length - 1);
}

const digitsOf = (text: string): Uint8Array => Uint8Array.from(text, Number);
const DIHEDRAL = digitsOf(
  '0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210',
);
const PERMUTATION = digitsOf('01234567891576283094580379614289160435279453126870428657390127938064157046913258');

/** Verhoeff: Aadhaar, Nigerian NIN. */
export function verhoeff(text: string): boolean {
  let check = 0;
  for (let index = 0; index < text.length; index++) {
    const turned = PERMUTATION[(index % 8) * 10 + digit(text, text.length - 1 - index)] as number;
    check = DIHEDRAL[check * 10 + turned] as number;
  }
  return check === 0;
}

/** Every digit the same: passes many checksums and is never a number given to a person. */
export const allSame = (text: string): boolean => {
  for (let index = 1; index < text.length; index++) if (codeAt(text, index) !== codeAt(text, 0)) return false;
  return true;
};

/** A day that exists. `year` may have two digits; then 29 February passes when one of the centuries had it. */
export function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  if (month === 2) {
    const leap = year % 4 === 0 && (year < 100 || year % 100 !== 0 || year % 400 === 0);
    return day <= (leap ? 29 : 28);
  }
  return day <= (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31);
}

/** The number written in `text` between two places; not a number when something else stands there. */
export function part(text: string, start: number, end: number): number {
  let number = 0;
  const stop = Math.min(end, text.length);
  for (let index = start; index < stop; index++) {
    const value = digit(text, index);
    if (value < 0 || value > 9) return Number.NaN;
    number = number * 10 + value;
  }
  return number;
}

/** As {@link weighted}, of the digits among separators between two places of a text as bytes. */
export function weightedBytes(bytes: Uint8Array, start: number, end: number, weights: readonly number[]): number {
  let sum = 0;
  for (let index = start, at = 0; index < end && at < weights.length; index++) {
    const value = (bytes[index] as number) - 48;
    if (value >= 0 && value <= 9) sum += value * (weights[at++] as number);
  }
  return sum;
}

/** As {@link luhn}, of the digits among separators between two places of a text as bytes. */
export function luhnBytes(bytes: Uint8Array, start: number, end: number): boolean {
  let sum = 0;
  for (let index = end - 1, double = false; index >= start; index--) {
    const value = (bytes[index] as number) - 48;
    if (value < 0 || value > 9) continue;
    sum += double ? (value > 4 ? value * 2 - 9 : value * 2) : value;
    double = !double;
  }
  return sum % 10 === 0;
}

/** As {@link verhoeff}, of the digits among separators between two places of a text as bytes. */
export function verhoeffBytes(bytes: Uint8Array, start: number, end: number): boolean {
  let check = 0;
  for (let index = end - 1, place = 0; index >= start; index--) {
    const value = (bytes[index] as number) - 48;
    if (value < 0 || value > 9) continue;
    const turned = PERMUTATION[(place++ % 8) * 10 + value] as number;
    check = DIHEDRAL[check * 10 + turned] as number;
  }
  return check === 0;
}

/** The number its digits make, separators left out. */
export function numberOf(bytes: Uint8Array, start: number, end: number): number {
  let number = 0;
  for (let index = start; index < end; index++) {
    const value = (bytes[index] as number) - 48;
    if (value >= 0 && value <= 9) number = number * 10 + value;
  }
  return number;
}
