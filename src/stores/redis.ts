export { redisStore } from './redis/store.ts';
export type { RedisStoreOptions } from './redis/store.ts';
export type { RedisClient } from './redis/client.ts';
export { redisCounterStore } from './redis/counters.ts';
export type { RedisCounterStoreOptions } from './redis/counters.ts';
