export { cache, type Cache, type CacheControl, type CacheInvalidation, type CacheOptions } from './cache.ts';
export { meter, type MeterOptions, type MeterRow } from './meter.ts';
export { retry, type RetryOptions } from './retry.ts';
export { route, type RouteOptions } from './route.ts';
export { timeout, type TimeoutOptions } from './timeout.ts';
