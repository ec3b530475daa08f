import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { namespaced } from '../../src/stores/namespaced.ts';
import { storeContract } from '../../src/testing/store-contract.ts';
import { size } from '../size.ts';
import { manualClock } from './manual-clock.ts';

describe('namespaced', () => {
  for (const { name, run } of storeContract(() => {
    const clock = manualClock();
    return { store: namespaced(memoryStore({ clock }), 'acme'), advance: clock.advance };
  })) {
    it(name, run);
  }

  it('never lets two names see each other, whatever names and keys look like (SEC-02)', () => {
    const text = fc.string({ unit: fc.constantFrom('1', '2', ':', 'a'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(text, text, text, text, (left, right, leftKey, rightKey) => {
        fc.pre(left !== right);
        const shared = memoryStore();
        const [one, two] = [namespaced(shared, left), namespaced(shared, right)];
        one.set(leftKey, 'one', { tags: ['tag'] });
        two.set(rightKey, 'two', { tags: ['tag'] });
        expect(one.get(leftKey)).toMatchObject({ value: 'one', tags: ['tag'] });
        expect(two.get(rightKey)).toMatchObject({ value: 'two' });
        one.invalidate({ tag: 'tag' });
        expect(one.get(leftKey)).toBeUndefined();
        expect(two.get(rightKey)).toMatchObject({ value: 'two' });
        two.invalidate({ prefix: '' });
        expect(shared.usage().entries).toBe(0);
      }),
      { numRuns: size(500, 10_000), seed: 29 },
    );
  });

  it('may be nested, and says what stands in front of its keys', () => {
    const shared = memoryStore();
    const inner = namespaced(namespaced(shared, 'app'), 'tenant');
    expect(inner.keyPrefix).toBe('3:app6:tenant');
    inner.set('key', 'value');
    expect(shared.get('3:app6:tenantkey')).toMatchObject({ value: 'value' });
  });

  it('refuses an empty name', () => {
    expect(() => namespaced(memoryStore(), '')).toThrowError(expect.objectContaining({ field: 'name' }));
  });
});
