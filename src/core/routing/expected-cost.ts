import { traitsOf } from '../../operations/traits-table.ts';
import type { Usage } from '../../operations/shared.ts';
import type { Call, Candidate } from '../call.ts';
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
