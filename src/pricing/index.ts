import type { Target, Usage } from '../operations/shared.ts';
import type { ModelLimits, PriceCatalogue } from './catalogue.ts';
import type { Cost, CostOptions } from './cost.ts';
import { bundledCatalogue, defaultTable } from './default-table.ts';
import {
  createTable,
  type ModelPrice,
  type PriceSource,
  type PriceTable,
  type PriceTableOptions,
  type UpdateOptions,
} from './table.ts';

/**
 * What a target costs at a time (milliseconds since the epoch; left out: now and later), or `null` if that is unknown.
 *
 * @example
 * priceOf('openai/gpt-4o-mini')?.prices.tokens.input // '0.15', US dollars per million tokens
 */
export function priceOf(target: Target | string, at?: number): ModelPrice | null {
  return defaultTable.priceOf(target, at);
}

/**
 * What a usage cost, in whole nano-dollars. `{ priced: false, nanoUsd: null, reason }` if any part has no known price.
 *
 * @example
 * const cost = costOf(response.usage, { provider: 'openai', model: 'gpt-4o-mini' });
 */
export function costOf(usage: Usage, options: CostOptions): Cost {
  return defaultTable.costOf(usage, options);
}

/** A model's context window and longest answer, as far as the price list knows them. */
export function limitsOf(target: Target | string): ModelLimits | null {
  return defaultTable.limitsOf(target);
}

/** A price table of your own: the bundled list with your overrides and providers. */
export function createPriceTable(
  options: PriceTableOptions & { readonly catalogue?: PriceCatalogue } = {},
): PriceTable {
  const { catalogue } = options;
  return createTable(catalogue === undefined ? bundledCatalogue : () => catalogue, options);
}

/** Replaces the list behind `priceOf` and `costOf` in this process. A list that fails its check changes nothing. */
export function updatePrices(source: PriceSource, options?: UpdateOptions): Promise<PriceCatalogue> {
  return defaultTable.update(source, options);
}

export { estimateRequest, type EstimateOptions } from './estimate-request.ts';
export { estimateTokens } from '../operations/estimate-tokens.ts';
export { formatUsd } from './exact.ts';
export {
  gptCounter,
  type ChatPrompt,
  type EncodingName,
  type GptCounterOptions,
  type TokenCounter,
} from './gpt-counter.ts';

// For those who keep price lists of their own.
export { defaultTable } from './default-table.ts';
export { fromGenaiPrices } from './from-genai-prices.ts';
export { loadPrices } from './load.ts';
export { checkCatalogue } from './validate.ts';
export type * from './catalogue.ts';
export type { Cost, CostOptions, Priced, Unpriced, UnpricedReason } from './cost.ts';
export type { PriceOverrides } from './overrides.ts';
export type { ModelPrice, PriceSource, PriceTable, PriceTableOptions, UpdateOptions } from './table.ts';
