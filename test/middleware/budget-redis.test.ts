import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { GatewayEvents } from '../../src/core/events.ts';
import { createGateway } from '../../src/gateway.ts';
import { type BudgetOptions, budget } from '../../src/middleware/budget.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { redisCounterStore } from '../../src/stores/redis.ts';
import { mockProvider } from '../../src/testing/index.ts';
import { tcpProxy } from '../../src/testing/tcp-proxy.ts';
import { type RedisServer, startRedis } from '../redis-server.ts';

const socket = inject('redisSocket');
const program = inject('redisProgram');
const reason = socket === '' ? ' (skipped: no redis-server)' : '';
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function world(options: Partial<BudgetOptions>) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-budget-'));
  const server = (await startRedis(program, join(folder, 'server'))) as RedisServer;
  const path = join(folder, 'proxy');
  const proxy = await tcpProxy({ target: { path: server.socket }, path });
  const client = new Redis({ path, retryStrategy: () => 20 });
  client.on('error', () => undefined);
  cleanups.push(
    () => rmSync(folder, { recursive: true, force: true }),
    () => server.stop(),
    () => proxy.close(),
    () => client.disconnect(),
  );
  const store = redisCounterStore({ client, timeoutMs: 200, probeMs: 40, failuresMax: 2 });
  const mock = mockProvider();
  mock.otherwise.reply('ok');
  const limited = budget({ store, limits: [{ name: 'requests', requests: 20 }], ...options });
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    use: [limited, retry(), route()],
  });
  // A first look, so that a busy machine's slow start is no outage.
  await eventually(async () => void (await limited.remaining({})));
  const modes: GatewayEvents['limit-mode'][] = [];
  gateway.on('limit-mode', (event) => modes.push(event));
  const ask = (): Promise<string> =>
    gateway.chat('x').then(
      () => 'ok',
      (error: { code: string }) => error.code,
    );
  const many = async (count: number): Promise<string[]> => Promise.all(Array.from({ length: count }, ask));
  const used = async (): Promise<number> => (await limited.remaining({}))[0]?.used ?? Number.NaN;
  const admin = (): Redis => {
    const direct = new Redis({ path: server.socket });
    cleanups.push(() => direct.disconnect());
    return direct;
  };
  return { server, admin, proxy, gateway, limited, mock, modes, ask, many, used };
}

async function eventually(check: () => Promise<void>): Promise<void> {
  const end = performance.now() + 2_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await wait(20);
    }
  }
}

const HEALTHY = ['ok', 'ok', 'ok'];
const count = (said: readonly string[], word: string): number => said.filter((one) => one === word).length;

describe.skipIf(socket === '')(`a budget whose store is away (BUD-04)${reason}`, () => {
  it('denies, says so, and is itself again within two seconds', async () => {
    const { proxy, many, modes, ask, mock, used } = await world({ onStoreDown: 'deny' });
    expect(await many(3)).toEqual(HEALTHY);
    proxy.set({ latencyMs: 20_000 });
    expect(count(await many(6), 'unavailable')).toBe(6);
    expect(mock.calls).toHaveLength(3);
    expect(modes).toMatchObject([{ middleware: 'budget', store: 'redis', mode: 'deny' }]);
    proxy.reset();
    proxy.set({});
    await eventually(async () => expect(await ask()).toBe('ok'));
    expect(modes.map(({ mode }) => mode)).toEqual(['deny', 'store']);
    await eventually(async () => expect(await used()).toBe(4));
  });

  it('lets a process have its share of what was left and no more, and counts it when the store is back', async () => {
    const { proxy, many, modes, used } = await world({ onStoreDown: 'localShare', replicas: 4 });
    expect(await many(3)).toEqual(HEALTHY);
    proxy.set({ hang: true });
    const said = await many(12);
    expect([count(said, 'ok'), count(said, 'budget-exceeded')]).toEqual([4, 8]);
    expect(modes.map(({ mode }) => mode)).toEqual(['localShare']);
    proxy.set({});
    await eventually(async () => expect(await used()).toBe(7));
  });

  it('lets everything pass, and counts it once when the store is back', async () => {
    const { proxy, many, modes, used } = await world({ onStoreDown: 'allow' });
    expect(await many(3)).toEqual(HEALTHY);
    proxy.set({ refuse: true });
    proxy.reset();
    expect(count(await many(30), 'ok')).toBe(30);
    expect(modes.map(({ mode }) => mode)).toEqual(['allow']);
    proxy.set({});
    await eventually(async () => expect(await used()).toBe(33));
    await wait(100);
    expect(await used()).toBe(33);
  });

  it('counts on after a killed server came back empty', async () => {
    const { server, many, ask, used } = await world({ onStoreDown: 'deny' });
    expect(await many(3)).toEqual(HEALTHY);
    server.process.kill('SIGKILL');
    await wait(30);
    expect(await ask()).toBe('unavailable');
    const next = (await startRedis(program, server.socket)) as RedisServer;
    cleanups.push(() => next.stop());
    await eventually(async () => expect(await ask()).toBe('ok'));
    await eventually(async () => expect(await used()).toBe(1));
  });

  it.each([
    [
      'OOM',
      (admin: Redis) => admin.config('SET', 'maxmemory', '1'),
      (admin: Redis) => admin.config('SET', 'maxmemory', '0'),
    ],
    ['READONLY', (admin: Redis) => admin.replicaof('127.0.0.1', 1), (admin: Redis) => admin.replicaof('NO', 'ONE')],
  ] as const)(
    'lets pass what a server that answers %s cannot count, and counts it later',
    async (_name, spoil, heal) => {
      const { admin, many, modes, used } = await world({ onStoreDown: 'allow' });
      const direct = admin();
      expect(await many(3)).toEqual(HEALTHY);
      await eventually(async () => expect(await used()).toBe(3));
      await spoil(direct);
      expect(await many(5)).toEqual([...HEALTHY, 'ok', 'ok']);
      expect(modes.map(({ mode }) => mode)).toEqual(['allow']);
      await heal(direct);
      await eventually(async () => expect(await used()).toBe(8));
    },
  );

  it('does not notice that scripts were flushed', async () => {
    const { admin, many, modes, used } = await world({ onStoreDown: 'deny' });
    expect(await many(3)).toEqual(HEALTHY);
    await admin().script('FLUSH');
    expect(await many(3)).toEqual(HEALTHY);
    await eventually(async () => expect(await used()).toBe(6));
    expect(modes).toEqual([]);
  });

  it('tells of a server that may drop limits (CACHE-14)', async () => {
    const { admin, gateway, ask } = await world({});
    await admin().config('SET', 'maxmemory-policy', 'allkeys-lru');
    const problems: string[] = [];
    gateway.on('problem', ({ stage, error }) => problems.push(`${stage}: ${error.message}`));
    expect(await ask()).toBe('ok');
    expect(await ask()).toBe('ok');
    await eventually(async () => expect(problems).toEqual([expect.stringMatching(/^budget.store: .*allkeys-lru/)]));
  });
});
