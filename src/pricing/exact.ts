/** A non-negative fraction. Money is only rounded at the very end, once. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export const ZERO: Fraction = { numerator: 0n, denominator: 1n };
const DECIMAL = /^(\d{1,9})(?:\.(\d{1,18}))?$/;
/** Digits after the point of an exact amount that does not end, like a third of a cent. */
const DIGITS_MAX = 18;

/** The decimal as a fraction; `undefined` if the text is not one. */
export function parseDecimal(text: string): Fraction | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  // One denominator for nearly all prices makes their sums plain additions.
  const digits = (match[2] ?? '').padEnd(12, '0');
  return { numerator: BigInt(`${match[1]}${digits}`), denominator: 10n ** BigInt(digits.length) };
}

/** A count as a fraction: whole numbers exactly, seconds and the like to a millionth. `undefined` if it is no count. */
export function parseCount(count: number): Fraction | undefined {
  if (Number.isSafeInteger(count) && count >= 0) return { numerator: BigInt(count), denominator: 1n };
  if (!Number.isFinite(count) || count < 0 || count > Number.MAX_SAFE_INTEGER) return undefined;
  return { numerator: BigInt(Math.round(count * 1e6)), denominator: 1_000_000n };
}

export function times(left: Fraction, right: Fraction): Fraction {
  return { numerator: left.numerator * right.numerator, denominator: left.denominator * right.denominator };
}

export function over(value: Fraction, divisor: bigint): Fraction {
  return { numerator: value.numerator, denominator: value.denominator * divisor };
}

export function plus(left: Fraction, right: Fraction): Fraction {
  if (left.numerator === 0n) return right;
  if (right.numerator === 0n) return left;
  if (left.denominator === right.denominator) {
    return { numerator: left.numerator + right.numerator, denominator: left.denominator };
  }
  return {
    numerator: left.numerator * right.denominator + right.numerator * left.denominator,
    denominator: left.denominator * right.denominator,
  };
}

/** The nearest whole number; halves go up. */
export function roundHalfUp(value: Fraction): bigint {
  return (2n * value.numerator + value.denominator) / (2n * value.denominator);
}

/** The value as decimal text: exact where it ends within 18 digits, else rounded there. */
export function toDecimal(value: Fraction): string {
  const scale = 10n ** BigInt(DIGITS_MAX);
  const scaled = roundHalfUp({ numerator: value.numerator * scale, denominator: value.denominator });
  const fraction = (scaled % scale).toString().padStart(DIGITS_MAX, '0').replace(/0+$/, '');
  return fraction === '' ? `${scaled / scale}` : `${scaled / scale}.${fraction}`;
}

/** Nano-dollars as dollars, exactly: `54399000n` is `0.054399`. */
export function formatUsd(nanoUsd: bigint): string {
  const sign = nanoUsd < 0n ? '-' : '';
  return sign + toDecimal({ numerator: nanoUsd < 0n ? -nanoUsd : nanoUsd, denominator: 1_000_000_000n });
}

/** Nano-dollars in a dollar. */
const NANO = 1_000_000_000n;

/** US dollars as whole nano-dollars; halves go up. */
export function toNano(usd: Fraction): bigint {
  return (2n * NANO * usd.numerator + usd.denominator) / (2n * usd.denominator);
}

/**
 * Rounds amounts in US dollars to nano-dollars that add up to `total`: everyone gets the whole ones it has, what is left
 * over goes one by one to the largest remainders, earlier ones first.
 */
export function apportion(parts: readonly Fraction[], total: bigint): bigint[] {
  let missing = total;
  const whole = parts.map(({ numerator, denominator }) => {
    const nano = (NANO * numerator) / denominator;
    missing -= nano;
    return nano;
  });
  if (missing <= 0n) return whole;
  const remainders = parts.map(({ numerator, denominator }, index) => ({
    index,
    remainder: { numerator: (NANO * numerator) % denominator, denominator },
  }));
  remainders.sort((left, right) => compare(right.remainder, left.remainder) || left.index - right.index);
  for (const { index } of remainders) {
    if (missing === 0n) break;
    whole[index] = (whole[index] ?? 0n) + 1n;
    missing--;
  }
  return whole;
}

function compare(left: Fraction, right: Fraction): number {
  const difference = left.numerator * right.denominator - right.numerator * left.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
