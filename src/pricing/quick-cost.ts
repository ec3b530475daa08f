import type { Usage } from '../operations/shared.ts';
import type { PriceCatalogue } from './catalogue.ts';
import { type CostOptions, isListPrice, pricesOf } from './cost.ts';
import { isOutputClass, isTokenClass, rateOf, tokenPrice } from './resolve-price.ts';

/** Femto-dollars in a nano-dollar: fine enough for every price per million tokens with nine digits after the point. */
const FEMTO = 1_000_000;

/**
 * The whole cost in nano-dollars, for tokens at list prices, in plain integers: the same number as `costWith` gives, for
 * a fraction of its time. `null` where there is no price; `undefined` where it is not certain to be exact.
 */
export function quickNanoUsd(catalogue: PriceCatalogue, usage: Usage, options: CostOptions): number | null | undefined {
  if (usage.quality === 'unknown') return undefined;
  let femtoUsd = 0;
  for (const line of usage.lines) {
    const found = pricesOf(catalogue, line, options);
    if ('reason' in found) return line.role === 'main' ? null : undefined;
    if (found.span.units?.request !== undefined || line.units !== undefined) return undefined;
    if (!isListPrice(found, line.tier ?? options.tier ?? '')) return undefined;
    const { tokens } = line;
    let inputTokens = 0;
    for (const name in tokens) if (!isOutputClass(name)) inputTokens += tokens[name as 'input'] ?? 0;
    for (const name in tokens) {
      const count = tokens[name as 'input'];
      if (count === 0 || count === undefined) continue;
      const rate = isTokenClass(name) ? rateOf(found.span, name) : undefined;
      const price = rate === undefined ? undefined : tokenPrice(rate, inputTokens)?.femtoUsd;
      if (price === undefined || !Number.isSafeInteger(count) || count < 0) return undefined;
      femtoUsd += count * price;
      // Sums and products below 2^53 were exact all the way.
      if (femtoUsd > Number.MAX_SAFE_INTEGER - FEMTO) return undefined;
    }
  }
  const rest = femtoUsd % FEMTO;
  return (femtoUsd - rest) / FEMTO + (rest * 2 >= FEMTO ? 1 : 0);
}
