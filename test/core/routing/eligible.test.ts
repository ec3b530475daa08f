import { describe, expect, it } from 'vitest';
import { createGateway, type ModelsConfiguration } from '../../../src/index.ts';
import { createPriceTable } from '../../../src/pricing/index.ts';
import { fakeClock, mockProvider } from '../../../src/testing/index.ts';
import { failureOf } from '../../middleware/support.ts';
import { size } from '../../size.ts';
import { seeded } from './support.ts';

const gatewayOf = (models: ModelsConfiguration, options = {}) => {
  const mock = mockProvider({ name: 'p' });
  return { mock, gateway: createGateway({ providers: [mock], models, ...options }) };
};
const losersOf = (list: readonly { target: string; reason: string }[]) =>
  list.map(({ target, reason }) => `${target}: ${reason}`);

describe('what a target cannot do', () => {
  it('excludes it before any choice, with the reason', () => {
    const { gateway } = gatewayOf({
      x: [
        { target: 'p/plain', capabilities: [] },
        { target: 'p/able', capabilities: ['tools', 'schema'] },
        'p/unknown',
      ],
    });
    const tools = [{ name: 't', description: 'd', input: { type: 'object' } }];
    const plan = gateway.explain({ model: 'x', messages: [{ role: 'user', content: 'hi' }], tools: tools as never });
    expect(plan.candidates.map(({ model }) => model)).toEqual(['able', 'unknown']);
    expect(losersOf(plan.losers)).toEqual(['p/plain: it cannot do tools']);
    expect(gateway.explain({ model: 'x', prompt: 'hi' }).losers).toEqual([]);
  });

  it('excludes a window that is too small, and asks the largest if all are', () => {
    const windows = (...sizes: number[]) => ({
      x: sizes.map((context) => ({ target: `p/${context}`, limits: { context } })),
    });
    const long = 'river '.repeat(2_000);
    const { gateway } = gatewayOf(windows(500, 8_000, 1_000));
    const plan = gateway.explain({ model: 'x', prompt: long });
    expect(plan.candidates.map(({ model }) => model)).toEqual(['8000']);
    expect(losersOf(plan.losers)[0]).toMatch(/^p\/500: about 20\d\d tokens do not fit its window of 500$/);
    expect(
      gateway.explain({ model: 'x', prompt: long, maxTokens: 7_000 }).candidates.map(({ model }) => model),
    ).toEqual(['8000']);
    expect(
      gatewayOf(windows(500, 1_000))
        .gateway.explain({ model: 'x', prompt: long })
        .candidates.map(({ model }) => model),
    ).toEqual(['1000']);
  });

  it('knows windows and kinds of input from a price table, and the configuration wins', () => {
    const catalogue = createPriceTable();
    const mock = mockProvider({ name: 'openai' });
    const messages = [{ role: 'user' as const, content: 'river '.repeat(20_000) }];
    const gateway = createGateway({
      providers: [mock],
      models: {
        x: ['openai/gpt-3.5-turbo', 'openai/gpt-4o'],
        y: [{ target: 'openai/gpt-3.5-turbo', limits: { context: 1e6 } }, 'openai/gpt-4o'],
      },
      catalogue,
    });
    expect(gateway.explain({ model: 'x', messages }).candidates.map(({ model }) => model)).toEqual(['gpt-4o']);
    expect(gateway.explain({ model: 'y', messages }).losers).toEqual([]);
  });

  it('under strict, excludes what would drop or clamp a parameter', () => {
    const { gateway } = gatewayOf({
      x: [{ target: 'p/a', unsupported: ['seed'] }, { target: 'p/b', limits: { output: 100 } }, 'p/c'],
    });
    const request = { model: 'x', prompt: 'hi', seed: 1, maxTokens: 200 };
    expect(gateway.explain(request).losers).toEqual([]);
    expect(losersOf(gateway.explain({ ...request, strict: true }).losers)).toEqual([
      'p/a: it would lose seed, and the call is strict',
      'p/b: it would clamp maxTokens from 200 to 100, and the call is strict',
    ]);
  });
});

describe('data residency', () => {
  const models: ModelsConfiguration = {
    x: [{ target: 'p/us', region: 'us' }, { target: 'p/eu', region: 'eu-west-1' }, 'p/nowhere'],
  };

  it('is a hard filter from the scope and from the call, and no place is no answer (SEC-14)', async () => {
    const { gateway, mock } = gatewayOf(models);
    mock.reply('ok');
    await gateway.with({ scope: { tenant: 't', region: 'eu' } }).chat({ model: 'x', prompt: 'hi' });
    await gateway.chat({ model: 'x', prompt: 'hi', region: ['us'] });
    expect(mock.calls.map(({ model }) => model)).toEqual(['eu', 'us']);
    const error = await failureOf(gateway.chat({ model: 'x', prompt: 'hi', region: 'ch' }));
    expect(error.code).toBe('no-target');
    expect(error.message).toContain('its data must stay in ch; this target is in no region it names');
  });

  it('lets a narrower scope narrow the region, never leave it', async () => {
    const { gateway, mock } = gatewayOf(models);
    mock.reply('ok');
    const eu = gateway.with({ scope: { region: 'eu' } });
    await eu.chat({ model: 'x', prompt: 'hi', scope: { region: 'eu-west-1' } });
    expect(mock.calls.map(({ model }) => model)).toEqual(['eu']);
    expect((await failureOf(eu.chat({ model: 'x', prompt: 'hi', scope: { region: 'us' } }))).code).toBe(
      'invalid-request',
    );
    expect((await failureOf(eu.chat({ model: 'x', prompt: 'hi', region: 'us' }))).code).toBe('no-target');
  });

  it('contacts only allowed regions, whatever fails (SEC-14, invariant 15)', async () => {
    const names = ['us', 'eu-west-1', 'eu-north-1', 'uk', 'none'];
    const random = seeded(14);
    const runs = size(120, 5_000);
    for (let run = 0; run < runs; run++) {
      const clock = fakeClock();
      const contacted: string[] = [];
      const mock = mockProvider({ name: 'p' });
      mock.reply((call: { model: string }) => {
        contacted.push(call.model);
        if (random() < 0.5) throw new Error('down');
        return 'ok';
      });
      const targets = names
        .filter(() => random() < 0.7)
        .map((name) => ({ target: `p/${name}`, ...(name !== 'none' && { region: name }) }));
      if (targets.length === 0) continue;
      const strategy = ['ordered', 'weighted', 'least-busy', 'latency'][Math.floor(random() * 4)] as 'weighted';
      const gateway = createGateway({ providers: [mock], clock, random, models: { x: { strategy, targets } } });
      const allowed = ['eu', 'us', 'uk'].filter(() => random() < 0.5);
      if (allowed.length === 0) continue;
      await clock.settled(gateway.chat({ model: 'x', prompt: 'hi', region: allowed })).catch(() => undefined);
      for (const model of contacted)
        expect(allowed.some((region) => model === region || model.startsWith(`${region}-`))).toBe(true);
    }
  });
});
