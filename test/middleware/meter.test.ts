import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { redactionsKey } from '../../src/core/redactions.ts';
import { subcall } from '../../src/core/subcall.ts';
import {
  createGateway,
  defineProvider,
  GatewayError,
  type GatewayEvents,
  type GatewayOptions,
  type Middleware,
  replyWith,
} from '../../src/index.ts';
import { unknownUsage } from '../../src/operations/usage.ts';
import { cache } from '../../src/middleware/cache.ts';
import {
  type AttemptRow,
  type CallRow,
  contentKey,
  type LedgerRow,
  meter,
  type MeterOptions,
} from '../../src/middleware/meter.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { createPriceTable } from '../../src/pricing/index.ts';
import { mockProvider } from '../../src/testing/index.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { setUp, type Setup, warmUp } from './support.ts';

/** Dollars per million tokens, so that a token costs this many thousands of nano-dollars. */
const PRICE = { tokens: { input: '1', cacheRead: '0.1', output: '2' } };
const prices = createPriceTable({ overrides: { 'a/*': PRICE, 'b/*': PRICE } });

beforeAll(warmUp);

interface Books extends Setup {
  readonly rows: LedgerRow[];
  attempts(): AttemptRow[];
  calls(): CallRow[];
}

function books(
  inner: readonly Middleware[] = [retry({ baseMs: 0 }), route()],
  more: MeterOptions = {},
  options: GatewayOptions = {},
): Books {
  const rows: LedgerRow[] = [];
  const layer = meter({ sink: (row) => void rows.push(row), prices, ...more });
  return {
    ...setUp([layer, ...inner], options),
    rows,
    attempts: () => rows.filter((row) => row.kind === 'attempt'),
    calls: () => rows.filter((row) => row.kind === 'call'),
  };
}
const drain = async (stream: AsyncIterable<unknown>): Promise<void> => {
  for await (const _event of stream);
};

describe('meter', () => {
  it('bills a target with its own price, before overrides and the list, in the units they have', async () => {
    const rows: LedgerRow[] = [];
    const mock = mockProvider({ name: 'a' });
    mock.otherwise.reply('ok').usage({ input: 1_000, output: 100, cacheRead: 400 });
    const gateway = createGateway({
      providers: [mock],
      models: {
        own: { target: 'a/m', price: { input: 0.25, output: 2, cacheRead: 0.025 } },
        regional: { target: 'a/m', region: 'eu', price: { input: 0.0000001, output: 3 } },
        listed: 'a/m',
      },
      use: [meter({ sink: (row) => void rows.push(row), prices }), route()],
    });
    for (const model of ['own', 'regional', 'listed'] as const) await gateway.chat({ model, prompt: 'x' });
    const attempts = rows.flatMap((row) => (row.kind === 'attempt' ? [row] : []));
    const billed = attempts.map((row) => row.costNanoUsd);
    const fresh = BigInt((attempts[0]?.input ?? 0) - 400);
    expect(billed).toEqual([
      fresh * 250n + 400n * 25n + 100n * 2_000n,
      // Cache reads without a price of their own cost what input does; here both round to nothing.
      100n * 3_000n,
      fresh * 1_000n + 400n * 100n + 100n * 2_000n,
    ]);
  });

  it('writes who, what, where, how much and how long, for the attempt and for the call', async () => {
    const { gateway, a, clock, attempts, calls } = books();
    a.reply('ok').usage({ input: 10, output: 5 }).delay(20);
    const scope = { tenant: 'acme', user: 'u1', tags: { team: 'x' } };
    const response = await clock.settled(gateway.chat({ model: 'single', prompt: 'Hi', scope }));
    expect(attempts()).toEqual([
      {
        kind: 'attempt',
        id: `${calls()[0]?.id}-1`,
        callId: calls()[0]?.id,
        number: 1,
        at: expect.any(Number),
        scope,
        operation: 'chat',
        provider: 'a',
        model: 'one',
        servedModel: 'one',
        status: 'completed',
        latencyMs: 20,
        firstContentMs: 20,
        stream: false,
        input: 10,
        output: 5,
        tokens: { input: 10, output: 5 },
        quality: 'reported',
        costNanoUsd: 20_000n,
        billing: 'yes',
        finish: 'stop',
        winner: true,
      },
    ]);
    expect(calls()).toMatchObject([
      { kind: 'call', model: 'single', status: 'completed', latencyMs: 20, scope, redactions: 0, stream: false },
    ]);
    expect(calls()[0]?.attemptIds).toEqual([attempts()[0]?.id]);
    expect(response.cost).toEqual({ spentNanoUsd: 20_000n, wastedNanoUsd: 0n, savedNanoUsd: 0n });
  });

  it('puts the cost on a streamed answer too', async () => {
    const { gateway, a, clock, attempts } = books();
    a.reply('one two three').usage({ input: 10, output: 5 });
    const stream = gateway.stream({ model: 'single', prompt: 'Hi' });
    const response = await clock.settled(stream.response);
    expect(response.cost).toEqual({ spentNanoUsd: 20_000n, wastedNanoUsd: 0n, savedNanoUsd: 0n });
    await clock.advance(0);
    expect(attempts()).toMatchObject([{ costNanoUsd: 20_000n, winner: true, stream: true, quality: 'reported' }]);
  });

  it('splits what was spent into used and wasted', async () => {
    const { gateway, a, b, clock, attempts } = books([route()]);
    a.reply('cut off here now').usage({ input: 10, output: 4 }).cut({ content: 0 }).once();
    b.reply('fine').usage({ input: 10, output: 5 });
    const response = await clock.settled(gateway.stream('Hi').response);
    await clock.advance(0);
    const [lost, won] = attempts() as [AttemptRow, AttemptRow];
    expect([lost.status, lost.winner, lost.billing]).toEqual(['failed', false, 'possible']);
    expect(lost.costNanoUsd).toBeGreaterThan(0n);
    expect(won).toMatchObject({ winner: true, costNanoUsd: 20_000n });
    expect(response.cost).toEqual({
      spentNanoUsd: (lost.costNanoUsd as bigint) + 20_000n,
      wastedNanoUsd: lost.costNanoUsd,
      savedNanoUsd: 0n,
      estimated: true,
    });
  });

  it('USE-08: a cached answer costs nothing, has the same usage, and says what it saved', async () => {
    const { gateway, a, clock, calls, attempts } = books([cache(), route()]);
    a.reply('ok').usage({ input: 10, cacheRead: 4, output: 5 });
    const ask = { model: 'single', prompt: 'Hi', temperature: 0 };
    const ends: unknown[] = [];
    gateway.on('call-end', ({ cached, cost }) => ends.push([cached?.kind, cost?.savedNanoUsd]));
    const first = await clock.settled(gateway.chat(ask));
    const second = await clock.settled(gateway.chat(ask));
    const third = await clock.settled(gateway.stream(ask).response);
    await clock.advance(0);
    expect(second.usage).toEqual(first.usage);
    expect(second.cost).toEqual({ spentNanoUsd: 0n, wastedNanoUsd: 0n, savedNanoUsd: 20_400n });
    expect(third.cost).toEqual(second.cost);
    expect(attempts()).toHaveLength(1);
    expect(calls().map(({ cached, savedNanoUsd }) => [cached, savedNanoUsd])).toEqual([
      [undefined, 3_600n],
      ['exact', 20_400n],
      ['exact', 20_400n],
    ]);
    expect(ends).toEqual([
      [undefined, 3_600n],
      ['exact', 20_400n],
      ['exact', 20_400n],
    ]);
  });

  it('USE-04: a stream closed before its usage came is metered all the same, a hundred times', async () => {
    const { gateway, a, clock, attempts, calls } = books();
    a.reply('one two three four five six').pace({ pieceDelayMs: 1 });
    for (let run = 0; run < 100; run++) {
      const work = (async () => {
        for await (const text of gateway.stream({ model: 'single', prompt: 'Count for me please' }).text)
          if (text !== '') break;
      })();
      await clock.settled(work);
    }
    expect(attempts()).toHaveLength(100);
    expect(calls()).toHaveLength(100);
    for (const row of attempts()) {
      expect(row).toMatchObject({ status: 'cancelled', quality: 'estimated', winner: false, billing: 'yes' });
      expect(row.input).toBeGreaterThanOrEqual(4);
      expect(row.output).toBeGreaterThanOrEqual(1);
      expect(row.costNanoUsd).toBeGreaterThan(0n);
    }
    expect(new Set(attempts().map(({ id }) => id)).size).toBe(100);
  });

  it('USE-04: an answer whose usage nobody reported costs what its row says, marked as an estimate', async () => {
    const provider = defineProvider({
      name: 'own',
      protocols: [],
      handlers: {
        chat: async (call) =>
          replyWith(
            call,
            {
              id: call.id,
              model: 'm',
              createdAt: '2026-11-22T00:00:00.000Z',
              message: { role: 'assistant', content: [{ type: 'text', text: 'Hello there, my friend.' }] },
              finish: { reason: 'stop' },
              usage: unknownUsage('m'),
              warnings: [],
            },
            { provider: 'own', model: 'm' },
          ),
      },
    });
    const rows: LedgerRow[] = [];
    const prices = createPriceTable({ overrides: { 'own/*': { tokens: { input: '1', output: '2' } } } });
    const gateway = createGateway({
      providers: [provider],
      models: { default: 'own/m' },
      use: [meter({ prices, sink: (row) => void rows.push(row) }), retry(), route()],
    });
    const plain = await gateway.chat('Say hello');
    const stream = gateway.stream('Say hello');
    await drain(stream);
    const streamed = await stream.response;
    await gateway.close();
    const costs = rows.flatMap((row) => (row.kind === 'attempt' ? [[row.quality, row.costNanoUsd]] : []));
    expect(costs).toEqual([plain, streamed].map(({ cost }) => ['estimated', cost?.spentNanoUsd]));
    expect(plain.cost).toMatchObject({ estimated: true });
    expect(streamed.cost).toMatchObject({ estimated: true });
    expect(streamed.cost?.spentNanoUsd).toBeGreaterThan(0n);
  });

  it('USE-05: a hedge has a row for every attempt, one winner, and a priced loser', async () => {
    const race: Middleware = async (call, next) => {
      const [one, two] = call.plan.candidates as [never, never];
      const loser = new AbortController();
      const slow = next({ ...call, target: one, signal: loser.signal });
      slow.catch(() => undefined);
      const reply = await next({ ...call, target: two });
      loser.abort(new GatewayError('aborted', 'Another target was faster.'));
      return reply;
    };
    const { gateway, a, b, clock, attempts } = books([race]);
    a.reply('slow').delay(1_000);
    b.reply('fast').usage({ input: 3, output: 1 });
    await clock.settled(gateway.chat('Hi'));
    await clock.advance(0);
    expect(
      attempts()
        .map(({ provider, winner, status }) => [provider, winner, status])
        .sort(),
    ).toEqual([
      ['a', false, 'cancelled'],
      ['b', true, 'completed'],
    ]);
    expect(attempts().every(({ costNanoUsd }) => costNanoUsd !== null)).toBe(true);
  });

  it('two attempts that both completed have one winner: the one the caller got', async () => {
    const both: Middleware = async (call, next) => {
      const [one, two] = call.plan.candidates as [never, never];
      const reply = await next({ ...call, target: one });
      await next({ ...call, target: two });
      return reply;
    };
    const { gateway, a, b, clock, attempts } = books([both]);
    a.reply('kept').usage({ input: 1, output: 1 });
    b.reply('thrown away').usage({ input: 2, output: 2 });
    const { cost } = await clock.settled(gateway.chat('Hi'));
    expect(attempts().map(({ provider, winner }) => [provider, winner])).toEqual([
      ['a', true],
      ['b', false],
    ]);
    expect(cost).toEqual({ spentNanoUsd: 9_000n, wastedNanoUsd: 6_000n, savedNanoUsd: 0n });
  });

  it('USE-07: an unknown price is null and visible, and warned of once', async () => {
    const warnings: GatewayEvents['warning'][] = [];
    const { gateway, a, clock, attempts } = books(undefined, { prices: createPriceTable() });
    gateway.on('warning', (event) => void warnings.push(event));
    a.reply('ok');
    const first = await clock.settled(gateway.chat({ model: 'single', prompt: 'x' }));
    await clock.settled(gateway.chat({ model: 'single', prompt: 'x' }));
    expect(first.cost?.spentNanoUsd).toBeNull();
    expect(attempts().map(({ costNanoUsd, unpriced }) => [costNanoUsd, unpriced])).toEqual([
      [null, 'unknown-provider'],
      [null, 'unknown-provider'],
    ]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.warning.message).toContain('a/one');
  });

  it('loads the bundled prices by itself', async () => {
    const rows: LedgerRow[] = [];
    const { gateway, a, clock } = setUp([meter({ sink: (row) => void rows.push(row) }), route()], {
      models: { default: 'a/gpt-4o-mini' },
    });
    a.reply('ok');
    await gateway.chat('x');
    await clock.advance(0);
    expect(rows[0]).toMatchObject({ kind: 'attempt', unpriced: 'unknown-provider' });
  });

  it('USE-09: keeps the cost a provider reports beside ours, and tells of a difference above 1 %', async () => {
    const told: GatewayEvents['cost-mismatch'][] = [];
    const rows: LedgerRow[] = [];
    const amounts = [0.000_02, 0.000_020_2, 0.000_021];
    const provider = {
      name: 'a',
      protocols: [],
      handlers: {
        chat: async (call: { context: { attempts: readonly never[] } }) => ({
          operation: 'chat' as const,
          stream: false as const,
          target: { provider: 'a', model: 'one' },
          attempts: call.context.attempts,
          response: responseWith(amounts.shift() as number),
        }),
      },
    };
    const { gateway } = setUp([meter({ sink: (row) => void rows.push(row), prices }), route()], {
      providers: [provider as never],
      models: { default: 'a/one' },
    });
    gateway.on('cost-mismatch', (event) => void told.push(event));
    for (let run = 0; run < 3; run++) await gateway.chat('x');
    const attempts = rows.filter((row) => row.kind === 'attempt');
    expect(attempts.map(({ costNanoUsd, reportedNanoUsd }) => [costNanoUsd, reportedNanoUsd])).toEqual([
      [20_000n, 20_000n],
      [20_000n, 20_200n],
      [20_000n, 21_000n],
    ]);
    expect(told).toMatchObject([{ costNanoUsd: 20_000n, reportedNanoUsd: 21_000n, target: { provider: 'a' } }]);
  });

  it('USE-10: one row an attempt for every operation, streamed or not, and for sub-calls with their purpose', async () => {
    const judged: Middleware = async (call, next) => {
      const reply = await next(call);
      if (call.operation === 'chat')
        await next(subcall(call, 'embed', { model: 'other', input: ['x'] }, { purpose: 'embedding' }));
      return reply;
    };
    const { gateway, a, b, clock, rows, attempts, calls } = books([judged, route()]);
    a.reply('ok').usage({ input: 10, output: 5 });
    b.reply('ok');
    const { cost } = await clock.settled(gateway.chat({ model: 'single', prompt: 'x' }));
    await clock.settled(drain(gateway.stream({ model: 'single', prompt: 'x' })));
    await clock.settled(gateway.embed({ model: 'single', input: ['x'] }));
    await clock.advance(0);
    expect(calls().map(({ operation, stream }) => [operation, stream])).toEqual([
      ['chat', false],
      ['chat', true],
      ['embed', false],
    ]);
    expect(
      attempts()
        .map(({ operation, purpose, winner }) => `${operation} ${purpose} ${winner}`)
        .sort(),
    ).toEqual([
      'chat undefined true',
      'chat undefined true',
      'embed embedding true',
      'embed embedding true',
      'embed undefined true',
    ]);
    const sub = attempts().find(({ purpose }) => purpose === 'embedding') as AttemptRow;
    expect(sub.parentId).toBe(calls()[0]?.id);
    expect(cost?.spentNanoUsd).toBe(20_000n + (sub.costNanoUsd as bigint));
    expect(calls()[0]?.attemptIds).toContain(sub.id);
    expect(new Set(rows.map(({ kind, id }) => `${kind} ${id}`)).size).toBe(rows.length);
  });

  it('an attempt a face refused has a row of its own, costs nothing, and does not hide the next one', async () => {
    let refusals = 1;
    const gate: Middleware = Object.assign((async (call, next) => next(call)) as Middleware, {
      info: {
        name: 'gate',
        attempt: () => {
          if (refusals-- > 0) throw new GatewayError('rate-limited', 'Not now.');
        },
      },
    });
    const { gateway, a, clock, attempts } = books([gate, retry({ baseMs: 0 }), route()]);
    a.reply('ok').usage({ input: 1, output: 1 });
    await clock.settled(gateway.chat({ model: 'single', prompt: 'x' }));
    expect(
      attempts().map(({ status, errorCode, costNanoUsd, billing }) => [status, errorCode, costNanoUsd, billing]),
    ).toEqual([
      ['failed', 'rate-limited', 0n, 'no'],
      ['completed', undefined, 3_000n, 'yes'],
    ]);
    expect(new Set(attempts().map(({ id }) => id)).size).toBe(2);
  });

  it('LEAK-04: an aborted call is cancelled on the books', async () => {
    const { gateway, a, clock, attempts, calls } = books();
    a.reply('late').delay(1_000);
    const controller = new AbortController();
    const work = gateway.chat({ model: 'single', prompt: 'x', signal: controller.signal }).catch(() => undefined);
    await clock.advance(10);
    controller.abort();
    await clock.settled(work);
    expect(attempts()).toMatchObject([{ status: 'cancelled', billing: 'possible', latencyMs: 10 }]);
    expect(calls()).toMatchObject([{ status: 'cancelled' }]);
  });

  it('LEAK-11: closing the gateway in the middle of calls leaves one final row each, all flushed', async () => {
    const ledger = memoryLedger();
    const { gateway, a, clock } = setUp([meter({ ledger, prices, intervalMs: 3_600_000 }), route()]);
    a.reply('one two three').delay(1_000);
    const work = Array.from({ length: 500 }, async (_, index) => {
      const request = { model: 'single', prompt: 'x' };
      await (index % 2 === 0 ? gateway.chat(request) : gateway.stream(request).response).catch(() => undefined);
    });
    await clock.advance(10);
    await clock.settled(gateway.close());
    await clock.settled(Promise.all(work));
    const [calls] = await ledger.calls();
    const [attempts] = await ledger.totals();
    expect(calls).toMatchObject({ calls: 500 });
    expect(attempts).toMatchObject({ attempts: 500 });
    await expect(gateway.chat('x')).rejects.toMatchObject({ code: 'closed' });
  });

  it('a sink or a ledger that fails harms no call and is told of', async () => {
    const stages: string[] = [];
    const ledger = { write: () => Promise.reject(new Error('disk full')), flush: async () => {} };
    const layer = meter({
      ledger,
      prices,
      sink: () => {
        throw new Error('sink');
      },
    });
    const { gateway, a, clock } = setUp([layer, route()]);
    gateway.on('problem', ({ stage }) => void stages.push(stage));
    a.reply('ok');
    expect((await clock.settled(gateway.chat('x'))).text).toBe('ok');
    await clock.settled(gateway.close());
    expect(new Set(stages)).toEqual(new Set(['meter.sink', 'meter.ledger']));
    expect(layer.dropped).toBe(4);
  });

  it('a full queue drops and counts, blocks new calls, or refuses them, as it is told', async () => {
    const stuck = () => {
      const gate = Promise.withResolvers<void>();
      return { ledger: { write: () => gate.promise, flush: async () => {} }, open: () => gate.resolve() };
    };
    const run = async (onFull: 'drop-oldest' | 'block' | 'refuse') => {
      const { ledger, open } = stuck();
      const layer = meter({ ledger, prices, batchSize: 1, queueMax: 2, onFull });
      const { gateway, a, clock } = setUp([layer, route()]);
      a.reply('ok');
      for (let call = 0; call < 2; call++) await clock.settled(gateway.chat('x').catch(() => undefined));
      const third = gateway.chat('x').then(
        () => 'answered',
        (error: GatewayError) => error.code,
      );
      const early = await Promise.race([third, clock.advance(5).then(() => 'waiting')]);
      open();
      const late = await clock.settled(third);
      await clock.settled(gateway.close());
      return [early, late, layer.dropped > 0];
    };
    expect(await run('drop-oldest')).toEqual(['answered', 'answered', true]);
    expect((await run('block')).slice(1)).toEqual(['answered', false]);
    expect(await run('refuse')).toEqual(['limit-exceeded', 'limit-exceeded', false]);
  });

  it('counts redactions, and keeps content only if asked, masked unless asked otherwise', async () => {
    const store = memoryStore();
    const mask: Middleware = async (call, next) => {
      call.context.content = { request: { prompt: '[NAME]' } };
      call.context.set(redactionsKey, { NAME: 2, EMAIL: 1 });
      return next(call);
    };
    const run = async (view: 'masked' | 'raw'): Promise<string> => {
      const { gateway, a, clock, calls } = books([mask, route()], { content: { store, view } });
      a.reply('Hello Ann');
      await clock.settled(gateway.chat({ model: 'single', prompt: 'I am Ann', scope: { tenant: 'acme' } }));
      expect(calls()).toMatchObject([{ redactions: 3 }]);
      await clock.advance(0);
      const entry = await store.get(contentKey('acme', calls()[0]?.id));
      return String(entry?.value);
    };
    expect(await run('masked')).toMatch(/^(?!.*Ann).*\[NAME\]/);
    expect(await run('raw')).toContain('Hello Ann');
  });

  it('tracks how far estimates are from what was reported', async () => {
    const layer = meter({ prices });
    const { gateway, a, clock } = setUp([layer, route()]);
    a.reply('ok').usage({ input: 10, output: 1 });
    for (let call = 0; call < 80; call++) await clock.settled(gateway.chat({ model: 'single', prompt: 'Hello there' }));
    const [error] = layer.estimates();
    expect(error).toMatchObject({ target: 'a/one', count: 17 });
    expect(error?.meanAbsolute).toBeLessThan(1);
  });

  it('invariant 5: for any faults, one row an attempt, one a call, one winner at most', async () => {
    const step = fc.record({
      fault: fc.constantFrom('none', 'down', 'cut', 'slow', 'bad'),
      stream: fc.boolean(),
      stop: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
        const { gateway, a, b, clock, attempts, calls } = books();
        a.on('down').fail('unavailable').always();
        a.on('cut').reply('one two three').cut({ content: 1 }).always();
        a.on('slow').reply('late').delay(500).always();
        a.on('bad').fail('invalid-request').always();
        a.reply('one two three');
        b.reply('second');
        for (const { fault, stream, stop } of steps) {
          const request = { prompt: fault, timeoutMs: 400 };
          const work = async (): Promise<void> => {
            if (!stream) return void (await gateway.chat(request));
            for await (const _text of gateway.stream(request).text) if (stop) break;
          };
          await clock.settled(work().catch(() => undefined));
        }
        await clock.runAll();
        expect(calls()).toHaveLength(steps.length);
        expect(attempts()).toHaveLength(a.calls.length + b.calls.length);
        for (const call of calls()) {
          const own = attempts().filter(({ callId }) => callId === call.id);
          expect(call.attemptIds).toEqual(own.map(({ id }) => id));
          expect(own.filter(({ winner }) => winner).length).toBe(call.status === 'completed' ? 1 : 0);
        }
      }),
      { seed: 5, numRuns: 40 },
    );
  });

  it('refuses wrong options, naming the field', () => {
    for (const [options, field] of [
      [{ sink: 1 }, 'meter.sink'],
      [{ ledger: {} }, 'meter.ledger'],
      [{ prices: {} }, 'meter.prices'],
      [{ queueMax: 5 }, 'meter.queueMax'],
      [{ content: { store: {} } }, 'meter.content.store'],
      [{ nothing: 1 }, 'meter.nothing'],
    ] as const) {
      expect(() => meter(options as never)).toThrow(expect.objectContaining({ code: 'invalid-options', field }));
    }
  });
});

function responseWith(usd: number): object {
  const tokens = { input: 10, output: 5 };
  return {
    id: 'r',
    model: 'one',
    createdAt: '2026-01-01T00:00:00Z',
    message: { role: 'assistant', content: [{ type: 'text', text: 'ok' }] },
    finish: { reason: 'stop' },
    warnings: [],
    usage: {
      input: 10,
      output: 5,
      total: 15,
      tokens,
      lines: [{ model: 'one', role: 'main', tokens }],
      quality: 'reported',
      reportedCostUsd: usd,
    },
  };
}
