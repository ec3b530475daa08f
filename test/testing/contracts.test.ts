import { describe, expect, it } from 'vitest';
import { defineMiddleware, type Middleware, transform } from '../../src/index.ts';
import { meter, retry, route, timeout } from '../../src/middleware/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openaiCompatible } from '../../src/providers/openai-compatible/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { type ContractCase, middlewareContract, providerContract } from '../../src/testing/index.ts';

const MIDDLEWARE: Readonly<Record<string, () => Middleware>> = {
  'a function that passes on': () => async (call, next) => next(call),
  meter: () => meter({ sink: () => undefined }),
  retry: () => retry(),
  route: () => route(),
  timeout: () => timeout(),
};
for (const [name, create] of Object.entries(MIDDLEWARE)) {
  describe(`middlewareContract: ${name}`, () => {
    for (const { name: title, run } of middlewareContract(create)) it(title, run);
  });
}

const PROVIDERS = (['fetch', 'sdk'] as const).flatMap((transport) => [
  {
    name: `openai responses over ${transport}`,
    embeds: true,
    create: (fetch: never, apiKey: string) => openai({ fetch, apiKey, transport }),
  },
  {
    name: `openai chat over ${transport}`,
    embeds: true,
    create: (fetch: never, apiKey: string) => openai({ fetch, apiKey, transport, api: 'chat' }),
  },
  {
    name: `anthropic over ${transport}`,
    reasons: true,
    create: (fetch: never, apiKey: string) => anthropic({ fetch, apiKey, transport }),
  },
  {
    name: `openai-compatible over ${transport}`,
    embeds: true,
    create: (fetch: never, apiKey: string) =>
      openaiCompatible({ name: 'local', baseURL: 'http://local/v1', fetch, apiKey, transport }),
  },
]);
for (const { name, ...options } of PROVIDERS) {
  describe(`providerContract: ${name}`, () => {
    for (const { name: title, run } of providerContract(options as never)) it(title, run);
  });
}

describe('the contracts find what is wrong', () => {
  const broken: Readonly<Record<string, readonly [RegExp, Middleware]>> = {
    'changes the request in place': [
      /./,
      async (call, next) => {
        (call.request as { model: string }).model = 'other';
        return next(call);
      },
    ],
    'swallows the end of a stream': [
      /streams what|grammar/,
      async (call, next) =>
        transform(await next(call), () => ({
          event: (event, emit) => (event as { type: string }).type !== 'end' && emit(event),
        })),
    ],
    'loses the abort': [/abort/, async (call, next) => next({ ...call, signal: new AbortController().signal })],
    'leaves a timer': [
      /timer/,
      async (call, next) => {
        call.context.clock.after(1_000_000, () => undefined);
        return next(call);
      },
    ],
    'hides failures': [
      /failure/,
      async (call, next) =>
        next(call).catch(() => {
          throw new Error('something went wrong');
        }),
    ],
    'mixes calls up': [
      /apart/,
      (() => {
        let last: unknown;
        return defineMiddleware({ name: 'mixed' }, async (call, next) => (last ??= next(call)) as never);
      })(),
    ],
  };
  for (const [name, [title, middleware]] of Object.entries(broken)) {
    it(`in a middleware that ${name}`, async () => {
      const failures: string[] = [];
      for (const { name: each, run } of middlewareContract(() => middleware) as readonly ContractCase[]) {
        await run().catch(() => failures.push(each));
      }
      expect(failures.some((each) => title.test(each))).toBe(true);
    });
  }
});
