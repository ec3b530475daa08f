import { invalidOptions } from './core/errors.ts';
import type { Middleware } from './core/middleware.ts';
import { circuitBreaker } from './middleware/circuit-breaker.ts';
import { meter } from './middleware/meter.ts';
import { retry } from './middleware/retry.ts';
import { route } from './middleware/route.ts';
import { timeout } from './middleware/timeout.ts';

/** Each option takes the middleware itself, so that nothing you leave out is in your bundle. */
export interface StandardOptions {
  readonly telemetry?: Middleware;
  readonly meter?: Middleware;
  readonly redact?: Middleware;
  readonly budget?: Middleware;
  readonly fallback?: Middleware;
  readonly guardrail?: Middleware;
  readonly cache?: Middleware;
  readonly retry?: Middleware;
  readonly hedge?: Middleware;
  readonly route?: Middleware;
  readonly circuitBreaker?: Middleware;
  readonly timeout?: Middleware;
}

const ORDER = [
  'telemetry',
  'meter',
  'redact',
  'budget',
  'fallback',
  'guardrail',
  'cache',
  'retry',
  'hedge',
  'route',
  'circuitBreaker',
  'timeout',
] as const;

/**
 * The recommended stack in the recommended order: meter, retry, route, circuitBreaker and timeout, and
 * each of the others if given. Its own breaker never keeps a call from the only target it has.
 *
 * @example
 * createGateway({ providers, use: standard({ cache: cache(), retry: retry({ baseMs: 200 }) }) })
 */
export function standard(options: StandardOptions = {}): Middleware[] {
  for (const [name, layer] of Object.entries(options)) {
    if (!(ORDER as readonly string[]).includes(name))
      throw invalidOptions(`standard.${name}`, `there are ${ORDER.join(', ')}.`);
    if (typeof layer !== 'function') throw invalidOptions(`standard.${name}`, `expected a middleware, like ${name}().`);
  }
  const given: StandardOptions = {
    ...options,
    meter: options.meter ?? meter(),
    retry: options.retry ?? retry(),
    route: options.route ?? route(),
    circuitBreaker: options.circuitBreaker ?? circuitBreaker({ lastResort: true }),
    timeout: options.timeout ?? timeout(),
  };
  return ORDER.flatMap((name) => given[name] ?? []);
}
