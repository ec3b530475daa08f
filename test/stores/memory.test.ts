import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../src/core/errors.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { storeContract } from '../../src/testing/store-contract.ts';
import { size } from '../size.ts';
import { manualClock } from './manual-clock.ts';

describe('memoryStore', () => {
  for (const { name, run } of storeContract(() => {
    const clock = manualClock();
    return { store: memoryStore({ clock }), advance: clock.advance };
  })) {
    it(name, run);
  }

  it('is synchronous', () => {
    const store = memoryStore();
    expect(store.set('key', 'value')).toBe('stored');
    expect(store.get('key')).toEqual({ value: 'value', tags: [] });
  });

  it('ends an entry in the very millisecond', () => {
    const clock = manualClock();
    const store = memoryStore({ clock });
    store.set('key', 'value', { ttlMs: 1_000 });
    clock.advance(999);
    expect(store.get('key')?.ttlMs).toBe(1);
    clock.advance(1);
    expect(store.get('key')).toBeUndefined();
  });

  it('refuses what is larger than the whole store, and forgets what it replaces', () => {
    const store = memoryStore({ bytesMax: 100 });
    expect(store.set('key', 'small')).toBe('stored');
    expect(store.set('key', 'x'.repeat(50))).toBe('refused');
    expect(store.get('key')).toBeUndefined();
    expect(store.usage()).toEqual({ entries: 0, bytes: 0 });
  });

  it('keeps an entry whose new value would be larger than the whole store', () => {
    const store = memoryStore({ bytesMax: 100 });
    store.set('key', 'small');
    expect(store.replace('key', 'small', 'x'.repeat(50))).toBe(false);
    expect(store.get('key')?.value).toBe('small');
  });

  it('does not take listing for use', () => {
    const store = memoryStore({ entriesMax: 2 });
    store.set('a', '1');
    store.set('b', '2');
    store.scan({ limit: 1 });
    store.set('c', '3');
    expect(store.scan().entries.map(({ key }) => key)).toEqual(['b', 'c']);
  });

  it.each(['entriesMax', 'bytesMax'] as const)('refuses a wrong %s', (field) => {
    for (const value of [0, -1, 1.5, Number.NaN]) {
      expect(() => memoryStore({ [field]: value })).toThrowError(
        expect.objectContaining({ code: 'invalid-options', field }),
      );
    }
  });

  it('equals a slow LRU with ages under random commands, and never exceeds its bounds (CACHE-13)', () => {
    const key = fc.integer({ min: 0, max: 7 }).map((index) => `k${index}`);
    const tag = fc.constantFrom('red', 'blue');
    const command = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          type: fc.constant('set' as const),
          key,
          length: fc.integer({ min: 0, max: 30 }),
          ttlMs: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
          tags: fc.array(tag, { maxLength: 2 }),
        }),
      },
      { weight: 4, arbitrary: fc.record({ type: fc.constant('get' as const), key }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('tag' as const), tag }) },
      { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30 }) }) },
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const clock = manualClock(0);
        const store = memoryStore({ clock, entriesMax: 5, bytesMax: 200 });
        const model = slowStore(5, 200);
        for (const step of commands) {
          if (step.type === 'set') {
            const options = { tags: step.tags, ...(step.ttlMs !== undefined && { ttlMs: step.ttlMs }) };
            const expected = model.set(
              step.key,
              'x'.repeat(step.length),
              [...new Set(step.tags)],
              clock.now() + (step.ttlMs ?? Number.POSITIVE_INFINITY),
            );
            expect(store.set(step.key, 'x'.repeat(step.length), options)).toBe(expected);
          } else if (step.type === 'get') expect(store.get(step.key)?.value).toBe(model.get(step.key, clock.now()));
          else if (step.type === 'delete') expect(store.delete(step.key)).toBe(model.delete(step.key, clock.now()));
          else if (step.type === 'tag') {
            store.invalidate({ tag: step.tag });
            model.invalidate(step.tag);
          } else clock.advance(step.ms);
          expect(store.usage().entries).toBeLessThanOrEqual(5);
          expect(store.usage().bytes).toBeLessThanOrEqual(200);
          expect(store.usage().bytes).toBe(model.bytes());
        }
      }),
      { numRuns: size(400, 20_000), seed: 13 },
    );
  });

  it('names the field of a bad key', () => {
    try {
      memoryStore().get('\udfff');
      expect.unreachable();
    } catch (error) {
      expect(isGatewayError(error, 'invalid-request')).toBe(true);
    }
  });
});

/** The plainest store that could be right: a list, most recently used last. */
function slowStore(entriesMax: number, bytesMax: number) {
  let list: { key: string; value: string; tags: string[]; end: number }[] = [];
  const cost = (entry: (typeof list)[number]): number =>
    2 * (entry.key.length + entry.value.length + entry.tags.reduce((sum, tag) => sum + tag.length, 0)) + 1;
  const bytes = (): number => list.reduce((sum, entry) => sum + cost(entry), 0);
  const drop = (key: string): void => {
    list = list.filter((entry) => entry.key !== key);
  };
  const find = (key: string, now: number) => {
    const entry = list.find((candidate) => candidate.key === key);
    if (entry !== undefined && now >= entry.end) drop(key);
    return entry !== undefined && now < entry.end ? entry : undefined;
  };
  return {
    bytes,
    set(key: string, value: string, tags: string[], end: number) {
      const entry = { key, value, tags, end };
      drop(key);
      if (cost(entry) > bytesMax) return 'refused';
      list.push(entry);
      while (list.length > entriesMax || bytes() > bytesMax) list.shift();
      return 'stored';
    },
    get(key: string, now: number) {
      const entry = find(key, now);
      if (entry === undefined) return undefined;
      drop(key);
      list.push(entry);
      return entry.value;
    },
    delete(key: string, now: number) {
      const found = find(key, now) !== undefined;
      drop(key);
      return found;
    },
    invalidate(tag: string) {
      list = list.filter((entry) => !entry.tags.includes(tag));
    },
  };
}
