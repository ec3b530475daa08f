import { beforeAll, describe, expect, it } from 'vitest';
import { defineMiddleware } from '../../src/index.ts';
import { retry, route, type RouteOptions, timeout } from '../../src/middleware/index.ts';
import { failureOf, setUp, trailOf, warmUp } from './support.ts';

beforeAll(warmUp);

describe('route', () => {
  it('walks the candidates in order, and says why it went on', async () => {
    const { clock, a, b, gateway } = setUp([route()]);
    a.otherwise.fail(500);
    b.reply('b');
    const { target, attempts } = await clock.settled(gateway.chat('x'));
    expect(target).toEqual({ provider: 'b', model: 'two' });
    expect(attempts.map(({ next, outcome }) => next ?? outcome)).toEqual(['next target: b/two', 'completed']);
  });

  it.each([
    ['cut', (a: ReturnType<typeof setUp>['a']) => a.otherwise.reply('lost text').cut({ content: 0 })],
    ['stalled', (a: ReturnType<typeof setUp>['a']) => a.otherwise.reply('lost text').hang({ content: 0 })],
    ['malformed', (a: ReturnType<typeof setUp>['a']) => a.otherwise.reply('lost text').junk({ content: 0 })],
  ])(
    'STR-02, STR-06: a stream that is %s before its first content is replaced without a trace',
    async (_name, script) => {
      const { clock, a, b, gateway } = setUp([retry(), route(), timeout({ firstContentMs: 1_000 })]);
      script(a);
      b.reply('whole answer');
      const stream = gateway.stream('x');
      const types: string[] = [];
      const reading = (async () => {
        for await (const { type } of stream) types.push(type);
        return stream.response;
      })();
      const { text, attempts } = await clock.settled(reading);
      expect(text).toBe('whole answer');
      expect(types.filter((type) => type === 'start')).toHaveLength(1);
      expect(types.filter((type) => type === 'end')).toHaveLength(1);
      expect(b.calls).toHaveLength(1);
      expect(trailOf({ attempts })).toEqual(['a/one failed', 'b/two completed']);
    },
  );

  it.each(['cut', 'hang', 'junk'] as const)(
    'STR-02, STR-19: after content a %s is told with what was received, and nobody else is asked',
    async (fault) => {
      const { clock, a, b, gateway } = setUp([retry(), route(), timeout({ idleMs: 1_000 })]);
      a.otherwise.reply(['one ', 'two ', 'three '])[fault]({ content: 2 });
      b.reply('b');
      const received: string[] = [];
      const reading = (async () => {
        for await (const text of gateway.stream('x').text) received.push(text);
      })();
      const error = await clock.settled(failureOf(reading));
      expect(error.committed).toBe(true);
      expect(received.join('')).toBe('one two ');
      expect(error.partial?.message.content).toMatchObject([{ type: 'text', text: 'one two ' }]);
      expect(b.calls).toHaveLength(0);
    },
  );

  it('STR-03: an error after a valid start goes on to the next target', async () => {
    for (const code of ['quota-exceeded', 'overloaded', 'rate-limited'] as const) {
      const { clock, a, b, gateway } = setUp([retry(), route()]);
      a.otherwise.reply('x').failInside(code, 'after-start');
      b.reply('b');
      const { attempts } = await clock.settled(gateway.stream('x').response);
      expect(attempts.map(({ code: said, outcome }) => said ?? outcome)).toEqual([code, 'completed']);
    }
  });

  it.each(['invalid-request', 'request-too-large', 'context-too-long', 'content-filtered'] as const)(
    'RET-13: %s would be the same anywhere: one hit',
    async (code) => {
      const { clock, a, b, gateway } = setUp([retry(), route()]);
      a.otherwise.fail(code);
      const error = await clock.settled(failureOf(gateway.chat('x')));
      expect(error.code).toBe(code);
      expect(a.calls.length + b.calls.length).toBe(1);
    },
  );

  it.each([401, 402, 403, 404, 429, 500, 503, 529])(
    'RET-15: goes on after %i, by code and not by list',
    async (status) => {
      const { clock, a, b, gateway } = setUp([retry(), route()]);
      a.otherwise.fail(status);
      b.reply('b');
      expect((await clock.settled(gateway.chat('x'))).text).toBe('b');
      expect(a.calls).toHaveLength(1);
    },
  );

  it.each(
    [true, false].flatMap((stream) =>
      [0, 2].flatMap((content) => [true, false].map((alone) => [stream, content, alone])),
    ),
  )('RET-02: stream %s, cut after %i pieces, alone %s: another target only where there may be one', async (...cell) => {
    const [stream, content, alone] = cell as [boolean, number, boolean];
    const { clock, a, b, gateway } = setUp([retry(), route()]);
    a.otherwise.reply(['one ', 'two ', 'three']).cut({ content });
    b.reply('b');
    const request = { model: alone ? 'single' : 'default', prompt: 'x' };
    const work: Promise<unknown> = stream ? gateway.stream(request).response : gateway.chat(request);
    const told = await clock.settled(
      work.then(
        () => 'answered',
        () => 'failed',
      ),
    );
    const moves = !alone && (!stream || content === 0);
    expect([told, b.calls.length]).toEqual(moves ? ['answered', 1] : ['failed', 0]);
  });

  it('RET-17: each attempt is fresh, and no target is asked twice in a walk', async () => {
    const seen: { readonly call: object; readonly id: string | undefined }[] = [];
    const watch = defineMiddleware({ name: 'watch' }, async (call, next) => {
      seen.push({ call, id: call.target?.id });
      return next({ ...call, headers: { ...call.headers, 'x-mark': String(seen.length) } });
    });
    const { clock, a, b, gateway } = setUp([route(), watch]);
    a.otherwise.fail(500);
    b.reply('b');
    await clock.settled(gateway.chat('x'));
    expect(seen.map(({ id }) => id)).toEqual(['a/one', 'b/two']);
    expect(seen[1]?.call).not.toHaveProperty('headers');
  });

  it('one failure of all: every target, the last cause, and the soonest wait', async () => {
    const { clock, a, b, gateway } = setUp([route()]);
    a.otherwise.fail(429, { retryAfter: 7 });
    b.otherwise.fail(429, { retryAfter: 4 });
    const error = await clock.settled(failureOf(gateway.chat('x')));
    expect(error).toMatchObject({ code: 'all-targets-failed', retryable: true, retryAfterMs: 4_000 });
    expect(error.message).toContain('a/one rate-limited, b/two rate-limited');
    expect(error.cause).toMatchObject({ code: 'rate-limited', target: { provider: 'b' } });
  });

  it('RET-03: a target that asked to wait is not asked again before, even when another may be retried', async () => {
    const { clock, a, b, gateway } = setUp([retry(), route()], { attemptsMax: 4 });
    a.otherwise.fail(429, { retryAfter: 20 });
    b.otherwise.fail(500).times(2).then.reply('b');
    const { attempts } = await clock.settled(gateway.chat('x'));
    expect(trailOf({ attempts })).toEqual(['a/one failed', 'b/two failed', 'b/two failed', 'b/two completed']);
    expect(clock.monotonic()).toBeLessThan(5_000);
  });

  it('RET-20: the next call starts at the target that works', async () => {
    const { clock, a, b, gateway } = setUp([retry(), route()]);
    a.otherwise.fail(500);
    b.reply('b');
    await clock.settled(gateway.chat('x'));
    expect(a.calls).toHaveLength(1);
    for (let round = 0; round < 5; round++) await clock.settled(gateway.chat('x'));
    expect(a.calls).toHaveLength(1);
    await clock.advance(60_000);
    await clock.settled(gateway.chat('x'));
    expect(a.calls).toHaveLength(2);
  });

  it('keeps the order when a target fails now and then', async () => {
    const { clock, a, b, gateway } = setUp([route()]);
    a.reply('a').times(9).then.fail(500).then.reply('a');
    b.reply('b');
    const served: string[] = [];
    for (let round = 0; round < 12; round++) served.push((await clock.settled(gateway.chat('x'))).target.provider);
    expect(served.join('')).toBe('aaaaaaaaabaa');
  });

  it('puts a target last that breaks off its streams', async () => {
    const { clock, a, b, gateway } = setUp([route()]);
    a.otherwise.reply(['one ', 'two']).cut();
    b.reply('b');
    await clock.settled(failureOf(gateway.stream('x').response));
    expect((await clock.settled(gateway.stream('x').response)).target.provider).toBe('b');
  });

  it('leaves out what is benched, and says so when nothing is left', async () => {
    let bench: ((id: string, ms: number, reason: string) => void) | undefined;
    const benching = defineMiddleware(
      { name: 'benching', start: ({ health }) => void (bench = health.bench) },
      (call, next) => next(call),
    );
    const { clock, a, b, gateway } = setUp([benching, route()]);
    a.reply('a');
    b.reply('b');
    bench?.('a/one', 10_000, 'maintenance');
    expect((await gateway.chat('x')).target.provider).toBe('b');
    bench?.('b/two', 5_000, 'maintenance');
    const error = await failureOf(gateway.chat('x'));
    expect(error).toMatchObject({ code: 'no-target', retryable: true, retryAfterMs: 5_000 });
    expect(error.message).toContain('maintenance');
    await clock.advance(10_000);
    expect((await gateway.chat('x')).target.provider).toBe('a');
  });

  it('takes the order it is given, and tries only what is in it', async () => {
    const { clock, a, b, gateway } = setUp([route({ order: ([, second]) => (second === undefined ? [] : [second]) })]);
    a.reply('a');
    b.otherwise.fail(500);
    const error = await clock.settled(failureOf(gateway.chat('x')));
    expect(trailOf(error)).toEqual(['b/two failed']);
    expect(gateway.explain('x').middleware[0]?.summary).toBe('tries b/two');
  });

  it.each<[string, unknown, string]>([
    ['a strategy that is no function', { order: 'fastest' }, 'route.order'],
    ['an unknown option', { retries: 2 }, 'route.retries'],
    ['a negative time', { avoidMs: -1 }, 'route.avoidMs'],
  ])('refuses %s', (_name, options, field) => {
    expect(() => route(options as RouteOptions)).toThrow(expect.objectContaining({ code: 'invalid-options', field }));
  });
});
