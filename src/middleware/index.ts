export { budget, type BudgetOptions } from './budget.ts';
export { cache, type Cache, type CacheControl, type CacheInvalidation, type CacheOptions } from './cache.ts';
export { dedupe, type Dedupe, type DedupeControl, type DedupeOptions } from './dedupe.ts';
export {
  circuitBreaker,
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitReport,
} from './circuit-breaker.ts';
export { meter, type MeterOptions, type MeterRow } from './meter.ts';
export { rateLimit, type RateLimitOptions } from './rate-limit.ts';
export { retry, type RetryOptions } from './retry.ts';
export { route, type RouteOptions } from './route.ts';
export { timeout, type TimeoutOptions } from './timeout.ts';
