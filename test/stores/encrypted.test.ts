import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { createKeyring } from '../../src/stores/encrypted/keyring.ts';
import { seal } from '../../src/stores/encrypted/record.ts';
import { encrypted } from '../../src/stores/encrypted.ts';
import { memoryStore, type MemoryStore } from '../../src/stores/memory.ts';
import { namespaced } from '../../src/stores/namespaced.ts';
import { storeContract } from '../../src/testing/store-contract.ts';
import { size } from '../size.ts';
import { manualClock } from './manual-clock.ts';

const key = (seed: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, index) => (index * 7 + seed) % 256);
const raw = (store: MemoryStore, name: string): string => String(store.get(name)?.value);
const CANARY = 'canary-7f3a: the patient is called Wilhelmina';

function setup(inner: Store = memoryStore()) {
  return encrypted(inner, { keys: { k1: key(1) }, current: 'k1' });
}

describe('encrypted', () => {
  for (const { name, run } of storeContract(() => {
    const clock = manualClock();
    return { store: setup(memoryStore({ clock })), advance: clock.advance };
  })) {
    it(name, run);
  }

  it('leaves nothing readable behind: not plain, not in base64 (SEC-10)', async () => {
    const inner = memoryStore();
    await setup(inner).set('key', CANARY);
    const stored = raw(inner, 'key');
    const bytes = Buffer.from(stored, 'base64');
    for (const hidden of [CANARY, CANARY.slice(0, 8), Buffer.from(CANARY).toString('base64').slice(4, 20)]) {
      expect(stored).not.toContain(hidden);
      expect(bytes.includes(hidden)).toBe(false);
    }
  });

  it('turns any flipped bit into a miss (SEC-10)', async () => {
    const inner = memoryStore();
    const store = setup(inner);
    await store.set('key', CANARY);
    const good = Buffer.from(raw(inner, 'key'), 'base64');
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Buffer.from(good);
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      inner.set('key', bad.toString('base64'));
      expect(await store.get('key')).toBeUndefined();
    }
    const text = good.toString('base64');
    for (let at = 0; at < text.length; at++) {
      for (const mask of [1, 2, 32, 64]) {
        inner.set('key', text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ mask) + text.slice(at + 1));
        expect(await store.get('key')).toBeUndefined();
      }
    }
    for (const cut of ['', 'AQ==', text.slice(0, -4), text.slice(4), `${text}AAAA`, 'not base64 !']) {
      inner.set('key', cut);
      expect(await store.get('key')).toBeUndefined();
    }
    inner.set('key', text);
    expect((await store.get('key'))?.value).toBe(CANARY);
  });

  it('turns swapped and moved records into misses, over tenants too (SEC-10)', async () => {
    const inner = memoryStore();
    const store = setup(inner);
    await store.set('a', 'for a');
    await store.set('b', 'for b');
    const [a, b] = [raw(inner, 'a'), raw(inner, 'b')];
    inner.set('a', b);
    inner.set('b', a);
    expect(await store.get('a')).toBeUndefined();
    expect(await store.get('b')).toBeUndefined();
    const options = { keys: { k1: key(1) }, current: 'k1' };
    for (const tenant of [
      (name: string) => encrypted(namespaced(inner, name), options),
      (name: string) => namespaced(encrypted(inner, options), name),
    ]) {
      await tenant('one').set('key', 'secret of one');
      inner.set('3:twokey', raw(inner, '3:onekey'));
      expect(await tenant('two').get('key')).toBeUndefined();
      expect((await tenant('one').get('key'))?.value).toBe('secret of one');
    }
  });

  it('rotates under load: new writes use the new key, old keys read, nothing fails (SEC-10, CFG-03)', async () => {
    const inner = memoryStore();
    const before = encrypted(inner, { keys: { old: key(1) }, current: 'old' });
    const after = encrypted(inner, { keys: { old: key(1), new: key(2) }, current: 'new' });
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const [writer, reader] = index % 2 === 0 ? [before, after] : [after, after];
        await writer.set(`k${index}`, `value ${index}`);
        expect((await reader.get(`k${index}`))?.value).toBe(`value ${index}`);
      }),
    );
    const idOf = (name: string): string => Buffer.from(raw(inner, name), 'base64').subarray(2, 5).toString();
    expect([idOf('k0'), idOf('k1')]).toEqual(['old', 'new']);
    await after.set('k0', 'again');
    expect(idOf('k0')).toBe('new');
  });

  it('counts records whose key is gone, by key (SEC-10, CFG-03)', async () => {
    const inner = memoryStore();
    const before = encrypted(inner, { keys: { old: key(1) }, current: 'old' });
    for (const name of ['a', 'b', 'c']) await before.set(name, 'x');
    const after = encrypted(inner, { keys: { new: key(2) }, current: 'new' });
    const seen: number[] = [];
    after.watch?.(({ problems }) => seen.push(problems.length));
    for (const name of ['a', 'b', 'c', 'missing']) expect(await after.get(name)).toBeUndefined();
    expect(after.health?.().problems).toMatchObject([{ code: 'unreadable', count: 3 }]);
    expect(after.health?.().problems[0]?.message).toContain('old');
    expect(seen).toEqual([1]);
  });

  it('does not read with a wrong key of the right name', async () => {
    const inner = memoryStore();
    await encrypted(inner, { keys: { k: key(1) }, current: 'k' }).set('key', CANARY);
    expect(await encrypted(inner, { keys: { k: key(9) }, current: 'k' }).get('key')).toBeUndefined();
  });

  it(
    'repeats no nonce in 10^7 records (SEC-10)',
    async () => {
      const keyring = createKeyring({ k1: key(1) }, 'k1');
      const count = size(20_000, 10_000_000);
      // The first 8 of 12 bytes, as numbers: if these differ, the nonces do, and 10^7 of them are 80 MB.
      const nonces = new BigUint64Array(count);
      const salts = new Set<string>();
      for (let from = 0; from < count; from += 1_000) {
        const batch = await Promise.all(Array.from({ length: 1_000 }, () => seal(keyring, 'key', '')));
        for (const [at, record] of batch.entries()) {
          const bytes = Buffer.from(record, 'base64');
          nonces[from + at] = bytes.readBigUInt64LE(20);
          salts.add(bytes.toString('hex', 4, 20));
        }
      }
      expect(salts.size).toBe(1);
      nonces.sort();
      let repeated = 0;
      for (let at = 1; at < count; at++) if (nonces[at] === nonces[at - 1]) repeated++;
      expect(repeated).toBe(0);
    },
    size(20_000, 3_600_000),
  );

  it('takes keys as base64 and base64url', async () => {
    const inner = memoryStore();
    await setup(inner).set('key', 'value');
    for (const encoding of ['base64', 'base64url'] as const) {
      const keys = { k1: Buffer.from(key(1)).toString(encoding) };
      expect((await encrypted(inner, { keys, current: 'k1' }).get('key'))?.value).toBe('value');
    }
  });

  it.each([
    ['current', { keys: { a: key(1) }, current: 'b' }],
    ['current', { keys: {}, current: 'a' }],
    ['keys.a', { keys: { a: key(1).subarray(0, 16) }, current: 'a' }],
    ['keys.a', { keys: { a: 'kept secret, and not base64!' }, current: 'a' }],
    ['keys', { keys: { 'a b': key(1) }, current: 'a b' }],
  ])('refuses a wrong %s, and never says a key', (field, options) => {
    expect(() => encrypted(memoryStore(), options)).toThrowError(
      expect.objectContaining({ code: 'invalid-options', field, message: expect.not.stringContaining('kept secret') }),
    );
  });
});
