import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { tiered } from '../../src/stores/tiered.ts';
import { storeContract } from '../../src/testing/store-contract.ts';
import { manualClock } from './manual-clock.ts';

function setup(nearTtlMs = 1_000) {
  const clock = manualClock();
  const [near, far] = [memoryStore({ clock }), memoryStore({ clock })];
  return { clock, near, far, store: tiered(near, far, { nearTtlMs }) };
}

describe('tiered', () => {
  for (const { name, run } of storeContract(() => {
    const { store, clock } = setup();
    return { store, advance: clock.advance };
  })) {
    it(name, run);
  }

  it('answers from near what far told it, for a while', async () => {
    const { clock, far, store } = setup();
    far.set('key', 'first');
    expect((await store.get('key'))?.value).toBe('first');
    far.set('key', 'second');
    expect((await store.get('key'))?.value).toBe('first');
    clock.advance(1_000);
    expect((await store.get('key'))?.value).toBe('second');
  });

  it('never keeps near what far has ended', async () => {
    const { clock, near, far, store } = setup();
    far.set('key', 'value', { ttlMs: 300 });
    clock.advance(200);
    await store.get('key');
    expect(near.get('key')?.ttlMs).toBe(100);
    clock.advance(100);
    expect(await store.get('key')).toBeUndefined();
  });

  it('forgets in both', async () => {
    const { near, far, store } = setup();
    for (const key of ['a', 'b', 'c']) await store.set(key, 'x', { tags: [key] });
    await store.delete('a');
    await store.invalidate({ tag: 'b' });
    await store.invalidate({ prefix: 'c' });
    expect([near.usage().entries, far.usage().entries]).toEqual([0, 0]);
  });

  it('does not bring back near what was removed while it was read from far', async () => {
    const { near, far } = setup();
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const slow: Store = {
      ...far,
      name: 'slow',
      get: async (key) => {
        const entry = far.get(key);
        await gate;
        return entry;
      },
      set: (key, value, options) => far.set(key, value, options),
      delete: (key, options) => far.delete(key, options),
      invalidate: (what) => far.invalidate(what),
    };
    const store = tiered(near, slow);
    far.set('key', 'old');
    const reading = store.get('key');
    await store.delete('key');
    letGo();
    await reading;
    expect(near.get('key')).toBeUndefined();
    expect(far.get('key')).toBeUndefined();
  });

  it('keeps working near while far refuses', async () => {
    const near = memoryStore();
    const down: Store = {
      name: 'down',
      get: () => undefined,
      set: () => 'refused',
      delete: () => Promise.reject(new Error('down')),
      invalidate: () => Promise.reject(new Error('down')),
      health: () => ({ state: 'down', reason: 'gone', problems: [] }),
    };
    const store = tiered(near, down);
    expect(await store.set('key', 'value')).toBe('stored');
    expect((await store.get('key'))?.value).toBe('value');
    expect(await store.set('lock', 'me', { ifAbsent: true })).toBe('refused');
    expect(store.health?.()).toMatchObject({ state: 'down', reason: 'gone' });
    await expect(Promise.resolve(store.invalidate({ prefix: '' }))).rejects.toThrow('down');
    expect(near.get('key')).toBeUndefined();
  });

  it('refuses a wrong nearTtlMs', () => {
    expect(() => tiered(memoryStore(), memoryStore(), { nearTtlMs: 0 })).toThrowError(
      expect.objectContaining({ field: 'nearTtlMs' }),
    );
  });
});
