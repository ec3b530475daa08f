import assert from 'node:assert/strict';
import type { ScanOptions, Store } from '../../core/store.ts';

interface Subject {
  readonly store: Store;
  advance(ms: number): void | Promise<void>;
}

const TTL_MS = 60;

/** Everything a walk meets, page by page; each entry once. */
async function walk(store: Store, options: ScanOptions = {}): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  let cursor: string | undefined;
  do {
    const page = await store.scan?.({ ...options, ...(cursor !== undefined && { cursor }) });
    for (const { key, value } of page?.entries ?? []) found.set(key, value);
    cursor = page?.cursor;
  } while (cursor !== undefined);
  return found;
}

const sorted = (found: ReadonlyMap<string, unknown>): string[] => [...found.keys()].sort();

/** What a store that lists its entries must do. */
export const SCAN_CASES: Readonly<Record<string, (subject: Subject) => Promise<void>>> = {
  async 'lists every entry with its value, page by page'({ store }) {
    assert.equal((await walk(store)).size, 0);
    const keys = Array.from({ length: 230 }, (_, index) => `many:${index}`);
    await Promise.all(keys.map(async (key) => store.set(key, `value of ${key}`)));
    for (const limit of [7, 100, 1_000]) {
      const found = await walk(store, { limit });
      assert.deepEqual(sorted(found), [...keys].sort());
      for (const key of keys) assert.equal(found.get(key), `value of ${key}`);
    }
    const bytes = Uint8Array.of(0, 128, 255);
    await store.set('bytes', bytes);
    assert.deepEqual((await walk(store)).get('bytes'), bytes);
  },

  async 'lists what begins with a prefix, whatever it looks like, and only that (SEC-02)'({ store }) {
    const inside = ['4:a*', '4:a*\u0000', '4:a*\u{10ffff}', '4:a*[x]', '4:a*ä'];
    const outside = ['4:a', '4:ab', '4:A*', 'x4:a*', '', '4:'];
    for (const key of [...inside, ...outside]) await store.set(key, 'x');
    assert.deepEqual(sorted(await walk(store, { prefix: '4:a*', limit: 4 })), [...inside].sort());
    assert.deepEqual(sorted(await walk(store, { limit: 4 })), [...inside, ...outside].sort());
  },

  async 'lists nothing that has ended, was removed or was invalidated'({ store, advance }) {
    await store.set('ends', 'x', { ttlMs: TTL_MS });
    await store.set('tagged', 'x', { tags: ['tag'] });
    await store.set('removed', 'x');
    await store.set('stays', 'x');
    await advance(TTL_MS + 1);
    await store.invalidate({ tag: 'tag' });
    await store.delete('removed');
    assert.deepEqual(sorted(await walk(store)), ['stays']);
  },

  async 'meets what is there all the time, while others come and go'({ store }) {
    const keys = Array.from({ length: 120 }, (_, index) => `stays${index}`);
    await Promise.all(keys.map(async (key) => store.set(key, 'x')));
    const found = new Set<string>();
    let cursor: string | undefined;
    for (let page = 0; page === 0 || cursor !== undefined; page++) {
      const next = await store.scan?.({ limit: 10, ...(cursor !== undefined && { cursor }) });
      for (const { key } of next?.entries ?? []) found.add(key);
      cursor = next?.cursor;
      await store.set(`a new one ${page}`, 'x');
      await store.set(`z new one ${page}`, 'x');
      await store.delete(`a new one ${page - 1}`);
      await store.get(keys[page % keys.length] as string);
      assert.ok(page < 1_000, 'the walk has no end');
    }
    for (const key of keys) assert.ok(found.has(key), key);
  },

  async 'refuses pages that nobody gave'({ store }) {
    for (const limit of [0, -1, 1.5]) await assert.rejects(async () => store.scan?.({ limit }), /limit/);
    await assert.rejects(async () => store.scan?.({ prefix: '\ud800' }), /well-formed/);
  },
};

/** What a store that exchanges values must do. */
export const REPLACE_CASES: Readonly<Record<string, (subject: Subject) => Promise<void>>> = {
  async 'exchanges exactly the value it is told, and nothing else'({ store }) {
    assert.equal(await store.replace?.('missing', 'x', 'y'), false);
    assert.equal(await store.get('missing'), undefined);
    await store.set('key', 'old');
    assert.equal(await store.replace?.('key', 'other', 'new'), false);
    assert.equal((await store.get('key'))?.value, 'old');
    assert.equal(await store.replace?.('key', 'old', 'new'), true);
    assert.equal((await store.get('key'))?.value, 'new');
    assert.equal(await store.replace?.('key', 'old', 'newer'), false);
    assert.equal((await store.get('key'))?.value, 'new');
    await assert.rejects(async () => store.replace?.('\ud800', 'x', 'y'), /well-formed/);
  },

  async 'leaves tags and the end of an entry as they are'({ store, advance }) {
    await store.set('tagged', 'old', { tags: ['tag', 'more'] });
    await store.set('ends', 'old', { ttlMs: TTL_MS });
    await store.set('lasts', 'old', { ttlMs: 3_600_000 });
    for (const key of ['tagged', 'ends', 'lasts']) assert.equal(await store.replace?.(key, 'old', 'new'), true);
    assert.deepEqual([...((await store.get('tagged'))?.tags ?? [])].sort(), ['more', 'tag']);
    const left = (await store.get('lasts'))?.ttlMs ?? 3_600_000;
    assert.ok(left > 3_500_000 && left <= 3_600_000, `ttlMs ${left}`);
    await advance(TTL_MS + 1);
    assert.equal(await store.get('ends'), undefined);
    assert.equal(await store.replace?.('ends', 'new', 'again'), false);
    await store.invalidate({ tag: 'tag' });
    assert.equal(await store.get('tagged'), undefined);
    assert.equal(await store.replace?.('tagged', 'new', 'again'), false);
    assert.equal(await store.get('tagged'), undefined);
  },

  async 'lets one of many exchange the same value'({ store }) {
    await store.set('key', 'old');
    const done = await Promise.all(Array.from({ length: 20 }, async (_, at) => store.replace?.('key', 'old', `${at}`)));
    assert.equal(done.filter((one) => one === true).length, 1);
    assert.equal((await store.get('key'))?.value, String(done.indexOf(true)));
  },
};
