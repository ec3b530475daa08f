import { type ChildProcess, fork } from 'node:child_process';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { createGateway } from '../../src/gateway.ts';
import { cache } from '../../src/middleware/cache.ts';
import { route } from '../../src/middleware/route.ts';
import { encrypted } from '../../src/stores/encrypted.ts';
import { redisStore } from '../../src/stores/redis.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';
import { size } from '../size.ts';
import type { CacheWorkerReport } from './cache-worker.ts';

const socket = inject('redisSocket') ?? '';
const reason = socket === '' ? ' (skipped: no redis-server)' : '';
const WORKERS = 4;
const TIMEOUT_MS = size(20_000, 600_000);

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function inProcesses(order: object): Promise<CacheWorkerReport[]> {
  const workers = await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      const child = fork(new URL('./cache-worker.ts', import.meta.url), { execArgv: ['--conditions=postern-source'] });
      children.push(child);
      await new Promise((resolve) => child.once('message', resolve));
      return child;
    }),
  );
  const reports = workers.map(
    (child) =>
      new Promise<CacheWorkerReport>((resolve) =>
        child.once('message', (report) => resolve(report as CacheWorkerReport)),
      ),
  );
  workers.forEach((child, worker) => child.send({ ...order, worker }));
  return Promise.all(reports);
}

const sum = (reports: readonly CacheWorkerReport[], field: keyof CacheWorkerReport): number =>
  reports.reduce((total, report) => total + report[field], 0);

describe.skipIf(socket === '')(`four processes on one Redis${reason}`, () => {
  it(
    'give every caller its own answer, though connections are cut all the time (CACHE-15)',
    async () => {
      const calls = size(500, 25_000);
      const order = { socket, prefix: `cache-tags${process.pid}`, calls, concurrent: 32, questions: 200, lock: false };
      const reports = await inProcesses({ ...order, cutEvery: 50 });
      expect(sum(reports, 'wrong')).toBe(0);
      expect(sum(reports, 'failed')).toBe(0);
      expect(sum(reports, 'hits')).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it('ask once for identical misses, with lock: true', async () => {
    const order = { socket, prefix: `cache-lock${process.pid}`, calls: 60, concurrent: 60, questions: 1, lock: true };
    const reports = await inProcesses({ ...order, cutEvery: 0 });
    expect(sum(reports, 'wrong') + sum(reports, 'failed')).toBe(0);
    // One question of three tenants.
    expect(sum(reports, 'upstream')).toBe(3);
  });

  it('find nothing readable in Redis when the store is encrypted and the keys have a secret (SEC-10)', async () => {
    const client = new Redis({ path: socket });
    const prefix = `cache-sealed${process.pid}`;
    const keys = { k1: new Uint8Array(32).fill(7) };
    const store = encrypted(redisStore({ client, prefix, timeoutMs: 5_000 }), { keys, current: 'k1' });
    const mock = mockProvider();
    mock.reply('canary answer');
    const answers = cache({ store, secret: 'a secret of sixteen' });
    const gateway = createGateway({ providers: [mock], models: { default: 'mock/any' }, use: [answers, route()] });
    const acme = gateway.with({ scope: { tenant: 'canary-tenant' } });
    const control = { controls: { cache: { tags: ['canary-tag'] } } };
    await acme.chat('canary question', control);
    expect((await acme.chat('canary question', control)).cached?.kind).toBe('exact');
    // What was just written is read in this process before Redis has it.
    const names = await vi.waitFor(async () => {
      const found = (await client.keys('*')).filter((name) => name.includes(prefix));
      expect(found.length).toBeGreaterThan(1);
      return found;
    });
    const dump = await Promise.all(
      names.map(async (name) => `${name} ${(await client.dumpBuffer(name))?.toString('latin1')}`),
    );
    expect(dump.join('\n')).not.toContain('canary');
    await answers.invalidate({ tenant: 'canary-tenant' });
    expect((await acme.chat('canary question', control)).cached).toBeUndefined();
    await gateway.close();
    client.disconnect();
  });
});
