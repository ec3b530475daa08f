import { traitsOf } from '../../operations/traits-table.ts';
import type { Usage } from '../../operations/shared.ts';
import type { Call, Candidate } from '../call.ts';
import type { ModelFacts } from '../model-facts.ts';
import type { RouteView } from './node.ts';

/** Tokens of an answer nobody has measured yet. */
const OUTPUT_TOKENS = 500;

const inputs = new WeakMap<object, number>();

/** Estimated input tokens of a call's request, counted once a request. */
export function inputTokensOf(call: Call): number {
  let tokens = inputs.get(call.request);
  if (tokens === undefined) {
    tokens = traitsOf(call.operation).estimate(call.request as never, undefined, '').input;
    inputs.set(call.request, tokens);
  }
  return tokens;
}

/**
 * What a call would cost at a target, in US dollars, from the price table, the estimated prompt and the answers this
 * target gave lately. `cached` input tokens are charged as read from the provider's prompt cache. Infinity if unknown.
 */
export function expectedUsd(candidate: Candidate, call: Call, view: RouteView, cached = 0): number {
  const price = view.facts(candidate)?.price;
  if (price === undefined) return Number.POSITIVE_INFINITY;
  const input = inputTokensOf(call);
  const warm = Math.min(cached, input);
  const usual = view.speed(candidate.id)?.outputTokens ?? OUTPUT_TOKENS;
  const { maxTokens } = call.request as { readonly maxTokens?: number };
  const output = call.operation === 'embed' ? 0 : Math.min(maxTokens ?? Number.POSITIVE_INFINITY, usual);
  const reading = (input - warm) * price.input + warm * (price.cacheRead ?? price.input);
  return (reading + output * price.output) / 1e6;
}

/** What a usage cost at a target by its rough price, in US dollars. */
export function usageUsd(candidate: Candidate, usage: Usage, view: RouteView): number | undefined {
  const price = view.facts(candidate)?.price;
  if (price === undefined) return undefined;
  const cached = usage.tokens.cacheRead ?? 0;
  const reading = (usage.input - cached) * price.input + cached * (price.cacheRead ?? price.input);
  return (reading + usage.output * price.output) / 1e6;
}

/** Tokens of an answer whose length nothing limits and nobody has measured. */
const OUTPUT_TOKENS_MAX = 4_096;

/** The least and the most something may cost, in US dollars. */
export interface UsdRange {
  readonly lowUsd: number;
  readonly highUsd: number;
}

/** Most tokens of an answer: what the request or the model allows. */
export function outputTokensMaxOf(call: Call, facts: ModelFacts | undefined): number {
  if (call.operation !== 'chat') return 0;
  const { maxTokens } = call.request as { readonly maxTokens?: number };
  return maxTokens ?? facts?.limits?.output ?? OUTPUT_TOKENS_MAX;
}

/** The prompt alone from a warm cache, to the longest answer; `undefined` where no price is known. */
export function usdRange(facts: ModelFacts | undefined, input: number, outputMax: number): UsdRange | undefined {
  const price = facts?.price;
  if (price === undefined) return undefined;
  return {
    lowUsd: (input * (price.cacheRead ?? price.input)) / 1e6,
    highUsd: (input * price.input + outputMax * price.output) / 1e6,
  };
}

/** A range to be read: `$0.0012 to $0.0045`, or what there is to say without one. */
export function usdRangeText(range: UsdRange | undefined): string {
  if (range === undefined) return 'price unknown';
  const { lowUsd, highUsd } = range;
  return lowUsd === highUsd ? `$${usdText(lowUsd)}` : `$${usdText(lowUsd)} to $${usdText(highUsd)}`;
}

function usdText(value: number): string {
  // Two digits of what is small, and never as 1.2e-7.
  return value === 0 ? '0' : value < 0.01 ? value.toFixed(1 - Math.floor(Math.log10(value))) : value.toFixed(4);
}
