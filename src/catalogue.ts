import type { FactsOf, ModelFacts, RoughPrice } from './core/model-facts.ts';
import { type GroupNode, leavesOf, type RouteNode } from './core/routing/node.ts';
import type { Registry } from './core/registry.ts';
import type { Routing } from './core/routing/state.ts';
import type { TokenRate } from './pricing/catalogue.ts';
import type { PriceTable } from './pricing/table.ts';

/** The part of a price table that is asked. */
export type CatalogueOption = Pick<PriceTable, 'priceOf'>;

/** What routing reads of a price table: windows, kinds of input, rough prices. */
export function factsFrom(table: CatalogueOption): FactsOf {
  return (target) => {
    const found = table.priceOf(target);
    if (found === null) return undefined;
    const { limits, capabilities, deprecated, prices } = found;
    const price = roughPrice(prices.tokens);
    return {
      ...(limits !== undefined && { limits }),
      ...(capabilities?.inputs !== undefined && { inputs: capabilities.inputs }),
      ...(price !== undefined && { price }),
      ...(deprecated !== undefined && { deprecated }),
    } satisfies ModelFacts;
  };
}

function roughPrice(tokens: Readonly<Partial<Record<string, TokenRate>>>): RoughPrice | undefined {
  const input = rate(tokens['input']);
  if (input === undefined) return undefined;
  const cacheRead = rate(tokens['cacheRead']);
  // Embedding models have no price of output.
  return { input, output: rate(tokens['output']) ?? 0, ...(cacheRead !== undefined && { cacheRead }) };
}

function rate(value: TokenRate | undefined): number | undefined {
  if (value === undefined) return undefined;
  return Number(typeof value === 'string' ? value : value.base);
}

/** Where routing learns what the configuration does not say. */
export interface Catalogue {
  /** Loads the bundled price list unless it is there, or another was given; `undefined` if there is nothing to wait for. */
  load(): Promise<void> | undefined;
}

export function createCatalogue(routing: Routing, given: CatalogueOption | undefined): Catalogue {
  let loading: Promise<void> | undefined;
  let loaded = given !== undefined;
  if (given !== undefined) routing.useFacts(factsFrom(given));
  return {
    load() {
      if (loaded) return undefined;
      // Most programs never need it, so it is not part of the core.
      loading ??= import('./pricing/load.ts').then(async ({ loadPrices }) => {
        routing.useFacts(factsFrom(await loadPrices()));
        loaded = true;
      });
      return loading;
    },
  };
}

/** Whether the configuration compares prices that it does not name itself. */
export function needsPrices(registry: Registry): boolean {
  return registry.aliases.some((alias) => {
    const { strategy } = registry.resolve(alias, 'raw');
    return strategy !== undefined && comparesPrices(strategy);
  });
}

function comparesPrices(group: GroupNode): boolean {
  const compares = group.strategy.comparesPrices?.(group) === true;
  if (compares && group.members.flatMap(leavesOf).some(({ candidate }) => candidate.facts?.price === undefined))
    return true;
  return group.members.some((member: RouteNode) => member.kind === 'group' && comparesPrices(member));
}
