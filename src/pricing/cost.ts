import type { TokenClass, Usage, UsageLine } from '../operations/shared.ts';
import type { ModelEntry, PriceCatalogue, PriceSpan, ProviderEntry } from './catalogue.ts';
import { apportion, type Fraction, parseCount, parseDecimal, plus, times, toDecimal, toNano, ZERO } from './exact.ts';
import { findModel, findProvider } from './find-model.ts';
import { overridden, type PriceOverrides } from './overrides.ts';
import { isOutputClass, isTokenClass, rateOf, spanAt, tokenPrice, unitPrice } from './resolve-price.ts';

export interface CostOptions {
  readonly provider: string;
  /** The model asked for: used where a usage line's own model has no price. */
  readonly model: string;
  readonly region?: string;
  /** The price list's name of the provider, where yours differs. Overrides go by yours. */
  readonly listedAs?: string;
  /** When the tokens were used, milliseconds since the epoch. Left out: prices without an end of time, the newest. */
  readonly at?: number;
  /** Service tier of lines that name none. `standard` and its synonyms are the list price. */
  readonly tier?: string;
  /** Your own prices, before the list's. */
  readonly overrides?: PriceOverrides;
}

export type UnpricedReason =
  | 'unknown-usage'
  | 'invalid-usage'
  | 'unknown-provider'
  | 'unknown-model'
  | 'unknown-class'
  | 'unknown-unit'
  | 'unknown-tier';

export interface Priced {
  readonly priced: true;
  /** The whole cost in billionths of a US dollar: the exact sum, rounded once, halves up. */
  readonly nanoUsd: bigint;
  /** Adds up to `nanoUsd` exactly, together with `byUnit`. */
  readonly byClass: Readonly<Partial<Record<TokenClass, bigint>>>;
  readonly byUnit: Readonly<Record<string, bigint>>;
  /** Unrounded amounts in US dollars as decimal text. */
  readonly exact: {
    readonly inputUsd: string;
    readonly outputUsd: string;
    readonly unitsUsd: string;
    readonly totalUsd: string;
  };
}
export interface Unpriced {
  readonly priced: false;
  readonly nanoUsd: null;
  readonly reason: UnpricedReason;
  /** The model, class, unit or tier without a price. */
  readonly detail: string;
  /** What could be priced all the same: the cost is at least this. */
  readonly knownNanoUsd: bigint;
}
export type Cost = Priced | Unpriced;

/** The service tiers that are the list price. */
const STANDARD = new Set(['', 'standard', 'default', 'auto', 'on_demand', 'on-demand', 'standard_only']);
const ONE: Fraction = { numerator: 1n, denominator: 1n };

interface Sums {
  readonly classes: Map<TokenClass, Fraction>;
  readonly units: Map<string, Fraction>;
  problem: { readonly reason: UnpricedReason; readonly detail: string } | undefined;
}

/** Prices a usage against a price list. An unknown price makes the cost `null`, with the reason; never 0. */
export function costWith(catalogue: PriceCatalogue, usage: Usage, options: CostOptions): Cost {
  const sums: Sums = { classes: new Map(), units: new Map(), problem: undefined };
  if (usage.quality === 'unknown') fail(sums, 'unknown-usage', options.model);
  let requested = false;
  for (const line of usage.lines) {
    const found = pricesOf(catalogue, line, options);
    if ('reason' in found) {
      if (hasCounts(line)) fail(sums, found.reason, found.detail);
      continue;
    }
    addTokens(sums, line, found, line.tier ?? options.tier ?? '');
    addUnits(sums, line.units ?? {}, found);
    // A price per request is due once for the usage, however many models had a part in it.
    if (!requested && found.span.units?.request !== undefined) addUnits(sums, { request: 1 }, found);
    requested = true;
  }
  return settle(sums);
}

interface FoundPrices {
  readonly span: PriceSpan;
  readonly provider: ProviderEntry | undefined;
}
type Missing = { readonly reason: UnpricedReason; readonly detail: string };

/** Overrides first, then the list; the line's own model first, then, for the main line, the model asked for. */
export function pricesOf(catalogue: PriceCatalogue, line: UsageLine, options: CostOptions): FoundPrices | Missing {
  const { provider, region } = options;
  const listName = options.listedAs ?? provider;
  const at = options.at ?? Number.POSITIVE_INFINITY;
  const names = line.role === 'main' && line.model !== options.model ? [line.model, options.model] : [line.model];
  const listed = findProvider(catalogue, listName);
  const providerEntry = listed === undefined ? undefined : catalogue.providers[listed];
  for (const model of names) {
    const own = overridden(options.overrides, provider, model, region);
    if (own !== undefined) return { span: own, provider: providerEntry };
  }
  for (const model of names) {
    const found = findModel(catalogue, listName, model);
    const span = found === undefined ? undefined : spanFor(found.entry, at);
    if (found !== undefined && span !== undefined) return { span, provider: found.providerEntry };
  }
  if (listed === undefined) return { reason: 'unknown-provider', detail: provider };
  return { reason: 'unknown-model', detail: `${provider}/${names[0]}` };
}

/** With no time given, hours of the day do not apply. */
export function spanFor(entry: ModelEntry, at: number): PriceSpan | undefined {
  if (Number.isFinite(at)) return spanAt(entry.prices, at);
  return spanAt(
    entry.prices.filter((span) => span.daily === undefined),
    at,
  );
}

function addTokens(sums: Sums, line: UsageLine, prices: FoundPrices, tier: string): void {
  const factor = multiplierOf(prices, tier);
  let inputTokens = 0;
  for (const name in line.tokens) if (!isOutputClass(name)) inputTokens += line.tokens[name as TokenClass] ?? 0;
  for (const [name, count] of Object.entries(line.tokens)) {
    if (count === 0 || count === undefined) continue;
    const tokens = parseCount(count);
    if (tokens === undefined || !isTokenClass(name)) {
      fail(sums, 'invalid-usage', name);
      continue;
    }
    const rate = rateOf(prices.span, name);
    const price = rate === undefined ? undefined : tokenPrice(rate, inputTokens);
    if (price === undefined) fail(sums, 'unknown-class', name);
    else if (factor === undefined) fail(sums, 'unknown-tier', tier);
    else {
      const cost = factor === ONE ? times(tokens, price) : times(times(tokens, price), factor);
      sums.classes.set(name, plus(sums.classes.get(name) ?? ZERO, cost));
    }
  }
}

function multiplierOf(prices: FoundPrices, tier: string): Fraction | undefined {
  const name = tier.toLowerCase();
  const own = prices.span.multipliers;
  const text = own?.[name] ?? (own === undefined ? prices.provider?.multipliers?.[name] : undefined);
  if (text !== undefined) return parseDecimal(text);
  return STANDARD.has(name) ? ONE : undefined;
}

/** Whether a tier is charged as the list says. */
export function isListPrice(prices: FoundPrices, tier: string): boolean {
  const multipliers = prices.span.multipliers ?? prices.provider?.multipliers;
  return multipliers === undefined ? STANDARD.has(tier.toLowerCase()) : multiplierOf(prices, tier) === ONE;
}

function addUnits(sums: Sums, units: NonNullable<UsageLine['units']>, prices: FoundPrices): void {
  for (const [name, count] of Object.entries(units)) {
    if (count === 0 || count === undefined) continue;
    const amount = parseCount(count);
    const rate = prices.span.units?.[name] ?? prices.provider?.units?.[name];
    const price = rate === undefined ? undefined : unitPrice(rate);
    if (amount === undefined) fail(sums, 'invalid-usage', name);
    else if (price === undefined) fail(sums, 'unknown-unit', name);
    else sums.units.set(name, plus(sums.units.get(name) ?? ZERO, times(amount, price)));
  }
}

function hasCounts(line: UsageLine): boolean {
  const any = (counts: object): boolean => Object.values(counts).some((count) => count !== 0 && count !== undefined);
  return line.role === 'main' || any(line.tokens) || any(line.units ?? {});
}

/** The first problem is the one that is told. */
function fail(sums: Sums, reason: UnpricedReason, detail: string): void {
  sums.problem ??= { reason, detail };
}

function settle(sums: Sums): Cost {
  const { problem } = sums;
  if (problem !== undefined && sums.classes.size + sums.units.size === 0) return unpriced(problem, 0n);
  const names = [...sums.classes.keys(), ...sums.units.keys()];
  const exact = [...sums.classes.values(), ...sums.units.values()];
  const total = exact.reduce(plus, ZERO);
  const nanoUsd = toNano(total);
  if (problem !== undefined) return unpriced(problem, nanoUsd);
  const parts = apportion(exact, nanoUsd);
  const byClass: Partial<Record<TokenClass, bigint>> = {};
  const byUnit: Record<string, bigint> = {};
  for (const [index, name] of names.entries()) {
    if (index >= sums.classes.size) byUnit[name] = parts[index] ?? 0n;
    else byClass[name as TokenClass] = parts[index] ?? 0n;
  }
  return {
    priced: true,
    nanoUsd,
    byClass,
    byUnit,
    get exact() {
      return exactOf(sums);
    },
  };
}

function unpriced({ reason, detail }: Missing, knownNanoUsd: bigint): Unpriced {
  return { priced: false, nanoUsd: null, reason, detail, knownNanoUsd };
}

/** Decimal text is only made when somebody asks for it. */
function exactOf({ classes, units }: Sums): Priced['exact'] {
  const sumOf = (keep: (name: string) => boolean): Fraction =>
    [...classes].reduce((sum, [name, value]) => (keep(name) ? plus(sum, value) : sum), ZERO);
  const input = sumOf((name) => !isOutputClass(name));
  const output = sumOf(isOutputClass);
  const others = [...units.values()].reduce(plus, ZERO);
  return {
    inputUsd: toDecimal(input),
    outputUsd: toDecimal(output),
    unitsUsd: toDecimal(others),
    totalUsd: toDecimal(plus(plus(input, output), others)),
  };
}
