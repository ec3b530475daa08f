import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { encrypted, type Reencryption } from '../../src/stores/encrypted.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { namespaced } from '../../src/stores/namespaced.ts';
import { redisStore } from '../../src/stores/redis.ts';
import { sqliteStore } from '../../src/stores/sqlite.ts';
import { tiered } from '../../src/stores/tiered.ts';
import { size } from '../size.ts';
import { manualClock } from './manual-clock.ts';

const key = (seed: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, index) => (index * 7 + seed) % 256);
const OLD = { keys: { old: key(1) }, current: 'old' };
const NEW = { keys: { 'new-one': key(2) }, current: 'new-one' };
/** While keys change, every process has both. */
const BOTH = { ...OLD.keys, ...NEW.keys };
const beforeOver = (inner: Store) => encrypted(inner, { keys: BOTH, current: 'old' });
const afterOver = (inner: Store) => encrypted(inner, { keys: BOTH, current: 'new-one' });

const socket = inject('redisSocket') ?? '';
const client = new Redis({ path: socket, lazyConnect: true });
afterAll(() => client.disconnect());
let prefixes = 0;

const STORES: readonly (readonly [string, () => Store])[] = [
  ['memory', () => memoryStore()],
  ['sqlite', () => sqliteStore({ path: ':memory:' })],
  ['a namespace', () => namespaced(memoryStore(), 'acme')],
  ['two tiers', () => tiered(memoryStore(), memoryStore())],
  ['redis', () => redisStore({ client, prefix: `rotation${prefixes++}`, timeoutMs: 10_000 })],
];
const there = STORES.filter(([name]) => name !== 'redis' || socket !== '');
const reason = socket === '' ? ' (redis skipped: no redis-server)' : '';

async function reencryptAll(store: ReturnType<typeof encrypted>, limit: number): Promise<Reencryption> {
  const sum = { rewritten: 0, current: 0, unreadable: 0, skipped: 0 };
  let cursor: string | undefined;
  do {
    const run = await store.reencrypt({ limit, ...(cursor !== undefined && { cursor }) });
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += run[name];
    cursor = run.cursor;
  } while (cursor !== undefined);
  return sum;
}

describe(`reencrypt${reason}`, () => {
  it.each(there)(
    'writes every old record of %s anew, in steps: then the old key can go (SEC-10)',
    async (_name, make) => {
      const inner = make();
      const count = size(300, 3_000);
      await Promise.all(
        Array.from({ length: count }, async (_, at) =>
          (at % 3 === 0 ? afterOver(inner) : beforeOver(inner)).set(`4:acme:${at}`, `value ${at}`, {
            tags: [`t${at % 2}`],
          }),
        ),
      );
      const first = await afterOver(inner).reencrypt({ limit: 40 });
      expect(first.rewritten + first.current).toBeGreaterThanOrEqual(40);
      expect(first.cursor).toBeDefined();
      const rest = await reencryptAll(afterOver(inner), 70);
      expect(first.rewritten + rest.rewritten).toBe((count * 2) / 3);
      expect(rest).toMatchObject({ unreadable: 0, skipped: 0 });
      expect(await afterOver(inner).reencrypt()).toEqual({ rewritten: 0, current: count, unreadable: 0, skipped: 0 });
      const only = encrypted(inner, NEW);
      for (let at = 0; at < count; at += 7) {
        expect(await only.get(`4:acme:${at}`)).toMatchObject({ value: `value ${at}`, tags: [`t${at % 2}`] });
      }
      await only.invalidate({ tag: 't0' });
      expect(await only.get('4:acme:0')).toBeUndefined();
      expect((await only.get('4:acme:1'))?.value).toBe('value 1');
      await inner.close?.();
    },
  );

  it('leaves the end of a record where it is, to the millisecond, and bytes as they are', async () => {
    const clock = manualClock();
    const inner = memoryStore({ clock });
    await beforeOver(inner).set('key', Uint8Array.of(0, 255), { ttlMs: 1_000 });
    clock.advance(400);
    expect(await afterOver(inner).reencrypt()).toMatchObject({ rewritten: 1 });
    expect(await encrypted(inner, NEW).get('key')).toEqual({ value: Uint8Array.of(0, 255), tags: [], ttlMs: 600 });
    clock.advance(600);
    expect(inner.get('key')).toBeUndefined();
  });

  it('keeps tenants apart, and does one of them if asked', async () => {
    const inner = memoryStore();
    for (const tenant of ['one', 'two']) await namespaced(beforeOver(inner), tenant).set('key', tenant);
    expect(await afterOver(inner).reencrypt({ prefix: '3:one' })).toMatchObject({ rewritten: 1 });
    expect((await namespaced(encrypted(inner, NEW), 'one').get('key'))?.value).toBe('one');
    expect(await namespaced(encrypted(inner, NEW), 'two').get('key')).toBeUndefined();
    expect((await namespaced(beforeOver(inner), 'two').get('key'))?.value).toBe('two');
  });

  it('leaves what it cannot read alone, and counts it', async () => {
    const inner = memoryStore();
    await beforeOver(inner).set('good', 'x');
    inner.set('plain', 'never encrypted');
    await encrypted(inner, { keys: { lost: key(3) }, current: 'lost' }).set('lost', 'x');
    const lost = inner.get('lost')?.value;
    expect(await afterOver(inner).reencrypt()).toEqual({ rewritten: 1, current: 0, unreadable: 2, skipped: 0 });
    expect(inner.get('plain')?.value).toBe('never encrypted');
    expect(inner.get('lost')?.value).toBe(lost);
  });

  it('neither brings back what was deleted nor writes over what is newer, whenever that happens (SEC-10)', async () => {
    const meanwhile: Record<string, (inner: ReturnType<typeof memoryStore>) => unknown> = {
      deleted: (inner) => inner.delete('key'),
      invalidated: (inner) => inner.invalidate({ tag: 'tag' }),
      newer: (inner) => beforeOver(inner).set('key', 'newer'),
    };
    for (const [what, happen] of Object.entries(meanwhile)) {
      const inner = memoryStore();
      await beforeOver(inner).set('key', 'old', { tags: ['tag'] });
      const slow: Store = {
        name: 'slow',
        get: (name) => inner.get(name),
        set: () => expect.unreachable('a record must only be exchanged'),
        delete: () => expect.unreachable(),
        invalidate: () => expect.unreachable(),
        scan: (options) => inner.scan(options),
        async replace(name, was, value) {
          await happen(inner);
          return inner.replace(name, was, value);
        },
      };
      expect(await afterOver(slow).reencrypt()).toMatchObject({ rewritten: 0, skipped: 1 });
      expect((await afterOver(inner).get('key'))?.value).toBe(what === 'newer' ? 'newer' : undefined);
    }
  });

  it('says that a store is down rather than that it is done, and what cannot be listed', async () => {
    const down = redisStore({ client: { call: async () => Promise.reject(new Error('gone')) } });
    await expect(afterOver(down).reencrypt()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(afterOver(down).check()).rejects.toMatchObject({ code: 'unavailable' });
    down.close?.();
    const inner = memoryStore();
    const bare: Store = {
      name: 'bare',
      get: (name) => inner.get(name),
      set: (...all) => inner.set(...all),
      delete: (name) => inner.delete(name),
      invalidate: (what) => inner.invalidate(what),
    };
    await expect(afterOver(bare).reencrypt()).rejects.toMatchObject({ code: 'unsupported' });
    await expect(afterOver(bare).check()).rejects.toMatchObject({ code: 'unsupported' });
    for (const around of [afterOver(bare), namespaced(bare, 'x'), tiered(inner, bare)]) {
      expect([around.scan, around.replace]).toEqual([undefined, undefined]);
    }
    await expect(afterOver(inner).reencrypt({ limit: 0 })).rejects.toMatchObject({ field: 'limit' });
  });

  it(
    'changes nothing anybody can see while everybody reads, writes and deletes: no read fails (SEC-10, CFG-03)',
    async () => {
      const step = fc.record({
        at: fc.integer({ min: 0, max: 5 }),
        what: fc.constantFrom('set', 'set', 'get', 'get', 'get', 'delete', 'delete if', 'tag'),
        process: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), fc.integer(), async (steps, seed) => {
          const memory = memoryStore();
          const inner = delayed(memory, seed);
          const [before, after] = [beforeOver(inner), afterOver(inner)];
          // One actor a key: what it sees must be what it did, exactly.
          const actors = Array.from({ length: 6 }, async (_, actor) => {
            let holds: string | undefined;
            for (const [index, { at, what, process }] of steps.entries()) {
              if (at !== actor) continue;
              const store = process ? before : after;
              if (what === 'set') {
                holds = `value ${index} of ${actor}`;
                expect(await store.set(`k${actor}`, holds, { tags: [`t${actor}`] })).toBe('stored');
              } else if (what === 'get') expect((await store.get(`k${actor}`))?.value).toBe(holds);
              else {
                if (what === 'tag') await store.invalidate({ tag: `t${actor}` });
                else if (what === 'delete') expect(await store.delete(`k${actor}`)).toBe(holds !== undefined);
                else if (holds !== undefined) expect(await store.delete(`k${actor}`, { ifValue: holds })).toBe(true);
                holds = undefined;
              }
              await pause(seed + index);
            }
            return holds;
          });
          let acting = true;
          const rotating = (async () => {
            while (acting) await reencryptAll(after, 2);
          })();
          const held = await Promise.all(actors).finally(() => {
            acting = false;
          });
          await rotating;
          await reencryptAll(after, 2);
          const only = encrypted(inner, NEW);
          for (const [actor, value] of held.entries()) expect((await only.get(`k${actor}`))?.value).toBe(value);
          expect(after.health?.().problems).toEqual([]);
          expect(memory.usage().entries).toBe(held.filter((value) => value !== undefined).length);
        }),
        { numRuns: size(60, 2_000), seed: 10 },
      );
    },
    size(20_000, 120_000),
  );
});

describe('strict', () => {
  it('refuses to start over records that no key can read, and says how many (SEC-10, CFG-03)', async () => {
    const inner = memoryStore();
    for (const name of ['a', 'b', 'c']) await encrypted(inner, OLD).set(name, 'x');
    const store = encrypted(inner, { ...NEW, strict: true });
    await expect(store.check()).rejects.toMatchObject({ code: 'invalid-options', field: 'keys' });
    await expect(store.check()).rejects.toThrow('3 of the records');
    expect(store.health?.()).toMatchObject({ state: 'down', problems: [{ code: 'unreadable', count: 3 }] });
    expect(await store.get('a')).toBeUndefined();
    expect(await store.set('new', 'x')).toBe('refused');
    expect(store.health?.().problems).toMatchObject([{ count: 3 }]);
    // Removing is always allowed: it is one way out.
    await store.invalidate({ prefix: '' });
    expect(await store.check()).toEqual({ state: 'up', problems: [] });
    expect(await store.set('new', 'x')).toBe('stored');
    expect((await store.get('new'))?.value).toBe('x');
  });

  it('starts when all can be read, old records too', async () => {
    const inner = memoryStore();
    await encrypted(inner, OLD).set('a', 'x');
    const store = encrypted(inner, { keys: BOTH, current: 'new-one', strict: true });
    expect(await store.check()).toEqual({ state: 'up', problems: [] });
    expect((await store.get('a'))?.value).toBe('x');
  });

  it('checks by itself where nobody waited for it, and until then no call waits', async () => {
    const inner = memoryStore();
    await encrypted(inner, OLD).set('a', 'x');
    const store = encrypted(inner, { ...OLD, strict: true });
    expect(store.health?.().state).toBe('down');
    const up = new Promise<void>((resolve) => store.watch?.(({ state }) => state === 'up' && resolve()));
    expect(await store.get('a')).toBeUndefined();
    await up;
    expect((await store.get('a'))?.value).toBe('x');
  });

  it('decides nothing while the store is down, and looks again when it is back', async () => {
    const memory = memoryStore();
    let down = true;
    const inner = {
      ...delayed(memory, 1),
      scan: async () => (down ? Promise.reject(new Error('down')) : memory.scan()),
    };
    const store = encrypted(inner, { ...OLD, strict: true });
    await expect(store.check()).rejects.toThrow('down');
    expect(await store.get('a')).toBeUndefined();
    await expect(store.check()).rejects.toThrow('down');
    down = false;
    await store.check();
    expect(await store.set('a', 'x')).toBe('stored');
  });

  it('counts without being strict too, and then goes on working', async () => {
    const inner = memoryStore();
    for (const name of ['a', 'b']) await encrypted(inner, OLD).set(name, 'x');
    const store = encrypted(inner, NEW);
    expect((await store.check()).problems).toMatchObject([{ code: 'unreadable', count: 2 }]);
    for (const name of ['a', 'a', 'b']) expect(await store.get(name)).toBeUndefined();
    expect(store.health?.().problems).toMatchObject([{ count: 2 }]);
    expect(await store.set('a', 'x')).toBe('stored');
  });

  it('needs a store that lists its records', () => {
    const { scan: _scan, ...bare } = delayed(memoryStore(), 1);
    expect(() => encrypted(bare, { ...NEW, strict: true })).toThrowError(expect.objectContaining({ field: 'strict' }));
    expect(() => encrypted(memoryStore(), { ...NEW, strict: 1 as never })).toThrowError(
      expect.objectContaining({ field: 'strict' }),
    );
  });
});

async function pause(seed: number): Promise<void> {
  for (let turn = Math.abs(seed) % 4; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
}

/** Every operation takes a while, before and after it is done. */
function delayed(inner: ReturnType<typeof memoryStore>, seed: number): Store {
  let calls = seed;
  const slowly = async <T>(work: () => T): Promise<T> => {
    calls = (Math.imul(calls, 1_103_515_245) + 12_345) | 0;
    const random = calls >>> 16;
    await pause(random);
    const value = work();
    await pause(random >> 2);
    return value;
  };
  return {
    name: 'delayed',
    get: (name) => slowly(() => inner.get(name)),
    set: (name, value, options) => slowly(() => inner.set(name, value, options)),
    delete: (name, options) => slowly(() => inner.delete(name, options)),
    invalidate: (what) => slowly(() => inner.invalidate(what)),
    scan: (options) => slowly(() => inner.scan(options)),
    replace: (name, was, value) => slowly(() => inner.replace(name, was, value)),
  };
}
