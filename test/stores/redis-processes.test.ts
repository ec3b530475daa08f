import { fork, type ChildProcess } from 'node:child_process';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { Limit } from '../../src/core/counter-store.ts';
import { redisCounterStore } from '../../src/stores/redis.ts';
import { size } from '../size.ts';

const socket = inject('redisSocket') ?? '';
const reason = socket === '' ? ' (skipped: no redis-server)' : '';
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Report {
  readonly admitted: number;
  readonly spent: number;
  readonly overs: number;
}

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function startWorker(): Promise<ChildProcess> {
  const child = fork(new URL('./counter-worker.ts', import.meta.url));
  children.push(child);
  await new Promise((resolve) => child.once('message', resolve));
  return child;
}

function report(child: ChildProcess): Promise<Report> {
  return new Promise((resolve) => child.once('message', (message) => resolve(message as Report)));
}

describe.skipIf(socket === '')(`four processes on one budget (reliability 4.7)${reason}`, () => {
  it('never overspend, never exceed the places, and leave nothing held though one is killed (BUD-01, BUD-02, BUD-03)', async () => {
    const client = new Redis({ path: socket });
    const prefix = `processes${process.pid}`;
    const store = redisCounterStore({ client, prefix, timeoutMs: 10_000 });
    const cost: Limit = { kind: 'total', key: 'cost', unit: 'cost', maximum: size(2_000, 60_000), amount: 10 };
    const places: Limit = { kind: 'concurrency', key: 'places', unit: 'places', maximum: 24, amount: 1 };
    const limits = [cost, places];
    const order = { socket, prefix, calls: size(400, 5_000), concurrent: 16, limits, ttlMs: 60_000, hold: false };

    const workers = await Promise.all(Array.from({ length: 4 }, startWorker));
    const [doomed, ...rest] = workers as [ChildProcess, ...ChildProcess[]];
    // One takes ten places and dies with them.
    const holding = report(doomed);
    doomed.send({ ...order, worker: 0, calls: 10, ttlMs: 700, hold: true });
    expect((await holding).admitted).toBe(10);
    doomed.kill('SIGKILL');
    const held = (await store.remaining([places]))[0]?.held;
    expect(held).toBe(10);

    const reports = rest.map(report);
    rest.forEach((child, index) => child.send({ ...order, worker: index + 1 }));
    const outcomes = await Promise.all(reports);
    const spent = outcomes.reduce((sum, outcome) => sum + outcome.spent, 0);
    expect(outcomes.map((outcome) => outcome.overs)).toEqual([0, 0, 0]);
    expect(Math.min(...outcomes.map((outcome) => outcome.admitted))).toBeGreaterThan(0);
    expect(spent).toBeLessThanOrEqual(Number(cost.maximum));

    await wait(700);
    const states = await store.remaining(limits);
    expect(states.map((state) => state.held)).toEqual([0, 0]);
    expect(states[0]?.used).toBe(spent);
    client.disconnect();
  });
});
