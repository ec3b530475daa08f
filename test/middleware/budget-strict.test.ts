import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CounterStore, ReserveReply, SettleReply } from '../../src/core/counter-store.ts';
import { createGateway } from '../../src/gateway.ts';
import { budget } from '../../src/middleware/budget.ts';
import { type AttemptOutcome, defineMiddleware } from '../../src/core/middleware.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { createPriceTable } from '../../src/pricing/index.ts';
import { memoryCounterStore } from '../../src/stores/memory.ts';
import { fakeClock, mockProvider } from '../../src/testing/index.ts';
import { full, size } from '../size.ts';
import { checkHistory, type Decision, standings } from './decision-history.ts';
import { seededRandom } from '../../src/testing/script/random.ts';

/** 1 nano-dollar a token. */
const prices = createPriceTable({ overrides: { 'mock/*': { tokens: { input: '0.001', output: '0.001' } } } });

/** Writes down every decision of a store that answers at once: the recorded history of a budget. */
function recorded(store: CounterStore, now: () => number) {
  const counts: Record<string, number> = { reserved: 0, settled: 0, released: 0 };
  const history: Decision[] = [];
  const end = (
    asked: Pick<Decision, 'operation' | 'id'> & Partial<Decision>,
    { status, limits }: SettleReply,
  ): SettleReply => {
    counts[status] = (counts[status] ?? 0) + 1;
    history.push({ ...asked, now: now(), told: { status, states: standings(limits) } });
    return { status, limits };
  };
  const recording: CounterStore = {
    name: store.name,
    reserve(request) {
      const reply = store.reserve(request) as ReserveReply;
      const { id, limits, ttlMs } = request;
      const told = { admitted: reply.admitted, states: standings(reply.limits) };
      history.push({ operation: 'reserve', id, limits, ttlMs, now: now(), told });
      if (reply.admitted) counts['reserved'] = (counts['reserved'] ?? 0) + 1;
      return reply;
    },
    settle(id, actual, limits) {
      const asked = { operation: 'settle', id, actual: actual as Record<string, number> } as const;
      return end(limits === undefined ? asked : { ...asked, limits }, store.settle(id, actual, limits) as SettleReply);
    },
    release: (id) => end({ operation: 'release', id }, store.release(id) as SettleReply),
    lease(id, ttlMs) {
      history.push({ operation: 'lease', id, ttlMs, now: now() });
      return store.lease(id, ttlMs);
    },
    remaining: (limits) => store.remaining(limits),
    adjust: (id, limit, change) => store.adjust(id, limit, change),
  };
  return { store: recording, counts, history };
}

const CALLS = size(2_000, 20_000);

/** Random calls of random cost against one gateway; gives what was seen. */
async function storm(seed: number, calls: number, maximum: number) {
  const clock = fakeClock(Date.parse('2026-11-22T10:00:00Z'));
  const mock = mockProvider();
  const next = seededRandom(seed);
  const random = (below: number): number => Math.floor(next() * below);
  mock.on('fine').reply(({ text }) => ({ text: 'ok', usage: { input: 5, output: Number(text.split(' ')[1]) } }));
  mock
    .on('slow')
    .reply(({ text }) => ({ text: 'ok', usage: { input: 5, output: Number(text.split(' ')[1]) } }))
    .delay(40);
  mock.on('fail').fail(503);
  mock.on('cut').reply('one two three four').cut({ content: 2 });
  mock.on('flow').reply('one two three four five six').pace({ pieceDelayMs: 3 });
  const { store, counts, history } = recorded(memoryCounterStore({ clock }), () => clock.now());
  const rows: { readonly id: string; readonly outcome: AttemptOutcome }[] = [];
  const recorder = defineMiddleware(
    {
      name: 'recorder',
      attempt: ({ attempt }) => ({ end: (outcome) => void rows.push({ id: attempt?.id ?? '', outcome }) }),
    },
    (call, next) => next(call),
  );
  const limited = budget({
    onExhausted: 'wait',
    prices,
    store,
    limits: [{ name: 'cost', costUsd: (maximum / 1e9).toFixed(9) }, { concurrent: 32 }],
  });
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    use: [recorder, limited, retry({ baseMs: 1 }), route()],
    clock,
  });
  const kinds: readonly string[] = ['fine', 'fine', 'fine', 'slow', 'fail', 'cut', 'flow'];
  let made = 0;
  const runner = async (): Promise<void> => {
    while (made < calls) {
      made++;
      const kind = kinds[random(kinds.length)] as string;
      const most = 1 + random(200);
      const content = `${kind} ${random(most + 1)}`;
      const request = { messages: [{ role: 'user', content }] as const, maxTokens: most };
      const signal = random(10) === 0 ? AbortSignal.abort() : undefined;
      const timeoutMs = random(8) === 0 ? 20 : 5_000;
      const options = { timeoutMs, ...(signal !== undefined && { signal }) };
      if (kind === 'flow' || kind === 'cut') {
        const stream = gateway.stream(request, options);
        let read = 0;
        const leave = random(3);
        try {
          for await (const _ of stream.text) if (++read > leave) break;
        } catch {}
      } else {
        await gateway.chat(request, options).catch(() => undefined);
      }
    }
  };
  await clock.settled(Promise.all(Array.from({ length: 64 }, runner)));
  await gateway.close();
  const done = rows.filter(({ outcome }) => outcome.status !== 'refused');
  const spent = done.reduce((sum, { outcome }) => sum + (outcome.usage?.total ?? 0), 0);
  const attempts = done.length;
  return { history, counts, spent, attempts, states: await limited.remaining({}), rows };
}

describe('a strict budget in one process (reliability 4.7)', () => {
  it(`equals a sequential budget over ${CALLS} random calls, at every decision, and nothing stays held (BUD-01, BUD-02, BUD-08)`, async () => {
    const maximum = CALLS * 10;
    const { history, states, spent, counts, attempts } = await storm(7, CALLS, maximum);
    const verdict = checkHistory(history);
    const cost = [...verdict.most.keys()].find((key) => key.includes('cost')) as string;
    if (full) process.stderr.write(`${inspect(verdict)}\n`);
    expect(verdict.most.get(cost)).toBeLessThanOrEqual(maximum);
    expect(Math.max(...[...verdict.most].filter(([key]) => key !== cost).map(([, most]) => most))).toBe(32);
    expect(verdict.end.get(cost)).toEqual({ used: spent, held: 0 });
    expect(verdict.denied).toBeGreaterThan(0);
    expect(states).toMatchObject([{ name: 'cost', held: 0, used: spent }, { held: 0 }]);
    expect(spent).toBeGreaterThan(maximum * 0.9);
    expect(attempts).toBeGreaterThan(CALLS / 8);
    expect(counts['unknown']).toBeUndefined();
  });

  it('settles every reservation exactly once, and writes a ledger row for every attempt (invariant 5)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), async (seed) => {
        const { counts, rows, attempts } = await storm(seed, 60, 4_000);
        expect(counts['reserved']).toBe((counts['settled'] ?? 0) + (counts['released'] ?? 0));
        expect(counts['repeated']).toBeUndefined();
        expect(counts['settled']).toBe(attempts);
        const ids = rows.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { seed: 5, numRuns: size(8, 100) },
    );
  });
});
