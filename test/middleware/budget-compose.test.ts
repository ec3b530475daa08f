import { describe, expect, it } from 'vitest';
import type { Call, Next, Reply } from '../../src/core/call.ts';
import { replyWith } from '../../src/core/reply.ts';
import type { Middleware } from '../../src/core/middleware.ts';
import { subcall } from '../../src/core/subcall.ts';
import { createGateway } from '../../src/gateway.ts';
import type { GatewayOptions } from '../../src/gateway-types.ts';
import { type BudgetOptions, budget } from '../../src/middleware/budget.ts';
import { rateLimit } from '../../src/middleware/rate-limit.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import type { ChatRequest, ChatResponse } from '../../src/operations/chat.ts';
import { createPriceTable } from '../../src/pricing/index.ts';
import { memoryCounterStore } from '../../src/stores/memory.ts';
import { fakeClock, mockProvider } from '../../src/testing/index.ts';

const prices = createPriceTable({ overrides: { 'mock/*': { tokens: { input: '0.001', output: '0.001' } } } });

function world(
  options: BudgetOptions,
  use: (limited: Middleware) => readonly Middleware[],
  more: Partial<GatewayOptions> = {},
) {
  const clock = fakeClock();
  const mock = mockProvider();
  mock.otherwise.reply({ text: 'ok', usage: { input: 1, output: 9 } });
  const limited = budget({ prices, ...options });
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    use: use(limited),
    clock,
    ...more,
  });
  const used = async (): Promise<(readonly [number, number])[]> =>
    (await limited.remaining({})).map((state) => [state.used, state.held] as const);
  return { clock, mock, gateway, limited, used };
}

/** Asks a judge before every chat call. */
const judged: Middleware = async (call, next) => {
  if ((call.operation as string) !== 'chat' || call.purpose !== undefined) return next(call);
  await next(subcall(call as Call, 'chat', call.request as ChatRequest, { purpose: 'judge' }));
  return next(call);
};

/** Keeps every answer for ever. */
function simpleCache(): Middleware {
  const kept = new Map<string, ChatResponse>();
  return (async (call: Call<'chat'>, next: Next): Promise<Reply<'chat'>> => {
    const key = JSON.stringify(call.request.messages);
    const hit = kept.get(key);
    if (hit !== undefined) return replyWith(call, hit, { provider: 'mock', model: 'any' }, { kind: 'exact', ageMs: 1 });
    const reply = await next(call);
    if (!reply.stream) kept.set(key, reply.response);
    return reply;
  }) as unknown as Middleware;
}

/** Sends every call twice at once and takes the first answer. */
const twice: Middleware = async (call, next) => Promise.race([next(call), next(call)]);

describe('budget with other middleware', () => {
  it('charges sub-calls on the same ledger, and never stops a call for its own reservation', async () => {
    const { clock, gateway, used, mock } = world({ limits: [{ requests: 4 }, { concurrent: 1 }] }, (limited) => [
      limited,
      judged,
      retry(),
      route(),
    ]);
    await clock.settled(gateway.chat('a'));
    await clock.settled(gateway.chat('b'));
    expect(mock.calls).toHaveLength(4);
    expect(await used()).toEqual([
      [4, 0],
      [0, 0],
    ]);
    await expect(clock.settled(gateway.chat('c'))).rejects.toMatchObject({ code: 'budget-exceeded' });
  });

  it('charges nothing for a cache hit, plain or streamed', async () => {
    const { clock, gateway, used } = world(
      { limits: [{ requests: 5 }, { costUsd: 1 }, { concurrent: 1 }] },
      (limited) => [limited, simpleCache(), retry(), route()],
    );
    for (let index = 0; index < 10; index++) await clock.settled(gateway.chat('same'));
    expect((await clock.settled(gateway.stream('same').response)).text).toBe('ok');
    expect(await used()).toEqual([
      [1, 0],
      [10, 0],
      [0, 0],
    ]);
  });

  it('serves hits of an exhausted budget when it stands inside the cache', async () => {
    const { clock, gateway } = world({ limits: [{ requests: 1 }] }, (limited) => [
      simpleCache(),
      limited,
      retry(),
      route(),
    ]);
    await clock.settled(gateway.chat('same'));
    expect((await clock.settled(gateway.chat('same'))).text).toBe('ok');
    await expect(clock.settled(gateway.chat('other'))).rejects.toMatchObject({ code: 'budget-exceeded' });
  });

  it('charges both attempts of a hedge', async () => {
    const { clock, gateway, used } = world({ limits: [{ requests: 9 }, { costUsd: 1 }] }, (limited) => [
      limited,
      twice,
      route(),
    ]);
    await clock.settled(gateway.chat('a'));
    await clock.advance(10);
    expect(await used()).toEqual([
      [2, 0],
      [20, 0],
    ]);
  });

  it('works where it stands after route, once for each attempt', async () => {
    const { clock, gateway, used, mock } = world({ limits: [{ requests: 3 }] }, (limited) => [
      retry({ baseMs: 1 }),
      route(),
      limited,
    ]);
    mock.reset();
    mock.otherwise.fail(500).then.fail(500).then.reply('ok');
    expect((await clock.settled(gateway.chat('a'))).text).toBe('ok');
    expect(await used()).toEqual([[3, 0]]);
  });

  it('works with a plan of one candidate and nothing else in the stack', async () => {
    const { clock, gateway, used } = world({ limits: [{ requests: 1 }] }, (limited) => [limited]);
    await clock.settled(gateway.chat('a'));
    await expect(clock.settled(gateway.chat('b'))).rejects.toMatchObject({ code: 'budget-exceeded', attempts: [] });
    expect(await used()).toEqual([[1, 0]]);
  });

  it('holds for every way in (BUD-06)', async () => {
    const { clock, gateway } = world({ limits: [{ requests: 0 }] }, (limited) => [limited, retry(), route()]);
    const request = {
      model: 'default',
      messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'a' }] }],
    };
    const ways = [
      gateway.chat('a'),
      gateway.stream('a').response,
      gateway.embed({ model: 'mock/any', input: ['a'] }),
      gateway.call('chat', request),
      gateway.call('chat', request, { stream: true }),
      gateway.with({ scope: { user: 'u' } }).chat('a'),
      gateway.run({ user: 'u' }, () => gateway.chat('a')),
    ];
    const ends = await clock.settled(Promise.allSettled(ways));
    for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: { code: 'budget-exceeded' } });
  });

  it('shares a store with a rate limit and another budget without mixing them up', async () => {
    const clock = fakeClock();
    const store = memoryCounterStore({ clock });
    const mock = mockProvider();
    mock.otherwise.reply('ok');
    const first = budget({ store, limits: [{ requests: 5 }] });
    const second = budget({ store, limits: [{ name: 'other', requests: 5 }] });
    const limited = rateLimit({ store, limits: [{ requests: 5 }] });
    const gateway = createGateway({
      providers: [mock],
      models: { default: 'mock/a' },
      use: [first, second, limited, route()],
      clock,
    });
    for (let index = 0; index < 2; index++) await clock.settled(gateway.chat('a'));
    for (const middleware of [first, second, limited])
      expect(await middleware.remaining({})).toMatchObject([{ used: 2, held: 0 }]);
  });

  it('gives back what it held when an inner limit refuses', async () => {
    const clock = fakeClock();
    const mock = mockProvider();
    mock.otherwise.reply('ok');
    const outer = budget({ limits: [{ requests: 5 }, { concurrent: 1 }] });
    const inner = rateLimit({ limits: [{ requests: 1 }] });
    const gateway = createGateway({
      providers: [mock],
      models: { default: 'mock/a' },
      use: [outer, inner, retry(), route()],
      clock,
    });
    await clock.settled(gateway.chat('a'));
    await expect(clock.settled(gateway.chat('b'))).rejects.toMatchObject({ code: 'rate-limited' });
    expect(await outer.remaining({})).toMatchObject([
      { used: 1, held: 0 },
      { used: 0, held: 0 },
    ]);
  });

  it('asks the store once to reserve and once to settle, whatever the number of limits', async () => {
    const clock = fakeClock();
    const mock = mockProvider();
    mock.otherwise.reply('ok');
    const asked: string[] = [];
    const store = new Proxy(memoryCounterStore({ clock }), {
      get(inner, name) {
        const member: unknown = Reflect.get(inner, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          asked.push(String(name));
          return Reflect.apply(member, inner, args);
        };
      },
    });
    const limits = (['tenant', 'user', 'app', 'agent', 'session'] as const).map((per) => ({ per, tokens: 100_000 }));
    const limited = budget({ store, limits });
    const gateway = createGateway({
      providers: [mock],
      models: { default: 'mock/a' },
      use: [limited, retry(), route()],
      clock,
    });
    asked.splice(0);
    await clock.settled(gateway.chat('a'));
    expect(asked).toEqual(['reserve', 'settle']);
  });

  it('keeps the lease of a stream that outlasts its call', async () => {
    const { clock, gateway, mock, used } = world({ limits: [{ concurrent: 1 }], graceMs: 1_000 }, (limited) => [
      limited,
      route(),
    ]);
    mock.reset();
    mock.otherwise.reply('one two three four').pace({ pieceDelayMs: 300_000 });
    const reading = gateway.stream('a', { timeoutMs: 301_000 }).response;
    reading.catch(() => undefined);
    await clock.advance(310_000);
    for (let minutes = 0; minutes < 10; minutes++) {
      expect(await used()).toEqual([[0, 1]]);
      await clock.advance(60_000);
    }
    await clock.settled(reading);
    expect(await used()).toEqual([[0, 0]]);
    expect(clock.pending).toBe(0);
  });
});
