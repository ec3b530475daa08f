import { Redis as Valkey } from 'iovalkey';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { redisStore, type RedisClient } from '../../src/stores/redis.ts';
import { storeContract } from '../../src/testing/store-contract.ts';

const socket = inject('redisSocket') ?? '';
const reason = socket === '' ? ' (skipped: no redis-server)' : '';
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let prefixes = 0;
/** Every subject has a prefix of its own. A busy test machine must not look like a slow Redis. */
const options = (client: RedisClient) => ({ client, prefix: `test${prefixes++}`, timeoutMs: 5_000 });

describe.skipIf(socket === '')(`redisStore over ioredis${reason}`, () => {
  const client = new Redis({ path: socket, lazyConnect: true });
  afterAll(() => client.disconnect());

  for (const { name, run } of storeContract(() => ({ store: redisStore(options(client)), advance: wait })))
    it(name, run);

  it('works with a client that has a key prefix of its own', async () => {
    const prefixed = new Redis({ path: socket, keyPrefix: 'app*:' });
    const store = redisStore(options(prefixed));
    await store.set('tenant:a', '1', { tags: ['tag'] });
    await store.set('tenant:b', '2');
    await store.set('other', '3');
    await store.invalidate({ tag: 'tag' });
    expect(await store.get('tenant:a')).toBeUndefined();
    await store.invalidate({ prefix: 'tenant:' });
    expect(await store.get('tenant:b')).toBeUndefined();
    expect((await store.get('other'))?.value).toBe('3');
    prefixed.disconnect();
  });

  it('loses entries rather than bring back invalidated ones when the server evicts a tag (CACHE-14)', async () => {
    const own = options(client);
    const store = redisStore(own);
    await store.set('key', 'old', { tags: ['tag'] });
    await client.del(`{${own.prefix}}:t:tag`);
    expect(await store.get('key')).toBeUndefined();
    await store.set('other', 'new', { tags: ['tag'] });
    expect(await store.get('key')).toBeUndefined();
    expect((await store.get('other'))?.value).toBe('new');
  });

  it('puts one hash tag around the prefix of every key', async () => {
    const own = options(client);
    const store = redisStore(own);
    await store.set('a{x}', '1', { tags: ['x', '{y}'] });
    await store.set('b', '2');
    const keys = await client.keys('*');
    expect(keys.filter((key) => key.includes(own.prefix) && key.startsWith(`{${own.prefix}}:`))).toHaveLength(4);
  });

  it('gives every entry an end, so that nothing invalidated stays for ever', async () => {
    const own = { ...options(client), ttlMs: 5_000 };
    await redisStore(own).set('a', '1', { tags: ['x'] });
    for (const key of await client.keys(`{${own.prefix}}*`)) expect(await client.pttl(key)).toBeGreaterThan(0);
  });

  it('refuses what is too large', async () => {
    const store = redisStore({ ...options(client), valueSizeMax: 10 });
    expect(await store.set('key', 'small')).toBe('stored');
    expect(await store.set('key', 'far too large')).toBe('refused');
    expect(await store.get('key')).toBeUndefined();
  });

  it('holds each caller its own through 5,000 concurrent tagged requests (CACHE-15)', async () => {
    const store = redisStore(options(client));
    await Promise.all(
      Array.from({ length: 5_000 }, async (_, index) => {
        await store.set(`k${index % 500}`, `answer ${index % 500}`);
        expect((await store.get(`k${index % 500}`))?.value).toBe(`answer ${index % 500}`);
      }),
    );
  });
});

describe.skipIf(socket === '')(`redisStore over node-redis${reason}`, () => {
  const client = createClient({ socket: { path: socket, tls: false } });
  afterAll(() => client.destroy());

  for (const { name, run } of storeContract(async () => {
    if (!client.isOpen) await client.connect();
    return { store: redisStore(options(client)), advance: wait };
  })) {
    it(name, run);
  }
});

describe.skipIf(socket === '')(`redisStore over iovalkey${reason}`, () => {
  const client = new Valkey({ path: socket, lazyConnect: true });
  afterAll(() => client.disconnect());

  for (const { name, run } of storeContract(() => ({ store: redisStore(options(client)), advance: wait })))
    it(name, run);
});

describe('redisStore options', () => {
  const client = { call: async () => null };

  it.each([
    ['client', { client: {} as RedisClient }],
    ['prefix', { client, prefix: 'a{b}' }],
    ['prefix', { client, prefix: '' }],
    ['timeoutMs', { client, timeoutMs: 0 }],
    ['probeMs', { client, probeMs: 1.5 }],
    ['failuresMax', { client, failuresMax: 0 }],
    ['ttlMs', { client, ttlMs: -1 }],
    ['valueSizeMax', { client, valueSizeMax: 0 }],
  ])('refuses a wrong %s', (field, wrong) => {
    expect(() => redisStore(wrong)).toThrowError(expect.objectContaining({ code: 'invalid-options', field }));
  });
});
