import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { createGateway } from '../../src/gateway.ts';
import { cache } from '../../src/middleware/cache.ts';
import { route } from '../../src/middleware/route.ts';
import { redisStore } from '../../src/stores/redis.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';
import { tcpProxy, type TcpProxy } from '../../src/testing/tcp-proxy.ts';
import { type RedisServer, startRedis } from '../redis-server.ts';
import { size } from '../size.ts';

const program = inject('redisProgram') ?? '';
const reason = program === '' ? ' (skipped: no redis-server)' : '';
const TIMEOUT_MS = 50;
/** A busy test machine adds to every wait. */
const SLACK_MS = 250;
const CALLS = size(40, 400);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function world() {
  const folder = mkdtempSync(join(tmpdir(), 'postern-cache-chaos-'));
  const server = (await startRedis(program, join(folder, 'server'))) as RedisServer;
  const path = join(folder, 'proxy');
  const proxy = await tcpProxy({ target: { path: server.socket }, path });
  const client = new Redis({ path, retryStrategy: () => 30 });
  const admin = new Redis({ path: server.socket, retryStrategy: () => null });
  for (const each of [client, admin]) each.on('error', () => undefined);
  const store = redisStore({ client, timeoutMs: TIMEOUT_MS, probeMs: 40 });
  const mock = mockProvider();
  mock.reply('answer');
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    use: [cache({ store }), route()],
  });
  cleanups.push(
    () => rmSync(folder, { recursive: true, force: true }),
    () => server.stop(),
    () => proxy.close(),
    () => client.disconnect(),
    () => admin.disconnect(),
    () => store.close?.(),
  );
  await gateway.chat('known');
  return { gateway, server, proxy, admin, store };
}
type World = Awaited<ReturnType<typeof world>>;

const FAULTS: Readonly<Record<string, (world: World) => unknown>> = {
  'is killed': ({ server }) => server.process.kill('SIGKILL'),
  'is stopped': ({ server }) => {
    cleanups.push(() => server.process.kill('SIGCONT'));
    server.process.kill('SIGSTOP');
  },
  'answers after 20 s': ({ proxy }: { proxy: TcpProxy }) => proxy.set({ latencyMs: 20_000 }),
  'is busy with a script that never ends': async ({ admin }) => {
    await admin.config('SET', 'busy-reply-threshold', '1');
    admin.eval('while true do end', 0).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
  },
  'has no room': ({ admin }) => admin.config('SET', 'maxmemory', '1'),
  'is a replica': ({ admin }) => admin.replicaof('127.0.0.1', 1),
  'lost its scripts': ({ admin }) => admin.script('FLUSH'),
};

// Time limits of 50 ms are real here: a machine that is busy with other things for longer gets another try.
describe.skipIf(program === '')(`a cache whose Redis${reason}`, { retry: 2 }, () => {
  it.each(Object.entries(FAULTS))('%s fails no call, and soon costs none any time', async (_name, strike) => {
    const here = await world();
    await strike(here);
    const waits: number[] = [];
    for (let call = 0; call < CALLS; call++) {
      const began = performance.now();
      const { text } = await here.gateway.chat(call % 2 === 0 ? 'known' : `question ${call}`);
      waits.push(performance.now() - began);
      expect(text).toBe('answer');
    }
    // Reading and writing wait for one time limit each, until the breaker opens.
    const sorted = waits.toSorted((one, other) => one - other);
    expect(sorted[Math.floor(CALLS * 0.5)]).toBeLessThan(TIMEOUT_MS);
    expect(sorted.at(-1)).toBeLessThan(2 * TIMEOUT_MS + SLACK_MS);
    const began = performance.now();
    for (let call = 0; call < CALLS; call++) await here.gateway.chat('known');
    expect(performance.now() - began).toBeLessThan(TIMEOUT_MS + SLACK_MS + CALLS);
  });
});
