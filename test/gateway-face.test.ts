import { inspect } from 'node:util';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  createGateway,
  defineMiddleware,
  defineProvider,
  GatewayError,
  isGatewayError,
  type Scope,
} from '../src/index.ts';
import * as middleware from '../src/middleware/index.ts';
import { retry } from '../src/middleware/index.ts';
import { openai } from '../src/providers/openai/index.ts';
import { anthropic } from '../src/providers/anthropic/index.ts';
import { openaiCompatible } from '../src/providers/openai-compatible/index.ts';
import { standard } from '../src/standard.ts';
import { fakeClock, mockProvider } from '../src/testing/index.ts';

const mock = (text = 'ok') => {
  const provider = mockProvider();
  provider.reply(text);
  return provider;
};
const gatewayOf = (options: Parameters<typeof createGateway>[0] = {}) =>
  createGateway({ providers: [mock()], models: { default: 'mock/m' }, ...options });

describe('bad options are refused at once, with the field', () => {
  const bad: [string, () => unknown, string][] = [
    ['an unknown option', () => createGateway({ provider: [] } as never), 'provider'],
    ['a middleware that was not called', () => createGateway({ use: ['retry'] } as never), 'use'],
    ['attempts below one', () => createGateway({ attemptsMax: 0 }), 'attemptsMax'],
    ['a middleware that was not called', () => createGateway({ use: [retry as never] }), 'use'],
    ['a provider that is none', () => createGateway({ providers: [{}] } as never), 'providers[0]'],
    ['two providers of one name', () => createGateway({ providers: [mock(), mock()] }), 'providers[1]'],
    [
      'a mask inside a store',
      () =>
        createGateway({
          use: [
            defineMiddleware({ name: 'kept', content: { stores: true } }, (c, n) => n(c)),
            defineMiddleware({ name: 'masked', content: { masks: true } }, (c, n) => n(c)),
          ],
        }),
      'use',
    ],
    ['standard with an unknown part', () => standard({ cach: mock } as never), 'standard.cach'],
    ['a provider with an unknown option', () => openai({ apikey: 'x' } as never), 'openai.apikey'],
    ['an endpoint nobody knows', () => openaiCompatible({ name: 'grok' }), 'openaiCompatible.baseURL'],
    ['a client that is none', () => anthropic({ client: {} }), 'anthropic.client'],
    ['a client and a transport', () => openai({ client: { post: () => 1 }, transport: 'fetch' }), 'openai.transport'],
    ['a provider name with a slash', () => defineProvider({ name: 'a/b', protocols: [], handlers: {} }), 'name'],
  ];
  for (const [what, make, field] of bad) {
    it(`${what}: ${field}`, () => {
      expect(make).toThrowError(expect.objectContaining({ code: 'invalid-options', field }));
    });
  }

  it('every middleware passed without its parentheses, and none of an application\u2019s own', () => {
    // Guards, indexes and what takes a middleware are made by these; they are none themselves.
    const { inRegion: _inner, judge: _guard, memoryVectorIndex: _index, ...factories } = middleware;
    for (const [name, factory] of Object.entries(factories)) {
      expect(() => createGateway({ use: [factory as never] }), name).toThrow(`call it: ${name}()`);
    }
    const retry = defineMiddleware({ name: 'retry' }, (call, next) => next(call));
    const cache: Parameters<typeof defineMiddleware>[1] = (call, next) => next(call);
    createGateway({ use: [retry, cache] });
  });
});

describe('bad requests are refused before any network, with the field', () => {
  const bad: [string, object | string, object | undefined, string][] = [
    ['an unknown field', { prompt: 'x', maxtokens: 1 }, undefined, 'maxtokens'],
    ['an unknown model', { prompt: 'x', model: 'nowhere' }, undefined, 'model'],
    ['a signal that is none', 'x', { signal: {} }, 'signal'],
    ['a negative timeout', 'x', { timeoutMs: -1 }, 'timeoutMs'],
    ['an unknown call option', 'x', { retries: 3 }, 'retries'],
    ['a priority nobody knows', 'x', { priority: 'vip' }, 'priority'],
    ['SEC-05: a credential as a header', 'x', { headers: { Authorization: 'Bearer x' } }, 'headers.authorization'],
    ['SEC-05: a header that splits', 'x', { headers: { 'x-a': 'b\r\nhost: evil' } }, 'headers.x-a'],
    ['SEC-05: a header of another alphabet', 'x', { headers: { 'x-a': '☃' } }, 'headers.x-a'],
    ['an empty tenant', 'x', { scope: { tenant: '' } }, 'scope.tenant'],
  ];
  for (const [what, request, options, field] of bad) {
    it(`${what}: ${field}`, async () => {
      const provider = mock();
      const gateway = gatewayOf({ providers: [provider] });
      await expect(gateway.chat(request as never, options as never)).rejects.toMatchObject({
        field,
        name: 'GatewayError',
      });
      expect(provider.calls).toHaveLength(0);
    });
  }

  it('a missing key names the variable, and another target may answer', async () => {
    const before = process.env['OPENAI_API_KEY'];
    delete process.env['OPENAI_API_KEY'];
    try {
      for (const transport of ['sdk', 'fetch'] as const) {
        const alone = createGateway({ providers: [openai({ transport })], models: { default: 'openai/m' } });
        await expect(alone.chat('x')).rejects.toMatchObject({
          code: 'authentication',
          message: expect.stringContaining('OPENAI_API_KEY'),
        });
        const both = createGateway({
          providers: [openai({ transport }), mock('from the other')],
          models: { default: ['openai/m', 'mock/m'] },
        });
        expect((await both.chat('x')).text).toBe('from the other');
      }
    } finally {
      if (before !== undefined) process.env['OPENAI_API_KEY'] = before;
    }
  });
});

describe('scope', () => {
  const seen: Scope[] = [];
  const watch = defineMiddleware({ name: 'watch' }, (call, next) => {
    seen.push(call.scope);
    return next(call);
  });
  it('widens from the gateway over run and with to the call', async () => {
    seen.length = 0;
    const gateway = gatewayOf({ use: [watch], scope: { app: 'shop', tags: { a: '1' } } });
    const acme = gateway.with({ scope: { tenant: 'acme' } });
    await gateway.run({ user: 'u1', tags: { b: '2' } }, () => acme.chat('x', { scope: { session: 's' } }));
    expect(seen).toEqual([
      { app: 'shop', tenant: 'acme', user: 'u1', session: 's', tags: expect.objectContaining({ a: '1' }) },
    ]);
  });
  it('does not leak out of run, nor between two at once', async () => {
    seen.length = 0;
    const gateway = gatewayOf({ use: [watch] });
    await Promise.all(
      ['a', 'b'].map((user) =>
        gateway.run({ user }, async () => {
          await Promise.resolve();
          await gateway.chat('x');
        }),
      ),
    );
    await gateway.chat('x');
    expect(seen.map((scope) => scope.user).toSorted()).toEqual(['a', 'b', undefined]);
  });
  it('is required where the gateway says so', async () => {
    const gateway = gatewayOf({ requireScope: ['tenant'] });
    await expect(gateway.chat('x')).rejects.toMatchObject({ code: 'invalid-request', field: 'scope.tenant' });
    expect((await gateway.with({ scope: { tenant: 'a' } }).chat('x')).text).toBe('ok');
  });
});

describe('a gateway', () => {
  it('stands in with a mock for every provider of an application', async () => {
    const real = createGateway({
      providers: [openai({ apiKey: 'sk-never-used-1234' }), anthropic({ apiKey: 'sk-never-used-1234' })],
      models: { default: ['openai/a', 'anthropic/b'] },
    });
    const stand = mockProvider();
    stand.reply('mocked');
    expect((await real.with({ providers: stand.everywhere() }).chat('x')).text).toBe('mocked');
  });

  it('swaps its configuration whole, and calls in flight keep theirs', async () => {
    const one = mockProvider({ name: 'one' });
    one.on('x').reply('one').delay(50);
    const two = mockProvider({ name: 'two' });
    two.reply('two');
    const clock = fakeClock();
    const gateway = createGateway({ providers: [one, two], models: { default: 'one/m' }, clock });
    const early = gateway.chat('x');
    await Promise.resolve();
    expect(gateway.configure({ models: { default: 'two/m' } })).toBe(2);
    expect((await gateway.chat('x')).text).toBe('two');
    await clock.advance(60);
    expect((await early).text).toBe('one');
    expect(() => gateway.configure({ models: { default: [] } })).toThrowError(
      expect.objectContaining({ code: 'invalid-options' }),
    );
    expect((await gateway.chat('x')).text).toBe('two');
  });

  it('tells of calls and attempts, and a listener that throws harms nobody', async () => {
    const heard: string[] = [];
    const gateway = gatewayOf();
    gateway.on('call-start', () => {
      throw new Error('listener');
    });
    gateway.on('problem', (event) => heard.push(event.stage));
    gateway.on('attempt', (event) => heard.push(event.attempt.outcome));
    const off = gateway.on('call-end', (event) => heard.push(event.status));
    await gateway.chat('x');
    off();
    await gateway.stream('x').response;
    expect(heard).toEqual(['listener of call-start', 'completed', 'completed', 'listener of call-start', 'completed']);
  });

  it('LEAK-11: close waits for background work, ends calls in flight and refuses new ones', async () => {
    const done: string[] = [];
    const slow = defineMiddleware({ name: 'slow', close: async () => void done.push('closed') }, (call, next) => {
      call.context.waitUntil(
        new Promise<void>((resolve) =>
          setTimeout(() => {
            done.push('background');
            resolve();
          }, 20),
        ),
      );
      return next(call);
    });
    const provider = mockProvider();
    provider.on('slow').reply('late').delay(100_000);
    provider.reply('ok');
    const gateway = createGateway({ providers: [provider], models: { default: 'mock/m' }, use: [slow] });
    await gateway.chat('x');
    const running = gateway.chat('slow').catch((error: unknown) => error);
    await Promise.resolve();
    await gateway.close();
    expect(await running).toMatchObject({ code: 'closed' });
    expect(done.at(-1)).toBe('closed');
    expect(done).toContain('background');
    await expect(gateway.chat('x')).rejects.toMatchObject({ code: 'closed' });
  });

  it('SEC-01, P17: shows no key, whoever inspects it', async () => {
    const key = 'sk-very-secret-0123456789';
    const gateway = createGateway({
      providers: [openai({ apiKey: key }), openaiCompatible({ name: 'groq', apiKey: key, transport: 'fetch' })],
    });
    expect(inspect(gateway, { depth: 12, showHidden: true })).not.toContain('very-secret');
    expect(inspect([openai({ apiKey: key })], { depth: 12 })).not.toContain('very-secret');
    expect(JSON.stringify(gateway)).not.toContain('very-secret');
  });

  it('explains a call without making one', () => {
    const provider = mock();
    const gateway = createGateway({ providers: [provider], models: { default: ['mock/a', 'absent/b'] } });
    const plan = gateway.explain('x');
    expect(plan.candidates.map((candidate) => candidate.model)).toEqual(['a']);
    expect(plan.losers).toEqual([{ target: 'absent/b', reason: expect.stringContaining('absent') }]);
    expect(String(plan)).toContain('mock/a');
    expect(provider.calls).toHaveLength(0);
  });

  it('types the output by its schema', () => {
    const gateway = gatewayOf();
    const call = () => gateway.chat({ prompt: 'x', output: z.object({ n: z.number() }) });
    expectTypeOf<Awaited<ReturnType<typeof call>>['output']>().toEqualTypeOf<{ n: number } | undefined>();
  });

  it('invariant 16: every rejection is a GatewayError, whatever a middleware throws', async () => {
    for (const thrown of [undefined, null, 'text', 42, new Error('x'), Object.create(null)]) {
      const gateway = gatewayOf({
        use: [
          defineMiddleware({ name: 'bad' }, () => {
            throw thrown;
          }),
        ],
      });
      const failure: unknown = await gateway.chat('x').catch((error: unknown) => error);
      expect(isGatewayError(failure, 'internal')).toBe(true);
      expect(failure).toBeInstanceOf(GatewayError);
    }
  });
});
