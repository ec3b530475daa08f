import type { Candidate } from '../core/call.ts';
import type { PriceOverrides } from './overrides.ts';

/** By the price as it is configured: one list for all calls of a target. */
const known = new WeakMap<object, PriceOverrides>();

/** The price a target has in the configuration, as the override that it is: before any other and before the list. */
export function ownPrice(target: Candidate | undefined): PriceOverrides | undefined {
  const price = target?.facts?.price;
  if (target === undefined || price === undefined) return undefined;
  let overrides = known.get(price);
  if (overrides === undefined) {
    const { input, output, cacheRead } = price;
    const { provider, model, region } = target;
    const tokens = {
      ...{ input: decimal(input), output: decimal(output) },
      ...(cacheRead !== undefined && { cacheRead: decimal(cacheRead) }),
    };
    overrides = { [`${provider}/${model}${region === undefined ? '' : `@${region}`}`]: { tokens } };
    known.set(price, overrides);
  }
  return overrides;
}

/** A number as text without an exponent. */
function decimal(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(20).replace(/\.?0+$/, '') : text;
}
