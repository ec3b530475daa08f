import type { Call, Candidate } from '../core/call.ts';
import { plainTarget } from '../core/call.ts';
import { GatewayError, invalidOptions } from '../core/errors.ts';
import { type LimitMiddleware, limitMiddleware } from '../core/limit-middleware.ts';
import { plainUsage, usedTokens, worstCase } from '../core/limit-need.ts';
import { checkLimitOptions, INPUT_MARGIN, type LimitOptions, OUTPUT_TOKENS } from '../core/limit-options.ts';
import { LIMIT_UNITS } from '../core/limit-rule.ts';
import { aBoolean, type OptionRule } from '../core/options.ts';
import type { ChatRequest } from '../operations/chat.ts';
import type { Usage } from '../operations/shared.ts';
import { usageOf } from '../operations/usage.ts';
import type { CostOptions } from '../pricing/cost.ts';
import { defaultTable } from '../pricing/default-table.ts';
import { estimateRequest } from '../pricing/estimate-request.ts';
import { ownPrice } from '../pricing/own-price.ts';
import type { PriceTable } from '../pricing/table.ts';
import { memoryCounterStore } from '../stores/memory.ts';

export interface BudgetOptions extends LimitOptions {
  /** What targets cost: `createPriceTable({ overrides })` for prices of your own. @defaultValue the bundled list */
  readonly prices?: PriceTable;
  /**
   * Sends `outputTokens` as `maxTokens` with chat requests that set none, so that no plain answer can cost more than
   * was reserved for it. Streams are cut at their limit without it.
   *
   * @defaultValue false
   */
  readonly capOutput?: boolean;
}

const priceTable: OptionRule = (value) =>
  typeof (value as PriceTable | null)?.costOf === 'function' && typeof (value as PriceTable).nanoUsdOf === 'function'
    ? undefined
    : 'expected a price table, like createPriceTable({ overrides })';

/**
 * Spends at most so much: cost, tokens, attempts, per whom you like and for as long as you say. Every attempt reserves
 * its worst case before it is made and settles what it used, so many calls at once do not overspend.
 *
 * Its attempt face sees all attempts wherever it stands; place it outside `cache` and `retry`, so that a call nobody
 * can pay for is refused, queued or sent to a cheaper model before any work.
 *
 * @throws GatewayError `budget-exceeded` with `limit` and, if waiting helps, `retryAfterMs`; `unsupported` for a target
 * without a price under a limit of cost.
 * @example
 * budget({ limits: [{ per: 'user', costUsd: 5, every: 'day', timeZone: 'Europe/Berlin', warnAt: [0.8] }] })
 */
export function budget(options: BudgetOptions): LimitMiddleware {
  checkLimitOptions('budget', options, { prices: priceTable, capOutput: aBoolean });
  if (options.limits === undefined) throw invalidOptions('budget.limits', 'a budget needs limits.');
  const { prices = defaultTable, outputTokens, capOutput = false, inputMargin = INPUT_MARGIN } = options;
  const assumed = (target: Candidate): number =>
    outputTokens ?? Math.min(OUTPUT_TOKENS, prices.limitsOf(target)?.output ?? OUTPUT_TOKENS);
  return limitMiddleware({
    name: 'budget',
    factory: 'budget',
    code: 'budget-exceeded',
    units: LIMIT_UNITS,
    options,
    createStore: (clock) => memoryCounterStore({ clock }),
    need: worstCase({
      estimate: estimateRequest,
      outputTokens: assumed,
      inputMargin,
      cost: (call, target, tokens) => worstCost(prices, call, target, tokens),
    }),
    actual(call, target, usage, units) {
      const used = usedTokens(usage);
      if (!units.has('costUsd')) return used;
      const costUsd = prices.nanoUsdOf(usage, pricedAs(target, call.context.clock.now()));
      // Without a price for a part of it, what was reserved stands.
      return costUsd === null ? used : { ...used, costUsd };
    },
    ...(capOutput && { prepare: (call) => capped(call as unknown as Call, outputTokens ?? OUTPUT_TOKENS) as never }),
  });
}

function capped(call: Call, outputTokens: number): Call {
  if (call.operation !== 'chat') return call;
  const request = call.request as ChatRequest;
  if (request.maxTokens !== undefined) return call;
  return { ...call, request: { ...request, maxTokens: outputTokens } };
}

/** What the tokens cost at most: written into the provider's cache where the request asks for that. */
function worstCost(
  prices: PriceTable,
  call: Call,
  target: Candidate,
  tokens: { input: number; output: number },
): number {
  const request = call.request as Partial<ChatRequest>;
  const options = pricedAs(target, call.context.clock.now(), request.tier);
  const plain = priced(prices, plainUsage(target.model, tokens), options, target);
  if (!asksToCache(request)) return plain;
  const line = { model: target.model, role: 'main', tokens: { cacheWrite1h: tokens.input, output: tokens.output } };
  return Math.max(plain, priced(prices, usageOf([line]), options, target));
}

function priced(prices: PriceTable, usage: Usage, options: CostOptions, target: Candidate): number {
  const nanoUsd = prices.nanoUsdOf(usage, options);
  if (nanoUsd !== null) return nanoUsd;
  const cost = prices.costOf(usage, options);
  if (cost.priced) return Number(cost.nanoUsd);
  const where = `${target.provider}/${target.model}`;
  const message = `${where} has no known price (${cost.reason}: ${cost.detail}), so a budget of cost cannot hold it; add it to the overrides of budget.prices.`;
  throw new GatewayError('unsupported', message, { fault: 'gateway', target: plainTarget(target) });
}

function pricedAs(target: Candidate, at: number, tier?: string): CostOptions {
  const { provider, model, region } = target;
  const overrides = ownPrice(target);
  if (region === undefined && tier === undefined && overrides === undefined) return { provider, model, at };
  return {
    ...{ provider, model, at },
    ...(region !== undefined && { region }),
    ...(tier !== undefined && { tier }),
    ...(overrides !== undefined && { overrides }),
  };
}

function asksToCache({ cache, system, messages, tools }: Partial<ChatRequest>): boolean {
  if (cache !== undefined) return cache.mode !== 'off';
  const hinted = (item: object): boolean => Reflect.get(item, 'cache') !== undefined;
  return (
    system?.some(hinted) === true ||
    tools?.some(hinted) === true ||
    messages?.some((message) => message.content.some(hinted)) === true
  );
}
