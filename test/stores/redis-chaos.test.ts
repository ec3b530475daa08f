import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { CounterStore, Limit } from '../../src/core/counter-store.ts';
import { isGatewayError } from '../../src/core/errors.ts';
import type { Store } from '../../src/core/store.ts';
import { redisCounterStore, redisStore } from '../../src/stores/redis.ts';
import { tcpProxy, type TcpProxy } from '../../src/testing/tcp-proxy.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';

const program = inject('redisProgram') ?? '';
const reason = program === '' ? ' (skipped: no redis-server)' : '';
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const TIMEOUT_MS = 50;
const PROBE_MS = 40;
/** A busy test machine adds to every wait. */
const SLACK_MS = 250;
const limits: Limit[] = [
  { kind: 'total', key: 'cost', maximum: 1_000, amount: 10 },
  { kind: 'concurrency', key: 'places', maximum: 50, amount: 1 },
];

interface World {
  server: RedisServer;
  readonly proxy: TcpProxy;
  readonly store: Store;
  readonly counters: CounterStore;
  /** Straight to the server, around the proxy. */
  readonly admin: () => Redis;
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function world(kind: 'ioredis' | 'node-redis' = 'ioredis'): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-chaos-'));
  const server = await startRedis(program, join(folder, 'server'));
  if (server === undefined) throw new Error('no server');
  const proxy = await tcpProxy({ target: { path: server.socket }, path: join(folder, 'proxy') });
  const path = join(folder, 'proxy');
  const made: World = { server, proxy, ...(await stores(kind, path)), admin: () => admin(made.server.socket) };
  cleanups.push(
    () => rmSync(folder, { recursive: true, force: true }),
    () => made.server.stop(),
    () => proxy.close(),
  );
  await made.store.set('key', 'value');
  await made.counters.check?.();
  return made;
}

async function stores(kind: 'ioredis' | 'node-redis', path: string) {
  const options = { timeoutMs: TIMEOUT_MS, probeMs: PROBE_MS };
  if (kind === 'ioredis') {
    const client = new Redis({ path, retryStrategy: () => 30 });
    client.on('error', () => undefined);
    cleanups.push(() => client.disconnect());
    return { store: redisStore({ client, ...options }), counters: redisCounterStore({ client, ...options }) };
  }
  const client = createClient({ socket: { path, tls: false, reconnectStrategy: () => 30 } });
  client.on('error', () => undefined);
  await client.connect();
  cleanups.push(() => client.destroy());
  return { store: redisStore({ client, ...options }), counters: redisCounterStore({ client, ...options }) };
}

function admin(path: string): Redis {
  const client = new Redis({ path });
  client.on('error', () => undefined);
  cleanups.push(() => client.disconnect());
  return client;
}

async function timed<T>(work: () => Promise<T> | T): Promise<{ ms: number; value?: T; error?: unknown }> {
  const start = performance.now();
  try {
    const value = await work();
    return { ms: performance.now() - start, value };
  } catch (error) {
    return { ms: performance.now() - start, error };
  }
}

/** Each answer in time, nothing thrown by the store, typed errors by the counters; then no waiting at all. */
async function expectQuietOutage({ store, counters }: World): Promise<void> {
  for (let index = 0; index < 4; index++) {
    const read = await timed(() => store.get('key'));
    expect(read.error).toBeUndefined();
    expect(read.ms).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    const reserved = await timed(() => counters.reserve({ id: `down${index}`, limits, ttlMs: 60_000 }));
    expect(isGatewayError(reserved.error, 'unavailable')).toBe(true);
    expect(reserved.error).toMatchObject({ stage: 'store', fault: 'gateway' });
    expect(reserved.ms).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  }
  expect(store.health?.().state).toBe('down');
  expect(counters.health?.().state).toBe('down');
  const start = performance.now();
  for (let index = 0; index < 200; index++) {
    expect(await store.get('key')).toBeUndefined();
    expect(await store.set('key', 'other')).toBe('refused');
    await expect(counters.reserve({ id: `off${index}`, limits, ttlMs: 60_000 })).rejects.toMatchObject({
      code: 'unavailable',
    });
  }
  // 600 answers of a store that is down, together faster than two waits for a store that is slow.
  expect(performance.now() - start).toBeLessThan(2 * TIMEOUT_MS + SLACK_MS);
  await expect(Promise.resolve(store.invalidate({ tag: 'x' }))).rejects.toMatchObject({ code: 'unavailable' });
}

async function expectHealed({ store, counters }: World): Promise<void> {
  const start = performance.now();
  while (store.health?.().state !== 'up' || counters.health?.().state !== 'up') {
    expect(performance.now() - start).toBeLessThan(2_000);
    await wait(10);
  }
  expect(await store.set('after', 'fine')).toBe('stored');
  expect((await store.get('after'))?.value).toBe('fine');
  expect(await counters.reserve({ id: 'after', limits, ttlMs: 60_000 })).toMatchObject({ admitted: true });
  expect(await counters.release('after')).toMatchObject({ status: 'released' });
}

async function eventually(check: () => Promise<void>): Promise<void> {
  const start = performance.now();
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() - start > 2_000) throw error;
      await wait(10);
    }
  }
}

// Time limits of 50 ms are real here: a machine that is busy with other things for longer gets another try.
describe.skipIf(program === '')(`Redis chaos${reason}`, { retry: 2 }, () => {
  it.each(['ioredis', 'node-redis'] as const)('a killed server that comes back empty, over %s', async (kind) => {
    const here = await world(kind);
    const path = here.server.socket;
    here.server.process.kill('SIGKILL');
    await wait(30);
    await expectQuietOutage(here);
    await here.server.stop();
    here.server = (await startRedis(program, path)) as RedisServer;
    await expectHealed(here);
    expect(await here.store.get('key')).toBeUndefined();
  });

  it('a stopped server that goes on: nothing it was sent meanwhile stays reserved', async () => {
    const here = await world();
    here.server.process.kill('SIGSTOP');
    await expectQuietOutage(here);
    here.server.process.kill('SIGCONT');
    await expectHealed(here);
    await eventually(async () => {
      const states = await here.counters.remaining(limits);
      expect(states.map(({ used, held }) => [used, held])).toEqual([
        [0, 0],
        [0, 0],
      ]);
    });
  });

  it.each(['ioredis', 'node-redis'] as const)('answers that take 20 s, over %s', async (kind) => {
    const here = await world(kind);
    here.proxy.set({ latencyMs: 20_000 });
    await expectQuietOutage(here);
    here.proxy.set({});
    await expectHealed(here);
  });

  it('a wire that passes nothing, then breaks', async () => {
    const here = await world();
    here.proxy.set({ hang: true });
    await expectQuietOutage(here);
    here.proxy.set({ refuse: true });
    here.proxy.reset();
    await wait(50);
    expect(await here.store.get('key')).toBeUndefined();
    here.proxy.set({});
    await expectHealed(here);
  });

  it('answers in pieces of one byte', async () => {
    const here = await world();
    here.proxy.set({ sliceBytes: 1 });
    await expectHealed(here);
  });

  it('SCRIPT FLUSH: scripts are sent again, nothing is counted twice', async () => {
    const here = await world();
    await here.counters.reserve({ id: 'a', limits, ttlMs: 60_000 });
    await here.admin().script('FLUSH');
    expect((await here.store.get('key'))?.value).toBe('value');
    await here.admin().script('FLUSH');
    expect(await here.counters.settle('a', { units: 7 })).toMatchObject({ status: 'settled' });
    expect((await here.counters.remaining(limits))[0]).toMatchObject({ used: 7, held: 0 });
    expect(here.store.health?.().state).toBe('up');
  });

  it('OOM: reading goes on, writing is refused at once, limits are down until there is room', async () => {
    const here = await world();
    await here.counters.reserve({ id: 'before', limits, ttlMs: 60_000 });
    await here.admin().config('SET', 'maxmemory', '1');
    expect(await here.store.set('more', 'x')).toBe('refused');
    expect((await here.store.get('key'))?.value).toBe('value');
    expect(here.store.health?.()).toMatchObject({ state: 'up', problems: [{ code: 'writes-refused' }] });
    for (let index = 0; index < 4; index++) {
      await expect(here.counters.reserve({ id: `x${index}`, limits, ttlMs: 60_000 })).rejects.toMatchObject({
        code: 'unavailable',
      });
    }
    expect(here.counters.health?.()).toMatchObject({ state: 'down', reason: 'OOM' });
    expect(await here.counters.settle('before', { units: 3 })).toMatchObject({ status: 'deferred' });
    await here.admin().config('SET', 'maxmemory', '0');
    await expectHealed(here);
    expect(here.store.health?.().problems).toEqual([]);
    await eventually(async () => {
      expect((await here.counters.remaining(limits))[0]).toMatchObject({ used: 3, held: 0 });
    });
  });

  it('READONLY: a replica serves reads and takes no reservations', async () => {
    const here = await world();
    await here.admin().replicaof('127.0.0.1', 1);
    expect((await here.store.get('key'))?.value).toBe('value');
    expect(await here.store.set('key', 'x')).toBe('refused');
    for (let index = 0; index < 4; index++) {
      await expect(here.counters.reserve({ id: `x${index}`, limits, ttlMs: 60_000 })).rejects.toMatchObject({
        code: 'unavailable',
      });
    }
    expect(here.counters.health?.()).toMatchObject({ state: 'down', reason: 'READONLY' });
    await here.admin().replicaof('NO', 'ONE');
    await expectHealed(here);
  });

  it('settles what ended during an outage, once, even if the server had already heard (BUD-02)', async () => {
    const here = await world();
    for (const id of ['a', 'b', 'c']) await here.counters.reserve({ id, limits, ttlMs: 60_000 });
    // Answers are lost, requests are not: the server settles `a`, and we cannot know.
    here.proxy.set({ latencyMs: 20_000 });
    expect(await here.counters.settle('a', { units: 5 })).toMatchObject({ status: 'deferred' });
    expect(await here.counters.release('b')).toMatchObject({ status: 'deferred' });
    expect(await here.counters.settle('c', { units: 4 })).toMatchObject({ status: 'deferred' });
    expect(await here.counters.settle('late', { units: 2 }, limits)).toMatchObject({ status: 'deferred' });
    here.proxy.reset();
    here.proxy.set({});
    await eventually(async () => {
      const states = await here.counters.remaining(limits);
      expect(states.map(({ used, held }) => [used, held])).toEqual([
        [11, 0],
        [0, 0],
      ]);
    });
  });

  it('gives back a reservation whose answer came too late (BUD-02)', async () => {
    const here = await world();
    here.proxy.set({ latencyMs: 20_000 });
    await expect(here.counters.reserve({ id: 'lost', limits, ttlMs: 60_000 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    here.proxy.set({});
    await eventually(async () => {
      expect((await here.counters.remaining(limits)).map((limit) => limit.held)).toEqual([0, 0]);
    });
  });

  it('keeps one settlement that failed while everything else works', async () => {
    const here = await world();
    await here.counters.reserve({ id: 'a', limits, ttlMs: 60_000 });
    here.proxy.set({ hang: true });
    expect(await here.counters.settle('a', { units: 5 })).toMatchObject({ status: 'deferred' });
    here.proxy.reset();
    here.proxy.set({});
    expect(here.counters.health?.().state).toBe('up');
    await eventually(async () => {
      expect((await here.counters.remaining(limits))[0]).toMatchObject({ used: 5, held: 0 });
    });
  });

  it('says when more ended during an outage than it may keep', async () => {
    const call = async () => Promise.reject(new Error('connection lost'));
    const store = redisCounterStore({ client: { call }, endingsMax: 2, failuresMax: 1 });
    for (const id of ['a', 'b', 'c', 'd']) expect(await store.settle(id, {})).toMatchObject({ status: 'deferred' });
    expect(store.health?.()).toMatchObject({ state: 'down', problems: [{ code: 'outbox-full', count: 2 }] });
    store.close?.();
  });

  it('a stall of our own event loop is not an outage', async () => {
    const here = await world();
    for (let round = 0; round < 4; round++) {
      const read = here.store.get('key');
      await wait(0);
      const end = performance.now() + 3 * TIMEOUT_MS;
      while (performance.now() < end);
      expect((await read)?.value).toBe('value');
    }
    expect(here.store.health?.().state).toBe('up');
  });

  it('tells listeners when it goes down and comes back', async () => {
    const here = await world();
    const seen: string[] = [];
    here.store.watch?.(({ state }) => seen.push(state));
    here.proxy.set({ hang: true });
    for (let index = 0; index < 3; index++) await here.store.get('key');
    expect(seen).toEqual(['down']);
    here.proxy.set({});
    await eventually(async () => expect(seen).toEqual(['down', 'up']));
  });

  it('a closed store answers at once and leaves the client alone', async () => {
    const here = await world();
    here.store.close?.();
    expect(await here.store.get('key')).toBeUndefined();
    expect(await here.counters.remaining(limits)).toHaveLength(2);
  });
});

describe.skipIf(program === '')(`Redis eviction policy (CACHE-14)${reason}`, () => {
  it.each(['allkeys-lru', 'volatile-ttl', 'noeviction'])('%s', async (policy) => {
    const here = await world();
    await here.admin().config('SET', 'maxmemory-policy', policy);
    const health = await here.counters.check?.();
    expect(health?.state).toBe('up');
    expect(health?.problems.map((problem) => problem.code)).toEqual(policy === 'noeviction' ? [] : ['eviction-policy']);
  });

  it('is looked at without being asked, and refused if told to', async () => {
    const here = await world();
    const client = here.admin();
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const warned = redisCounterStore({ client });
    expect(await warned.reserve({ id: 'a', limits, ttlMs: 60_000 })).toMatchObject({ admitted: true });
    await eventually(async () => expect(warned.health?.().problems).toMatchObject([{ code: 'eviction-policy' }]));
    const refusing = redisCounterStore({ client, prefix: 'strict', onEvictionPolicy: 'refuse' });
    await expect(refusing.reserve({ id: 'a', limits, ttlMs: 60_000 })).rejects.toMatchObject({
      code: 'invalid-options',
    });
  });

  it('says so when the server does not tell', async () => {
    const client = { call: async () => Promise.reject(new Error("ERR unknown command 'config'")) };
    const store = redisCounterStore({ client });
    expect((await store.check?.())?.problems).toMatchObject([{ code: 'eviction-policy-unknown' }]);
  });
});
