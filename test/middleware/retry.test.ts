import { beforeAll, describe, expect, it } from 'vitest';
import { createGateway, defineMiddleware, defineProvider, GatewayError } from '../../src/index.ts';
import { retry, type RetryOptions, route, timeout } from '../../src/middleware/index.ts';
import { seededRandom } from '../../src/testing/script/random.ts';
import { HeapClock } from '../heap-clock.ts';
import { size } from '../size.ts';
import { failureOf, setUp, trailOf, warmUp } from './support.ts';

beforeAll(warmUp);
const single = { model: 'single', prompt: 'x' };

const usedUp = (reset: string, remaining: number): Record<string, string> => ({
  'x-ratelimit-remaining-requests': String(remaining),
  'x-ratelimit-reset-requests': reset,
});

describe('retry', () => {
  it('tries again what failed for a while, and says so in the trail', async () => {
    const { clock, a, gateway } = setUp([retry(), route()]);
    a.otherwise.fail(500).then.reply('served');
    const { text, attempts } = await clock.settled(gateway.chat(single));
    expect(text).toBe('served');
    expect(attempts.map(({ outcome, next }) => next ?? outcome)).toEqual(['retry after 250 ms', 'completed']);
    expect(attempts[1]?.waitedMs).toBe(250);
  });

  it('RET-01: a stream that fails before its first content obeys retry without any fallback', async () => {
    for (const fault of ['failInside', 'cut', 'junk'] as const) {
      const { clock, a, gateway } = setUp([retry(), route()]);
      const chain = a.otherwise.reply('lost');
      (fault === 'failInside' ? chain.failInside('overloaded', 'after-start') : chain[fault]('after-start')).then.reply(
        'served',
      );
      const { text, attempts } = await clock.settled(gateway.stream(single).response);
      expect(text, fault).toBe('served');
      expect(attempts, fault).toHaveLength(2);
    }
  });

  it('STR-13: a 429 at connect of a stream is retried before the stream is handed out', async () => {
    const { clock, a, gateway } = setUp([retry(), route()]);
    a.otherwise.fail(429, { retryAfter: 1 }).then.reply('served');
    const stream = gateway.stream(single);
    await clock.settled(stream.started);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(1_000);
    expect((await stream.response).text).toBe('served');
  });

  it.each([
    ['retry-after-ms', { retryAfterMs: 1_500 }, 1_500, 1_650],
    ['x-ms-retry-after-ms', { headers: { 'x-ms-retry-after-ms': '700' } }, 700, 770],
    ['whole seconds', { retryAfter: 3 }, 3_000, 3_300],
    ['a fraction of a second', { retryAfter: '0.25' }, 250, 275],
    ['a date', { retryAfter: new Date(1_767_225_604_000) }, 4_000, 4_400],
    ['the reset of a used-up limit', { headers: usedUp('1500ms', 0) }, 1_500, 1_650],
    ['retry-after before the reset', { retryAfter: 1, headers: usedUp('9s', 0) }, 1_000, 1_100],
    ['a date that is past', { retryAfter: new Date(1_767_225_000_000) }, 0, 0],
    ['nought', { retryAfter: 0 }, 0, 0],
  ])('RET-03: honours %s exactly, with at most a tenth more', async (_name, hint, least, most) => {
    for (const random of [0, 0.999_999]) {
      const { clock, a, gateway } = setUp([retry(), route()], { random: () => random });
      a.otherwise.fail(429, hint).then.reply('served');
      await clock.settled(gateway.chat(single));
      expect(clock.monotonic()).toBeGreaterThanOrEqual(least);
      expect(clock.monotonic()).toBeLessThanOrEqual(most + 1);
    }
  });

  it('RET-03: the reset of a limit that is not used up says nothing', async () => {
    const { clock, a, gateway } = setUp([retry(), route()]);
    a.otherwise.fail(429, { headers: usedUp('9s', 3) }).then.reply('served');
    await clock.settled(gateway.chat(single));
    expect(clock.monotonic()).toBe(250);
  });

  it.each(['soon', '-5', ''])('RET-03: takes its own back-off when Retry-After says %j', async (retryAfter) => {
    const { clock, a, gateway } = setUp([retry(), route()]);
    a.otherwise.fail(429, { retryAfter }).then.reply('served');
    await clock.settled(gateway.chat(single));
    expect(clock.monotonic()).toBe(250);
  });

  it('RET-03: does not wait longer than 30 s, nor past the deadline: it throws what was asked', async () => {
    const long = setUp([retry(), route()]);
    long.a.otherwise.fail(429, { retryAfter: 31 });
    const error = await long.clock.settled(failureOf(long.gateway.chat(single)));
    expect(error).toMatchObject({ code: 'rate-limited', retryAfterMs: 31_000 });
    expect(error.attempts.at(-1)?.next).toBe('gave up: asked to wait 31000 ms');
    expect(long.clock.monotonic()).toBe(0);

    const late = setUp([retry(), route()], { timeoutMs: 2_000 });
    late.a.otherwise.fail(429, { retryAfter: 3 });
    const second = await late.clock.settled(failureOf(late.gateway.chat(single)));
    expect(second).toMatchObject({ code: 'rate-limited', retryAfterMs: 3_000 });
    expect(second.attempts.at(-1)?.next).toMatch(/^gave up: the deadline comes before/);
    expect(late.clock.monotonic()).toBe(0);
  });

  it('RET-04: an exhausted quota is one hit, and another target is asked', async () => {
    const { clock, a, b, gateway } = setUp([retry(), route()]);
    a.otherwise.fail(429, { code: 'quota-exceeded' });
    b.reply('b');
    expect((await clock.settled(gateway.chat('x'))).text).toBe('b');
    expect(a.calls).toHaveLength(1);
    expect((await clock.settled(failureOf(gateway.chat(single)))).code).toBe('quota-exceeded');
    expect(a.calls).toHaveLength(2);
  });

  it('RET-05: what upstream saw is what the record says', async () => {
    const { clock, a, b, gateway } = setUp([retry(), route(), timeout({ attemptMs: 5_000 })], { attemptsMax: 6 });
    a.otherwise.fail('hang').then.fail(500).then.fail('reset').then.fail(503);
    b.otherwise.fail(502).then.fail('refused');
    const error = await clock.settled(failureOf(gateway.chat('x')));
    expect(a.calls.length + b.calls.length).toBe(error.attempts.length);
  });

  it.each([
    ['invalid-request', 400],
    ['authentication', 401],
    ['permission', 403],
    ['not-found', 404],
    ['request-too-large', 413],
    ['context-too-long', 400],
    ['content-filtered', 400],
  ] as const)('RET-13, RET-15: %s is never retried', async (code, status) => {
    const { clock, a, gateway } = setUp([retry(), route()]);
    a.otherwise.fail(code, { status });
    const error = await clock.settled(failureOf(gateway.chat(single)));
    expect(error.code).toBe(code);
    expect(a.calls).toHaveLength(1);
    expect(error.attempts[0]?.next).toBe('gave up: not worth a retry');
  });

  it.each([
    ['408', 408, {}],
    ['429', 429, {}],
    ['500', 500, {}],
    ['502', 502, {}],
    ['503', 503, {}],
    ['529', 529, {}],
    ['a refusal with x-should-retry: true', 400, { headers: { 'x-should-retry': 'true' } }],
  ])('RET-15: %s is', async (_name, status, options) => {
    const { clock, a, gateway } = setUp([retry(), route()]);
    a.otherwise.fail(status, options).then.reply('served');
    expect((await clock.settled(gateway.chat(single))).text).toBe('served');
  });

  it('obeys x-should-retry: false before the status', async () => {
    const { clock, a, gateway } = setUp([retry(), route()]);
    a.otherwise.fail(500, { headers: { 'x-should-retry': 'false' } });
    await clock.settled(failureOf(gateway.chat(single)));
    expect(a.calls).toHaveLength(1);
  });

  it.each(['dns', 'refused', 'tls', 'reset'] as const)(
    'RET-16: a failure below HTTP has a code and a stage that policy can match: %s',
    async (word) => {
      const { clock, a, gateway } = setUp([retry(), route()]);
      a.otherwise.fail(word);
      const error = await clock.settled(failureOf(gateway.chat(single)));
      expect(error.code).toBe('connection');
      expect(error.stage).toBe({ dns: 'dns', refused: 'connect', tls: 'tls', reset: 'response' }[word]);
      expect(a.calls).toHaveLength({ dns: 1, refused: 3, tls: 1, reset: 2 }[word]);
    },
  );

  it('RET-21: a connection lost after sending is retried once, and each attempt may be on the bill', async () => {
    const outcomes: string[] = [];
    const watch = defineMiddleware(
      { name: 'watch', attempt: () => ({ end: ({ billing }) => void outcomes.push(billing) }) },
      (call, next) => next(call),
    );
    const { clock, a, gateway } = setUp([watch, retry(), route()], { attemptsMax: 9 });
    a.otherwise.fail('reset');
    const error = await clock.settled(failureOf(gateway.chat(single)));
    expect(error).toMatchObject({ code: 'connection', ambiguous: true });
    expect(error.attempts.at(-1)?.next).toBe('gave up: it may have been processed already');
    expect(outcomes).toEqual(['possible', 'possible']);
  });

  it('TOOL-11: a request with a tool that runs at the provider is not sent again when nobody knows how far it came', async () => {
    const { clock, a, b, gateway } = setUp([retry(), route()]);
    a.otherwise.fail('reset');
    b.reply('b');
    const error = await clock.settled(
      failureOf(gateway.chat({ prompt: 'x', tools: [{ type: 'hosted', tool: 'web_search' }] })),
    );
    expect(error.code).toBe('connection');
    expect(a.calls).toHaveLength(1);
    expect(b.calls).toHaveLength(0);
  });

  it('TOOL-11: a tool call that began to stream is content: nothing is retried behind the reader', async () => {
    const { clock, a, b, gateway } = setUp([retry(), route()]);
    a.otherwise.callTool('pay', { amount: 100, to: 'Alice' }).cut('inside-tool-args');
    b.reply('b');
    const error = await clock.settled(failureOf(gateway.stream({ prompt: 'x', tools: [{ name: 'pay' }] }).response));
    expect(error).toMatchObject({ code: 'stream-interrupted', committed: true });
    expect(a.calls).toHaveLength(1);
    expect(b.calls).toHaveLength(0);
  });

  it('RET-22: a plain answer cut short is retried, once', async () => {
    const { clock, a, gateway } = setUp([retry(), route()], { attemptsMax: 9 });
    a.otherwise.reply('a long enough answer').cut().then.reply('whole');
    expect((await clock.settled(gateway.chat(single))).text).toBe('whole');
    a.reset();
    a.otherwise.reply('a long enough answer').cut();
    await clock.settled(failureOf(gateway.chat(single)));
    expect(a.calls).toHaveLength(2);
  });

  it('ERR-01: an empty answer is asked for once more', async () => {
    const { clock, a, gateway } = setUp([retry(), route()], { attemptsMax: 9 });
    a.otherwise.reply('x').fault({ kind: 'empty' });
    const error = await clock.settled(failureOf(gateway.chat(single)));
    expect(error.code).toBe('bad-response');
    expect(a.calls).toHaveLength(2);
    expect(error.attempts.at(-1)?.next).toMatch(/^gave up: \S+ was retried as often as it may be$/);
  });

  it('a conflict (409) is asked once more', async () => {
    const { clock, a, gateway } = setUp([retry(), route()], { attemptsMax: 9 });
    a.otherwise.fail(409);
    await clock.settled(failureOf(gateway.chat(single)));
    expect(a.calls).toHaveLength(2);
  });

  it('bounds retries a code as told', async () => {
    const { clock, a, gateway } = setUp([retry({ codes: { unavailable: 0, overloaded: 2 } }), route()], {
      attemptsMax: 9,
    });
    a.on('dead').fail(500);
    a.on('busy').fail(529);
    await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'dead' })));
    expect(a.calls).toHaveLength(1);
    await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'busy' })));
    expect(a.calls).toHaveLength(4);
  });

  it('gives an overloaded target a second at least', async () => {
    const { clock, a, gateway } = setUp([retry(), route()], { random: () => 0 });
    a.otherwise.fail(529).then.reply('x');
    await clock.settled(gateway.chat(single));
    expect(clock.monotonic()).toBe(1_000);
  });

  it.each<[string, RetryOptions, string]>([
    ['an unknown option', { retries: 3 } as RetryOptions, 'retry.retries'],
    ['a negative time', { baseMs: -1 }, 'retry.baseMs'],
    ['an unknown code', { codes: { oops: 1 } as RetryOptions['codes'] & object }, 'retry.codes.oops'],
    ['a code that is never retried', { codes: { aborted: 1 } }, 'retry.codes.aborted'],
    ['half a retry', { codes: { timeout: 0.5 } }, 'retry.codes.timeout'],
  ])('refuses %s at once', (_name, options, field) => {
    expect(() => retry(options)).toThrow(expect.objectContaining({ code: 'invalid-options', field }));
  });
});

describe('retries of many calls', () => {
  it('RET-06: thousands of calls that fail at once do not return as a wave', async () => {
    const clock = new HeapClock();
    const clients = size(5_000, 10_000);
    const buckets = new Map<number, number>();
    let calls = 0;
    const dead = defineProvider({
      name: 'dead',
      protocols: [],
      handlers: {
        async chat() {
          const bucket = Math.floor(clock.monotonic() / 100);
          if (++calls > clients) buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
          throw new GatewayError('unavailable', 'Down.');
        },
      },
    });
    const gateway = createGateway({
      providers: [dead],
      models: { default: 'dead/x' },
      clock,
      random: seededRandom(42),
      attemptsMax: 2,
      use: [retry({ budgetBurst: 20_000 }), route()],
    });
    const all = Array.from({ length: clients }, () => gateway.chat('x').catch(() => undefined));
    await clock.runUntil(10_000, 50);
    await Promise.all(all);
    expect(calls).toBe(2 * clients);
    expect(Math.max(...buckets.values())).toBeLessThanOrEqual(0.03 * clients);
  });

  it('RET-24: a dead target sees at most a tenth more than the calls, plus the burst', async () => {
    const { clock, a, gateway } = setUp([retry({ baseMs: 100 }), route()]);
    a.otherwise.fail('refused');
    // At full size a minute of 500 calls a second.
    const requests = size(600, 30_000);
    const calls: Promise<unknown>[] = [];
    for (let made = 0; made < requests; made++) {
      calls.push(gateway.chat(single).catch(() => undefined));
      if (made % 20 === 0) await clock.advance(40);
    }
    await clock.runAll();
    await Promise.all(calls);
    expect(a.calls.length).toBeLessThanOrEqual(requests * 1.1 + 10);
    expect(a.calls.length).toBeGreaterThan(requests + 10);
  }, 60_000);

  it('RET-24: what fails is told, not that the budget said no; moving on is free', async () => {
    const { clock, a, b, gateway } = setUp([retry({ budgetRatio: 0, budgetBurst: 0 }), route()]);
    a.otherwise.fail(500);
    b.otherwise.fail(503).then.reply('b');
    const first = await clock.settled(failureOf(gateway.chat('x')));
    expect(first.code).toBe('all-targets-failed');
    expect(trailOf(first)).toEqual(['a/one failed', 'b/two failed']);
    expect((await clock.settled(gateway.chat('x'))).target.provider).toBe('b');
  });
});
