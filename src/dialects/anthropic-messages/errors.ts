import type { DialectEnvironment, ResponseHead } from '../../core/dialect.ts';
import { codeOfStatus, providerError } from '../../core/error-facts.ts';
import type { ErrorCode, GatewayError } from '../../core/errors.ts';
import { recordOf, stringOf } from '../../core/wire-json.ts';

/** Error types and the status each stands for inside a stream (errors page and SDK 1.12.0, 2026-11-22). */
const TYPES: Readonly<Record<string, readonly [code: ErrorCode, status: number]>> = {
  invalid_request_error: ['invalid-request', 400],
  authentication_error: ['authentication', 401],
  billing_error: ['quota-exceeded', 402],
  permission_error: ['permission', 403],
  not_found_error: ['not-found', 404],
  conflict_error: ['unavailable', 409],
  request_too_large: ['request-too-large', 413],
  rate_limit_error: ['rate-limited', 429],
  api_error: ['unavailable', 500],
  timeout_error: ['timeout', 504],
  overloaded_error: ['overloaded', 529],
};

/** `error.details.type`, where it says more than the type. */
const DETAILS: Readonly<Record<string, ErrorCode>> = {
  contract_spend_limit_reached: 'quota-exceeded',
  enforced_spend_limit_reached: 'quota-exceeded',
  linked_organization_spend_limit_reached: 'quota-exceeded',
  linked_organization_billing_unavailable: 'quota-exceeded',
  request_body_too_large_after_decoding: 'request-too-large',
};

/** Last resort: what only the text tells, for errors that share a type. */
const MESSAGES: readonly (readonly [pattern: RegExp, code: ErrorCode])[] = [
  [/prompt is too long|exceed context limit|exceeds? the (model's )?context window/i, 'context-too-long'],
  [/credit balance is too low/i, 'quota-exceeded'],
  [/blocked by content filtering/i, 'content-filtered'],
];

/** Any failure as ours: an HTTP error, an error body inside a 200, or an `error` event of a stream. */
export function decodeError(body: unknown, head: ResponseHead, environment: DialectEnvironment): GatewayError {
  const wire = recordOf(body);
  const error = recordOf(wire?.['error']);
  const type = stringOf(error?.['type']);
  const said =
    stringOf(error?.['message']) ?? stringOf(wire?.['error']) ?? (typeof body === 'string' ? body : undefined);
  const known = type === undefined ? undefined : TYPES[type];
  // Inside a 200 only the type can tell the status.
  const status = head.status >= 400 ? head.status : (known?.[1] ?? 500);
  const detail = stringOf(recordOf(error?.['details'])?.['type']);
  const requestId = stringOf(wire?.['request_id']);
  return providerError(codeOf(known?.[0], detail, said, status), said, head, environment.target, environment.nowMs, {
    status,
    ...(type !== undefined && { providerCode: detail ?? type }),
    ...(requestId !== undefined && { requestId }),
  });
}

/** Whether a body is an error whatever its status says. */
export function isError(body: unknown): boolean {
  const wire = recordOf(body);
  if (wire === undefined) return false;
  return wire['type'] === 'error' || (recordOf(wire['error']) !== undefined && wire['content'] === undefined);
}

function codeOf(
  byType: ErrorCode | undefined,
  detail: string | undefined,
  said: string | undefined,
  status: number,
): ErrorCode {
  const byDetail = detail === undefined ? undefined : DETAILS[detail];
  if (byDetail !== undefined) return byDetail;
  const code = byType ?? codeOfStatus(status);
  if (code !== 'invalid-request' && code !== 'unavailable') return code;
  for (const [pattern, better] of MESSAGES) if (said !== undefined && pattern.test(said)) return better;
  return code;
}
