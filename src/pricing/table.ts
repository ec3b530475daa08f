import { invalidOptions } from '../core/errors.ts';
import type { Target, Usage } from '../operations/shared.ts';
import type { ModelEntry, ModelLimits, PriceCatalogue, PriceSpan, ProviderEntry } from './catalogue.ts';
import { type Cost, type CostOptions, costWith, spanFor } from './cost.ts';
import { findModel } from './find-model.ts';
import { fromGenaiPrices, type GenaiProvider } from './from-genai-prices.ts';
import { overridden, type PriceOverrides } from './overrides.ts';
import { quickNanoUsd } from './quick-cost.ts';
import { checkCatalogue, checkOverrides, checkProviders } from './validate.ts';

export interface PriceTableOptions {
  /** Prices that win over the list, by target. */
  readonly overrides?: PriceOverrides;
  /** Providers to add, or whole providers to replace. */
  readonly providers?: Readonly<Record<string, ProviderEntry>>;
  /** Your provider names → the list's: `{ 'openai-eu': 'openai' }`. */
  readonly sameAs?: Readonly<Record<string, string>>;
}

/** What one target costs at one time. */
export interface ModelPrice {
  readonly provider: string;
  /** The list's name of the model; the asked one for an override. */
  readonly model: string;
  readonly prices: PriceSpan;
  readonly limits?: ModelLimits;
  readonly capabilities?: ModelEntry['capabilities'];
  readonly deprecated?: boolean;
  readonly from: 'override' | 'list';
}

export type PriceSource = PriceCatalogue | string | URL | (() => unknown);
export interface UpdateOptions {
  /** @defaultValue globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch;
  readonly signal?: AbortSignal;
  /** ISO date to record for data that carries none, such as genai-prices. @defaultValue 'unknown' */
  readonly date?: string;
}

/** A price list with your overrides, replaceable while calls run. */
export interface PriceTable {
  readonly catalogue: PriceCatalogue;
  priceOf(target: Target | string, at?: number): ModelPrice | null;
  limitsOf(target: Target | string): ModelLimits | null;
  costOf(usage: Usage, options: CostOptions): Cost;
  /** The same cost as a plain number of nano-dollars, without its parts; `null` where the price is unknown. Quick. */
  nanoUsdOf(usage: Usage, options: CostOptions): number | null;
  /**
   * Takes a new list: an object, an `https:` address, or a function that gets one; in our format or that of
   * genai-prices. A list that fails its check is refused whole and the old one stays.
   */
  update(source: PriceSource, options?: UpdateOptions): Promise<PriceCatalogue>;
}

/** Largest price list taken from an address. */
const LIST_BYTES_MAX = 32 * 1024 * 1024;

export function createTable(first: () => PriceCatalogue, options: PriceTableOptions = {}): PriceTable {
  checkOverrides(options.overrides);
  checkProviders(options.providers);
  let current: PriceCatalogue | undefined;
  const catalogue = (): PriceCatalogue => {
    current ??= withProviders(first(), options.providers);
    return current;
  };
  const name = (provider: string): string => options.sameAs?.[provider] ?? provider;
  const overridesOf = (more: PriceOverrides | undefined): PriceOverrides | undefined =>
    more === undefined || options.overrides === undefined
      ? (more ?? options.overrides)
      : { ...options.overrides, ...more };
  const priceOf = (target: Target | string, at?: number): ModelPrice | null => {
    const { provider, model, region } = targetOf(target);
    const own = overridden(options.overrides, provider, model, region);
    const found = findModel(catalogue(), name(provider), model);
    const prices = own ?? (found === undefined ? undefined : spanFor(found.entry, at ?? Number.POSITIVE_INFINITY));
    if (prices === undefined) return null;
    const { limits, capabilities, deprecated } = found?.entry ?? {};
    return {
      provider: found?.provider ?? provider,
      model: found?.model ?? model,
      prices,
      ...(limits !== undefined && { limits }),
      ...(capabilities !== undefined && { capabilities }),
      ...(deprecated !== undefined && { deprecated }),
      from: own === undefined ? 'list' : 'override',
    };
  };
  const resolved = (costOptions: CostOptions): CostOptions => {
    const overrides = overridesOf(costOptions.overrides);
    const listed = name(costOptions.provider);
    if (overrides === costOptions.overrides && listed === costOptions.provider) return costOptions;
    return {
      ...costOptions,
      ...(overrides !== undefined && { overrides }),
      ...(listed !== costOptions.provider && { listedAs: listed }),
    };
  };
  return {
    get catalogue() {
      return catalogue();
    },
    priceOf,
    limitsOf(target) {
      const { provider, model } = targetOf(target);
      return findModel(catalogue(), name(provider), model)?.entry.limits ?? null;
    },
    costOf: (usage, costOptions) => costWith(catalogue(), usage, resolved(costOptions)),
    nanoUsdOf(usage, costOptions) {
      const where = resolved(costOptions);
      const quick = quickNanoUsd(catalogue(), usage, where);
      if (quick !== undefined) return quick;
      const cost = costWith(catalogue(), usage, where);
      return cost.priced ? Number(cost.nanoUsd) : null;
    },
    async update(source, updateOptions = {}) {
      const list = readList(await fetchList(source, updateOptions), updateOptions.date ?? 'unknown');
      current = withProviders(checkCatalogue(list), options.providers);
      return current;
    },
  };
}

function withProviders(list: PriceCatalogue, added: PriceTableOptions['providers']): PriceCatalogue {
  return added === undefined ? list : { ...list, providers: { ...list.providers, ...added } };
}

function targetOf(target: Target | string): Target {
  if (typeof target !== 'string') return target;
  const slash = target.indexOf('/');
  if (slash <= 0) throw invalidOptions('target', `must be "provider/model" or { provider, model }, not "${target}".`);
  return { provider: target.slice(0, slash), model: target.slice(slash + 1) };
}

async function fetchList(source: PriceSource, options: UpdateOptions): Promise<unknown> {
  if (typeof source === 'function') return source();
  if (typeof source !== 'string' && !(source instanceof URL)) return source;
  const url = new URL(source);
  if (url.protocol !== 'https:') throw invalidOptions('source', 'prices are only fetched over https.');
  const get = options.fetch ?? globalThis.fetch;
  const response = await get(url, {
    redirect: 'error',
    ...(options.signal !== undefined && { signal: options.signal }),
  });
  if (!response.ok) throw invalidOptions('source', `the price list answered with status ${response.status}.`);
  const text = await response.text();
  if (text.length > LIST_BYTES_MAX) throw invalidOptions('source', 'the price list is larger than 32 MiB.');
  return JSON.parse(text);
}

/** Lists of providers are in the genai-prices format, objects in ours. */
function readList(value: unknown, date: string): unknown {
  if (!Array.isArray(value)) return value;
  // The shape is checked after the conversion; whatever is missing here throws and nothing is replaced.
  return fromGenaiPrices(value as readonly GenaiProvider[], { name: 'genai-prices', licence: 'MIT', date });
}
