import { beforeAll, describe, expect, it } from 'vitest';
import { defineMiddleware, formatAttempts, GatewayError, type Middleware } from '../../src/index.ts';
import { circuitBreaker, fallback, retry, route, timeout } from '../../src/middleware/index.ts';
import type { MockProvider } from '../../src/testing/index.ts';
import { failureOf, type Setup, setUp, warmUp } from '../middleware/support.ts';

beforeAll(warmUp);
const single = { model: 'single', prompt: 'x' };
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;

interface Row {
  readonly use?: readonly Middleware[];
  readonly script: (a: MockProvider) => unknown;
  readonly make: (world: Setup) => Promise<unknown>;
  readonly code: string;
  readonly trail: RegExp;
}
const afterwards = (thrown: unknown): Middleware =>
  defineMiddleware({ name: 'after' }, async (call, next) => {
    await next(call);
    throw thrown;
  });
const chat = ({ gateway }: Setup): Promise<unknown> => gateway.chat(single);
const ROWS: Readonly<Record<string, Row>> = {
  'a guardrail that refuses the answer': {
    use: [afterwards(new GatewayError('guardrail-blocked', 'Not this answer.')), retry(), route()],
    script: (a) => a.reply('a'),
    make: chat,
    code: 'guardrail-blocked',
    trail: /^1\. a\/one {2}completed after 0 ms/,
  },
  'a middleware with a bug': {
    use: [afterwards(new Error('bug')), retry(), route()],
    script: (a) => a.reply('a'),
    make: chat,
    code: 'internal',
    trail: /completed/,
  },
  'output that does not fit': {
    script: (a) => a.reply('no JSON'),
    make: ({ gateway }) => gateway.chat({ ...single, output: schema }),
    code: 'invalid-output',
    trail: /completed/,
  },
  'streamed output that does not fit': {
    script: (a) => a.reply('no JSON'),
    make: ({ gateway }) => gateway.stream({ ...single, output: schema }).response,
    code: 'invalid-output',
    trail: /completed/,
  },
  'a stream that its reader leaves': {
    script: (a) => a.reply(['one ', 'two ']).pace({ pieceDelayMs: 10 }),
    async make({ gateway }) {
      const stream = gateway.stream(single);
      for await (const _text of stream.text) break;
      return stream.response;
    },
    code: 'aborted',
    trail: /cancelled/,
  },
  'a stream that breaks after content': {
    script: (a) => a.reply(['one ', 'two ']).cut({ content: 1 }),
    make: ({ gateway }) => gateway.stream(single).response,
    code: 'stream-interrupted',
    trail: /failed.*stream-interrupted.*\n {5}-> gave up: its content had been read$/,
  },
  'the end of time in an attempt': {
    script: (a) => a.otherwise.fail('hang'),
    make: ({ gateway }) => gateway.chat(single, { timeoutMs: 1_000 }),
    code: 'timeout',
    trail: /failed after 1\.0 s: timeout.*\n {5}-> gave up: the time of the call is up/,
  },
  'an abort while retry waits': {
    script: (a) => a.otherwise.fail(503),
    async make({ gateway, clock }) {
      const controller = new AbortController();
      const made = gateway.chat(single, { signal: controller.signal });
      clock.after(500, () => controller.abort());
      return made;
    },
    code: 'aborted',
    trail: /overloaded.*\n {5}-> retry after \d+ ms; gave up: aborted$/,
  },
  'a gateway that closes': {
    script: (a) => a.otherwise.fail('hang'),
    async make({ gateway, clock }) {
      const made = gateway.chat(single);
      clock.after(500, () => void gateway.close());
      return made;
    },
    code: 'closed',
    trail: /cancelled.*\n {5}-> gave up: the gateway was closed/,
  },
  'an edit that throws': {
    use: [fallback({ any: { model: 'other', edit: () => JSON.parse('{') as never } }), route()],
    script: (a) => a.otherwise.fail(500),
    make: chat,
    code: 'internal',
    trail: /unavailable/,
  },
};

describe('the trail', () => {
  it.each(Object.keys(ROWS))('stands on every error: %s', async (name) => {
    const { use = [retry(), route(), timeout(), circuitBreaker()], script, make, code, trail } = ROWS[name] as Row;
    const world = setUp(use);
    script(world.a);
    const error = await world.clock.settled(failureOf(make(world)));
    expect(error.code).toBe(code);
    expect(formatAttempts(error.attempts)).toMatch(trail);
    expect(JSON.parse(JSON.stringify(error)).attempts).toHaveLength(error.attempts.length);
  });
});
