import { describe, expect, it } from 'vitest';
import { createGateway, defineMiddleware, type ModelsConfiguration } from '../src/index.ts';
import { fakeClock, mockProvider } from '../src/testing/index.ts';

const setUp = (models: ModelsConfiguration) => {
  const mock = mockProvider({ name: 'p' });
  mock.reply('ok');
  return { mock, gateway: createGateway({ providers: [mock], models, clock: fakeClock() }) };
};

describe('explain', () => {
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
