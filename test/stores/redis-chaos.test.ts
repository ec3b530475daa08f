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
import type { ManualClock } from './manual-clock.ts';
import { eventually, outageClock, PROBE_MS, TIMEOUT_MS, unanswered, wait } from './redis-outage.ts';

const program = inject('redisProgram') ?? '';
const reason = program === '' ? ' (skipped: no redis-server)' : '';
const limits: Limit[] = [
  { kind: 'total', key: 'cost', maximum: 1_000, amount: 10 },
  { kind: 'concurrency', key: 'places', maximum: 50, amount: 1 },
];

interface World {
  readonly clock: ManualClock;
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
  const clock = outageClock();
  const made: World = {
    clock,
    server,
    proxy,
    ...(await stores(kind, path, clock)),
    admin: () => admin(made.server.socket),
  };
  cleanups.push(
    () => rmSync(folder, { recursive: true, force: true }),
    () => made.server.stop(),
    () => proxy.close(),
  );
  await made.store.set('key', 'value');
  await made.counters.check?.();
  return made;
}

async function stores(kind: 'ioredis' | 'node-redis', path: string, clock: ManualClock) {
  const options = { timeoutMs: TIMEOUT_MS, probeMs: PROBE_MS, clock };
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

/** Each answer in time, nothing thrown by the store, typed errors by the counters; then no waiting at all. */
async function expectQuietOutage({ clock, store, counters }: World): Promise<void> {
  for (let index = 0; index < 4; index++) {
    const read = await unanswered(clock, () => store.get('key'));
    expect(read.error).toBeUndefined();
    expect(read.waitedMs).toBeLessThanOrEqual(TIMEOUT_MS);
    const reserved = await unanswered(clock, () => counters.reserve({ id: `down${index}`, limits, ttlMs: 60_000 }));
    expect(isGatewayError(reserved.error, 'unavailable')).toBe(true);
    expect(reserved.error).toMatchObject({ stage: 'store', fault: 'gateway' });
    expect(reserved.waitedMs).toBeLessThanOrEqual(TIMEOUT_MS);
  }
  expect(store.health?.().state).toBe('down');
  expect(counters.health?.().state).toBe('down');
  // No time passes here: whatever waited for some would never come back.
  for (let index = 0; index < 200; index++) {
    expect(await store.get('key')).toBeUndefined();
    expect(await store.set('key', 'other')).toBe('refused');
    await expect(counters.reserve({ id: `off${index}`, limits, ttlMs: 60_000 })).rejects.toMatchObject({
      code: 'unavailable',
    });
  }
  await expect(Promise.resolve(store.invalidate({ tag: 'x' }))).rejects.toMatchObject({ code: 'unavailable' });
}

async function expectHealed({ clock, store, counters }: World): Promise<void> {
  await eventually(clock, () => {
    expect([store.health?.().state, counters.health?.().state]).toEqual(['up', 'up']);
  });
  expect(await store.set('after', 'fine')).toBe('stored');
  expect((await store.get('after'))?.value).toBe('fine');
  expect(await counters.reserve({ id: 'after', limits, ttlMs: 60_000 })).toMatchObject({ admitted: true });
  expect(await counters.release('after')).toMatchObject({ status: 'released' });
}

describe.skipIf(program === '')(`Redis chaos${reason}`, () => {
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
    await eventually(here.clock, async () => {
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
    await eventually(here.clock, async () => {
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
    const endings = [
      () => here.counters.settle('a', { units: 5 }),
      () => here.counters.release('b'),
      () => here.counters.settle('c', { units: 4 }),
      () => here.counters.settle('late', { units: 2 }, limits),
    ];
    for (const end of endings) {
      expect(await unanswered(here.clock, end)).toMatchObject({ value: { status: 'deferred' } });
    }
    here.proxy.reset();
    here.proxy.set({});
    await eventually(here.clock, async () => {
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
    const lost = await unanswered(here.clock, () => here.counters.reserve({ id: 'lost', limits, ttlMs: 60_000 }));
    expect(lost.error).toMatchObject({ code: 'unavailable' });
    here.proxy.set({});
    await eventually(here.clock, async () => {
      expect((await here.counters.remaining(limits)).map((limit) => limit.held)).toEqual([0, 0]);
    });
  });

  it('keeps one settlement that failed while everything else works', async () => {
    const here = await world();
    await here.counters.reserve({ id: 'a', limits, ttlMs: 60_000 });
    here.proxy.set({ hang: true });
    const settled = await unanswered(here.clock, () => here.counters.settle('a', { units: 5 }));
    expect(settled).toMatchObject({ value: { status: 'deferred' } });
    here.proxy.reset();
    here.proxy.set({});
    expect(here.counters.health?.().state).toBe('up');
    await eventually(here.clock, async () => {
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

  it('tells listeners when it goes down and comes back', async () => {
    const here = await world();
    const seen: string[] = [];
    here.store.watch?.(({ state }) => seen.push(state));
    here.proxy.set({ hang: true });
    for (let index = 0; index < 3; index++) await unanswered(here.clock, () => here.store.get('key'));
    expect(seen).toEqual(['down']);
    here.proxy.set({});
    await eventually(here.clock, () => expect(seen).toEqual(['down', 'up']));
  });

  it('a closed store answers at once and leaves the client alone', async () => {
    const here = await world();
    here.store.close?.();
    expect(await here.store.get('key')).toBeUndefined();
    expect(await here.counters.remaining(limits)).toHaveLength(2);
  });
});

describe('a stall of our own event loop', () => {
  it('is not an outage: an answer that is there when it ends counts', async () => {
    let timers: { readonly ms: number; readonly callback: () => void }[] = [];
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      after(ms: number, callback: () => void) {
        const timer = { ms, callback };
        timers.push(timer);
        return { cancel: () => void (timers = timers.filter((other) => other !== timer)) };
      },
    };
    const answers: ((reply: unknown) => void)[] = [];
    const call = () => new Promise((resolve) => answers.push(resolve));
    const store = redisStore({ client: { call }, timeoutMs: TIMEOUT_MS, clock });
    /** One turn of the loop: what was due before it, not what that makes due. */
    const fire = (ms: number): void => {
      const due = timers.filter((timer) => timer.ms <= ms);
      timers = timers.filter((timer) => timer.ms > ms);
      for (const timer of due) timer.callback();
    };
    for (let round = 0; round < 4; round++) {
      const read = store.get('key');
      // The loop wakes up late: the timer comes first, the answer is read next.
      fire(3 * TIMEOUT_MS);
      answers.pop()?.(['svalue', -1, '']);
      await wait(0);
      fire(0);
      expect((await read)?.value).toBe('value');
    }
    const late = store.get('key');
    fire(TIMEOUT_MS);
    fire(0);
    expect(await late).toBeUndefined();
    expect(store.health?.().state).toBe('up');
    // Behind an answer that is late nothing waits; once that has come, everything goes on.
    expect(await store.get('key')).toBeUndefined();
    expect(answers).toHaveLength(1);
    answers.pop()?.(['svalue', -1, '']);
    await wait(0);
    const next = store.get('key');
    answers.pop()?.(['svalue', -1, '']);
    expect((await next)?.value).toBe('value');
    store.close?.();
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
    await eventually(here.clock, () => expect(warned.health?.().problems).toMatchObject([{ code: 'eviction-policy' }]));
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
