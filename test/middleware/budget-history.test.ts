import { type ChildProcess, fork } from 'node:child_process';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { budget } from '../../src/middleware/budget.ts';
import { redisCounterStore } from '../../src/stores/redis.ts';
import { type RedisServer, startRedis } from '../redis-server.ts';
import { full, size } from '../size.ts';
import type { Message, Order, Report } from './budget-worker.ts';
import { checkHistory, type Decision, decisionsOf, type Heard, monitorRedis } from './decision-history.ts';

const program = inject('redisProgram');
const reason = program === '' ? ' (skipped: no redis-server)' : '';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Worker {
  readonly child: ChildProcess;
  readonly heard: Heard[];
  /** Resolves when attempts of it hang. */
  readonly stuck: Promise<void>;
  readonly report: Promise<Report>;
}

async function startWorker(): Promise<Worker> {
  const child = fork(new URL('./budget-worker.ts', import.meta.url), { execArgv: ['--conditions=postern-source'] });
  cleanups.push(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.once('message', resolve));
  const heard: Heard[] = [];
  let isStuck = (): void => undefined;
  let reported = (_report: Report): void => undefined;
  const stuck = new Promise<void>((resolve) => (isStuck = resolve));
  const report = new Promise<Report>((resolve) => (reported = resolve));
  child.on('message', (message: Message) => {
    if ('heard' in message) heard.push(...message.heard);
    else if ('stuck' in message) isStuck();
    else reported(message.report);
  });
  return { child, heard, stuck, report };
}

describe('the check of a history', () => {
  const limit = { kind: 'total', key: 'k', unit: 'costUsd', maximum: 10, amount: 6 } as const;
  const asked = { operation: 'reserve', now: 0, ttlMs: 10, limits: [limit] } as const;
  const first: Decision = { ...asked, id: 'a', told: { admitted: true, states: [{ used: 0, held: 6 }] } };

  it('accepts what a sequential budget would do', () => {
    const refused: Decision = { ...asked, id: 'b', told: { admitted: false, states: [{ used: 0, held: 6 }] } };
    const states = [{ used: 4, held: 0 }];
    const settled: Decision = {
      ...{ operation: 'settle', id: 'a', now: 1, actual: { costUsd: 4 } },
      told: { status: 'settled', states },
    };
    const late: Decision = { ...asked, id: 'c', now: 2 };
    const verdict = checkHistory([first, refused, settled, late, { operation: 'remaining', id: '', now: 12 }]);
    expect(verdict).toMatchObject({ decisions: 5, admitted: 2, denied: 1, unheard: 2, expired: 1 });
    expect(verdict.most.get('k')).toBe(10);
    expect(verdict.end.get('k')).toEqual({ used: 4, held: 0 });
  });

  it('knows that a call whose lease ended still settles what it spent, even above the limit', () => {
    const other: Decision = { ...asked, id: 'b', now: 11, told: { admitted: true, states: [{ used: 0, held: 6 }] } };
    const settled = { ...settle('settled'), now: 12, told: { status: 'settled', states: [{ used: 6, held: 6 }] } };
    const verdict = checkHistory([first, other, settled]);
    expect(verdict.late.get('k')).toBe(6);
    expect(verdict.most.get('k')).toBe(6);
    expect(verdict.expired).toBe(1);
  });

  it.each<[string, readonly Decision[]]>([
    ['admits too much', [first, { ...asked, id: 'b', told: { admitted: true, states: [] } }]],
    ['denies what fits', [{ ...first, told: { admitted: false, states: [] } }]],
    ['tells another amount', [{ ...first, told: { admitted: true, states: [{ used: 0, held: 5 }] } }]],
    ['writes another amount', [{ ...first, written: new Map([['k', { used: 1, held: 6 }]]) }]],
    ['counts a settlement twice', [first, ...['settled', 'settled'].map((status) => settle(status))]],
    ['overspends when it settles', [first, { ...settle('settled'), actual: { costUsd: 11 } }]],
  ])('finds a store that %s', (_what, history) => {
    expect(() => checkHistory(history)).toThrow(/^decision \d/);
  });

  function settle(status: string): Decision {
    return { operation: 'settle', id: 'a', now: 1, actual: { costUsd: 6 }, told: { status, states: [] } };
  }
});

describe.skipIf(program === '')(`a budget that four processes share (reliability 4.7)${reason}`, () => {
  const calls = size(80, 5_000);
  const atOnce = size(16, 64);
  const leaseMs = size(1_500, 5_000);

  it(
    `equals a sequential budget over ${calls * 4} calls, at every decision, though one process is killed (BUD-01, BUD-02, BUD-03)`,
    async () => {
      const server = (await startRedis(program)) as RedisServer;
      cleanups.push(() => server.stop());
      const { socket } = server;
      const client = new Redis({ path: socket });
      cleanups.push(() => client.disconnect());
      const prefix = 'history';
      const maximum = calls * 4 * 8;
      const concurrent = 24;
      const costUsd = (maximum / 1e9).toFixed(9);
      const limited = budget({
        store: redisCounterStore({ client, prefix, timeoutMs: 10_000 }),
        limits: [
          { name: 'cost', costUsd },
          { name: 'places', concurrent },
        ],
      });
      // The server knows the script from here on, so that every EVALSHA it shows is a decision.
      await limited.remaining({});
      const monitor = await monitorRedis(socket);
      const workers = await Promise.all(Array.from({ length: 4 }, startWorker));
      const order = { socket, prefix, calls, atOnce, costUsd, concurrent, leaseMs };
      const begin = (worker: number): void => {
        workers[worker]?.child.send({ ...order, worker, doomed: worker === 0 } satisfies Order);
      };
      const [doomed, ...rest] = workers as [Worker, ...Worker[]];
      begin(0);
      await doomed.stuck;
      // The others run with it, and go on when it is dead.
      for (const worker of [1, 2, 3]) begin(worker);
      await new Promise((resolve) => setTimeout(resolve, 50));
      doomed.child.kill('SIGKILL');
      const reports = await Promise.all(rest.map(({ report }) => report));
      await new Promise((resolve) => setTimeout(resolve, leaseMs + 200));
      const states = await limited.remaining({});
      const lines = await monitor.stop();
      const heard = workers.flatMap((worker) => worker.heard);
      const verdict = checkHistory(decisionsOf(lines, prefix, heard));

      const key = (name: string): string => [...verdict.most.keys()].find((one) => one.includes(name)) as string;
      if (full) process.stderr.write(`${inspect([verdict, reports], { depth: 4 })}\n`);
      expect(verdict.decisions).toBeGreaterThan(calls * 4);
      expect(verdict.unheard).toBeGreaterThan(0);
      expect(verdict.expired).toBeGreaterThanOrEqual(5);
      expect(verdict.denied).toBeGreaterThan(0);
      expect(verdict.most.get(key('cost'))).toBeLessThanOrEqual(maximum);
      expect(verdict.most.get(key('places'))).toBeLessThanOrEqual(concurrent);
      expect(verdict.most.get(key('places'))).toBeGreaterThan(5);
      expect(reports.flatMap(({ other }) => other)).toEqual([]);
      expect(Math.min(...reports.map(({ answered }) => answered))).toBeGreaterThan(0);
      const used = verdict.end.get(key('cost'))?.used as number;
      expect(states).toMatchObject([
        { name: 'cost', used, held: 0 },
        { name: 'places', used: 0, held: 0 },
      ]);
      expect(used).toBeGreaterThanOrEqual(reports.reduce((sum, { spent }) => sum + spent, 0));
      expect(used - (verdict.late.get(key('cost')) ?? 0)).toBeLessThanOrEqual(maximum);
    },
    size(30_000, 300_000),
  );
});
