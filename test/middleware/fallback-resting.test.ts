import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatAttempts, type GatewayError, type GatewayOptions, type Middleware } from '../../src/index.ts';
import { cache, circuitBreaker, fallback, retry, route, timeout } from '../../src/middleware/index.ts';
import { size } from '../size.ts';
import { failureOf, setUp, trailOf, warmUp } from './support.ts';

beforeAll(warmUp);
const single = { model: 'single', prompt: 'x' };
const stack = (): Middleware[] => [fallback({ any: 'other' }), retry(), route(), timeout({ attemptMs: 1_000 })];
const world = (use = stack(), options: GatewayOptions = {}) => {
  const made = setUp(use, options);
  made.b.reply('b');
  return { ...made, ask: (prompt = 'x') => made.clock.settled(made.gateway.chat({ model: 'single', prompt })) };
};

describe('fallback, the second call', () => {
  it.each([503, 500, 529, 401, 402, 403, 429, 'refused', 'dns', 'reset', 'hang'] as const)(
    'RET-20: after %s the second call of a minute goes straight to the model that is left',
    async (fault) => {
      const { clock, a, b, gateway, ask } = world();
      if (typeof fault === 'number') a.otherwise.fail(fault);
      else a.otherwise.fail(fault);
      const told: unknown[] = [];
      gateway.on('fallback', ({ from, to, reason, passedOver }) => told.push([from, to, reason, passedOver]));
      const first = await ask();
      const { code } = first.attempts[0] ?? {};
      const waterfall = a.calls.length;
      const began = clock.monotonic();
      const second = await ask();
      expect([second.text, a.calls.length, b.calls.length]).toEqual(['b', waterfall, 2]);
      expect(clock.monotonic()).toBe(began);
      expect(second.attempts).toHaveLength(1);
      expect(second.attempts[0]?.passedOver).toEqual([{ target: 'a/one', reason: code, waitMs: 60_000 }]);
      expect(formatAttempts(second.attempts)).toMatch(
        new RegExp(`^ {3}passed over a/one: ${code}, for another 60\\.0 s\n1\\. b/two {2}completed`),
      );
      expect(told).toEqual([
        ['single', 'other', code, false],
        ['single', 'other', code, true],
      ]);
      expect(clock.pending).toBe(0);
    },
  );

  it('RET-20: after a minute one probe asks the first again, with one attempt; the others keep away meanwhile', async () => {
    const { clock, a, gateway, ask } = world();
    a.otherwise.fail(503).times(4).then.reply('a').delay(500);
    await ask();
    expect(a.calls).toHaveLength(3);
    await clock.advance(60_000);
    const five = await clock.settled(Promise.all(Array.from({ length: 5 }, () => gateway.chat(single))));
    expect(five.map(({ text }) => text)).toEqual(['b', 'b', 'b', 'b', 'b']);
    expect(a.calls).toHaveLength(4);
    expect(five.map(({ attempts }) => trailOf({ attempts }).length).toSorted()).toEqual([1, 1, 1, 1, 2]);
    await ask();
    expect(a.calls).toHaveLength(4);
    await clock.advance(60_000);
    const again = await clock.settled(Promise.all(Array.from({ length: 5 }, () => gateway.chat(single))));
    expect(again.map(({ text }) => text).toSorted()).toEqual(['a', 'b', 'b', 'b', 'b']);
    expect((await ask()).text).toBe('a');
  });

  it('a probe that says nothing about the target gives its place to the next', async () => {
    const { clock, a, b, ask } = world();
    a.otherwise.fail(503).times(3).then.fail(400).times(1).then.reply('a');
    await ask();
    await clock.advance(60_000);
    expect((await failureOf(ask())).code).toBe('invalid-request');
    expect((await ask()).text).toBe('a');
    expect(b.calls).toHaveLength(1);
  });

  it('a rate limit rests for as long as it asked, and nobody waits for it while another model stands ready', async () => {
    const { clock, a, ask } = world();
    a.otherwise.fail(429, { retryAfter: 20 }).times(1).then.reply('a');
    const first = await ask();
    expect(first.attempts[0]?.next).toBe('fallback to other: rate-limited');
    expect(clock.monotonic()).toBe(0);
    await clock.advance(19_999);
    expect((await ask()).text).toBe('b');
    await clock.advance(1);
    expect((await ask()).text).toBe('a');
    expect(a.calls).toHaveLength(2);
  });

  it('a short Retry-After is still waited out, and without a model for the reason a long one as well', async () => {
    const short = world();
    short.a.otherwise.fail(429, { retryAfter: 1 }).times(1).then.reply('a');
    expect((await short.ask()).text).toBe('a');
    const unnamed = world([fallback({ timeout: 'other' }), retry(), route()]);
    unnamed.a.otherwise.fail(429, { retryAfter: 20 }).times(1).then.reply('a');
    expect((await unnamed.ask()).text).toBe('a');
  });

  it('never passes over the last that is left: where all of them rest the order is as ever', async () => {
    const { clock, a, b, gateway } = setUp(stack());
    a.otherwise.fail(401);
    b.otherwise.fail(401);
    const ask = () => clock.settled(failureOf(gateway.chat(single)));
    await ask();
    const error = await ask();
    expect(trailOf(error)).toEqual(['a/one failed', 'b/two failed']);
    expect(error.attempts.some(({ passedOver }) => passedOver !== undefined)).toBe(false);
  });

  it('comes back to what it passed over when nothing else helps', async () => {
    const { a, b, ask } = world();
    a.otherwise.fail(503).times(3).then.reply('a');
    await ask();
    b.on('second').fail(402);
    const { text, attempts } = await ask('second');
    expect(text).toBe('a');
    expect(trailOf({ attempts })).toEqual(['b/two failed', 'a/one completed']);
    expect(attempts[0]?.next).toBe('back to what was passed over: nothing else is left');
    expect((await ask()).text).toBe('a');
  });

  it.each(['context-too-long', 'content-filtered', 'request-too-large', 'not-found'] as const)(
    '%s is of one request: the next call begins where it always did',
    async (code) => {
      const { a, ask } = world();
      a.otherwise.fail(code).times(1).then.reply('a');
      expect((await ask()).text).toBe('b');
      expect((await ask()).text).toBe('a');
    },
  );

  it('one bad request does not send everybody away: a target that answers others meanwhile is not left alone', async () => {
    const { clock, a, gateway, ask } = world();
    a.on('poison').fail(500);
    a.reply('a');
    const poison = gateway.chat({ model: 'single', prompt: 'poison' });
    await clock.advance(1);
    expect((await gateway.chat(single)).text).toBe('a');
    expect((await clock.settled(poison)).text).toBe('b');
    expect((await ask()).text).toBe('a');
  });

  it('knows of an alias only when all of its targets fail, and leaves the order of the others to route', async () => {
    const { clock, a, b, gateway } = setUp([fallback({ any: 'a/spare' }), retry(), route()]);
    a.on({ model: 'one' }).fail(401);
    b.otherwise.fail(401).times(1).then.reply('b');
    a.on({ model: 'spare' }).reply('spare');
    expect((await clock.settled(gateway.chat('x'))).text).toBe('spare');
    const second = await clock.settled(gateway.chat('x'));
    expect([second.text, second.attempts[0]?.passedOver?.map(({ target }) => target)]).toEqual([
      'spare',
      ['a/one', 'b/two'],
    ]);
    // Whoever asks for b alone has an answer, and everybody hears of it.
    await clock.settled(gateway.chat({ model: 'b/two', prompt: 'x' }, { timeoutMs: 0 }).catch(() => undefined));
    await clock.advance(60_000);
    expect((await clock.settled(gateway.chat('x'))).text).toBe('b');
  });

  it('an open circuit and a bench by another middleware are passed over and told as well', async () => {
    const { a, ask } = world([
      fallback({ any: 'other', avoidMs: 0 }),
      retry(),
      route(),
      circuitBreaker({ callsMin: 1 }),
    ]);
    const open = world([fallback({ any: 'other' }), route(), circuitBreaker({ callsMin: 1 })]);
    for (const each of [{ a, ask }, open]) {
      each.a.otherwise.fail(500);
      await each.ask();
      const made = each.a.calls.length;
      expect((await each.ask()).text).toBe('b');
      expect(each.a.calls).toHaveLength(made);
    }
    expect((await open.ask()).attempts[0]?.passedOver?.[0]).toMatchObject({ target: 'a/one' });
  });

  it('needs no route, and leaves a cache inside alone: what is kept is served', async () => {
    const { a, b, ask, gateway, clock } = world([fallback({ any: 'other' }), cache(), retry()]);
    const kept = { ...single, prompt: 'kept', temperature: 0 };
    a.on('kept').reply('kept');
    a.otherwise.fail(503);
    await clock.settled(gateway.chat(kept));
    await ask();
    const made = a.calls.length;
    expect((await ask('other')).text).toBe('b');
    expect(await clock.settled(gateway.chat(kept))).toMatchObject({ text: 'kept', cached: { kind: 'exact' } });
    expect([a.calls.length, b.calls.length]).toEqual([made, 2]);
  });

  it('streams, too', async () => {
    const { clock, a, gateway } = world();
    a.otherwise.reply('text').failInside('overloaded', 'after-start');
    for (let round = 0; round < 2; round++) {
      expect((await clock.settled(gateway.stream(single).response)).text).toBe('b');
    }
    expect(a.calls).toHaveLength(3);
  });

  it('says in explain whom it passes over, and nothing of it with avoidMs: 0', async () => {
    const { a, ask, gateway } = world();
    a.otherwise.fail(401);
    await ask();
    expect(gateway.explain(single).middleware[0]?.summary).toBe(
      'any: other; passes over a/one for 60000 ms: authentication',
    );
    const off = world([fallback({ any: 'other', avoidMs: 0 }), retry(), route()]);
    off.a.otherwise.fail(401);
    await off.ask();
    await off.ask();
    expect(off.a.calls).toHaveLength(2);
  });

  it('two of them: the inner one first, and the outer one still knows its own', async () => {
    const use = [fallback({ overloaded: 'a/last' }), fallback({ overloaded: 'other' }), retry(), route()];
    const { clock, a, b, gateway } = setUp(use);
    a.on({ model: 'one' }).fail(503);
    a.on({ model: 'last' }).reply('last');
    b.otherwise.reply('b').times(1).then.fail(503);
    const ask = async () => (await clock.settled(gateway.chat(single))).text;
    expect(await ask()).toBe('b');
    expect(await ask()).toBe('last');
    const made = a.calls.length + b.calls.length;
    expect(await ask()).toBe('last');
    expect(a.calls.length + b.calls.length).toBe(made + 1);
  });

  it('invariant 6: whatever fails when, a call is answered if either model would answer it, and asks each at most once', async () => {
    const codes = ['ok', 'ok', 503, 500, 401, 429, 'refused', 'context-too-long', 'content-filtered'] as const;
    const outcome = fc.constantFrom(...codes);
    const step = fc.record({ first: outcome, second: outcome, stream: fc.boolean(), gapMs: fc.nat(70_000) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
        const { clock, a, b, gateway } = setUp([fallback({ any: 'other' }), route()]);
        for (const [index, { first, second, stream, gapMs }] of steps.entries()) {
          const prompt = `call ${index}.`;
          for (const [mock, end] of [[a, first] as const, [b, second] as const]) {
            if (end === 'ok') mock.on(prompt).reply('answer');
            else if (typeof end === 'number') mock.on(prompt).fail(end);
            else mock.on(prompt).fail(end);
          }
          const request = { model: 'single', prompt };
          const made = stream ? gateway.stream(request).response : gateway.chat(request);
          const { text, attempts } = await clock.settled(
            made.catch((error: GatewayError) => ({ text: '', attempts: error.attempts })),
          );
          const what = `${JSON.stringify(steps)} at ${index}: ${formatAttempts(attempts)}`;
          expect(text, what).toBe(first === 'ok' || second === 'ok' ? 'answer' : '');
          const asked = attempts.map(({ targetId }) => targetId);
          expect(new Set(asked).size, what).toBe(asked.length);
          await clock.advance(gapMs);
        }
        expect(clock.pending).toBe(0);
      }),
      { seed: 11, numRuns: size(60, 3_000) },
    );
  });
});
