import { seededRandom } from '../../../src/testing/script/random.ts';

export const DIGITS = '0123456789';
export const NOT_ZERO = '123456789';
export const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
export const HEX = '0123456789abcdef';
export const BASE62: string = CAPITALS + CAPITALS.toLowerCase() + DIGITS;

/** Draws from one seed: the same texts in every run. */
export class Draw {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  of(alphabet: string, count: number): string {
    return Array.from({ length: count }, () => alphabet.charAt(this.below(alphabet.length))).join('');
  }

  digits(count: number): string {
    return this.of(DIGITS, count);
  }

  /** A number from `least` to `most` with leading zeros up to `width`. */
  number(least: number, most: number, width: number): string {
    return String(least + this.below(most - least + 1)).padStart(width, '0');
  }

  /** A day that every month has, as `yymmdd`. */
  birthDay(): string {
    return this.number(40, 99, 2) + this.number(1, 12, 2) + this.number(1, 28, 2);
  }

  /** Draws until there is one. */
  until(make: () => string | undefined): string {
    for (;;) {
      const made = make();
      if (made !== undefined) return made;
    }
  }
}

/** Cuts into groups: `grouped([3, 3], '-')('123456')` is `123-456`. */
export function grouped(sizes: readonly number[], separator: string): (value: string) => string {
  return (value) => {
    let from = 0;
    return sizes.map((count) => value.slice(from, (from += count))).join(separator);
  };
}

/** Sum of digits times weights. */
export const weighed = (digits: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, index) => sum + weight * Number(digits.charAt(index)), 0);

/** The digit that brings a sum up to the next ten. */
export const toTen = (sum: number): number => (10 - (sum % 10)) % 10;

/** ISO/IEC 7812 annex B. */
export function luhnDigit(digits: string): number {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return toTen(sum);
}

/** ISO 7064 mod 11,10. */
export function hybridDigit(digits: string): number {
  let product = 10;
  for (const digit of digits) product = (((Number(digit) + product) % 10 || 10) * 2) % 11;
  return (11 - product) % 10;
}

/** A last character that is not the right one. */
export function spoiled(value: string, alphabet: string = DIGITS): string {
  const at = alphabet.indexOf(value.slice(-1));
  return value.slice(0, -1) + alphabet.charAt((at + 1) % alphabet.length);
}
