import type { Call } from '../../core/call.ts';
import type { AttemptPrice } from '../../core/meter-rows.ts';
import type { Tokens, Usage } from '../../operations/shared.ts';
import type { ChatRequest } from '../../operations/chat.ts';
import type { CostOptions } from '../../pricing/cost.ts';
import { loadPrices } from '../../pricing/load.ts';
import { ownPrice } from '../../pricing/own-price.ts';
import type { PriceTable } from '../../pricing/table.ts';

/** Prices usages, with a list that is loaded when first needed. */
export interface Pricing {
  /** Loads the list. Resolves also when there is none: then every price is unknown. */
  load(): Promise<void>;
  readonly loaded: boolean;
  price(usage: Usage, where: CostOptions): AttemptPrice;
}

export function pricingWith(given: PriceTable | undefined, onProblem: (error: unknown) => void): Pricing {
  let table = given;
  let loading: Promise<void> | undefined;
  let loaded = given !== undefined;
  return {
    get loaded() {
      return loaded;
    },
    load() {
      loading ??= loadPrices()
        .then((found) => {
          table = found;
        })
        .catch(onProblem)
        .finally(() => {
          loaded = true;
        });
      return loading;
    },
    price(usage, where) {
      if (table === undefined) return { costNanoUsd: null, unpriced: 'no-price-list', savedNanoUsd: 0n };
      const nanoUsd = table.nanoUsdOf(usage, where);
      if (nanoUsd === null) return unpriced(table, usage, where);
      return { costNanoUsd: BigInt(nanoUsd), savedNanoUsd: savedBy(table, usage, where, nanoUsd) };
    },
  };
}

/** Where and when an attempt of a call used its tokens. */
export function whereOf(call: Call, at: number, tier: string | undefined): CostOptions {
  const { provider, model, region } = call.target ?? { provider: '', model: call.request.model };
  const overrides = ownPrice(call.target);
  const asked = tier ?? (call.request as Partial<ChatRequest>).tier;
  return {
    provider,
    model,
    at,
    ...(region !== undefined && { region }),
    ...(asked !== undefined && { tier: asked }),
    ...(overrides !== undefined && { overrides }),
  };
}

/** What the same tokens would have cost without the provider's prompt cache. */
function savedBy(table: PriceTable, usage: Usage, where: CostOptions, nanoUsd: number): bigint {
  if (!hasCacheReads(usage.tokens)) return 0n;
  const fresh: Usage = { ...usage, lines: usage.lines.map((line) => ({ ...line, tokens: unread(line.tokens) })) };
  const full = table.nanoUsdOf(fresh, where);
  return full !== null && full > nanoUsd ? BigInt(full - nanoUsd) : 0n;
}

function unpriced(table: PriceTable, usage: Usage, where: CostOptions): AttemptPrice {
  const cost = table.costOf(usage, where);
  if (cost.priced) return { costNanoUsd: cost.nanoUsd, savedNanoUsd: 0n };
  return { costNanoUsd: null, unpriced: cost.reason, detail: cost.detail, savedNanoUsd: 0n };
}

const FRESH = {
  cacheRead: 'input',
  cacheReadAudio: 'inputAudio',
  cacheReadImage: 'inputImage',
  cacheReadVideo: 'inputVideo',
} as const;

function hasCacheReads(tokens: Tokens): boolean {
  for (const name in FRESH) if ((tokens[name as keyof typeof FRESH] ?? 0) > 0) return true;
  return false;
}

function unread(tokens: Tokens): Tokens {
  const fresh: Tokens = { ...tokens };
  for (const [read, plain] of Object.entries(FRESH) as [keyof typeof FRESH, 'input'][]) {
    const count = fresh[read];
    if (count === undefined) continue;
    delete fresh[read];
    fresh[plain] = (fresh[plain] ?? 0) + count;
  }
  return fresh;
}
