import assert from 'node:assert/strict';
import type { Store } from '../core/store.ts';
import { REPLACE_CASES, SCAN_CASES } from './store-contract/walking.ts';

/** One case of a contract: give it to any test runner, or just await it. */
export interface ContractCase {
  readonly name: string;
  /**
   * Rejects if it is broken. Where it does not apply it says why: it skips through the runner's context if it is given
   * one (as vitest and node:test do), and gives the reason back.
   */
  run(context?: unknown): Promise<string | void>;
}

export interface StoreSubject {
  /** A store with nothing in it. */
  readonly store: Store;
  /** Lets time pass: moves a fake clock, or waits. */
  advance(ms: number): void | Promise<void>;
  /** Called after the case. */
  dispose?(): void | Promise<void>;
}

/**
 * What every {@link Store} must do.
 *
 * @example
 * for (const { name, run } of storeContract(() => ({ store: memoryStore({ clock }), advance: clock.advance }))) it(name, run);
 */
export function storeContract(create: () => StoreSubject | Promise<StoreSubject>): readonly ContractCase[] {
  return [
    ...casesOf(create, CASES),
    ...casesOf(create, SCAN_CASES, 'scan'),
    ...casesOf(create, REPLACE_CASES, 'replace'),
  ];
}

type Checks = Readonly<Record<string, (subject: StoreSubject) => Promise<void>>>;

/** The cases of what a store need not have are skipped where it has none. */
function casesOf(
  create: () => StoreSubject | Promise<StoreSubject>,
  checks: Checks,
  method?: 'scan' | 'replace',
): ContractCase[] {
  return Object.entries(checks).map(([name, check]) => ({
    name,
    // Runners count parameters: one that is named would be a callback to them.
    async run(...[context]: readonly unknown[]) {
      const subject = await create();
      try {
        if (method === undefined || subject.store[method] !== undefined) {
          await check(subject);
          return;
        }
      } finally {
        await subject.dispose?.();
      }
      const reason = `skipped: ${subject.store.name} has no ${method}()`;
      (context as { skip?: (reason: string) => void } | undefined)?.skip?.(reason);
      return reason;
    },
  }));
}

/** Long enough that a real store does not let it pass by accident. */
const TTL_MS = 60;
/** Texts on which stores like to stumble. */
const TEXTS = ['', 'plain', 'naïve 🦉 \u0000 line\r\nline', '\ud800 half a pair', '{"json":[1,2]}', 'x'.repeat(70_000)];

const valueOf = async (store: Store, key: string): Promise<unknown> => (await store.get(key))?.value;

const CASES: Checks = {
  async 'finds nothing where nothing was stored'({ store }) {
    assert.equal(await store.get('missing'), undefined);
    assert.equal(await store.delete('missing'), false);
  },

  async 'gives texts back as they were'({ store }) {
    for (const [index, text] of TEXTS.entries()) {
      assert.equal(await store.set(`text${index}`, text), 'stored');
      assert.equal(await valueOf(store, `text${index}`), text);
    }
  },

  async 'gives bytes back as they were, in copies of their own'({ store }) {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    await store.set('bytes', bytes);
    bytes[0] = 99;
    const first = await valueOf(store, 'bytes');
    assert.ok(first instanceof Uint8Array);
    assert.deepEqual([...first], [0, ...bytes.subarray(1)]);
    first[1] = 99;
    const second = await valueOf(store, 'bytes');
    assert.ok(second instanceof Uint8Array);
    assert.equal(second[1], 1);
    await store.set('none', new Uint8Array(0));
    const empty = await valueOf(store, 'none');
    assert.ok(empty instanceof Uint8Array && empty.length === 0);
  },

  async 'replaces value, tags and life'({ store, advance }) {
    await store.set('key', 'old', { ttlMs: TTL_MS, tags: ['old'] });
    await store.set('key', 'new', { tags: ['new'] });
    await advance(TTL_MS * 2);
    const entry = await store.get('key');
    assert.equal(entry?.value, 'new');
    assert.deepEqual([...(entry?.tags ?? [])], ['new']);
    await store.invalidate({ tag: 'old' });
    assert.equal(await valueOf(store, 'key'), 'new');
  },

  async 'ends an entry with its life and says how much is left'({ store, advance }) {
    await store.set('short', 'a', { ttlMs: TTL_MS });
    await store.set('long', 'b', { ttlMs: 3_600_000 });
    const left = (await store.get('long'))?.ttlMs ?? 3_600_000;
    assert.ok(left > 3_500_000 && left <= 3_600_000, `ttlMs ${left}`);
    assert.equal(await valueOf(store, 'short'), 'a');
    await advance(TTL_MS + 1);
    assert.equal(await store.get('short'), undefined);
    assert.equal(await store.delete('short'), false);
    assert.equal(await valueOf(store, 'long'), 'b');
  },

  async 'keeps keys apart that look alike'({ store }) {
    const keys = [
      '',
      'a',
      'a:',
      'a:b',
      'A',
      'a b',
      'a*',
      'a?',
      '[a]',
      'ä',
      'a\u0308',
      '\u0000',
      'a\u0000',
      '{a}',
      '\\',
      '%',
      '_',
    ];
    for (const key of keys) await store.set(key, `value of ${key}`);
    for (const key of keys) assert.equal(await valueOf(store, key), `value of ${key}`);
  },

  async 'refuses keys that cannot be told apart everywhere'({ store }) {
    for (const key of ['\ud800', 'x'.repeat(5_000)]) {
      await assert.rejects(async () => store.get(key), /well-formed/);
      await assert.rejects(async () => store.set(key, 'v'), /well-formed/);
      await assert.rejects(async () => store.delete(key), /well-formed/);
    }
    await assert.rejects(async () => store.set('k', 'v', { ttlMs: 0 }), /ttlMs/);
    await assert.rejects(async () => store.set('k', 'v', { ttlMs: 1.5 }), /ttlMs/);
  },

  async 'deletes one entry'({ store }) {
    await store.set('one', '1');
    await store.set('two', '2');
    assert.equal(await store.delete('one'), true);
    assert.equal(await store.get('one'), undefined);
    assert.equal(await valueOf(store, 'two'), '2');
  },

  async 'stores only if absent, and deletes only what matches: a lock'({ store, advance }) {
    assert.equal(await store.set('lock', 'me', { ifAbsent: true, ttlMs: TTL_MS }), 'stored');
    assert.equal(await store.set('lock', 'you', { ifAbsent: true, ttlMs: TTL_MS }), 'exists');
    assert.equal(await store.delete('lock', { ifValue: 'you' }), false);
    assert.equal(await valueOf(store, 'lock'), 'me');
    assert.equal(await store.delete('lock', { ifValue: 'me' }), true);
    assert.equal(await store.set('lock', 'you', { ifAbsent: true, ttlMs: TTL_MS }), 'stored');
    await advance(TTL_MS + 1);
    assert.equal(await store.set('lock', 'they', { ifAbsent: true }), 'stored');
  },

  async 'gives a contended lock to one'({ store }) {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => store.set('lock', String(index), { ifAbsent: true })),
    );
    assert.equal(outcomes.filter((outcome) => outcome === 'stored').length, 1);
  },

  async 'invalidates by tag, and only that'({ store }) {
    await store.set('a', '1', { tags: ['red', 'round'] });
    await store.set('b', '2', { tags: ['red'] });
    await store.set('c', '3', { tags: ['round', 'redder'] });
    await store.set('d', '4');
    assert.deepEqual([...((await store.get('a'))?.tags ?? [])].sort(), ['red', 'round']);
    await store.invalidate({ tag: 'red' });
    assert.equal(await store.get('a'), undefined);
    assert.equal(await store.get('b'), undefined);
    assert.equal(await valueOf(store, 'c'), '3');
    assert.equal(await valueOf(store, 'd'), '4');
    await store.invalidate({ tag: 'nobody' });
    await store.set('a', 'again', { tags: ['red'] });
    assert.equal(await valueOf(store, 'a'), 'again');
  },

  async 'treats an invalidated entry as absent'({ store }) {
    await store.set('key', 'old', { tags: ['tag'] });
    await store.invalidate({ tag: 'tag' });
    assert.equal(await store.set('key', 'new', { ifAbsent: true }), 'stored');
    assert.equal(await valueOf(store, 'key'), 'new');
  },

  async 'invalidates by prefix, and only that (SEC-02)'({ store }) {
    const gone = ['4:acme', '4:acme:x', '4:acme\u{10ffff}', '4:acme*', '4:acme\u0000'];
    const kept = ['4:acm', '4:acmf', '5:acmes', 'x4:acme', '4:ACME', '4:a*me:x', '[4]:acme'];
    for (const key of [...gone, ...kept]) await store.set(key, key, { tags: ['t'] });
    await store.invalidate({ prefix: '4:acme' });
    for (const key of gone) assert.equal(await store.get(key), undefined, key);
    for (const key of kept) assert.equal(await valueOf(store, key), key);
    await store.invalidate({ prefix: '4:a*' });
    assert.equal(await store.get('4:a*me:x'), undefined);
    assert.equal(await valueOf(store, '4:acm'), '4:acm');
    await store.invalidate({ prefix: '' });
    for (const key of kept) assert.equal(await store.get(key), undefined, key);
  },

  async 'invalidates more entries than one batch'({ store }) {
    const keys = Array.from({ length: 1_200 }, (_, index) => `many:${index}`);
    await Promise.all(keys.map(async (key) => store.set(key, 'x')));
    await store.invalidate({ prefix: 'many:' });
    for (const key of keys) assert.equal(await store.get(key), undefined);
  },

  async 'gives each of many concurrent callers their own (CACHE-15)'({ store }) {
    const keys = Array.from({ length: 300 }, (_, index) => `caller${index}`);
    await Promise.all(keys.map(async (key) => store.set(key, `for ${key}`)));
    const values = await Promise.all(keys.map((key) => valueOf(store, key)));
    assert.deepEqual(
      values,
      keys.map((key) => `for ${key}`),
    );
  },

  async 'says that it is up'({ store }) {
    assert.equal(store.health?.().state ?? 'up', 'up');
  },
};
