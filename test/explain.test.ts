import { describe, expect, it } from 'vitest';
import {
  createGateway,
  defineMiddleware,
  defineProvider,
  type Middleware,
  type ModelsConfiguration,
  type Provider,
  standard,
} from '../src/index.ts';
import { cache, concurrency, fallback, hedge, retry, route, timeout } from '../src/middleware/index.ts';
import { anthropic } from '../src/providers/anthropic/index.ts';
import { openai } from '../src/providers/openai/index.ts';
import { fakeClock, mockProvider } from '../src/testing/index.ts';

const setUp = (models: ModelsConfiguration) => {
  const mock = mockProvider({ name: 'p' });
  mock.reply('ok');
  return { mock, gateway: createGateway({ providers: [mock], models, clock: fakeClock() }) };
};

describe('explain', () => {
  it('says which middleware stands further in than its page says, and nothing where the order is right', () => {
    const mock = mockProvider({ name: 'p' });
    const told = (use: Middleware[]): string =>
      `${createGateway({ providers: [mock], models: { default: 'p/a', b: 'p/b' }, use }).explain('x')}`;
    const wrong = told([timeout(), route(), retry(), fallback({ any: 'b' })]);
    expect(wrong).toContain('route: tries p/a: should stand before timeout in the list');
    expect(wrong).toContain('attempts in all: should stand before route in the list');
    expect(wrong).toContain('any: b: should stand before retry, route in the list');
    const right = [fallback({ any: 'b' }), cache(), retry(), hedge(), route(), concurrency(), timeout()];
    expect(told(right)).not.toContain('should stand');
    expect(told(standard({ fallback: fallback({ any: 'b' }), cache: cache(), hedge: hedge() }))).not.toContain(
      'should',
    );
  });

  it('names the chosen target, the losers, tokens, a range of cost and every strategy, without a call', () => {
    const { gateway, mock } = setUp({
      default: {
        strategy: 'rules',
        rules: [{ when: { purpose: 'summary' }, use: 'p/small' }],
        otherwise: {
          strategy: 'cheapest',
          targets: [
            { target: 'p/dear', price: { input: 10, output: 30 }, limits: { output: 1_000 } },
            { target: 'p/cheap', price: { input: 1, output: 3, cacheRead: 0.1 }, region: 'eu' },
            'q/absent',
          ],
        },
      },
    });
    const plan = gateway.explain({ prompt: 'river '.repeat(96), maxTokens: 500 });
    expect(plan.target).toMatchObject({ provider: 'p', model: 'cheap' });
    expect(plan.candidates.map(({ model }) => model)).toEqual(['cheap', 'dear']);
    expect(plan.losers).toEqual([
      { target: 'q/absent', reason: 'provider q is not configured' },
      { target: 'p/small', reason: 'its strategy leaves it out' },
    ]);
    const { inputTokens } = plan;
    expect(plan.target?.cost?.lowUsd).toBeCloseTo((inputTokens * 0.1) / 1e6, 12);
    expect(plan.target?.cost?.highUsd).toBeCloseTo((inputTokens + 500 * 3) / 1e6, 12);
    expect(plan.strategies[0]).toBe('models.default: rules, no rule holds');
    expect(`${plan}`).toMatch(/goes to p\/cheap in eu\n/);
    expect(`${plan}`).toMatch(/1\. p\/cheap in eu, \$0\.0000\d+ to \$0\.0016 \(up to 500 tokens out\)/);
    expect(gateway.explain({ prompt: 'x', purpose: 'summary' }).target?.model).toBe('small');
    expect(mock.calls).toHaveLength(0);
  });

  it('shows a call that has no target instead of failing', () => {
    const { gateway } = setUp({ default: [{ target: 'p/us', region: 'us' }, 'q/absent'] });
    const plan = gateway.explain({ prompt: 'x', region: 'eu' });
    expect(plan.target).toBeUndefined();
    expect(`${plan}`).toContain('goes nowhere: no target is left');
    expect(`${plan}`).toContain('p/us: its data must stay in eu; this target is in us');
  });

  it('passes over a benched target and says why', () => {
    const benching = defineMiddleware(
      { name: 'benching', start: ({ health }) => health.bench('p/first', 20_000, 'credential') },
      (call, next) => next(call),
    );
    const gateway = createGateway({
      providers: [mockProvider({ name: 'p' })],
      models: { default: ['p/first', 'p/second'] },
      clock: fakeClock(),
      use: [benching],
    });
    const plan = gateway.explain('x');
    expect(plan.candidates[0]).toMatchObject({ model: 'first', waitMs: 20_000, benched: 'credential' });
    expect(plan.target?.model).toBe('second');
    expect(`${plan}`).toContain('benched for 20000 ms (credential)');
  });
});

describe('what a translation would lose', () => {
  const key = { apiKey: 'sk-test-0123456789', transport: 'fetch' } as const;
  const network = (): never => expect.fail('nothing may be sent');
  const gateway = () =>
    createGateway({
      providers: [
        openai({ ...key, fetch: network }),
        openai({ ...key, name: 'house', api: 'chat', fetch: network }),
        anthropic({ ...key, fetch: network }),
        mockProvider(),
      ],
      models: {
        default: ['openai/gpt-5-mini', 'anthropic/claude-sonnet-4-5', 'house/gpt-4.1', 'mock/any'],
        short: { target: 'anthropic/claude-sonnet-4-5', overrides: { seed: 7 } },
      },
    });
  const request = { prompt: 'x', topK: 5, frequencyPenalty: 1 } as const;

  it('is listed for each target, without a call, and is what a call would warn of', async () => {
    const { candidates } = await gateway().explain(request).complete();
    const said = candidates.map(({ provider, warnings }) => [
      provider,
      warnings?.map(({ code, path, feature }) => `${code} ${path ?? feature}`),
    ]);
    expect(said).toEqual([
      ['openai', ['unsupported topK', 'unsupported frequencyPenalty']],
      ['anthropic', ['unsupported frequencyPenalty']],
      ['house', ['unsupported topK']],
      // A mock takes what comes: nothing is known of a protocol.
      ['mock', undefined],
    ]);
    const asked = async () =>
      Response.json({
        ...{ id: 'a', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'ok' }] },
        ...{ stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } },
      });
    const models = { default: 'anthropic/claude-sonnet-4-5' };
    const real = createGateway({ providers: [anthropic({ ...key, fetch: asked })], models });
    expect((await real.chat(request)).warnings).toEqual(candidates[1]?.warnings);
  });

  it('is known at once when the protocol is loaded, and readable', async () => {
    const one = gateway();
    expect(one.explain(request).candidates[0]?.warnings).toBeUndefined();
    await one.explain(request).complete();
    const plan = one.explain(request);
    expect(plan.target?.warnings).toHaveLength(2);
    expect(`${plan}`).toMatch(
      /1\. openai\/gpt-5-mini.*\n {5}unsupported topK: .+\n {5}unsupported frequencyPenalty: .+\n {2}2\. /,
    );
  });

  it('counts what a target replaces, and says what strict would refuse', async () => {
    const short = await gateway().explain({ prompt: 'x', model: 'short' }).complete();
    expect(short.target?.warnings?.map(({ path, feature }) => path ?? feature)).toEqual(['seed']);
    const strict = await gateway()
      .explain({ ...request, strict: true })
      .complete();
    expect(strict.candidates[0]?.warnings).toBeUndefined();
    expect(strict.candidates[0]?.refused).toMatch(/topK/);
    expect(`${strict}`).toContain('would refuse it: ');
  });

  it('is told by a provider of one’s own, too', async () => {
    const warning = { code: 'unsupported', feature: 'tone', message: 'It has none.' } as const;
    const asked: (string | undefined)[] = [];
    const translate: Provider['translate'] = ({ target }) => {
      asked.push(target?.model);
      return [warning];
    };
    const own = defineProvider({ name: 'own', protocols: [], handlers: { chat: network }, translate });
    const plan = createGateway({ providers: [own], models: { default: 'own/m' } }).explain('x');
    expect(plan.target?.warnings).toEqual([warning]);
    expect(asked).toEqual(['m']);
  });
});
