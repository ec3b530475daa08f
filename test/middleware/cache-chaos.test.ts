import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { createGateway } from '../../src/gateway.ts';
import { cache, type CacheOptions } from '../../src/middleware/cache.ts';
import { route } from '../../src/middleware/route.ts';
import { redisStore } from '../../src/stores/redis.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';
import { tcpProxy } from '../../src/testing/tcp-proxy.ts';
import { type RedisServer, startRedis } from '../redis-server.ts';
import { size } from '../size.ts';
import { atOnce, outageClock, PROBE_MS, TIMEOUT_MS, unanswered } from '../stores/redis-outage.ts';

const program = inject('redisProgram') ?? '';
const reason = program === '' ? ' (skipped: no redis-server)' : '';
/** Failures in a row until nothing waits for the store any more. */
const FAILURES_MAX = 3;
const CALLS = size(40, 400);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function world(options: CacheOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-cache-chaos-'));
  const server = (await startRedis(program, join(folder, 'server'))) as RedisServer;
  const path = join(folder, 'proxy');
  const proxy = await tcpProxy({ target: { path: server.socket }, path });
  const client = new Redis({ path, retryStrategy: () => 30 });
  const admin = new Redis({ path: server.socket, retryStrategy: () => null });
  for (const each of [client, admin]) each.on('error', () => undefined);
  const clock = outageClock();
  const store = redisStore({ client, timeoutMs: TIMEOUT_MS, failuresMax: FAILURES_MAX, probeMs: PROBE_MS, clock });
  const mock = mockProvider();
  mock.reply('answer');
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    use: [cache({ store, ...options }), route()],
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
  return { clock, gateway, mock, server, proxy, admin, store };
}
type World = Awaited<ReturnType<typeof world>>;

interface Fault {
  readonly strike: (world: World) => unknown;
  /** Whether the server still answers, and the breaker stays shut. */
  readonly answers: boolean;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'is killed': { answers: false, strike: ({ server }) => server.process.kill('SIGKILL') },
  'is stopped': {
    answers: false,
    strike({ server }) {
      cleanups.push(() => server.process.kill('SIGCONT'));
      server.process.kill('SIGSTOP');
    },
  },
  'answers after 20 s': { answers: false, strike: ({ proxy }) => proxy.set({ latencyMs: 20_000 }) },
  'is busy with a script that never ends': {
    answers: false,
    async strike({ admin }) {
      await admin.config('SET', 'busy-reply-threshold', '1');
      admin.eval('while true do end', 0).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
  },
  'has no room': { answers: true, strike: ({ admin }) => admin.config('SET', 'maxmemory', '1') },
  'is a replica': { answers: true, strike: ({ admin }) => admin.replicaof('127.0.0.1', 1) },
  'lost its scripts': { answers: true, strike: ({ admin }) => admin.script('FLUSH') },
};

// The store's time passes only where a test lets it: no limit here can be missed because a machine is busy.
describe.skipIf(program === '')(`a cache whose Redis${reason}`, () => {
  it.each(Object.entries(FAULTS))('%s fails no call, and soon costs none any time', async (_name, fault) => {
    const here = await world();
    await fault.strike(here);
    const ask = fault.answers ? atOnce : unanswered;
    const waits: number[] = [];
    for (let call = 0; call < CALLS; call++) {
      const text = call % 2 === 0 ? 'known' : `question ${call}`;
      const { waitedMs, value } = await ask(here.clock, () => here.gateway.chat(text));
      waits.push(waitedMs);
      expect(value?.text).toBe('answer');
    }
    // A call waits for its read alone, whatever becomes of what it writes; and only until the breaker opens.
    expect(Math.max(...waits)).toBeLessThanOrEqual(fault.answers ? 0 : TIMEOUT_MS);
    expect(waits.filter((waitedMs) => waitedMs > 0).length).toBeLessThanOrEqual(FAILURES_MAX);
    expect(here.store.health?.().state).toBe(fault.answers ? 'up' : 'down');
    for (let call = 0; call < CALLS; call++) {
      expect(await atOnce(here.clock, () => here.gateway.chat('known'))).toMatchObject({ waitedMs: 0 });
    }
  });

  it.each(['is killed', 'is stopped', 'answers after 20 s'])(
    '%s costs a call one wait at most, also when it takes turns with other processes',
    async (name) => {
      const here = await world({ lock: true });
      await FAULTS[name]?.strike(here);
      for (let call = 0; call < 10; call++) {
        // It reads, asks for its turn, and reads again.
        const { waitedMs, value } = await unanswered(here.clock, () => here.gateway.chat(`question ${call}`));
        expect(waitedMs).toBeLessThanOrEqual(TIMEOUT_MS);
        expect(value?.text).toBe('answer');
      }
      expect(here.store.health?.().state).toBe('down');
    },
  );

  it('writes nothing a call waits for: not an answer, not a stream, not a failure that is remembered', async () => {
    const here = await world({ failureTtlMs: 60_000 });
    here.mock.on('too long').fail('context-too-long').always();
    here.mock.on('any').reply('answer').always();
    // `write-only` calls do not read, so whatever they wait for is a write; here that would be for ever.
    here.proxy.set({ hang: true });
    const only = { controls: { cache: { mode: 'write-only' } } } as const;
    const plain = await atOnce(here.clock, () => here.gateway.chat('any', only));
    expect(plain).toMatchObject({ waitedMs: 0, value: { text: 'answer' } });
    const stream = await atOnce(here.clock, () => here.gateway.stream('any', only).response);
    expect(stream).toMatchObject({ waitedMs: 0, value: { text: 'answer' } });
    const failed = await atOnce(here.clock, () => here.gateway.chat('too long', only));
    expect(failed).toMatchObject({ waitedMs: 0, error: { code: 'context-too-long' } });
  });
});
