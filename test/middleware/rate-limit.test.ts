import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GatewayEvents } from '../../src/core/events.ts';
import { createGateway } from '../../src/gateway.ts';
import type { GatewayOptions } from '../../src/gateway-types.ts';
import { type RateLimitOptions, rateLimit } from '../../src/middleware/rate-limit.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { timeout } from '../../src/middleware/timeout.ts';
import { fakeClock, mockProvider, rateLimitHeaders } from '../../src/testing/index.ts';
import { size } from '../size.ts';

function world(options: RateLimitOptions, more: Partial<GatewayOptions> = {}) {
  const clock = fakeClock(Date.parse('2026-11-22T10:00:00Z'));
  const mock = mockProvider();
  const limited = rateLimit({ inputMargin: 0, ...options });
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    use: [limited, retry(), route(), timeout()],
    clock,
    ...more,
  });
  const events: GatewayEvents['limit'][] = [];
  gateway.on('limit', (event) => events.push(event));
  return { clock, mock, limited, gateway, events };
}

describe('rateLimit', () => {
  it('refuses with its own name, source and the time to wait (BUD-10)', async () => {
    const { mock, gateway, clock } = world({ limits: [{ per: 'user', requests: 2, periodMs: 1_000 }] });
    mock.otherwise.reply('ok');
    await clock.settled(Promise.all([gateway.chat('a'), gateway.chat('b')]));
    const refused = await clock.settled(gateway.chat('c')).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'rate-limited',
      source: 'gateway',
      retryable: false,
      retryAfterMs: 500,
      limit: { name: 'requests per user per 1000 ms', maximum: 2, actual: 2 },
    });
    await clock.advance(500);
    expect((await clock.settled(gateway.chat('c'))).text).toBe('ok');
    expect(mock.calls).toHaveLength(3);
  });

  it('admits at most burst + rate x T in any window, over random arrivals (BUD-13, invariant 11)', async () => {
    const rule = { requests: 10, periodMs: 1_000, burst: 4 };
    const arrivals = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 10, maxLength: size(40, 120) });
    await fc.assert(
      fc.asyncProperty(arrivals, async (gaps) => {
        const { mock, gateway, clock } = world({ limits: [rule] });
        mock.otherwise.reply('ok');
        const admitted: number[] = [];
        for (const gap of gaps) {
          if (gap > 300) await clock.advance(gap - 300);
          const ok = await gateway.chat('x').then(
            () => true,
            () => false,
          );
          if (ok) admitted.push(clock.now());
        }
        for (const [first, from] of admitted.entries()) {
          for (let last = first; last < admitted.length; last++) {
            const elapsed = (admitted[last] as number) - from;
            expect(last - first + 1).toBeLessThanOrEqual(rule.burst + (rule.requests * elapsed) / rule.periodMs);
          }
        }
      }),
      { seed: 11, numRuns: size(20, 300) },
    );
  });

  it('admits whoever was refused and waited for retryAfterMs (invariant 11)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 90_000 }),
        fc.integer({ min: 0, max: 5_000 }),
        fc.constantFrom('rate', 'window'),
        async (requests, periodMs, pauseMs, kind) => {
          const rule = kind === 'rate' ? { requests, periodMs } : ({ requests, every: 'hour' } as const);
          const { mock, gateway, clock } = world({ limits: [rule] });
          mock.otherwise.reply('ok');
          let refused: { retryAfterMs?: number } | undefined;
          for (let index = 0; index <= requests && refused === undefined; index++) {
            if (index === 1) await clock.advance(pauseMs);
            await gateway.chat('x').catch((error: { retryAfterMs?: number }) => {
              refused = error;
            });
          }
          if (refused === undefined) return;
          expect(refused.retryAfterMs).toBeGreaterThan(0);
          await clock.advance(refused.retryAfterMs as number);
          await expect(gateway.chat('x')).resolves.toMatchObject({ text: 'ok' });
        },
      ),
      { seed: 12, numRuns: size(40, 500) },
    );
  });

  it('gives places back whatever becomes of the attempt (BUD-02, BUD-03, BUD-08)', async () => {
    const { mock, gateway, clock, limited } = world({ limits: [{ concurrent: 3 }] }, { attemptsMax: 1 });
    mock.on('ok').reply('ok');
    mock.on('fail').fail(500);
    mock.on('late').reply('late').delay(200);
    mock.on('cut').reply('one two three four').cut({ content: 2 });
    mock.on('stream').reply('one two three four five').pace({ pieceDelayMs: 5 });
    const controller = new AbortController();
    const work: Promise<unknown>[] = [];
    const ask = async (text: string) => gateway.chat(text).catch(() => undefined);
    for (let round = 0; round < size(30, 2_000); round++) {
      const kind = round % 6;
      if (kind === 0) work.push(ask('ok'));
      if (kind === 1) work.push(ask('fail'));
      if (kind === 2) work.push(gateway.chat('late', { timeoutMs: 20 }).catch(() => undefined));
      if (kind === 3) work.push(gateway.stream('cut').response.catch(() => undefined));
      if (kind === 4) work.push(gateway.chat('late', { signal: controller.signal }).catch(() => undefined));
      if (kind === 5) {
        const stream = gateway.stream('stream');
        work.push(
          (async () => {
            for await (const _ of stream.text) break;
          })().catch(() => undefined),
        );
      }
      if (round % 6 === 5) controller.abort();
      await clock.settled(Promise.all(work.splice(0)));
    }
    expect(await limited.remaining({})).toMatchObject([{ held: 0, remaining: 3 }]);
  });

  it('never has more calls at once than it says, and lets the others wait in order', async () => {
    const { mock, gateway, clock, events } = world({ limits: [{ concurrent: 4 }], onExhausted: 'wait' });
    let running = 0;
    let most = 0;
    const order: string[] = [];
    mock.otherwise.reply(async ({ text }) => {
      most = Math.max(most, ++running);
      order.push(text);
      await new Promise<void>((resolve) => void clock.after(50, resolve));
      running--;
      return 'ok';
    });
    const calls = Array.from({ length: 40 }, (_, index) => gateway.chat(`${index}`));
    await clock.settled(Promise.all(calls));
    expect(most).toBe(4);
    expect(order).toEqual(Array.from({ length: 40 }, (_, index) => `${index}`));
    expect(events.filter(({ kind }) => kind === 'queued')).toHaveLength(36);
    expect(clock.pending).toBe(0);
  });

  it('lets the more important wait less, and turns the least important away when its queue is full', async () => {
    const { mock, gateway, clock } = world({ limits: [{ concurrent: 1 }], onExhausted: 'wait', queuedCallsMax: 3 });
    const order: string[] = [];
    mock.otherwise
      .reply(({ text }) => {
        order.push(text);
        return 'ok';
      })
      .delay(50);
    const ask = (name: string, priority: 'critical' | 'normal' | 'background') =>
      gateway.chat(name, { priority }).then(
        () => 'ok',
        (error: { code: string; message: string }) => error.code,
      );
    const calls = Promise.all([
      ask('first', 'background'),
      ask('background', 'background'),
      ask('normal', 'normal'),
      ask('critical', 'critical'),
      ask('one more', 'normal'),
      ask('too late', 'background'),
    ]);
    expect(await clock.settled(calls)).toEqual(['ok', 'rate-limited', 'ok', 'ok', 'ok', 'rate-limited']);
    expect(order).toEqual(['first', 'critical', 'normal', 'one more']);
    expect(clock.pending).toBe(0);
  });

  it('does not let a newcomer overtake, unless it is more important', async () => {
    const { mock, gateway, clock } = world({
      limits: [{ requests: 10, periodMs: 1_000, burst: 1 }],
      onExhausted: 'wait',
    });
    const order: string[] = [];
    mock.otherwise.reply(({ text }) => {
      order.push(text);
      return 'ok';
    });
    const calls = ['a', 'b', 'c', 'd'].map((name) => gateway.chat(name, { priority: 'normal' }));
    await clock.advance(50);
    calls.push(gateway.chat('same', { priority: 'normal' }), gateway.chat('urgent', { priority: 'critical' }));
    await clock.settled(Promise.all(calls));
    expect(order).toEqual(['a', 'urgent', 'b', 'c', 'd', 'same']);
  });

  it('bounds the queue and the wait', async () => {
    const { mock, gateway, clock } = world({
      limits: [{ concurrent: 1 }],
      onExhausted: 'wait',
      queuedCallsMax: 2,
      waitMsMax: 100,
    });
    mock.otherwise.reply('ok').delay(1_000);
    const calls = Promise.allSettled(Array.from({ length: 4 }, () => gateway.chat('x')));
    await clock.advance(50);
    const results = await clock.settled(calls);
    expect(results.map((result) => (result.status === 'fulfilled' ? 'ok' : result.reason.code))).toEqual([
      'ok',
      'rate-limited',
      'rate-limited',
      'rate-limited',
    ]);
    expect(results[1]).toMatchObject({ reason: { message: expect.stringContaining('after 100 ms in the queue') } });
    expect(results[3]).not.toMatchObject({ reason: { message: expect.stringContaining('in the queue') } });
  });

  it('does not wait for what cannot come in time', async () => {
    const { mock, gateway, clock } = world({ limits: [{ requests: 1, every: 'day' }], onExhausted: 'wait' });
    mock.otherwise.reply('ok');
    await clock.settled(gateway.chat('x'));
    const before = clock.now();
    await expect(clock.settled(gateway.chat('x'))).rejects.toMatchObject({
      code: 'rate-limited',
      retryAfterMs: 14 * 3_600_000,
    });
    expect(clock.now()).toBe(before);
  });

  it('waits for a rolling limit exactly as long as it must', async () => {
    const { mock, gateway, clock } = world({
      limits: [{ requests: 10, periodMs: 1_000, burst: 1 }],
      onExhausted: 'wait',
    });
    const times: number[] = [];
    mock.otherwise.reply(() => {
      times.push(clock.monotonic());
      return 'ok';
    });
    await clock.settled(Promise.all(Array.from({ length: 6 }, () => gateway.chat('x'))));
    expect(times).toEqual([0, 100, 200, 300, 400, 500]);
  });

  it('leaves the queue when the caller aborts', async () => {
    const { mock, gateway, clock } = world({ limits: [{ concurrent: 1 }], onExhausted: 'wait' });
    mock.otherwise.reply('ok').delay(500);
    const first = gateway.chat('x');
    const controller = new AbortController();
    const second = gateway.chat('y', { signal: controller.signal });
    const failed = expect(second).rejects.toMatchObject({ code: 'aborted' });
    await clock.advance(10);
    controller.abort();
    await failed;
    await clock.settled(first);
    expect(mock.calls).toHaveLength(1);
  });

  it('settles by id, so that shuffled answers charge the right account (BUD-09)', async () => {
    const { mock, gateway, clock, limited } = world({ limits: [{ per: 'user', tokens: 100_000 }] });
    mock.otherwise.reply(async ({ text }) => {
      const tokens = Number(text);
      await new Promise<void>((resolve) => void clock.after((tokens * 7_919) % 97, resolve));
      return { text: 'ok', usage: { input: 0, output: tokens } };
    });
    const users = Array.from({ length: 50 }, (_, index) => index + 1);
    await clock.settled(
      Promise.all(users.map((tokens) => gateway.chat(`${tokens}`, { scope: { user: `u${tokens}` } }))),
    );
    for (const tokens of users)
      expect(await limited.remaining({ user: `u${tokens}` })).toMatchObject([{ used: tokens, held: 0 }]);
  });

  it('counts tokens that were used, not only requests (BUD-11)', async () => {
    const { mock, gateway, clock, limited } = world({ limits: [{ tokens: 10_000, periodMs: 60_000 }] });
    mock.otherwise.reply({ text: 'ok', usage: { input: 30, output: 70 } });
    await clock.settled(gateway.chat('x'));
    expect(await limited.remaining({})).toMatchObject([{ used: 100, remaining: 9_900 }]);
  });

  it('charges embeddings and every other operation too', async () => {
    const { gateway, clock, limited } = world({ limits: [{ requests: 5 }] });
    await clock.settled(gateway.embed({ model: 'mock/any', input: ['a', 'b'] }));
    expect(await limited.remaining({})).toMatchObject([{ used: 1 }]);
  });

  it.each([
    [{}, 'rateLimit.limits'],
    [{ limits: [{ costUsd: 1 }] }, 'rateLimit.limits[0].costUsd'],
    [{ provider: 'yes' }, 'rateLimit.provider'],
    [{ limits: [{ requests: 0, periodMs: 100 }] }, 'rateLimit.limits[0].requests'],
  ])('refuses %j at creation (BUD-05, BUD-11)', (options, field) => {
    expect(() => rateLimit(options as RateLimitOptions)).toThrow(
      expect.objectContaining({ code: 'invalid-options', field }),
    );
  });
});

describe('rateLimit({ provider: true })', () => {
  const tell = (limit: number, remaining: number, resetSeconds: number) =>
    ({ kind: 'headers', headers: rateLimitHeaders({ limit, remaining, resetSeconds }) }) as const;

  it('goes elsewhere before the provider says 429', async () => {
    const first = mockProvider({ name: 'first' });
    const second = mockProvider({ name: 'second' });
    first.otherwise.reply('first').fault(tell(10, 0, 6));
    second.otherwise.reply('second');
    const { gateway, clock } = world(
      { provider: true },
      { providers: [first, second], models: { default: ['first/a', 'second/b'] } },
    );
    const served: string[] = [];
    for (let index = 0; index < 3; index++) served.push((await clock.settled(gateway.chat('x'))).text);
    expect(served).toEqual(['first', 'second', 'second']);
    await clock.advance(6_000);
    expect((await clock.settled(gateway.chat('x'))).text).toBe('first');
  });

  it('spreads what waits over the time the limit needs to come back', async () => {
    const { mock, gateway, clock } = world({ provider: true, onExhausted: 'wait', waitMsMax: 60_000 });
    const times: number[] = [];
    let tokens = 10;
    let at = 0;
    mock.otherwise
      .reply(() => {
        times.push(clock.monotonic());
        tokens = Math.min(10, tokens + (clock.monotonic() - at) / 100) - 1;
        at = clock.monotonic();
        expect(tokens).toBeGreaterThanOrEqual(-0.001);
        return 'ok';
      })
      .fault(tell(10, 0, 1));
    await clock.settled(gateway.chat('x'));
    await clock.settled(Promise.all([gateway.chat('y'), gateway.chat('z')]));
    expect(times).toHaveLength(3);
    expect((times[1] as number) - (times[0] as number)).toBeGreaterThanOrEqual(100);
    expect((times[2] as number) - (times[1] as number)).toBeGreaterThanOrEqual(100);
  });

  it('says how long to wait when there is nowhere else', async () => {
    const { mock, gateway, clock } = world({ provider: true });
    mock.otherwise.reply('ok').fault(tell(60, 0, 60));
    await clock.settled(gateway.chat('x'));
    await expect(clock.settled(gateway.chat('x'))).rejects.toMatchObject({
      code: 'rate-limited',
      source: 'gateway',
      retryAfterMs: 1_000,
      limit: { name: expect.stringContaining('requests of provider') },
    });
    expect(mock.calls).toHaveLength(1);
    await clock.advance(1_000);
    expect((await clock.settled(gateway.chat('x'))).text).toBe('ok');
  });

  it('waits out a 429 of the provider for all calls', async () => {
    const { mock, gateway, clock } = world({ provider: true, onExhausted: 'wait' }, { attemptsMax: 1 });
    mock.otherwise.fail(429, { retryAfterMs: 3_000 }).then.reply('ok');
    await expect(clock.settled(gateway.chat('x'))).rejects.toMatchObject({ code: 'rate-limited', source: 'provider' });
    const began = clock.monotonic();
    expect((await clock.settled(gateway.chat('x'))).text).toBe('ok');
    expect(clock.monotonic() - began).toBe(3_000);
  });
});
