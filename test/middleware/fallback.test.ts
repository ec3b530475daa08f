import { beforeAll, describe, expect, it } from 'vitest';
import { type ChatRequest, defineMiddleware, GatewayError } from '../../src/index.ts';
import { cache, fallback, type FallbackOptions, retry, route, timeout } from '../../src/middleware/index.ts';
import { failureOf, setUp, trailOf, warmUp } from './support.ts';

beforeAll(warmUp);
const single = { model: 'single', prompt: 'x' };
const stack = (options: FallbackOptions) => [fallback(options), retry(), route()];

describe('fallback', () => {
  it.each([
    'context-too-long',
    'content-filtered',
    'request-too-large',
    'rate-limited',
    'overloaded',
    'authentication',
    'quota-exceeded',
    'not-found',
  ] as const)('RET-13, RET-15: %s goes to the model named for it, after what retry could do', async (code) => {
    const { clock, a, b, gateway } = setUp(stack({ [code]: 'other' }));
    a.otherwise.fail(code);
    b.reply('b');
    const { text, attempts } = await clock.settled(gateway.chat(single));
    expect(text).toBe('b');
    expect(attempts.at(-2)?.next).toBe(`fallback to other: ${code}`);
    expect(attempts.at(-1)?.targetId).toBe('b/two');
  });

  it("takes a guardrail's verdict for a reason, if it is named", async () => {
    const guard = defineMiddleware({ name: 'guard' }, async (call, next) => {
      if (call.plan.candidates[0]?.provider === 'a')
        throw new GatewayError('guardrail-blocked', 'Not with this model.');
      return next(call);
    });
    const named = setUp([fallback({ 'guardrail-blocked': 'other' }), guard, retry(), route()]);
    named.b.reply('b');
    expect((await named.clock.settled(named.gateway.chat(single))).text).toBe('b');
    const unnamed = setUp([fallback({ any: 'other' }), guard, retry(), route()]);
    expect((await unnamed.clock.settled(failureOf(unnamed.gateway.chat(single)))).code).toBe('guardrail-blocked');
  });

  it('owes the other model an attempt although all were used', async () => {
    const { clock, a, b, gateway } = setUp(stack({ any: 'other' }), { attemptsMax: 1 });
    a.otherwise.fail(500);
    b.reply('b');
    expect(trailOf(await clock.settled(gateway.chat(single)))).toEqual(['a/one failed', 'b/two completed']);
  });

  it('acts on a stream that failed before its first content, never after', async () => {
    const { clock, a, b, gateway } = setUp(stack({ any: 'other' }));
    a.on('early').reply('some text').failInside('context-too-long', 'after-start');
    a.on('late').reply(['one ', 'two']).cut();
    b.reply('b');
    const early = await clock.settled(gateway.stream({ model: 'single', prompt: 'early' }).response);
    expect(early.text).toBe('b');
    const late = await clock.settled(failureOf(gateway.stream({ model: 'single', prompt: 'late' }).response));
    expect(late.committed).toBe(true);
    expect(b.calls).toHaveLength(1);
  });

  it.each([
    ['length', { length: 'other' }],
    ['refusal', { refusal: 'other' }],
    ['content-filter', { 'content-filtered': 'other' }],
    ['context-length', { 'context-too-long': 'other' }],
  ] as const)('takes an answer that ended with %s for a reason', async (finish, options) => {
    const { clock, a, b, gateway } = setUp(stack(options));
    a.otherwise.reply('half').finish(finish);
    b.reply('whole');
    const { text, attempts } = await clock.settled(gateway.chat(single));
    expect(text).toBe('whole');
    expect(trailOf({ attempts })).toEqual(['a/one completed', 'b/two completed']);
  });

  it.each(['refusal', 'content-filter'] as const)(
    'a stream that ends with %s and says nothing is replaced, or kept if its substitute fails',
    async (finish) => {
      const { clock, a, b, gateway } = setUp(stack({ [finish]: 'other' }));
      a.otherwise.reply('').finish(finish);
      b.otherwise.reply('b').times(1).then.fail(402);
      const ask = () => clock.settled(gateway.stream(single).response);
      const { text, attempts } = await ask();
      expect([text, trailOf({ attempts }).at(-1)]).toEqual(['b', 'b/two completed']);
      expect(await ask()).toMatchObject({ text: '', finish: { reason: finish } });
      expect(clock.pending).toBe(0);
    },
  );

  it('keeps an answer that is not as wanted when its substitute fails', async () => {
    const { clock, a, b, gateway } = setUp(stack({ length: 'other' }));
    a.otherwise.reply('half').finish('length');
    b.otherwise.fail(400);
    expect((await clock.settled(gateway.chat(single))).text).toBe('half');
  });

  it('tries another model when the output does not fit its schema', async () => {
    const { clock, a, b, gateway } = setUp(stack({ 'invalid-output': 'other' }));
    a.reply('no JSON at all');
    b.otherwise.output({ city: 'Oslo' });
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;
    const { output } = await clock.settled(gateway.chat({ ...single, output: schema }));
    expect(output).toEqual({ city: 'Oslo' });
  });

  it('changes the request for the other model only', async () => {
    const { clock, a, b, gateway } = setUp(
      stack({
        length: {
          model: 'other',
          request: { maxTokens: 4_000, system: 'Be brief.', stop: 'END' },
          edit: (request) => ({ ...request, messages: request.messages.slice(-1) }),
        },
      }),
    );
    a.otherwise.reply('half').finish('length');
    b.reply('whole');
    const messages = ['one', 'two'].map((content) => ({ role: 'user' as const, content }));
    await clock.settled(gateway.chat({ model: 'single', messages, maxTokens: 10 }));
    expect(a.last.request).toMatchObject({ maxTokens: 10 });
    expect(a.last.request).toHaveProperty('messages.length', 2);
    expect(b.last.request).toMatchObject({ maxTokens: 4_000, stop: ['END'] });
    expect(b.last.request).toHaveProperty('messages.length', 1);
    expect(b.last.system).toBe('Be brief.');
  });

  it('RET-13: after a context that is too long only a larger window is asked, and never a model that cannot serve the call', async () => {
    const window = (target: string, context: number) => ({ target, limits: { context } });
    const models = {
      single: window('a/one', 8_000),
      smaller: window('b/small', 4_000),
      same: window('b/same', 8_000),
      mixed: [window('b/tiny', 2_000), window('b/large', 100_000)],
      blind: { target: 'b/blind', capabilities: [] },
    };
    const use = [fallback({ 'context-too-long': ['smaller', 'same', 'blind', 'mixed'] }), retry(), route()];
    const { clock, a, b, gateway } = setUp(use, { models });
    a.otherwise.fail('context-too-long');
    b.reply('b');
    const image = { type: 'image' as const, source: { kind: 'url' as const, url: 'https://example.com/x.png' } };
    const messages = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Look.' }, image] }];
    const { target, attempts } = await clock.settled(gateway.chat({ model: 'single', messages }));
    expect(target.model).toBe('large');
    expect(attempts.map(({ targetId }) => targetId)).toEqual(['a/one', 'b/large']);
    expect(attempts[1]?.passedOver).toEqual([
      { target: 'b/small', reason: expect.stringContaining('4000 tokens is no larger than the 8000'), waitMs: 0 },
      { target: 'b/same', reason: expect.stringContaining('no larger'), waitMs: 0 },
      { target: 'b/blind', reason: 'it cannot do image', waitMs: 0 },
    ]);
  });

  it('a request made shorter may go to the same window', async () => {
    const models = { single: { target: 'a/one', limits: { context: 8_000 } } };
    const shorter = {
      model: 'single',
      edit: (request: ChatRequest) => ({ ...request, messages: request.messages.slice(-1) }),
    };
    const { clock, a, gateway } = setUp(stack({ 'context-too-long': shorter }), { models });
    a.otherwise.fail('context-too-long').times(1).then.reply('a');
    expect((await clock.settled(gateway.chat(single))).text).toBe('a');
  });

  it('an answer of a substitute that is not as wanted is better than no answer', async () => {
    const { clock, a, b, gateway } = setUp(stack({ any: 'other', length: 'b/three' }));
    a.otherwise.fail(401);
    b.on({ model: 'two' }).reply('half').finish('length');
    b.otherwise.fail(402);
    expect((await clock.settled(gateway.chat(single))).text).toBe('half');
  });

  it('goes on from target to target and from reason to reason, each once, and then tells the first failure', async () => {
    const { clock, a, b, gateway } = setUp(stack({ 'context-too-long': ['other', 'b/three'], any: 'a/four' }));
    a.on({ model: 'one' }).fail('context-too-long');
    b.on({ model: 'two' }).fail('context-too-long');
    b.on({ model: 'three' }).fail('quota-exceeded');
    a.on({ model: 'four' }).fail('authentication');
    const error = await clock.settled(failureOf(gateway.chat(single)));
    expect(error.code).toBe('context-too-long');
    expect(error.attempts.map(({ targetId }) => targetId)).toEqual(['a/one', 'b/two', 'b/three', 'a/four']);
  });

  it('finds the reason inside a failure of all targets', async () => {
    const { clock, a, b, gateway } = setUp(stack({ 'quota-exceeded': 'a/spare' }));
    a.on({ model: 'spare' }).reply('spare');
    a.on({ model: 'one' }).fail('quota-exceeded');
    b.otherwise.fail('quota-exceeded');
    expect((await clock.settled(gateway.chat('x'))).text).toBe('spare');
  });

  it.each(['dns', 'refused', 'tls', 'reset', 'hang'] as const)(
    'RET-16: a failure below HTTP (%s) is matched by its code like any other',
    async (word) => {
      const reasons = word === 'hang' ? { timeout: 'other' } : { connection: 'other' };
      const { clock, a, b, gateway } = setUp([...stack(reasons as never), timeout({ attemptMs: 1_000 })]);
      a.otherwise.fail(word);
      b.reply('b');
      expect((await clock.settled(gateway.chat(single))).text).toBe('b');
    },
  );

  it('does nothing about mistakes of the caller, aborts and the end of time', async () => {
    const { clock, a, b, gateway } = setUp(stack({ any: 'other', timeout: 'other' }), { timeoutMs: 1_000 });
    a.on('bad').fail(400);
    a.on('hang').fail('hang');
    b.reply('b');
    await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'bad' })));
    const controller = new AbortController();
    const aborted = failureOf(gateway.chat({ model: 'single', prompt: 'hang' }, { signal: controller.signal }));
    await clock.advance(1);
    controller.abort();
    expect((await aborted).code).toBe('aborted');
    const late = await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'hang' })));
    expect(late).toMatchObject({ code: 'timeout', stage: 'total' });
    expect(b.calls).toHaveLength(0);
  });

  it('CACHE-06: what another model answered is not kept under the name of the first', async () => {
    const { clock, a, b, gateway } = setUp([fallback({ 'context-too-long': 'other' }), cache(), retry(), route()]);
    a.otherwise.fail('context-too-long').times(1).then.reply('a');
    b.reply('b');
    const request = { ...single, temperature: 0 };
    expect((await clock.settled(gateway.chat(request))).text).toBe('b');
    expect((await clock.settled(gateway.chat(request))).text).toBe('a');
  });

  it.each<[unknown, string]>([
    [{}, 'fallback'],
    [{ aborted: 'other' }, 'fallback.aborted'],
    [{ 'invalid-request': 'other' }, 'fallback.invalid-request'],
    [{ slow: 'other' }, 'fallback.slow'],
    [{ any: [] }, 'fallback.any'],
    [{ any: { name: 'other' } }, 'fallback.any'],
    [{ any: { model: 'other', prompt: 'x' } }, 'fallback.any.prompt'],
    [{ any: { model: 'other', request: { maxTokes: 5 } } }, 'fallback.any.request.maxTokes'],
    [{ any: { model: 'other', request: { maxTokens: 'many' } } }, 'fallback.any.request.maxTokens'],
    [{ any: { model: 'other', edit: 'shorter' } }, 'fallback.any.edit'],
    [{ avoidMs: 5 }, 'fallback'],
    [{ any: 'other', avoidMs: -5 }, 'fallback.avoidMs'],
    [[], 'fallback'],
  ])('refuses %j', (options, field) => {
    expect(() => fallback(options as FallbackOptions)).toThrow(
      expect.objectContaining({ code: 'invalid-options', field }),
    );
  });

  it('refuses a model that nobody knows when the gateway is made', () => {
    expect(() => setUp([fallback({ any: 'largest' }), route()])).toThrow(
      expect.objectContaining({ code: 'invalid-options', field: 'fallback.any' }),
    );
  });
});
