import type { DialectEnvironment, ResponseHead } from '../../core/dialect.ts';
import { codeOfStatus, providerError } from '../../core/error-facts.ts';
import type { ErrorCode, ErrorFacts, GatewayError } from '../../core/errors.ts';
import { recordOf, stringOf } from '../../core/wire-json.ts';
import type { Wire } from './protocol.ts';

/** The protocol's `code` and `type` words. OpenAI error guide and SDK types `ResponseError`, read 2026-11-22. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  context_length_exceeded: 'context-too-long',
  string_above_max_length: 'context-too-long',
  insufficient_quota: 'quota-exceeded',
  billing_hard_limit_reached: 'quota-exceeded',
  billing_not_active: 'quota-exceeded',
  invalid_api_key: 'authentication',
  authentication_error: 'authentication',
  invalid_authentication: 'authentication',
  permission_error: 'permission',
  permission_denied: 'permission',
  data_residency_mismatch: 'permission',
  model_not_found: 'not-found',
  not_found_error: 'not-found',
  previous_response_not_found: 'not-found',
  rate_limit_exceeded: 'rate-limited',
  rate_limit_error: 'rate-limited',
  tokens: 'rate-limited',
  requests: 'rate-limited',
  slow_down: 'overloaded',
  overloaded: 'overloaded',
  overloaded_error: 'overloaded',
  server_overloaded: 'overloaded',
  engine_overloaded: 'overloaded',
  server_error: 'unavailable',
  internal_error: 'unavailable',
  internal_server_error: 'unavailable',
  api_error: 'unavailable',
  vector_store_timeout: 'timeout',
  timeout: 'timeout',
  content_policy_violation: 'content-filtered',
  content_filter: 'content-filtered',
  invalid_prompt: 'content-filtered',
  bio_policy: 'content-filtered',
  misalignment_policy_violation: 'content-filtered',
  image_content_policy_violation: 'content-filtered',
  moderation_blocked: 'content-filtered',
  request_too_large: 'request-too-large',
  unsupported_country_region_territory: 'permission',
};

/** State that lives at this provider only: no other target has it. */
const PINNED = new Set(['previous_response_not_found', 'conversation_not_found', 'item_not_found']);

/** Last resort, only where the code says no more than "invalid request". */
const TOO_LONG = /maximum context length|context window|context_length|exceeds? the (model's )?context/i;
const QUOTA = /exceeded your current quota/i;

/** The status an in-stream failure would have had: the stream's own is 200. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  authentication: 401,
  permission: 403,
  'not-found': 404,
  'request-too-large': 413,
  'rate-limited': 429,
  'quota-exceeded': 429,
  overloaded: 503,
  unavailable: 500,
  timeout: 504,
};

interface Said {
  readonly message?: string | undefined;
  readonly word?: string | undefined;
  readonly type?: string | undefined;
  readonly param?: string | undefined;
}

/** Any failure status, an `error` event or a failed response as our error. */
export function decodeError(
  body: unknown,
  head: ResponseHead,
  environment: DialectEnvironment,
  more: ErrorFacts = {},
): GatewayError {
  const said = saidBy(body);
  const code = codeOf(said, head.status);
  const status = head.status < 300 ? (STATUS[code] ?? 400) : head.status;
  const providerCode = said.word ?? said.type;
  return providerError(code, said.message, head, environment.target, environment.nowMs, {
    status,
    ...(providerCode !== undefined && { providerCode }),
    ...(said.param !== undefined && { field: said.param }),
    ...(PINNED.has(said.word ?? '') && { fallbackable: false }),
    ...more,
  });
}

/** A 2xx body that is an error all the same. A failed response with its output is left to `decodeResponse`. */
export function isError(body: unknown): boolean {
  const wire = recordOf(body);
  if (wire === undefined || Array.isArray(wire['output'])) return false;
  return (wire['error'] !== undefined && wire['error'] !== null) || wire['type'] === 'error';
}

function codeOf(said: Said, status: number): ErrorCode {
  const known = CODES[said.word ?? ''] ?? CODES[said.type ?? ''];
  const text = said.message ?? '';
  if (known === 'rate-limited' && QUOTA.test(text)) return 'quota-exceeded';
  if (known !== undefined) return known;
  // A 200 that carries a failure nobody can name is the provider's fault, unless it blames the request.
  const blamed = said.type === 'invalid_request_error' || said.word?.startsWith('invalid_') === true;
  const code = status < 300 ? (blamed ? 'invalid-request' : 'unavailable') : codeOfStatus(status);
  if (code === 'invalid-request' && TOO_LONG.test(text)) return 'context-too-long';
  if (code === 'rate-limited' && QUOTA.test(text)) return 'quota-exceeded';
  return code;
}

/** `{error: {…}}`, `{error: 'text'}`, a bare `{code, message}` (error events), or `{message}` / `{detail}` of proxies. */
function saidBy(body: unknown): Said {
  const wire: Wire = recordOf(body) ?? {};
  const inner = wire['error'];
  if (typeof inner === 'string') return { message: inner };
  const error = recordOf(inner) ?? wire;
  const code = error['code'];
  const type = stringOf(error['type']);
  return {
    message: stringOf(error['message']) ?? stringOf(wire['message']) ?? stringOf(wire['detail']),
    word: typeof code === 'number' ? String(code) : stringOf(code),
    // An error event's own `type` is the word "error" and says nothing.
    type: type === 'error' ? undefined : type,
    param: stringOf(error['param']),
  };
}
