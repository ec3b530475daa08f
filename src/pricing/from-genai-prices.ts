import type { TokenClass, UnitClass } from '../operations/shared.ts';
import type { ModelEntry, PriceCatalogue, PriceSpan, ProviderEntry, TokenRate, UnitRate } from './catalogue.ts';
import { KNOWN_PROVIDER_FACTS } from './provider-facts.ts';

/** The part of the genai-prices data format (v2, read 2026-11-22) that is turned into ours. */
export interface GenaiProvider {
  readonly id: string;
  readonly name?: string;
  readonly fallback_model_providers?: readonly string[];
  readonly models: readonly GenaiModel[];
}
export interface GenaiModel {
  readonly id: string;
  readonly match: GenaiMatch;
  readonly context_window?: number;
  readonly deprecated?: boolean;
  readonly prices: GenaiPrices | readonly { readonly constraint?: GenaiConstraint; readonly prices: GenaiPrices }[];
}
type GenaiMatch = { readonly [kind: string]: string | readonly GenaiMatch[] };
type GenaiPrice = number | { readonly base: number; readonly tiers: readonly { start: number; price: number }[] };
type GenaiPrices = Readonly<Record<string, GenaiPrice | undefined>>;
interface GenaiConstraint {
  readonly start_date?: string;
  readonly start_time?: string;
  readonly end_time?: string;
}

const TOKEN_KEYS: Readonly<Record<string, TokenClass>> = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cacheRead',
  cache_write_mtok: 'cacheWrite',
  cache_write_5m_mtok: 'cacheWrite5m',
  cache_write_1h_mtok: 'cacheWrite1h',
  input_audio_mtok: 'inputAudio',
  input_image_mtok: 'inputImage',
  input_video_mtok: 'inputVideo',
  cache_audio_read_mtok: 'cacheReadAudio',
  cache_image_read_mtok: 'cacheReadImage',
  cache_video_read_mtok: 'cacheReadVideo',
  output_reasoning_mtok: 'reasoning',
  output_audio_mtok: 'outputAudio',
  output_image_mtok: 'outputImage',
  output_video_mtok: 'outputVideo',
};
const UNIT_KEYS: Readonly<Record<string, readonly [UnitClass, number]>> = {
  web_searches_kcount: ['webSearch', 1000],
  storage_searches_kcount: ['fileSearch', 1000],
  rerank_searches_kcount: ['searchUnit', 1000],
  requests_kcount: ['request', 1000],
  audio_hours: ['audioSeconds', 3600],
  input_audio_hours: ['audioSeconds', 3600],
  input_document_kpages: ['pages', 1000],
  input_annotated_document_kpages: ['annotatedPages', 1000],
  output_citation_mtok: ['citationTokens', 1_000_000],
  input_text_messages_kcount: ['messages', 1000],
};

/** Turns price data in the genai-prices format into a price list of ours. */
export function fromGenaiPrices(providers: readonly GenaiProvider[], source: PriceCatalogue['source']): PriceCatalogue {
  return {
    format: 'postern-prices-1',
    currency: 'USD',
    source,
    providers: Object.fromEntries(providers.map((provider) => [provider.id, providerOf(provider)])),
  };
}

function providerOf(provider: GenaiProvider): ProviderEntry {
  return {
    ...(provider.name !== undefined && { name: provider.name }),
    ...(provider.fallback_model_providers !== undefined && { fallbacks: provider.fallback_model_providers }),
    ...KNOWN_PROVIDER_FACTS[provider.id],
    models: Object.fromEntries(provider.models.map((model) => [model.id, modelOf(model)])),
  };
}

function modelOf(model: GenaiModel): ModelEntry {
  const aliases = new Set<string>();
  const families = new Set<string>();
  const tails = new Set<string>();
  const visit = (match: GenaiMatch): void => {
    for (const [kind, value] of Object.entries(match)) {
      if (typeof value !== 'string') {
        for (const inner of value) visit(inner);
      } else if (kind === 'equals') aliases.add(value);
      else if (kind === 'starts_with') families.add(trimJoint(value));
      else if (kind === 'contains' || kind === 'ends_with') tails.add(trimJoint(value));
      else if (kind === 'regex') addPattern(value, families);
    }
  };
  visit(model.match);
  aliases.delete(model.id);
  const list = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices as GenaiPrices }];
  return {
    ...(aliases.size > 0 && { aliases: [...aliases] }),
    ...(families.size > 0 && { families: [...families] }),
    ...(tails.size > 0 && { tails: [...tails] }),
    ...(model.context_window !== undefined && { limits: { context: model.context_window } }),
    ...(model.deprecated === true && { deprecated: true }),
    prices: list.map((item: { constraint?: GenaiConstraint; prices: GenaiPrices }) => spanOf(item)),
  };
}

/** `gpt-4o-` and `/gpt-4o` name the family `gpt-4o`. */
function trimJoint(name: string): string {
  return name.replace(/^[-./:@]+|[-./:@]+$/g, '');
}

/** Only patterns that say "this name and a date" are understood; what else a pattern allows is not matched. */
function addPattern(pattern: string, families: Set<string>): void {
  const match = /^\^([A-Za-z0-9\\./_-]+?)-(?:\\d\{8\}\$|\\d\{4\}-\\d\{2\}-\\d\{2\}\$|\\d)$/.exec(pattern);
  if (match?.[1] !== undefined) families.add(match[1].replaceAll('\\', ''));
}

function spanOf(item: { constraint?: GenaiConstraint; prices: GenaiPrices }): PriceSpan {
  const tokens: Partial<Record<TokenClass, TokenRate>> = {};
  const units: Partial<Record<UnitClass, UnitRate>> = {};
  for (const [key, price] of Object.entries(item.prices)) {
    if (price === undefined) continue;
    const token = TOKEN_KEYS[key];
    const unit = UNIT_KEYS[key];
    if (token !== undefined) tokens[token] = rateOf(price);
    else if (unit !== undefined && typeof price === 'number') units[unit[0]] = { price: text(price), per: unit[1] };
  }
  const { start_date, start_time, end_time } = item.constraint ?? {};
  return {
    ...(start_date !== undefined && { effectiveFrom: start_date }),
    ...(start_time !== undefined &&
      end_time !== undefined && { daily: { start: start_time.slice(0, 5), end: end_time.slice(0, 5) } }),
    tokens,
    ...(Object.keys(units).length > 0 && { units }),
  };
}

function rateOf(price: GenaiPrice): TokenRate {
  if (typeof price === 'number') return text(price);
  return {
    base: text(price.base),
    above: price.tiers
      .map((tier) => ({ inputTokens: tier.start, price: text(tier.price) }))
      .sort((left, right) => left.inputTokens - right.inputTokens),
  };
}

/** Twelve digits after the point: more are the noise of binary floats, like 0.18000000000000002. */
function text(price: number): string {
  return price.toFixed(12).replace(/\.?0+$/, '');
}
