import { describe, expect, it } from 'vitest';
import type { GatewayEvents } from '../../src/core/events.ts';
import { createGateway } from '../../src/gateway.ts';
import type { GatewayOptions } from '../../src/gateway-types.ts';
import { type BudgetOptions, budget } from '../../src/middleware/budget.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { createPriceTable } from '../../src/pricing/index.ts';
import { fakeClock, mockProvider } from '../../src/testing/index.ts';

/** 1 nano-dollar a token: cost and tokens are the same number. */
const ONE = { tokens: { input: '0.001', output: '0.001' } };
const prices = createPriceTable({
  overrides: { 'mock/*': ONE, 'cheap/*': ONE, 'dear/*': { tokens: { input: '0.1', output: '0.1' } } },
});

function world(options: Partial<BudgetOptions>, more: Partial<GatewayOptions> = {}) {
  const clock = fakeClock(Date.parse('2026-11-22T10:00:00Z'));
  const mock = mockProvider();
  const limited = budget({ prices, limits: [], inputMargin: 0, ...options });
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    use: [limited, retry(), route()],
    clock,
    ...more,
  });
  const events: GatewayEvents['limit'][] = [];
  gateway.on('limit', (event) => events.push(event));
  return { clock, mock, limited, gateway, events };
}

const HI = [{ role: 'user', content: 'Hi' }] as const;
const usage = (tokens: number) => ({ text: 'ok', usage: { input: 0, output: tokens } });

describe('budget', () => {
  it('admits exactly ten of 200 parallel calls of a tenth of the budget each (BUD-01)', async () => {
    const { mock, gateway, limited, clock } = world({ limits: [{ name: 'requests', requests: 10 }] });
    mock.otherwise.reply(usage(5)).delay(10);
    const calls = Array.from({ length: 200 }, () => gateway.chat('Hi'));
    const results = await clock.settled(Promise.allSettled(calls));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(mock.calls).toHaveLength(10);
    expect(await limited.remaining({})).toMatchObject([{ name: 'requests', used: 10, held: 0, remaining: 0 }]);
  });

  it('reserves the worst case at the price of the target and settles what was used', async () => {
    const { mock, gateway, limited, clock } = world({ limits: [{ costUsd: '0.000001000' }] });
    mock.otherwise.reply(usage(40)).delay(10);
    const first = gateway.chat({ messages: HI, maxTokens: 500 });
    await clock.advance(1);
    const [held] = await limited.remaining({});
    expect(held).toMatchObject({ name: 'cost', unit: 'costUsd', used: 0, maximum: 1_000 });
    expect(held?.held).toBeGreaterThan(500);
    await clock.settled(first);
    expect(await limited.remaining({})).toMatchObject([{ used: 40, held: 0, remaining: 960 }]);
  });

  it('says which limit refused, whose limit it is and when to come back (BUD-10)', async () => {
    const { mock, gateway, clock, events } = world({
      limits: [{ per: 'user', requests: 1, every: 'day', timeZone: 'Europe/Berlin' }],
    });
    mock.otherwise.reply('ok');
    const ann = gateway.with({ scope: { user: 'ann' } });
    await clock.settled(ann.chat('Hi'));
    const refused = await clock.settled(ann.chat('Hi')).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'budget-exceeded',
      source: 'gateway',
      fault: 'gateway',
      retryable: false,
      limit: { name: 'requests per user per day', maximum: 1, actual: 1 },
      retryAfterMs: 13 * 3_600_000,
      attempts: [],
    });
    expect(events.filter(({ kind }) => kind === 'refused')).toHaveLength(1);
    await clock.advance(13 * 3_600_000);
    expect((await clock.settled(ann.chat('Hi'))).text).toBe('ok');
  });

  it('counts each tenant and each user of a tenant apart, and the tightest wins', async () => {
    const { mock, gateway, clock } = world({
      limits: [
        { per: 'tenant', requests: 3 },
        { per: 'user', requests: 2 },
      ],
    });
    mock.otherwise.reply('ok');
    const ask = (tenant: string, user: string) =>
      clock.settled(gateway.chat('Hi', { scope: { tenant, user } })).then(
        () => 'ok',
        (error: { limit: { name: string } }) => error.limit.name,
      );
    const said: string[] = [];
    for (const [tenant, user] of [
      ['a', 'x'],
      ['a', 'x'],
      ['a', 'x'],
      ['a', 'y'],
      ['a', 'z'],
      ['b', 'x'],
    ] as const) {
      said.push(await ask(tenant, user));
    }
    expect(said).toEqual(['ok', 'ok', 'requests per user', 'ok', 'requests per tenant', 'ok']);
  });

  it('is never felt where there is no budget (BUD-07)', async () => {
    const { mock, gateway, clock } = world({ limits: [{ requests: 0, where: { tenant: 'acme' } }] });
    mock.otherwise.reply('ok');
    for (let index = 0; index < 50; index++) await clock.settled(gateway.chat('Hi', { scope: { tenant: 'other' } }));
    const none = world({ limits: [] });
    none.mock.otherwise.reply('ok');
    expect((await none.clock.settled(none.gateway.chat('Hi'))).text).toBe('ok');
    await expect(clock.settled(gateway.chat('Hi', { scope: { tenant: 'acme' } }))).rejects.toMatchObject({
      code: 'budget-exceeded',
    });
  });

  it('goes on to a candidate that can be paid for', async () => {
    const dear = mockProvider({ name: 'dear' });
    const cheap = mockProvider({ name: 'cheap' });
    dear.otherwise.reply('dear');
    cheap.otherwise.reply(usage(3));
    const { gateway, clock } = world(
      { limits: [{ costUsd: '0.000001000' }] },
      { providers: [dear, cheap], models: { default: ['dear/a', 'cheap/b'] } },
    );
    const reply = await clock.settled(gateway.chat({ messages: HI, maxTokens: 100 }));
    expect(reply.target.provider).toBe('cheap');
    expect(reply.attempts).toHaveLength(1);
    expect(dear.calls).toHaveLength(0);
  });

  it('charges retries, and gives back attempts that failed before they cost anything', async () => {
    const { mock, gateway, clock, limited } = world({ limits: [{ requests: 3 }, { name: 'cost', costUsd: 1 }] });
    mock.otherwise.fail(503).then.fail(503).then.reply(usage(7));
    await clock.settled(gateway.chat('Hi'));
    expect(await limited.remaining({})).toMatchObject([
      { used: 3, held: 0 },
      { used: 7, held: 0 },
    ]);
  });

  it('cuts a stream at its cap with a typed end and what was received', async () => {
    const { mock, gateway, clock, limited } = world({ limits: [{ outputTokens: 40 }], outputTokens: 20 });
    mock.otherwise.reply(Array.from({ length: 400 }, (_, index) => `word${index} `));
    const stream = gateway.stream('Hi');
    let text = '';
    const read = (async () => {
      for await (const piece of stream.text) text += piece;
    })();
    const error = await clock.settled(read).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'budget-exceeded',
      committed: true,
      stage: 'stream',
      limit: { name: 'outputTokens' },
    });
    expect(text.length).toBeGreaterThan(20);
    expect((error as { partial: { message: { content: [{ text: string }] } } }).partial.message.content[0].text).toBe(
      text,
    );
    const [state] = await limited.remaining({});
    expect(state?.held).toBe(0);
    expect(state?.used).toBeLessThanOrEqual(40);
  });

  it('lets a stream that outgrows its reservation go on while there is room', async () => {
    const { mock, gateway, clock, limited } = world({ limits: [{ outputTokens: 100_000 }], outputTokens: 20 });
    const text = Array.from({ length: 300 }, (_, index) => `word${index} `).join('');
    mock.otherwise.reply({ text, usage: { input: 1, output: 640 } });
    const response = await clock.settled(gateway.stream('Hi').response);
    expect(response.text).toBe(text);
    expect(await limited.remaining({})).toMatchObject([{ used: 640, held: 0 }]);
  });

  it('warns once at each threshold, and again after a reset', async () => {
    const { mock, gateway, clock, events, limited } = world({
      limits: [{ per: 'tenant', requests: 10, warnAt: [0.5, 0.8] }],
    });
    mock.otherwise.reply('ok');
    const acme = gateway.with({ scope: { tenant: 'acme' } });
    const thresholds = () => events.filter(({ kind }) => kind === 'threshold').map(({ threshold }) => threshold);
    for (let index = 0; index < 9; index++) await clock.settled(acme.chat('Hi'));
    expect(thresholds()).toEqual([0.5, 0.8]);
    await limited.reset({ scope: { tenant: 'acme' }, limit: 'requests per tenant', reason: 'new contract' });
    for (let index = 0; index < 6; index++) await clock.settled(acme.chat('Hi'));
    expect(thresholds()).toEqual([0.5, 0.8, 0.5]);
    expect(events.find(({ kind }) => kind === 'adjusted')).toMatchObject({
      reason: 'new contract',
      scope: { tenant: 'acme' },
    });
  });

  it('sends calls to a cheaper model past its threshold', async () => {
    const cheap = mockProvider({ name: 'cheap' });
    cheap.otherwise.reply(usage(1));
    const mock = mockProvider();
    mock.otherwise.reply(usage(85));
    const { gateway, clock, events } = world(
      {
        limits: [{ per: 'tenant', costUsd: '0.0000002', every: 'month', downgrade: { at: 0.4, model: 'cheap' } }],
        outputTokens: 90,
      },
      { providers: [mock, cheap], models: { default: 'mock/a', cheap: 'cheap/b' } },
    );
    const served: string[] = [];
    for (let index = 0; index < 3; index++) served.push((await clock.settled(gateway.chat('Hi'))).target.provider);
    expect(served).toEqual(['mock', 'cheap', 'cheap']);
    expect(events.filter(({ kind }) => kind === 'downgraded')).toMatchObject([
      { reason: 'cheap' },
      { reason: 'cheap' },
    ]);
  });

  it('tops up with a reason, once for an id', async () => {
    const { mock, gateway, clock, limited } = world({
      limits: [{ per: 'user', costUsd: '0.000000100' }],
      outputTokens: 80,
    });
    mock.otherwise.reply(usage(80));
    const ann = gateway.with({ scope: { user: 'ann' } });
    await clock.settled(ann.chat('Hi'));
    await expect(clock.settled(ann.chat('Hi'))).rejects.toMatchObject({ code: 'budget-exceeded' });
    const change = {
      scope: { user: 'ann' },
      limit: 'cost per user',
      by: '0.0000001',
      reason: 'asked nicely',
      id: 'ticket-1',
    };
    await limited.topUp(change);
    expect(await limited.topUp(change)).toMatchObject({ used: -20, remaining: 120 });
    await clock.settled(ann.chat('Hi'));
    await expect(limited.topUp({ ...change, reason: '' })).rejects.toMatchObject({
      code: 'invalid-request',
      field: 'reason',
    });
    await expect(limited.topUp({ ...change, limit: 'nothing' })).rejects.toMatchObject({ field: 'limit' });
  });

  it('explains which limits hold for whom (BUD-05)', () => {
    const { limited, gateway } = world({
      limits: [
        { per: 'user', requests: 5, every: 'day' },
        { per: 'target', tokens: 9, periodMs: 1_000 },
        { requests: 1, where: { tenant: 'acme' } },
      ],
    });
    expect(limited.explain({ tenant: 'globex' })).toMatchObject([
      {
        name: 'requests per user per day',
        kind: 'window',
        maximum: 5,
        applies: true,
        note: expect.stringContaining('no user'),
      },
      {
        name: 'tokens per target per 1000 ms',
        kind: 'rate',
        applies: true,
        note: expect.stringContaining('where the attempt goes'),
      },
      { name: 'requests', kind: 'total', applies: false, note: 'only where tenant is acme' },
    ]);
    expect(gateway.explain('Hi').toString()).toContain(
      'budget: within requests per user per day, tokens per target per 1000 ms',
    );
  });

  it('refuses a target without a price under a limit of cost, and says so', async () => {
    const { mock, gateway, clock } = world(
      { limits: [{ costUsd: 1 }] },
      { providers: [mockProvider({ name: 'other' })], models: { default: 'other/x' } },
    );
    await expect(clock.settled(gateway.chat('Hi'))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('other/x has no known price'),
    });
    expect(mock.calls).toHaveLength(0);
  });

  it('takes the price a target has in the configuration, which no list needs to know', async () => {
    const other = mockProvider({ name: 'other' });
    other.otherwise.reply('ok');
    const models = { default: { target: 'other/x', price: { input: 1, output: 1_000 } } };
    const { gateway, clock } = world({ limits: [{ costUsd: 1 }] }, { providers: [other], models });
    await clock.settled(gateway.chat({ prompt: 'Hi', maxTokens: 900 }));
    await expect(clock.settled(gateway.chat({ prompt: 'Hi', maxTokens: 1_100 }))).rejects.toMatchObject({
      code: 'budget-exceeded',
    });
    expect(other.calls).toHaveLength(1);
  });

  it('caps the answers of requests without a maximum when asked to', async () => {
    const { mock, gateway, clock } = world({ limits: [{ costUsd: 1 }], capOutput: true, outputTokens: 123 });
    mock.otherwise.reply('ok');
    await clock.settled(gateway.chat('Hi'));
    expect(mock.last.request).toMatchObject({ maxTokens: 123 });
    await clock.settled(gateway.chat({ messages: HI, maxTokens: 7 }));
    expect(mock.last.request).toMatchObject({ maxTokens: 7 });
  });

  it('reports what went over its reservation', async () => {
    const { mock, gateway, clock, events } = world({ limits: [{ costUsd: '0.0000001' }], outputTokens: 50 });
    mock.otherwise.reply(usage(150));
    await clock.settled(gateway.chat('Hi'));
    expect(events).toMatchObject([{ kind: 'overrun', name: 'cost', actual: 150, used: 150, maximum: 100 }]);
    expect(events[0]?.reserved).toBeLessThan(100);
  });

  it('takes new limits from the configuration while it runs (BUD-05)', async () => {
    const { mock, gateway, clock } = world({ limits: [] });
    mock.otherwise.reply('ok');
    await clock.settled(gateway.chat('Hi'));
    gateway.configure({ options: { budget: { limits: [{ requests: 0 }] } } });
    await expect(clock.settled(gateway.chat('Hi'))).rejects.toMatchObject({ code: 'budget-exceeded' });
    for (const [budget, field] of [
      [{ limit: [] }, 'options.budget.limit'],
      [{ limits: [{ request: 5 }] }, 'options.budget.limits[0].request'],
    ] as const) {
      const refused = expect.objectContaining({ code: 'invalid-options', field });
      expect(() => gateway.configure({ options: { budget } })).toThrow(refused);
      expect(() => world({ limits: [] }, { options: { budget } })).toThrow(refused);
    }
    await expect(clock.settled(gateway.chat('Hi'))).rejects.toMatchObject({ code: 'budget-exceeded' });
  });

  it.each([
    [{ limits: [{ request: 5 }] }, 'budget.limits[0].request'],
    [{ limits: [{ per: 'user' }] }, 'budget.limits[0]'],
    [{ limits: [{ requests: 1, tokens: 1 }] }, 'budget.limits[0]'],
    [{ limits: [{ requests: 1, per: 'department' }] }, 'budget.limits[0].per'],
    [{ limits: [{ requests: 1.5 }] }, 'budget.limits[0].requests'],
    [{ limits: [{ costUsd: '1e3' }] }, 'budget.limits[0].costUsd'],
    [{ limits: [{ requests: 1, timeZone: 'UTC' }] }, 'budget.limits[0].timeZone'],
    [{ limits: [{ requests: 1, burst: 2 }] }, 'budget.limits[0].burst'],
    [{ limits: [{ requests: 1, every: 'day', periodMs: 5 }] }, 'budget.limits[0].every'],
    [{ limits: [{ concurrent: 1, every: 'day' }] }, 'budget.limits[0].every'],
    [{ limits: [{ requests: 1 }, { requests: 2 }] }, 'budget.limits[1].name'],
    [{ limits: [{ requests: 1, warnAt: [2] }] }, 'budget.limits[0].warnAt'],
    [{}, 'budget.limits'],
    [{ limits: undefined }, 'budget.limits'],
    [{ limits: [], store: undefined }, 'budget.store'],
    [{ limits: [], store: {} }, 'budget.store'],
    [{ limits: [], onStoreDown: 'allow' }, 'budget.onStoreDown'],
    [{ limits: [], replicas: 3 }, 'budget.replicas'],
    [{ limits: [], waitMsMax: 3 }, 'budget.waitMsMax'],
    [{ limits: [], onExhausted: 'hope' }, 'budget.onExhausted'],
    [{ limits: [], prices: {} }, 'budget.prices'],
    [{ limits: [], limit: [] }, 'budget.limit'],
  ])('refuses %j at creation, naming the field (BUD-05, BUD-11, BUD-12)', (options, field) => {
    expect(() => budget(options as unknown as BudgetOptions)).toThrow(
      expect.objectContaining({ code: 'invalid-options', field }),
    );
  });

  it('refuses a cheaper model that the gateway does not know', () => {
    expect(() => world({ limits: [], onExhausted: { model: 'nowhere' } })).toThrow(
      expect.objectContaining({ code: 'invalid-options', field: 'budget.onExhausted.model' }),
    );
  });
});
