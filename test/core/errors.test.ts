import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  abortedError,
  type ErrorCode,
  type ErrorFacts,
  GatewayError,
  isGatewayError,
  oneLine,
  toGatewayError,
  VERDICTS,
} from '../../src/core/errors.ts';
import { scrub, withSafeMessage } from '../../src/core/scrub.ts';

describe('GatewayError', () => {
  it('knows its verdict from the one table', () => {
    for (const [code, verdict] of Object.entries(VERDICTS)) {
      const error = new GatewayError(code as keyof typeof VERDICTS, 'x');
      expect(error).toMatchObject({ code, ...verdict });
    }
  });

  it('ERR-04: has a message of one line and at most 300 characters', () => {
    const error = new GatewayError('internal', `a\r\nb\u0007\u2028${'x'.repeat(900)}`);
    expect(error.message.length).toBeLessThanOrEqual(300);
    expect(error.message).not.toMatch(/[\r\n\u0007\u2028]/);
    expect(oneLine('a\nb')).toBe('a b');
  });

  it('invariant 16: survives JSON and shows no content', () => {
    const error = new GatewayError('bad-response', 'm', {
      providerMessage: 'SECRET-WORDS',
      wire: { status: 400, headers: {}, body: 'SECRET-WORDS' },
      partial: { text: 'SECRET-WORDS' } as never,
      cause: new Error('SECRET-WORDS'),
      target: { provider: 'p', model: 'm' },
    });
    const json = JSON.stringify(error);
    expect(JSON.parse(json)).toMatchObject({
      name: 'GatewayError',
      code: 'bad-response',
      message: 'm',
      target: { provider: 'p' },
    });
    expect(json).not.toContain('SECRET-WORDS');
    expect(
      inspect(
        new GatewayError('bad-response', 'm', { providerMessage: 'SECRET-WORDS', partial: 'SECRET-WORDS' as never }),
      ),
    ).not.toContain('SECRET-WORDS');
    expect(error.providerMessage).toBe('SECRET-WORDS');
  });

  it('X04: is recognised across two copies of the package', () => {
    const foreign = Object.defineProperty(new Error('x'), Symbol.for('postern.error'), { value: true });
    expect(isGatewayError(Object.assign(foreign, { code: 'timeout' }), 'timeout')).toBe(true);
    expect(isGatewayError(foreign, 'closed')).toBe(false);
  });

  it('X04: comes back from its JSON with all it said, whatever the code', () => {
    const usage = { input: 3, output: 1, total: 4, lines: [] } as never;
    const target = { provider: 'p', model: 'm', region: 'eu' };
    for (const code of Object.keys(VERDICTS) as ErrorCode[]) {
      for (const facts of [
        {},
        {
          ...{ target, status: 503, retryAfterMs: 0, requestId: 'req_1', source: 'provider', stage: 'idle', usage },
          ...{
            committed: true,
            ambiguous: true,
            limit: { name: 'usd', maximum: 1 },
            field: 'model',
            providerCode: 'x',
          },
          ...{ fault: 'network', retryable: true, fallbackable: false, cause: new TypeError('private words') },
          attempts: [{ id: 'a', number: 1, target, targetId: 'p/m', startedMs: 0, waitedMs: 0, outcome: 'failed' }],
        } as ErrorFacts,
      ]) {
        const error = new GatewayError(code, 'What failed.', facts);
        const back = GatewayError.fromJSON(JSON.parse(JSON.stringify(error)));
        expect(back).toBeInstanceOf(GatewayError);
        expect(isGatewayError(back, code)).toBe(true);
        expect(back?.toJSON()).toEqual(error.toJSON());
        expect({ ...back }).toEqual({ ...error });
        expect((back?.cause as Error | undefined)?.name).toBe((error.cause as Error | undefined)?.name);
      }
    }
    const other = { code: 'constructor', message: 'x' };
    for (const json of [undefined, null, 'timeout', {}, { code: 'timeout' }, { message: 'x' }, other, []])
      expect(GatewayError.fromJSON(json)).toBeUndefined();
  });

  it('LEAK-07: makes something typed of whatever was thrown', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
        getPrototypeOf: () => {
          throw new Error('no');
        },
      },
    );
    for (const thrown of [undefined, null, 'text', 7, {}, hostile, new Error('prompt text')]) {
      const error = toGatewayError(thrown, 'my-hook');
      expect(error).toMatchObject({ code: 'internal', stage: 'my-hook' });
      expect(error.message).not.toContain('prompt text');
    }
  });

  it('is recovered from inside other errors', () => {
    const ours = new GatewayError('timeout', 'x');
    expect(GatewayError.from(new Error('outer', { cause: new Error('middle', { cause: ours }) }))).toBe(ours);
    expect(GatewayError.from(new Error('other'))).toBeUndefined();
  });

  it('an abort carries the reason', () => {
    expect(abortedError('why')).toMatchObject({
      name: 'AbortError',
      code: 'aborted',
      cause: 'why',
      retryable: false,
      fallbackable: false,
    });
  });
});

describe('P18: a provider message', () => {
  const target = { provider: 'openai', model: 'gpt-test' };
  const body = { model: 'gpt-test', messages: [{ role: 'user', content: 'my very private question' }] };
  it('loses keys in every form, also a prefix of eight', () => {
    const key = 'sk-proj-ABCDEFGH12345678';
    const text = `bad key ${key}, ${encodeURIComponent(key)}, ${btoa(key)}, ${key.slice(0, 10)} and gsk_ABCDEFGH`;
    expect(scrub(text, [key], '')).not.toMatch(/ABCDEFGH|c2stcHJvai/);
  });
  it('loses what repeats the request and keeps the rest', () => {
    const error = new GatewayError('invalid-request', 'x', {
      target,
      status: 400,
      providerCode: 'bad',
      providerMessage: 'Unsupported value: "my very private question" for input',
    });
    const safe = withSafeMessage(error, [], body);
    expect(safe.message).toBe('openai/gpt-test answered 400 (bad): Unsupported value: "…" for input');
  });
});
