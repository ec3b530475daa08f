import { describe, expect, it } from 'vitest';
import { callKey, inputKeys, type KeyRing } from '../../src/core/cache-key.ts';
import type { Call } from '../../src/core/call.ts';
import { corpus, TEXTS } from './collision-pairs.ts';

const RING: KeyRing = { kind: 'cache', scope: [] };
const plan = { candidates: [{ provider: 'p', model: 'm', id: 'p/m' }], losers: [], revision: 1 };
const keyOf = (request: object): string =>
  callKey(RING, { operation: 'chat', stream: false, scope: {}, plan, request } as unknown as Call<'chat'>);

describe('requests that are nearly the same (CACHE-08, CACHE-02)', () => {
  const pairs = corpus();

  it('are at least 500 pairs, and no pair has one key', () => {
    expect(pairs.length).toBeGreaterThan(500);
    const same = pairs.filter(([, one, other]) => keyOf(one) === keyOf(other)).map(([what]) => what);
    expect(same).toEqual([]);
  });

  it('have keys of their own among all of them, too', () => {
    const texts = new Map<string, string>();
    for (const request of pairs.flatMap(([, one, other]) => [one, other])) {
      // Their own order of keys is theirs: what is compared with is JSON, which tells all of these apart.
      const plain = JSON.stringify(request, (_name, value: unknown) => value);
      const key = keyOf(request);
      expect(texts.get(key) ?? plain, plain).toBe(plain);
      texts.set(key, plain);
    }
    expect(texts.size).toBeGreaterThan(600);
  });

  it('nor do two inputs of one embedding call', () => {
    for (const [kind, list] of Object.entries(TEXTS)) {
      for (const input of list) {
        const embed = { operation: 'embed', stream: false, scope: {}, plan, request: { model: 'm', input } };
        const keys = inputKeys(RING, embed as unknown as Call<'embed'>);
        expect(new Set(keys).size, `${kind} ${JSON.stringify(input)}`).toBe(2);
      }
    }
  });
});
