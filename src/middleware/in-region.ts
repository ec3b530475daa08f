import type { Call } from '../core/call.ts';
import { invalidOptions } from '../core/errors.ts';
import { defineMiddleware, type Middleware } from '../core/middleware.ts';
import { regionAllowed, regionLimits } from '../core/routing/region.ts';

/**
 * A middleware that keeps data somewhere, used only for calls whose data may go there: a cache in one region, a ledger,
 * a trace. A call with a region limit that the place is outside of passes as if the middleware were not in the list.
 *
 * Never wrap what protects: a budget, a limit or `redact` would be skipped, too.
 *
 * @throws GatewayError `invalid-options` for an empty region or something that is no middleware.
 * @example
 * createGateway({ providers, models, use: [inRegion('eu', cache({ store: euRedis })), retry(), route()] })
 */
export function inRegion(region: string | readonly string[], layer: Middleware): Middleware {
  const regions = typeof region === 'string' ? [region] : region;
  if (
    !Array.isArray(regions) ||
    regions.length === 0 ||
    regions.some((name) => typeof name !== 'string' || name === '')
  ) {
    throw invalidOptions('inRegion.region', 'expected where the data is kept, like "eu".');
  }
  if (typeof layer !== 'function') throw invalidOptions('inRegion.layer', 'expected a middleware, like cache().');
  const allowed = ({ scope, regions: own }: Call): boolean => regionAllowed(regions, regionLimits(scope.region, own));
  const { info } = layer;
  const place = regions.join(', ');
  return defineMiddleware(
    {
      name: 'in-region',
      ...info,
      ...(info?.attempt !== undefined && {
        attempt: (call: Call) => (allowed(call) ? info.attempt?.(call) : undefined),
      }),
      explain(call) {
        if (!allowed(call)) return { summary: `left out: it keeps data in ${place}, where this call's may not go` };
        return { summary: `keeps data in ${place}`, ...info?.explain?.(call) };
      },
    },
    async function inRegion(call, next) {
      return allowed(call as Call) ? layer(call, next) : next(call);
    },
  );
}
