import fc from 'fast-check';
import { Redis } from 'ioredis';
import { Redis as Valkey } from 'iovalkey';
import { createClient } from 'redis';
import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Limit } from '../../src/core/counter-store.ts';
import { redisCounterStore, type RedisClient } from '../../src/stores/redis.ts';
import { counterStoreContract } from '../../src/testing/counter-store-contract.ts';
import { size } from '../size.ts';
import { commands, compareWithReference } from './counter-model.ts';
import { manualClock } from './manual-clock.ts';

const socket = inject('redisSocket') ?? '';
const reason = socket === '' ? ' (skipped: no redis-server)' : '';
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let prefixes = 0;
/** Every subject has a prefix of its own. A busy test machine must not look like a slow Redis. */
const options = (client: RedisClient) => ({ client, prefix: `counters${prefixes++}`, timeoutMs: 5_000 });
const subject = (client: RedisClient) => ({
  store: redisCounterStore(options(client)),
  now: () => Date.now(),
  advance: wait,
});

describe.skipIf(socket === '')(`redisCounterStore over ioredis${reason}`, () => {
  const client = new Redis({ path: socket, lazyConnect: true });
  afterAll(() => client.disconnect());

  for (const { name, run } of counterStoreContract(() => subject(client))) it(name, run);

  it('equals the sequential reference under random commands (invariants 5 and 12)', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (list) => {
        const clock = manualClock();
        const own = { ...options(client), clock, time: 'clock' as const };
        await compareWithReference(redisCounterStore(own), clock, list);
      }),
      { numRuns: size(150, 5_000), seed: 23 },
    );
  });

  it('works with a client that has a key prefix of its own', async () => {
    const prefixed = new Redis({ path: socket, keyPrefix: 'app:' });
    const store = redisCounterStore(options(prefixed));
    const limits: Limit[] = [{ kind: 'total', key: 'k', maximum: 10, amount: 6 }];
    expect((await store.reserve({ id: 'a', limits, ttlMs: 1_000 })).admitted).toBe(true);
    expect((await store.reserve({ id: 'b', limits, ttlMs: 1_000 })).admitted).toBe(false);
    expect((await store.settle('a', { units: 1 })).limits[0]).toMatchObject({ used: 1, held: 0 });
    prefixed.disconnect();
  });

  it('takes one command a decision, whatever the number of limits', async () => {
    const store = redisCounterStore(options(client));
    const limits = Array.from(
      { length: 20 },
      (_, index): Limit => ({ kind: 'total', key: `k${index}`, maximum: 9, amount: 1 }),
    );
    await store.reserve({ id: 'warm', limits, ttlMs: 1_000 });
    let sent = 0;
    const counting = { call: (command: string, ...args: string[]) => (sent++, client.call(command, ...args)) };
    const counted = redisCounterStore(options(counting));
    await counted.check?.();
    sent = 0;
    await counted.reserve({ id: 'a', limits, ttlMs: 1_000 });
    await counted.settle('a', {});
    expect(sent).toBe(2);
  });

  it('decides by the time of the server, not of the caller (BUD-14)', async () => {
    const own = options(client);
    const wrong = manualClock(0);
    const stores = [
      redisCounterStore(own),
      redisCounterStore({ ...own, clock: { ...wrong, after: () => ({ cancel() {} }) } }),
    ];
    const limits: Limit[] = [
      { kind: 'rate', key: 'r', maximum: 1, periodMs: 60_000, amount: 1, charged: 'on-reserve' },
    ];
    expect((await stores[0]?.reserve({ id: 'a', limits, ttlMs: 1_000 }))?.admitted).toBe(true);
    expect((await stores[1]?.reserve({ id: 'b', limits, ttlMs: 1_000 }))?.admitted).toBe(false);
  });

  it('survives a fail-over to a clock 5 s off (BUD-14)', async () => {
    for (const stepMs of [-5_000, 5_000, -3_600_000]) {
      const clock = manualClock();
      const store = redisCounterStore({ ...options(client), clock, time: 'clock' });
      const limits: Limit[] = [
        { kind: 'rate', key: 'r', maximum: 10, periodMs: 1_000, amount: 1, charged: 'on-reserve' },
      ];
      let id = 0;
      const burst = async (): Promise<number> => {
        let count = 0;
        while ((await store.reserve({ id: String(id++), limits, ttlMs: 1_000 })).admitted) count++;
        return count;
      };
      expect(await burst()).toBe(10);
      clock.step(stepMs);
      expect(await burst()).toBeLessThanOrEqual(Math.max(0, (stepMs / 1_000) * 10));
      clock.advance(6_000);
      expect(await burst()).toBe(10);
    }
  });

  it('leaves no key without an end, except totals', async () => {
    const own = options(client);
    const store = redisCounterStore(own);
    const limits: Limit[] = [
      { kind: 'total', key: 't', maximum: 9, amount: 1 },
      { kind: 'rate', key: 'r', maximum: 9, periodMs: 1_000, amount: 1 },
      { kind: 'window', key: 'w', window: '1', endsAt: Date.now() + 1_000, maximum: 9, amount: 1 },
      { kind: 'concurrency', key: 'c', maximum: 9, amount: 1 },
    ];
    await store.reserve({ id: 'a', limits, ttlMs: 1_000 });
    await store.reserve({ id: 'b', limits, ttlMs: 1_000 });
    await store.settle('b', {});
    const keys = await client.keys(`{${own.prefix}}*`);
    expect(keys.length).toBe(10);
    for (const key of keys) {
      if (key.endsWith('s:t:t')) expect(await client.pttl(key)).toBe(-1);
      else expect(await client.pttl(key)).toBeGreaterThan(0);
    }
  });
});

describe.skipIf(socket === '')(`redisCounterStore over node-redis${reason}`, () => {
  const client = createClient({ socket: { path: socket, tls: false } });
  afterAll(() => client.destroy());

  for (const { name, run } of counterStoreContract(async () => {
    if (!client.isOpen) await client.connect();
    return subject(client);
  })) {
    it(name, run);
  }
});

describe.skipIf(socket === '')(`redisCounterStore over iovalkey${reason}`, () => {
  const client = new Valkey({ path: socket, lazyConnect: true });
  afterAll(() => client.disconnect());

  for (const { name, run } of counterStoreContract(() => subject(client))) it(name, run);
});

describe('redisCounterStore options', () => {
  const client = { call: async () => null };

  it.each([
    ['client', { client: { get: () => null } as unknown as RedisClient }],
    ['endingsMax', { client, endingsMax: 0 }],
    ['timeoutMs', { client, timeoutMs: -1 }],
    ['onEvictionPolicy', { client, onEvictionPolicy: 'no' as 'warn' }],
    ['time', { client, time: 'mine' as 'clock' }],
    ['prefix', { client, prefix: '}' }],
  ])('refuses a wrong %s', (field, wrong) => {
    expect(() => redisCounterStore(wrong)).toThrowError(expect.objectContaining({ code: 'invalid-options', field }));
  });
});
