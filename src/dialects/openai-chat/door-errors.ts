import type { EncodedResponse } from '../../core/dialect.ts';
import type { ErrorCode, GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../operations/shared.ts';

type Row = readonly [status: number, type: string, code: string | null];

/** What OpenAI would have answered, so that the SDK raises the class an application already catches. */
const ROWS: Readonly<Record<ErrorCode, Row>> = {
  'invalid-request': [400, 'invalid_request_error', null],
  'invalid-options': [400, 'invalid_request_error', null],
  authentication: [401, 'invalid_request_error', 'invalid_api_key'],
  permission: [403, 'invalid_request_error', 'permission_denied'],
  'not-found': [404, 'invalid_request_error', 'model_not_found'],
  'rate-limited': [429, 'rate_limit_error', 'rate_limit_exceeded'],
  'quota-exceeded': [429, 'insufficient_quota', 'insufficient_quota'],
  overloaded: [503, 'server_error', 'slow_down'],
  unavailable: [500, 'server_error', null],
  connection: [502, 'server_error', 'connection_error'],
  timeout: [504, 'server_error', 'timeout'],
  aborted: [499, 'server_error', 'aborted'],
  'context-too-long': [400, 'invalid_request_error', 'context_length_exceeded'],
  'request-too-large': [413, 'invalid_request_error', 'request_too_large'],
  'content-filtered': [400, 'invalid_request_error', 'content_filter'],
  'guardrail-blocked': [400, 'invalid_request_error', 'guardrail_blocked'],
  'budget-exceeded': [429, 'insufficient_quota', 'budget_exceeded'],
  'circuit-open': [503, 'server_error', 'circuit_open'],
  unsupported: [400, 'invalid_request_error', 'unsupported_parameter'],
  'bad-response': [502, 'server_error', 'bad_response'],
  'stream-interrupted': [502, 'server_error', 'stream_interrupted'],
  'invalid-output': [502, 'server_error', 'invalid_output'],
  'limit-exceeded': [500, 'server_error', 'limit_exceeded'],
  'no-target': [503, 'server_error', 'no_target'],
  'all-targets-failed': [502, 'server_error', 'all_targets_failed'],
  closed: [503, 'server_error', 'closed'],
  internal: [500, 'server_error', 'internal'],
};

/** The body of an error. Only our own message goes out: a provider's may quote a key of ours. */
export function errorBody(error: GatewayError): JsonObject {
  const [, type, code] = ROWS[error.code];
  return { error: { message: error.message, type, param: error.field ?? null, code } };
}

/** A failure as an HTTP answer. The gateway has retried already, so the SDK is told not to. */
export function encodeError(error: GatewayError): EncodedResponse {
  const wait = error.retryAfterMs;
  return {
    status: ROWS[error.code][0],
    headers: {
      'content-type': 'application/json',
      'x-should-retry': 'false',
      ...(error.requestId !== undefined && { 'x-request-id': error.requestId }),
      ...(wait !== undefined && { 'retry-after-ms': String(wait), 'retry-after': String(Math.ceil(wait / 1000)) }),
    },
    body: errorBody(error),
  };
}
