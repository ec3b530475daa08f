import { type Call, type Candidate, OWN_PROVIDER } from '../core/call.ts';
import { defineMiddleware, type Host, type Middleware, only } from '../core/middleware.ts';
import { aBoolean, aFunction, aList, checkOptions, oneOf, wholeNumber } from '../core/options.ts';
import { withBreakpoints, withSortedTools } from '../core/prompt-breakpoints.ts';
import { type PriceOf, type PromptCacheReport, PromptCacheTotals } from '../core/prompt-cache-report.ts';

export type { PriceOf, PromptCacheReport };

export interface PromptCacheOptions {
  /** How long the provider keeps a prefix after its last use. @defaultValue the provider's: 5 minutes */
  readonly ttl?: '5m' | '1h';
  /** Shortest prefix worth a breakpoint, in estimated tokens. @defaultValue 1_024 */
  readonly tokensMin?: number;
  /** Sends tools sorted by name, so that a set built in another order is the same prefix. @defaultValue true */
  readonly sortTools?: boolean;
  /** Further providers that take breakpoints, by name, beside those that speak `anthropic-messages`. @defaultValue [] */
  readonly providers?: readonly string[];
  /** Prices, for `savedNanoUsd`: `(usage, target) => costOf(usage, target).nanoUsd`. @defaultValue none */
  readonly priceOf?: PriceOf;
}

/** The middleware, with a handle on what it measures. */
export type PromptCache = Middleware & {
  /** What the providers' prompt caches did so far, by target. */
  report(): PromptCacheReport[];
};

/** Wire protocols whose providers cache only up to breakpoints. */
const NEEDS_BREAKPOINTS = 'anthropic-messages';

/**
 * Makes the most of the provider's own prompt cache: places breakpoints for providers that need them, keeps the ones a
 * caller placed, sends the same tools in the same order, and reports how much was read from the cache.
 *
 * Place it inside `route`, so that it knows the target.
 *
 * @throws GatewayError `invalid-options` naming the field.
 * @example
 * createGateway({ providers, use: [meter(), retry(), route(), promptCache({ ttl: '1h' }), timeout()] })
 */
export function promptCache(options: PromptCacheOptions = {}): PromptCache {
  checkOptions('promptCache', options, {
    ttl: oneOf('5m', '1h'),
    tokensMin: wholeNumber(0),
    sortTools: aBoolean,
    providers: aList,
    priceOf: aFunction,
  });
  const { ttl, tokensMin = 1_024, sortTools = true, providers = [] } = options;
  const hint = ttl === undefined ? true : { ttl };
  const totals = new PromptCacheTotals(options.priceOf);
  let host: Host | undefined;
  const takesBreakpoints = (target: Candidate | undefined): boolean => {
    if (target === undefined) return false;
    if (providers.includes(target.provider)) return true;
    const provider = target[OWN_PROVIDER] ?? host?.providers.get(target.provider);
    return provider?.protocols.includes(NEEDS_BREAKPOINTS) === true;
  };
  const layer = defineMiddleware(
    {
      name: 'promptCache',
      content: { rewrites: true },
      start: (given) => {
        host = given;
      },
      attempt: ({ operation, target }: Call) =>
        operation !== 'chat' || target === undefined
          ? undefined
          : { end: ({ usage }) => usage !== undefined && totals.add(target, usage) },
      explain: (call) => ({
        summary: takesBreakpoints(targetOf(call)) ? 'places breakpoints' : 'the provider caches by itself',
      }),
    },
    only('chat', async function promptCache(call, next) {
      const stable = sortTools ? withSortedTools(call.request) : call.request;
      const places = takesBreakpoints(targetOf(call)) && stable.cache?.mode !== 'off';
      const request = places ? withBreakpoints(stable, { hint, tokensMin }) : stable;
      return next(request === call.request ? call : { ...call, request });
    }),
  );
  return Object.assign(layer, { report: () => totals.report() });
}

/** The attempt's target; outside `route` the first candidate's. */
function targetOf(call: Call): Candidate | undefined {
  return call.target ?? call.plan.candidates[0];
}
