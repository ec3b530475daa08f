export { memoryStore } from './memory/store.ts';
export type { MemoryStore, MemoryStoreOptions } from './memory/store.ts';
export { memoryCounterStore } from './memory/counters.ts';
export type { MemoryCounterStoreOptions } from './memory/counters.ts';
