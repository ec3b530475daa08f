import { beforeAll, describe, expect, it } from 'vitest';
import { defineMiddleware, type Middleware } from '../../src/index.ts';
import {
  budget,
  cache,
  circuitBreaker,
  concurrency,
  hedge,
  type LedgerRow,
  meter,
  retry,
  route,
  timeout,
} from '../../src/middleware/index.ts';
import { failureOf, setUp, type Setup, trailOf, warmUp } from '../middleware/support.ts';

beforeAll(warmUp);
const single = { model: 'single', prompt: 'x' };

interface Watched extends Setup {
  readonly rows: LedgerRow[];
  readonly breaker: ReturnType<typeof circuitBreaker>;
}

/** The whole stack, with what it wrote down. One failure opens the circuit. */
function watched(more: readonly Middleware[] = [], options: Parameters<typeof setUp>[1] = {}): Watched {
  const rows: LedgerRow[] = [];
  const breaker = circuitBreaker({ callsMin: 1, failureRatio: 0.1 });
  const stack = [meter({ sink: (row) => void rows.push(row) }), ...more, retry(), route(), breaker, timeout()];
  return { ...setUp(stack, options), rows, breaker };
}
const statuses = ({ rows }: Watched): string[] => rows.map(({ kind, status }) => `${kind} ${status}`);

/** What no server causes: rows 30 to 33 and 36 to 40 of the failure matrix (reliability.md, section 2). */
describe('the failure matrix, on our side of the wire', () => {
  it.each(['plain', 'stream'])(
    'matrix row 30: the caller aborts (%s): never again, nobody blamed, on the books',
    async (mode) => {
      const setup = watched();
      const { clock, a, b, gateway, breaker } = setup;
      a.otherwise.reply(['one ', 'two']).hang({ content: 1 });
      const controller = new AbortController();
      const options = { signal: controller.signal };
      const work = mode === 'plain' ? gateway.chat('x', options) : gateway.stream('x', options).response;
      const failed = failureOf(work);
      await clock.advance(10);
      controller.abort(new Error('enough'));
      expect(await clock.settled(failed)).toMatchObject({
        code: 'aborted',
        name: 'AbortError',
        cause: { message: 'enough' },
      });
      expect([a.calls.length, b.calls.length, clock.pending]).toEqual([1, 0, 0]);
      expect(breaker.states().get('a/one')?.state).toBe('closed');
      expect(statuses(setup)).toEqual(['attempt cancelled', 'call cancelled']);
    },
  );

  it('matrix row 31: the deadline would pass in a wait: told at once, with the attempts so far', async () => {
    const { clock, a, gateway, rows } = watched([], { timeoutMs: 1_000 });
    a.otherwise.fail(429, { retryAfter: 2 });
    const error = await clock.settled(failureOf(gateway.chat(single)));
    expect(error.attempts.at(-1)?.next).toMatch(/^gave up: the deadline comes before/);
    expect([clock.monotonic(), rows.length]).toEqual([0, 2]);
  });

  it('matrix row 31: the deadline passes in a queue: a timeout, no attempt, nobody blamed', async () => {
    const { clock, a, gateway, breaker } = watched([], {
      timeoutMs: 1_000,
      use: [route(), concurrency({ targetMax: 1 }), circuitBreaker({ callsMin: 1 })],
    });
    a.otherwise.fail('hang');
    const first = failureOf(gateway.chat(single, { timeoutMs: 5_000 }));
    await clock.advance(1);
    const second = await clock.settled(failureOf(gateway.chat(single)));
    expect(second.attempts).toEqual([]);
    expect(second).toMatchObject({ code: 'timeout', stage: 'total' });
    expect(a.calls).toHaveLength(1);
    await clock.settled(first);
    expect(breaker.states().size).toBe(0);
  });

  it('matrix row 32: nobody reads: ours to bound, the target is not blamed', async () => {
    const setup = watched();
    const { clock, a, gateway, breaker } = setup;
    a.otherwise.reply(['one ', 'two ', 'three']).hang({ content: 2 });
    const stream = gateway.stream(single);
    await clock.settled(stream.started);
    await clock.advance(61_000);
    const error = await failureOf(stream.response);
    expect(error).toMatchObject({ code: 'limit-exceeded', limit: { name: 'consumerIdleMs' } });
    expect(breaker.states().get('a/one')?.state).toBe('closed');
    expect(setup.rows.filter(({ kind }) => kind === 'attempt')).toHaveLength(1);
  });

  it('matrix row 33: closing ends calls in flight, each on the books, and takes no new ones', async () => {
    const setup = watched();
    const { clock, a, gateway, breaker } = setup;
    a.otherwise.fail('hang');
    const calls = [1, 2, 3].map(async () => failureOf(gateway.chat(single)));
    await clock.advance(1);
    await clock.settled(gateway.close());
    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(['closed', 'closed', 'closed']);
    expect((await failureOf(gateway.chat(single))).code).toBe('closed');
    expect(setup.rows.filter(({ kind }) => kind === 'call')).toHaveLength(3);
    expect(breaker.states().get('a/one')?.state).toBe('closed');
  });

  it('matrix row 36: a circuit that is open is told at once; a stale answer only if asked for', async () => {
    const { clock, a, gateway } = watched([cache({ ttlMs: 1_000, staleIfErrorMs: 60_000 })]);
    a.on('kept').reply('kept').once().then.fail(500);
    a.otherwise.fail(500);
    const kept = { model: 'single', prompt: 'kept' };
    await gateway.chat(kept);
    await clock.advance(2_000);
    await clock.settled(failureOf(gateway.chat(single)));
    const hits = a.calls.length;
    const error = await failureOf(gateway.chat(single));
    expect(error).toMatchObject({ code: 'circuit-open', source: 'gateway' });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    const stale = await gateway.chat(kept);
    expect([stale.text, stale.cached?.kind]).toEqual(['kept', 'stale']);
    expect(a.calls).toHaveLength(hits);
  });

  it('matrix row 37: a limit of ours says no before anything is sent; a kept answer still costs nothing', async () => {
    const limited = budget({ limits: [{ requests: 1, every: 'day' }] });
    const setup = setUp([cache(), limited, retry(), route()]);
    setup.a.reply('a');
    await setup.gateway.chat(single);
    const error = await setup.clock.settled(failureOf(setup.gateway.chat({ model: 'single', prompt: 'other' })));
    expect(error).toMatchObject({ code: 'budget-exceeded', source: 'gateway', retryable: false });
    expect(error.limit?.name).toBeDefined();
    expect((await setup.gateway.chat(single)).cached?.kind).toBe('exact');
    expect([setup.a.calls.length, setup.b.calls.length]).toEqual([1, 0]);
  });

  it('matrix row 38: a store that is down fails no call, and one that hangs costs 50 ms', async () => {
    const away = { name: 'away', set: () => 'refused' as const, delete: () => false, invalidate: () => undefined };
    const down = { ...away, get: () => Promise.reject(new Error('down')) };
    const hung = { ...away, get: () => new Promise<undefined>(() => undefined) };
    for (const use of [
      [cache({ store: down })],
      [circuitBreaker({ store: down })],
      [circuitBreaker({ store: hung })],
    ]) {
      const { clock, a, gateway } = setUp([...use, retry(), route()]);
      a.reply('a');
      expect((await clock.settled(gateway.chat(single))).text).toBe('a');
      expect(clock.monotonic()).toBeLessThanOrEqual(150);
    }
  });

  it('matrix row 39: what a middleware throws is ours, named, and not tried again', async () => {
    for (const thrown of [undefined, null, 'text', new TypeError('x is not a function')]) {
      const broken = defineMiddleware({ name: 'broken' }, async () => {
        throw thrown;
      });
      const { clock, a, gateway, breaker } = watched([], { use: [retry(), route(), broken] });
      a.reply('a');
      const error = await clock.settled(failureOf(gateway.chat(single)));
      expect(error).toMatchObject({ code: 'internal', retryable: false, attempts: [] });
      expect(a.calls).toHaveLength(0);
      expect(breaker.states().size).toBe(0);
    }
  });

  it('matrix row 40: the one that loses a race is on the books and not blamed', async () => {
    const rows: LedgerRow[] = [];
    const breaker = circuitBreaker({ callsMin: 1, failureRatio: 0.1 });
    const sink = (row: LedgerRow): void => void rows.push(row);
    const { clock, a, b, gateway } = setUp([
      meter({ sink }),
      retry(),
      hedge({ callsMin: 1, delayMsMin: 10, loadRatio: 1 }),
      route(),
      breaker,
    ]);
    a.on('warm').reply('warm');
    await clock.settled(gateway.chat({ model: 'default', prompt: 'warm' }));
    rows.length = 0;
    a.reply('slow').delay(60_000);
    b.reply('quick');
    const { text, attempts } = await clock.settled(gateway.chat({ model: 'default', prompt: 'x' }));
    expect(text).toBe('quick');
    expect(trailOf({ attempts }).toSorted()).toEqual(['a/one cancelled', 'b/two completed']);
    expect(rows.filter(({ kind }) => kind === 'attempt')).toHaveLength(2);
    expect([...breaker.states().values()].every(({ state }) => state === 'closed')).toBe(true);
  });
});
