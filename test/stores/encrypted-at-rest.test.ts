import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { encrypted } from '../../src/stores/encrypted.ts';
import { redisStore } from '../../src/stores/redis.ts';
import { sqliteStore } from '../../src/stores/sqlite.ts';
import { startRedis } from '../redis-server.ts';

const program = inject('redisProgram') ?? '';
const reason = program === '' ? ' (skipped: no redis-server)' : '';
const CANARY = 'canary-7f3a: the patient is called Wilhelmina';
const options = {
  keys: { old: new Uint8Array(32).fill(1), new: new Uint8Array(32).fill(2) },
  current: 'old',
};

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'postern-at-rest-'));
  cleanups.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Every byte of every file below a folder. */
function bytesBelow(path: string): Buffer {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return Buffer.concat(files.map((file) => readFileSync(join(file.parentPath, file.name))));
}

function expectHidden(path: string): void {
  const bytes = bytesBelow(path);
  // The key is not secret, so it shows that the entry is there.
  expect(bytes.includes('entry-of-the-test')).toBe(true);
  for (const form of ['utf8', 'utf16le'] as const) expect(bytes.includes(Buffer.from(CANARY, form))).toBe(false);
  for (const part of [CANARY.slice(0, 11), 'Wilhelmina', Buffer.from(CANARY).toString('base64').slice(4, 20)]) {
    expect(bytes.includes(part)).toBe(false);
  }
}

async function writeAndRotate(inner: Store): Promise<void> {
  await encrypted(inner, options).set('entry-of-the-test', CANARY);
  const after = encrypted(inner, { ...options, current: 'new' });
  expect(await after.reencrypt()).toMatchObject({ rewritten: 1 });
  expect((await after.get('entry-of-the-test'))?.value).toBe(CANARY);
}

describe('an encrypted store at rest', () => {
  it('leaves no plain text in the files of SQLite, before and after its key changed (SEC-10)', async () => {
    const path = folder();
    const store = sqliteStore({ path: join(path, 'store.db') });
    await writeAndRotate(store);
    expectHidden(path);
    store.close?.();
    expectHidden(path);
  });

  it.skipIf(program === '')(`leaves no plain text in the dump and the log of Redis (SEC-10)${reason}`, async () => {
    const path = folder();
    const settings = ['--port', '0', '--dir', path, '--appendonly', 'yes', '--appendfsync', 'always'];
    const server = await startRedis(program, undefined, [...settings, '--rdbcompression', 'no']);
    if (server === undefined) throw new Error('no server');
    cleanups.push(() => server.stop());
    const client = new Redis({ path: server.socket });
    cleanups.push(() => client.disconnect());
    await writeAndRotate(redisStore({ client, timeoutMs: 10_000 }));
    await client.save();
    expectHidden(path);
  });
});
