import type { DoorEnvironment, EncodedResponse } from '../../core/dialect.ts';
import type { ErrorCode, GatewayError } from '../../core/errors.ts';
import type { Written } from './protocol.ts';

interface Words {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
}

/** Our codes in the words of the protocol; the status picks the SDK's error class. */
const WORDS: Partial<Record<ErrorCode, Words>> = {
  authentication: { status: 401, type: 'invalid_request_error', code: 'invalid_api_key' },
  permission: { status: 403, type: 'invalid_request_error', code: 'permission_denied' },
  'not-found': { status: 404, type: 'invalid_request_error', code: 'model_not_found' },
  'rate-limited': { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  'quota-exceeded': { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  'budget-exceeded': { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  overloaded: { status: 503, type: 'server_error', code: 'slow_down' },
  unavailable: { status: 503, type: 'server_error', code: 'server_error' },
  'circuit-open': { status: 503, type: 'server_error', code: 'server_error' },
  'no-target': { status: 503, type: 'server_error', code: 'server_error' },
  'all-targets-failed': { status: 503, type: 'server_error', code: 'server_error' },
  connection: { status: 502, type: 'server_error', code: 'server_error' },
  'bad-response': { status: 502, type: 'server_error', code: 'server_error' },
  'stream-interrupted': { status: 502, type: 'server_error', code: 'server_error' },
  timeout: { status: 504, type: 'server_error', code: 'timeout' },
  aborted: { status: 499, type: 'server_error', code: 'aborted' },
  closed: { status: 503, type: 'server_error', code: 'server_error' },
  'context-too-long': { status: 400, type: 'invalid_request_error', code: 'context_length_exceeded' },
  'request-too-large': { status: 413, type: 'invalid_request_error', code: 'request_too_large' },
  'content-filtered': { status: 400, type: 'invalid_request_error', code: 'content_filter' },
  'guardrail-blocked': { status: 400, type: 'invalid_request_error', code: 'content_policy_violation' },
  unsupported: { status: 400, type: 'invalid_request_error', code: 'unsupported_parameter' },
  'invalid-request': { status: 400, type: 'invalid_request_error', code: null },
  'invalid-options': { status: 400, type: 'invalid_request_error', code: null },
};
const UNKNOWN: Words = { status: 500, type: 'server_error', code: 'server_error' };

/** The `error` object of a body, an event or a failed response. */
export function errorWords(error: GatewayError): Written {
  const { type, code } = WORDS[error.code] ?? UNKNOWN;
  return { message: error.message, type, param: error.field ?? null, code };
}

/** A failure before anything was sent. The gateway has retried already, so the SDK must not. */
export function encodeError(
  error: GatewayError,
  _environment: Pick<DoorEnvironment, 'headers' | 'nowMs'>,
): EncodedResponse {
  const { status } = WORDS[error.code] ?? UNKNOWN;
  const wait = error.retryAfterMs;
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-should-retry': 'false',
      ...(error.requestId !== undefined && { 'x-request-id': error.requestId }),
      ...(wait !== undefined && { 'retry-after-ms': String(wait), 'retry-after': String(Math.ceil(wait / 1000)) }),
    },
    body: { error: errorWords(error) },
  };
}
