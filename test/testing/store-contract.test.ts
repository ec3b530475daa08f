import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { storeContract } from '../../src/testing/index.ts';

/** Only what a store must have. */
function bareStore(): Store {
  const inner = memoryStore();
  return {
    name: 'bare',
    get: (key) => inner.get(key),
    set: (key, value, options) => inner.set(key, value, options),
    delete: (key, options) => inner.delete(key, options),
    invalidate: (what) => inner.invalidate(what),
  };
}

const LISTING = /lists|meets|pages|exchange|leaves tags/;

describe('storeContract', () => {
  it('skips visibly, through the runner, what a store need not have', async () => {
    const skipped: string[] = [];
    const context = { skip: (reason: string) => skipped.push(reason) };
    const cases = storeContract(() => ({ store: bareStore(), advance: () => undefined }));
    for (const { name, run } of cases.filter((one) => LISTING.test(one.name))) {
      expect(await run(context), name).toMatch(/^skipped: bare has no (scan|replace)\(\)$/);
      // Runners that count parameters must not see a callback.
      expect(run.length).toBe(0);
    }
    expect(skipped).toHaveLength(8);
  });

  it('runs it where a store has it, and skips nothing', async () => {
    const context = { skip: () => expect.unreachable() };
    const cases = storeContract(() => ({ store: memoryStore(), advance: () => undefined }));
    for (const { run } of cases.filter((one) => /lists every|exchanges exactly/.test(one.name))) {
      expect(await run(context)).toBeUndefined();
    }
  });

  it('finds a store that exchanges what it was not told to', async () => {
    const wrong = (): Store => {
      const store = memoryStore();
      return {
        ...bareStore(),
        get: (key) => store.get(key),
        set: (...all) => store.set(...all),
        replace: (key, _was, value) => store.set(key, value) === 'stored',
      };
    };
    const cases = storeContract(() => ({ store: wrong(), advance: () => undefined }));
    const failing = cases.filter((one) => /exchange/.test(one.name));
    expect(failing).toHaveLength(2);
    for (const { run } of failing) await expect(run()).rejects.toThrow();
  });
});
