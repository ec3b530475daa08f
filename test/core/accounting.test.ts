import fc from 'fast-check';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { settleFacts } from '../../src/core/call-facts.ts';
import { CallAccount } from '../../src/core/call-account.ts';
import { EstimateErrors } from '../../src/core/estimate-errors.ts';
import type { AttemptRow, LedgerRow } from '../../src/core/ledger.ts';
import { OpenCalls } from '../../src/core/open-calls.ts';
import { createGateway, type Middleware } from '../../src/index.ts';
import { cache } from '../../src/middleware/cache.ts';
import { hedge } from '../../src/middleware/hedge.ts';
import { logger } from '../../src/middleware/logger.ts';
import { meter } from '../../src/middleware/meter.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { telemetry } from '../../src/middleware/telemetry.ts';
import { createPriceTable } from '../../src/pricing/index.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';
import { fakeClock, mockProvider } from '../../src/testing/index.ts';
import { seededRandom } from '../../src/testing/script/random.ts';
import { size } from '../size.ts';
import { warmUp } from '../middleware/support.ts';

const PRICE = { tokens: { input: '1', output: '2' } };
const prices = createPriceTable({ overrides: { 'a/*': PRICE, 'b/*': PRICE } });
const EACH = 3 * 1_000 + 5 * 2_000;

beforeAll(warmUp);

/** A gateway over two mocks whose every whole answer uses 3 tokens of input and 5 of output. */
function setUp(inner: readonly Middleware[], ledger = memoryLedger({ rowsMax: 1_000_000 })) {
  const clock = fakeClock();
  const a = mockProvider({ name: 'a' });
  const b = mockProvider({ name: 'b' });
  const answer = 'one two three four five';
  const usage = { input: 3, output: 5 };
  a.on('down').fail('unavailable').always();
  a.on('bad').fail('invalid-request').always();
  a.on('cut').reply(answer).usage(usage).cut({ content: 1 }).always();
  a.on('slow').reply(answer).usage(usage).delay(500).always();
  a.reply(answer).usage(usage);
  b.on('bad').fail('invalid-request').always();
  b.reply(answer).usage(usage);
  const books = meter({ ledger, prices });
  const gateway = createGateway({
    providers: [a, b],
    models: { default: ['a/one', 'b/two'] },
    clock,
    random: () => 0.5,
    use: [books, ...inner],
  });
  return { gateway, a, b, clock, ledger, books };
}

describe('the books', () => {
  it(
    'USE-10, LEAK-11: the ledger adds up to the books of the mocks after many mixed calls and a close',
    async () => {
      const { gateway, a, b, clock, ledger, books } = setUp([
        cache(),
        retry({ baseMs: 1, budgetRatio: 1 }),
        hedge({ delayMsMin: 100, callsMin: 5, loadRatio: 1, spendRatio: 1 }),
        route(),
      ]);
      const random = seededRandom(9);
      const number = size(2_000, 100_000);
      const wanted = { calls: 0, cached: 0, completed: 0, used: 0n };
      const kinds = ['plain', 'plain', 'hit', 'down', 'bad', 'cut', 'slow', 'stop', 'abort'] as const;
      const one = async (index: number): Promise<void> => {
        const kind = kinds[Math.floor(random() * kinds.length)] as (typeof kinds)[number];
        const stream = kind === 'stop' || random() < 0.5;
        const controller = new AbortController();
        const prompt = kind === 'hit' ? 'the same question' : `${kind} ${index}`;
        const request = {
          prompt,
          scope: { tenant: `t${index % 3}`, user: `u${index % 7}` },
          signal: controller.signal,
          ...(kind !== 'hit' && { controls: { cache: { mode: 'off' as const } } }),
        };
        if (kind === 'abort') clock.after(Math.floor(random() * 2), () => controller.abort());
        wanted.calls++;
        if (!stream) {
          const response = await gateway.chat(request);
          wanted.completed++;
          if (response.cached !== undefined) wanted.cached++;
          wanted.used += (response.cost?.spentNanoUsd ?? 0n) - (response.cost?.wastedNanoUsd ?? 0n);
          return;
        }
        const answer = gateway.stream(request);
        for await (const _text of answer.text) if (kind === 'stop') return;
        const response = await answer.response;
        wanted.completed++;
        if (response.cached !== undefined) wanted.cached++;
        wanted.used += (response.cost?.spentNanoUsd ?? 0n) - (response.cost?.wastedNanoUsd ?? 0n);
      };
      for (let index = 0; index < number; index += 50) {
        const batch = Array.from({ length: Math.min(50, number - index) }, (_, more) =>
          one(index + more).catch(() => undefined),
        );
        await clock.settled(Promise.all(batch));
      }
      await clock.runAll();
      await clock.settled(gateway.close());

      const [attempts] = await ledger.totals();
      const [calls] = await ledger.calls();
      expect(books.dropped).toBe(0);
      expect(attempts?.attempts).toBe(a.calls.length + b.calls.length);
      expect(calls).toMatchObject({ calls: number, cached: wanted.cached });
      expect(wanted.cached).toBeGreaterThan(0);
      let [sum, wasted, won] = [0n, 0n, 0];
      const referred = new Set<string>();
      const completed = new Set<string>();
      for await (const row of ledger.rows()) {
        if (row.kind === 'call') {
          for (const id of row.attemptIds) referred.add(id);
          if (row.status === 'completed' && row.cached === undefined) completed.add(row.id);
          continue;
        }
        sum += row.costNanoUsd as bigint;
        if (!row.winner) wasted += row.costNanoUsd as bigint;
        else won++;
        // A whole answer costs what the mock says it used; nothing else is ever "reported".
        if (row.status === 'completed') expect([row.costNanoUsd, row.quality]).toEqual([BigInt(EACH), 'reported']);
        else expect(row.quality).not.toBe('reported');
        if (row.billing === 'no') expect(row.costNanoUsd).toBe(0n);
      }
      expect(attempts).toMatchObject({ costNanoUsd: sum, wastedNanoUsd: wasted, unpriced: 0 });
      // What was not wasted is what callers were told they had spent on answers.
      expect(sum - wasted).toBe(BigInt(won) * BigInt(EACH));
      expect(wanted.used).toBe(sum - wasted);
      expect(won).toBe(completed.size);
      expect(completed.size).toBe(wanted.completed - wanted.cached);
      expect(referred.size).toBeGreaterThan(0);
    },
    size(20_000, 600_000),
  );

  it(
    'LEAK-05: many calls through meter, telemetry and logger leave nothing behind',
    async () => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      const rows = { written: 0 };
      const mock = mockProvider();
      mock.reply('one two three');
      const books = meter({ sink: () => void rows.written++, prices });
      const gateway = createGateway({
        providers: [mock],
        models: { default: 'mock/any' },
        use: [telemetry(), logger({ logger: () => undefined }), books, retry(), route()],
      });
      const round = async (count: number): Promise<number> => {
        for (let index = 0; index < count; index++) {
          const request = { prompt: 'x', scope: { user: `u${index}` } };
          if (index % 2 === 0) await gateway.chat(request);
          else for await (const _text of gateway.stream(request).text) if (index % 10 === 1) break;
        }
        // The mock keeps every call; that memory is its own.
        mock.reset();
        mock.reply('one two three');
        await setImmediate();
        collect();
        return process.memoryUsage().heapUsed;
      };
      const calls = size(1_000, 50_000);
      await round(calls);
      const before = await round(calls);
      const after = await round(calls);
      expect(rows.written).toBe(calls * 3 * 2);
      expect(after - before).toBeLessThan(size(1, 5) * 1024 * 1024);
      await gateway.close();
    },
    size(20_000, 600_000),
  );

  it('invariant 13: costs add up in any order, are whole and never below 0, and split exactly', () => {
    const row = (cost: number, status: AttemptRow['status'], index: number): AttemptRow =>
      ({
        kind: 'attempt',
        id: `${index}`,
        callId: 'c',
        provider: 'a',
        model: 'm',
        status,
        costNanoUsd: BigInt(cost),
      }) as AttemptRow;
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.nat(1_000_000), fc.constantFrom('completed' as const, 'failed' as const, 'cancelled' as const)),
          {
            maxLength: 20,
          },
        ),
        (attempts) => {
          const bookAll = (list: typeof attempts) => {
            const account = new CallAccount('c');
            const final: LedgerRow[] = [];
            for (const [index, [cost, status]] of list.entries()) {
              account.began('c');
              const price = { costNanoUsd: BigInt(cost), savedNanoUsd: 0n };
              const done = account.ended(row(cost, status, index), price);
              if (done !== undefined) final.push(done);
            }
            final.push(...account.close({ provider: 'a', model: 'm' }));
            return { cost: account.cost, rows: final as AttemptRow[] };
          };
          const { cost, rows } = bookAll(attempts);
          const spent = rows.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd as bigint), 0n);
          const used = rows
            .filter(({ winner }) => winner)
            .reduce((sum, { costNanoUsd }) => sum + (costNanoUsd as bigint), 0n);
          expect(rows).toHaveLength(attempts.length);
          expect(cost.spentNanoUsd).toBe(spent);
          expect(cost.wastedNanoUsd).toBe(spent - used);
          expect((cost.wastedNanoUsd as bigint) >= 0n).toBe(true);
          expect(bookAll([...attempts].reverse()).cost.spentNanoUsd).toBe(spent);
        },
      ),
      { seed: 13, numRuns: 200 },
    );
  });

  it('USE-07: one unknown price makes the call’s cost unknown, not smaller', () => {
    const account = new CallAccount('c');
    account.ended({ id: '1', callId: 'c', status: 'failed', costNanoUsd: null } as AttemptRow, {
      costNanoUsd: null,
      savedNanoUsd: 0n,
    });
    account.ended({ id: '2', callId: 'c', status: 'completed', costNanoUsd: 5n } as AttemptRow, {
      costNanoUsd: 5n,
      savedNanoUsd: 0n,
    });
    account.close(undefined);
    expect(account.cost).toEqual({ spentNanoUsd: null, wastedNanoUsd: null, savedNanoUsd: 0n });
  });

  it('USE-11: sums of money are exact where floating point is not', () => {
    const account = new CallAccount('c');
    for (let index = 0; index < size(10_000, 1_000_000); index++) {
      const price = { costNanoUsd: 9_007_199_254_740_993n, savedNanoUsd: 1n };
      account.ended(
        { id: `${index}`, callId: 'c', status: 'failed', costNanoUsd: price.costNanoUsd } as AttemptRow,
        price,
      );
    }
    expect(account.cost.spentNanoUsd).toBe(9_007_199_254_740_993n * BigInt(size(10_000, 1_000_000)));
  });
});

describe('what the books are made of', () => {
  it('settleFacts tells the end once, of a failure as of an answer', async () => {
    const ends: string[] = [];
    const observer = { end: ({ status }: { status: string }) => void ends.push(status) };
    await expect(settleFacts(Promise.reject(new Error('x')), observer)).rejects.toThrow('x');
    const target = { provider: 'a', model: 'm' };
    await settleFacts(
      Promise.resolve({ operation: 'raw', stream: false, target, attempts: [], response: { status: 200 } }) as never,
      observer,
    );
    expect(ends).toEqual(['failed', 'completed']);
  });

  it('open calls: a sub-call belongs to the nearest call above it', async () => {
    const open = new OpenCalls<string>();
    open.set('call_1', 'root');
    open.set('call_1/judge1', 'judge');
    expect(open.nearest('call_1/judge1/embedding1')).toBe('judge');
    expect(open.nearest('call_1/other1')).toBe('root');
    expect(open.nearest('call_2')).toBeUndefined();
    const clock = fakeClock();
    const emptied = open.emptied(clock, 1_000);
    expect(open.delete('call_1')).toBe(true);
    expect(open.delete('call_1')).toBe(false);
    open.delete('call_1/judge1');
    await emptied;
    expect(clock.pending).toBe(0);
  });

  it('estimate errors are bounded by target and sampled', () => {
    const errors = new EstimateErrors();
    for (let index = 0; index < 2_000; index++) if (errors.due(`t${index}`)) errors.add(`t${index}`, 110, 100);
    expect(errors.list()).toHaveLength(1_000);
    expect(errors.list()[0]?.mean).toBeCloseTo(0.1);
    const asked = Array.from({ length: 160 }, () => errors.due('t1')).filter(Boolean).length;
    expect(asked).toBeLessThan(30);
  });
});
