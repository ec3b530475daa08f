import type { DoorDialect, EncodedResponse } from '../../core/dialect.ts';
import type { ErrorCode, GatewayError } from '../../core/errors.ts';
import type { Wire } from './encoding.ts';

/** What each of our codes looks like to Anthropic's SDK, which picks its error class by the status. */
const ERRORS: Readonly<Record<ErrorCode, readonly [status: number, type: string]>> = {
  'invalid-request': [400, 'invalid_request_error'],
  'invalid-options': [400, 'invalid_request_error'],
  unsupported: [400, 'invalid_request_error'],
  'context-too-long': [400, 'invalid_request_error'],
  'content-filtered': [400, 'invalid_request_error'],
  'guardrail-blocked': [400, 'invalid_request_error'],
  authentication: [401, 'authentication_error'],
  'quota-exceeded': [402, 'billing_error'],
  permission: [403, 'permission_error'],
  'not-found': [404, 'not_found_error'],
  'request-too-large': [413, 'request_too_large'],
  'rate-limited': [429, 'rate_limit_error'],
  'budget-exceeded': [429, 'rate_limit_error'],
  aborted: [499, 'api_error'],
  internal: [500, 'api_error'],
  unavailable: [500, 'api_error'],
  'limit-exceeded': [500, 'api_error'],
  'bad-response': [502, 'api_error'],
  connection: [502, 'api_error'],
  'stream-interrupted': [502, 'api_error'],
  'invalid-output': [502, 'api_error'],
  'circuit-open': [503, 'api_error'],
  'no-target': [503, 'api_error'],
  'all-targets-failed': [503, 'api_error'],
  closed: [503, 'api_error'],
  timeout: [504, 'timeout_error'],
  overloaded: [529, 'overloaded_error'],
};

/** A failure as an HTTP answer. `x-should-retry: false`, because the gateway has already tried again. */
export const encodeError: DoorDialect['encodeError'] = (error): EncodedResponse => {
  const status = isLostThread(error) ? 404 : ERRORS[error.code][0];
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-should-retry': 'false',
      ...(error.requestId !== undefined && { 'request-id': error.requestId }),
      ...(error.retryAfterMs !== undefined && {
        'retry-after': String(Math.ceil(error.retryAfterMs / 1000)),
        'retry-after-ms': String(error.retryAfterMs),
      }),
    },
    body: errorBody(error),
  };
};

/** The body of a failure, which is also the data of an `error` event inside a stream. */
export function errorBody(error: GatewayError): Wire {
  const [, type] = ERRORS[error.code];
  // Applications look for these words to shorten a conversation.
  const message = error.code === 'context-too-long' ? `prompt is too long: ${error.message}` : error.message;
  const details = isLostThread(error) ? { details: { error_code: 'thread_not_found' } } : {};
  return { type: 'error', error: { type, message, ...details }, request_id: error.requestId ?? null };
}

/** A thread of another provider. By these words the SDK's helpers send the whole conversation again. */
function isLostThread({ code, field }: GatewayError): boolean {
  return code === 'unsupported' && field?.startsWith('thread.') === true;
}
