import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { sqliteStore } from '../../src/stores/sqlite.ts';
import { storeContract } from '../../src/testing/store-contract.ts';
import { manualClock } from './manual-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-sqlite-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const file = (): string => join(folder, `store${files++}.db`);

describe('sqliteStore', () => {
  for (const { name, run } of storeContract(() => {
    const clock = manualClock();
    const store = sqliteStore({ path: ':memory:', clock });
    return { store, advance: clock.advance, dispose: () => store.close?.() };
  })) {
    it(name, run);
  }

  it('outlives the process, and is shared by two', () => {
    const path = file();
    const first = sqliteStore({ path });
    const second = sqliteStore({ path });
    first.set('key', 'value', { tags: ['tag'] });
    expect(second.get('key')).toMatchObject({ value: 'value', tags: ['tag'] });
    first.close?.();
    const later = sqliteStore({ path });
    expect(later.get('key')).toMatchObject({ value: 'value' });
    later.invalidate({ tag: 'tag' });
    expect(second.get('key')).toBeUndefined();
    for (const store of [second, later]) store.close?.();
  });

  it('never exceeds its bounds: expired entries go first, then the oldest (CACHE-13)', () => {
    const clock = manualClock();
    const store = sqliteStore({ path: ':memory:', clock, entriesMax: 3, bytesMax: 100 });
    store.set('a', '1');
    store.set('short', '2', { ttlMs: 10 });
    store.set('b', '3');
    clock.advance(10);
    store.set('c', '4');
    expect(['a', 'short', 'b', 'c'].map((key) => store.get(key) !== undefined)).toEqual([true, false, true, true]);
    store.set('d', '5');
    expect(store.get('a')).toBeUndefined();
    expect(store.set('large', 'x'.repeat(92))).toBe('stored');
    expect(['b', 'c', 'd', 'large'].map((key) => store.get(key) !== undefined)).toEqual([false, false, true, true]);
    expect(store.set('larger', 'x'.repeat(200))).toBe('refused');
    store.close?.();
  });

  it('counts the bytes of exchanged values, and leaves entries their place in the order of writing (CACHE-13)', () => {
    const store = sqliteStore({ path: ':memory:', bytesMax: 30 });
    store.set('a', 'x'.repeat(8));
    store.set('b', 'x'.repeat(9));
    expect(store.replace?.('a', 'x'.repeat(8), 'y'.repeat(40))).toBe(false);
    expect(store.replace?.('b', 'x'.repeat(9), 'y'.repeat(10))).toBe(true);
    store.set('c', 'x'.repeat(9));
    expect(['a', 'b', 'c'].map((key) => store.get(key) !== undefined)).toEqual([true, true, true]);
    expect(store.replace?.('c', 'x'.repeat(9), 'y'.repeat(10))).toBe(true);
    expect(['a', 'b', 'c'].map((key) => store.get(key) !== undefined)).toEqual([false, true, true]);
    store.close?.();
    expect(() => store.scan?.()).toThrowError(expect.objectContaining({ code: 'unavailable' }));
  });

  it('answers and does not throw while another process holds the file', async () => {
    const path = file();
    const store = sqliteStore({ path, busyMs: 10 });
    store.set('key', 'value');
    const other = new DatabaseSync(path);
    other.exec('BEGIN EXCLUSIVE');
    expect(store.set('key', 'other')).toBe('refused');
    expect(() => store.delete('key')).toThrowError(expect.objectContaining({ code: 'unavailable', stage: 'store' }));
    expect(() => store.invalidate({ prefix: '' })).toThrowError(expect.objectContaining({ code: 'unavailable' }));
    other.exec('ROLLBACK');
    other.close();
    expect(store.get('key')).toMatchObject({ value: 'value' });
    expect(store.delete('key')).toBe(true);
    store.close?.();
    expect(store.get('key')).toBeUndefined();
    expect(store.set('key', 'x')).toBe('refused');
  });

  it('names the trouble with a file that is no database', () => {
    const path = file();
    writeFileSync(path, 'this is not a database, only text that is long enough to be looked at'.repeat(20));
    expect(() => sqliteStore({ path })).toThrowError(expect.objectContaining({ code: 'unavailable' }));
  });

  it.each([
    ['path', { path: '' }],
    ['entriesMax', { path: ':memory:', entriesMax: 0 }],
    ['bytesMax', { path: ':memory:', bytesMax: -1 }],
    ['busyMs', { path: ':memory:', busyMs: 0.5 }],
  ])('refuses a wrong %s', (field, options) => {
    expect(() => sqliteStore(options)).toThrowError(expect.objectContaining({ code: 'invalid-options', field }));
  });
});
