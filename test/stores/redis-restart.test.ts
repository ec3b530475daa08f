import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { Limit } from '../../src/core/counter-store.ts';
import { redisCounterStore, redisStore, type RedisClient } from '../../src/stores/redis.ts';
import { tcpProxy } from '../../src/testing/tcp-proxy.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { atOnce, eventually, outageClock, PROBE_MS, TIMEOUT_MS, unanswered } from './redis-outage.ts';

const program = inject('redisProgram') ?? '';
const reason = program === '' ? ' (skipped: no redis-server)' : '';
const limits: Limit[] = [{ kind: 'total', key: 'cost', maximum: 1_000, amount: 10 }];

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'postern-restart-'));
  cleanups.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function start(settings: readonly string[], socket?: string, ready?: string): Promise<RedisServer> {
  const server = await startRedis(program, socket, settings, ready);
  if (server === undefined) throw new Error('no server');
  cleanups.push(() => server.stop());
  return server;
}

function ioredis(path: string, options: { readonly enableReadyCheck?: boolean } = {}): Redis {
  const client = new Redis({ path, retryStrategy: () => 30, ...options });
  client.on('error', () => undefined);
  cleanups.push(() => client.disconnect());
  return client;
}

async function nodeRedis(path: string) {
  const client = createClient({ socket: { path, tls: false, reconnectStrategy: () => 30 } });
  client.on('error', () => undefined);
  await client.connect();
  cleanups.push(() => client.destroy());
  return client;
}

function storesOver(client: RedisClient) {
  const clock = outageClock();
  const options = { client, timeoutMs: TIMEOUT_MS, probeMs: PROBE_MS, clock };
  return { clock, store: redisStore(options), counters: redisCounterStore(options) };
}
type Stores = ReturnType<typeof storesOver>;

/** One answer, one settled and one open reservation, one tag that was invalidated. */
async function fill({ store, counters }: Stores): Promise<void> {
  await store.set('kept', 'answer', { ttlMs: 3_600_000, tags: ['tag'] });
  await store.set('gone', 'answer', { tags: ['other'] });
  await store.invalidate({ tag: 'other' });
  for (const id of ['settled', 'open']) await counters.reserve({ id, limits, ttlMs: 600_000 });
  await counters.settle('settled', { units: 7 });
}

async function expectUp({ clock, store, counters }: Stores): Promise<void> {
  await eventually(clock, () => {
    expect([store.health?.().state, counters.health?.().state]).toEqual(['up', 'up']);
  });
}

/** Until both stores have noticed, no call fails and none waits longer than once. */
async function goDown({ clock, store, counters }: Stores): Promise<void> {
  for (let round = 0; round < 4; round++) {
    const read = await unanswered(clock, () => store.get('kept'));
    expect(read).toMatchObject({ value: undefined });
    const reserved = await unanswered(clock, () => counters.reserve({ id: `down${round}`, limits, ttlMs: 60_000 }));
    expect(reserved.error).toMatchObject({ code: 'unavailable', stage: 'store' });
    for (const { waitedMs } of [read, reserved]) expect(waitedMs).toBeLessThanOrEqual(TIMEOUT_MS);
  }
  expect([store.health?.().state, counters.health?.().state]).toEqual(['down', 'down']);
}

describe.skipIf(program === '')(`Redis that restarts${reason}`, () => {
  it.each(['ioredis', 'node-redis'] as const)(
    'with its AOF forgets nothing that was answered, over %s',
    async (kind) => {
      const socket = join(folder(), 'server');
      const settings = ['--port', '0', '--dir', folder(), '--appendonly', 'yes', '--appendfsync', 'always'];
      const first = await start(settings, socket);
      const stores = storesOver(kind === 'ioredis' ? ioredis(socket) : await nodeRedis(socket));
      await fill(stores);
      first.process.kill('SIGKILL');
      await first.stop();
      await goDown(stores);
      // What ends while it is away is told when it is back.
      expect(await stores.counters.settle('open', { units: 3 })).toMatchObject({ status: 'deferred' });
      await start(settings, socket);
      await expectUp(stores);
      const entry = await stores.store.get('kept');
      expect(entry).toMatchObject({ value: 'answer', tags: ['tag'] });
      expect(entry?.ttlMs).toBeGreaterThan(3_000_000);
      expect(await stores.store.get('gone')).toBeUndefined();
      await eventually(stores.clock, async () => {
        expect((await stores.counters.remaining(limits))[0]).toMatchObject({ used: 10, held: 0 });
      });
      expect(await stores.counters.settle('settled', { units: 7 })).toMatchObject({
        status: expect.not.stringMatching('settled'),
      });
      expect((await stores.counters.remaining(limits))[0]).toMatchObject({ used: 10 });
    },
  );

  it('and is LOADING: every call is answered at once, and it is used when it has loaded', async () => {
    const socket = join(folder(), 'server');
    const settings = ['--port', '0', '--dir', folder()];
    const first = await start(settings, socket);
    const before = ioredis(socket);
    await fill(storesOver(before));
    const filler = before.pipeline();
    for (let index = 0; index < 2_000; index++) filler.set(`filler${index}`, 'x'.repeat(1_100));
    await filler.exec();
    await before.save();
    before.disconnect();
    first.process.kill('SIGKILL');
    await first.stop();
    // It sleeps at every key, and looks at its clients after every key: eight seconds, unless it is told to hurry.
    const slowly = ['--key-load-delay', '4000', '--loading-process-events-interval-bytes', '1024'];
    await start([...settings, ...slowly, '--rdbcompression', 'no'], socket, '-LOADING');
    // Without its own check the client asks while the server loads.
    const stores = storesOver(ioredis(socket, { enableReadyCheck: false }));
    const { clock, store, counters } = stores;
    for (let round = 0; round < 4; round++) {
      expect(await atOnce(clock, () => store.get('kept'))).toEqual({ waitedMs: 0, value: undefined });
      const reserved = await atOnce(clock, () => counters.reserve({ id: `l${round}`, limits, ttlMs: 60_000 }));
      expect(reserved.error).toMatchObject({ code: 'unavailable', stage: 'store' });
    }
    expect(store.health?.()).toMatchObject({ state: 'down', reason: 'LOADING' });
    expect(counters.health?.()).toMatchObject({ state: 'down', reason: 'LOADING' });
    // With it the client holds commands back: they wait once, and then not at all.
    await goDown(storesOver(ioredis(socket)));
    await ioredis(socket, { enableReadyCheck: false }).config('SET', 'key-load-delay', '0');
    await expectUp(stores);
    expect((await store.get('kept'))?.value).toBe('answer');
    expect((await counters.remaining(limits))[0]).toMatchObject({ used: 7, held: 10 });
  });
});

describe.skipIf(program === '')(`Redis with a replica${reason}`, () => {
  it('fails over to one that lags: what it had not copied is lost, nothing else, and what ended is told to it', async () => {
    const port = await freePort();
    const primary = await start(['--port', String(port), '--bind', '127.0.0.1', '--repl-diskless-sync-delay', '0']);
    const link = await tcpProxy({ target: { host: '127.0.0.1', port } });
    cleanups.push(() => link.close());
    const address = link.address as { readonly host: string; readonly port: number };
    const replica = await start(['--port', '0', '--replicaof', address.host, String(address.port)]);
    // What clients connect to: now the one, later the other.
    const target = { path: primary.socket };
    const path = join(folder(), 'proxy');
    const proxy = await tcpProxy({ target, path });
    cleanups.push(() => proxy.close());
    const stores = storesOver(ioredis(path));
    const { clock, store, counters } = stores;
    await fill(stores);
    const [head, copy] = [ioredis(primary.socket), ioredis(replica.socket)];
    await eventually(clock, async () => expect(await head.wait(1, 200)).toBe(1));

    link.set({ hang: true });
    await store.set('kept', 'newer');
    await store.set('late', 'answer');
    await store.set('unheard', 'answer', { tags: ['tag'] });
    await counters.reserve({ id: 'late', limits, ttlMs: 600_000 });
    expect(await counters.settle('open', { units: 20 })).toMatchObject({ status: 'settled' });
    expect((await counters.remaining(limits))[0]).toMatchObject({ used: 27, held: 10 });

    primary.process.kill('SIGKILL');
    await primary.stop();
    await goDown(stores);
    expect(await counters.settle('late', { units: 5 }, limits)).toMatchObject({ status: 'deferred' });
    link.reset();
    await copy.replicaof('NO', 'ONE');
    target.path = replica.socket;
    await expectUp(stores);

    expect((await store.get('kept'))?.value).toBe('answer');
    expect(await store.get('late')).toBeUndefined();
    expect(await store.get('gone')).toBeUndefined();
    // 20 were used and are forgotten; the reservation behind them is still held here, and ends with its lease. The 5
    // that ended during the outage are counted although this server never heard of their reservation.
    await eventually(clock, async () => {
      expect((await counters.remaining(limits))[0]).toMatchObject({ used: 12, held: 10 });
    });
    expect(await counters.reserve({ id: 'after', limits, ttlMs: 60_000 })).toMatchObject({ admitted: true });
  });

  it('takes no writes while too few copies are there (NOREPLICAS): reads go on, limits are down', async () => {
    const server = await start(['--port', '0']);
    const stores = storesOver(ioredis(server.socket));
    const { clock, store, counters } = stores;
    await fill(stores);
    const admin = ioredis(server.socket);
    await admin.config('SET', 'min-replicas-to-write', '1');
    expect(await atOnce(clock, () => store.set('more', 'x'))).toEqual({ waitedMs: 0, value: 'refused' });
    expect((await store.get('kept'))?.value).toBe('answer');
    expect(store.health?.()).toMatchObject({ state: 'up', problems: [{ code: 'writes-refused' }] });
    for (let round = 0; round < 4; round++) {
      const reserved = await atOnce(clock, () => counters.reserve({ id: `n${round}`, limits, ttlMs: 60_000 }));
      expect(reserved).toMatchObject({ waitedMs: 0, error: { code: 'unavailable' } });
    }
    expect(counters.health?.()).toMatchObject({ state: 'down', reason: 'NOREPLICAS' });
    await admin.config('SET', 'min-replicas-to-write', '0');
    await expectUp(stores);
    expect(await store.set('more', 'x')).toBe('stored');
    expect((await counters.remaining(limits))[0]).toMatchObject({ used: 7, held: 10 });
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
