import { describe, expect, it } from 'vitest';
import { GatewayError, VERDICTS, type ErrorCode } from '../../../src/core/errors.ts';
import { anthropicMessagesDoor } from '../../../src/dialects/anthropic-messages/door.ts';
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts';
import { environment } from './support.ts';

const decode = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  anthropicMessages.decodeError(body, { status, headers }, environment());
const failure = (type: string, message = 'x', more: object = {}) => ({
  type: 'error',
  error: { type, message, ...more },
});

describe('errors of the provider', () => {
  it.each([
    [400, failure('invalid_request_error'), 'invalid-request', false],
    [
      400,
      failure('invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
      'context-too-long',
      false,
    ],
    [
      400,
      failure('invalid_request_error', 'input length and `max_tokens` exceed context limit'),
      'context-too-long',
      false,
    ],
    [
      400,
      failure('invalid_request_error', 'Your credit balance is too low to access the API'),
      'quota-exceeded',
      false,
    ],
    [400, failure('invalid_request_error', 'Output blocked by content filtering policy'), 'content-filtered', false],
    [401, failure('authentication_error'), 'authentication', false],
    [402, failure('billing_error'), 'quota-exceeded', false],
    [403, failure('permission_error'), 'permission', false],
    [404, failure('not_found_error'), 'not-found', false],
    [413, failure('request_too_large'), 'request-too-large', false],
    [429, failure('rate_limit_error'), 'rate-limited', true],
    [
      429,
      failure('rate_limit_error', 'x', { details: { type: 'enforced_spend_limit_reached' } }),
      'quota-exceeded',
      false,
    ],
    [500, failure('api_error'), 'unavailable', true],
    [504, failure('timeout_error'), 'timeout', true],
    [529, failure('overloaded_error'), 'overloaded', true],
    [503, '<html>busy</html>', 'overloaded', true],
    [409, undefined, 'unavailable', true],
    [418, { error: 'teapot' }, 'invalid-request', false],
    [500, failure('never_seen_error'), 'unavailable', true],
  ] as const)('%i %j is %s (retryable: %s)', (status, body, code, retryable) => {
    expect(decode(status, body)).toMatchObject({ code, retryable, status, source: 'provider' });
  });

  it('takes the status from the type inside a 200 (X03, STR-04)', () => {
    expect(decode(200, failure('overloaded_error'))).toMatchObject({ code: 'overloaded', status: 529 });
    expect(decode(200, failure('never_seen_error'))).toMatchObject({ code: 'unavailable', status: 500 });
    expect(anthropicMessages.isError(failure('overloaded_error'))).toBe(true);
    expect(anthropicMessages.isError({ content: [], error: null })).toBe(false);
  });

  it('keeps waiting time, request id and the words of the provider, but not in the message', () => {
    const error = decode(
      429,
      { ...failure('rate_limit_error', 'secret words'), request_id: 'req_b' },
      { 'retry-after': '3' },
    );
    expect(error).toMatchObject({ retryAfterMs: 3000, requestId: 'req_b', providerCode: 'rate_limit_error' });
    expect(error.providerMessage).toBe('secret words');
    expect(JSON.stringify(error)).not.toContain('secret');
  });
});

describe('errors for the application', () => {
  const shown = (code: ErrorCode, facts = {}) =>
    anthropicMessagesDoor.encodeError(new GatewayError(code, 'what to do', facts), { headers: {}, nowMs: 0 });

  it('gives every code a status, a type and x-should-retry: false (P04)', () => {
    for (const code of Object.keys(VERDICTS) as ErrorCode[]) {
      const { status, headers, body } = shown(code);
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(headers['x-should-retry']).toBe('false');
      expect(body).toMatchObject({
        type: 'error',
        error: { type: expect.stringMatching(/_error$|request_too_large/) },
      });
    }
  });

  it('comes back as the same kind of error where the protocol has it', () => {
    for (const code of [
      'authentication',
      'permission',
      'not-found',
      'rate-limited',
      'quota-exceeded',
      'overloaded',
      'timeout',
      'context-too-long',
      'request-too-large',
      'invalid-request',
      'unavailable',
    ] as const) {
      const { status, headers, body } = shown(code, { retryAfterMs: 1500, requestId: 'req_x' });
      expect(decode(status, body, headers)).toMatchObject({ code, requestId: 'req_x', retryAfterMs: 1500 });
    }
  });
});
