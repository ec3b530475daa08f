import { createServer } from 'node:net';
import { Cluster, Redis } from 'ioredis';
import { createCluster } from 'redis';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Limit } from '../../src/core/counter-store.ts';
import { redisCounterStore, redisStore, type RedisClient } from '../../src/stores/redis.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';

const program = inject('redisProgram') ?? '';
const reason = program === '' ? ' (skipped: no redis-server)' : '';

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Two shards, so that a key in the wrong slot is refused. */
describe.skipIf(program === '')(`a real cluster of two shards${reason}`, () => {
  const servers: RedisServer[] = [];
  const ports: number[] = [];

  beforeAll(async () => {
    for (const slots of ['0 8191', '8192 16383']) {
      const port = await freePort();
      const bus = await freePort();
      const settings = [
        '--port',
        String(port),
        '--cluster-enabled',
        'yes',
        '--cluster-port',
        String(bus),
        '--bind',
        '127.0.0.1',
      ];
      const server = await startRedis(program, undefined, settings);
      if (server === undefined) throw new Error('no cluster node');
      servers.push(server);
      ports.push(port);
      const admin = new Redis({ path: server.socket });
      await admin.call('cluster', 'addslotsrange', ...slots.split(' '));
      if (ports.length === 2)
        await admin.call('cluster', 'meet', '127.0.0.1', String(ports[0]), String(await busOf(servers[0])));
      for (let round = 0; ports.length === 2 && round < 500; round++) {
        if (String(await admin.call('cluster', 'info')).includes('cluster_state:ok')) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      admin.disconnect();
    }
  }, 20_000);
  afterAll(async () => {
    for (const server of servers) await server.stop();
  });

  async function busOf(server: RedisServer | undefined): Promise<string> {
    const admin = new Redis({ path: server?.socket ?? '' });
    const [, port] = (await admin.config('GET', 'cluster-port')) as string[];
    admin.disconnect();
    return port ?? '';
  }

  /** Prefixes that land on both shards. */
  const prefixes = ['a', 'b', 'c', 'd', 'e', 'f'];

  async function exercise(client: RedisClient, name: string): Promise<void> {
    for (const prefix of prefixes.map((one) => name + one)) {
      const store = redisStore({ client, prefix, timeoutMs: 5_000 });
      expect(await store.set('tenant:key{x}', 'value', { tags: ['tag', '{y}'] })).toBe('stored');
      expect((await store.get('tenant:key{x}'))?.value).toBe('value');
      await store.invalidate({ tag: '{y}' });
      expect(await store.get('tenant:key{x}')).toBeUndefined();
      await store.set('tenant:other', 'value');
      await store.invalidate({ prefix: 'tenant:' });
      expect(await store.get('tenant:other')).toBeUndefined();
      const counters = redisCounterStore({ client, prefix, timeoutMs: 5_000 });
      const limits: Limit[] = [
        { kind: 'total', key: 'k{1}', maximum: 10, amount: 6 },
        { kind: 'concurrency', key: 'k{2}', maximum: 5, amount: 1 },
      ];
      expect(await counters.reserve({ id: 'a', limits, ttlMs: 1_000 })).toMatchObject({ admitted: true });
      expect(await counters.reserve({ id: 'b', limits, ttlMs: 1_000 })).toMatchObject({ admitted: false });
      expect(await counters.lease('a', 5_000)).toBe(true);
      expect((await counters.settle('a', { units: 2 })).limits.map((limit) => limit.used)).toEqual([2, 0]);
    }
  }

  it('serves both stores through ioredis', async () => {
    const client = new Cluster([{ host: '127.0.0.1', port: ports[0] ?? 0 }]);
    client.on('error', () => undefined);
    await exercise(client, 'io');
    client.disconnect();
  });

  it('serves both stores through node-redis', async () => {
    const client = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${ports[0]}` }] });
    client.on('error', () => undefined);
    await client.connect();
    await exercise(client, 'node');
    client.destroy();
  });
});
