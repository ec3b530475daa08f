import type { RateLimitWindow, Target } from '../operations/shared.ts';
import { type ErrorCode, type ErrorFacts, GatewayError } from './errors.ts';
import { retryAfterMs } from './retry-after.ts';
import type { ResponseHead } from './dialect.ts';

/** The code of a status where the body says nothing better. */
export function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'authentication';
  if (status === 402) return 'quota-exceeded';
  if (status === 403) return 'permission';
  if (status === 404) return 'not-found';
  if (status === 408 || status === 504) return 'timeout';
  if (status === 409) return 'unavailable';
  if (status === 413) return 'request-too-large';
  if (status === 429) return 'rate-limited';
  if (status === 503 || status === 529) return 'overloaded';
  if (status >= 500) return 'unavailable';
  if (status >= 300 && status < 400) return 'bad-response';
  return 'invalid-request';
}

/** What headers say about a failure: request id, waiting time, the server's own verdict on retrying. */
export function factsOfHead(head: ResponseHead, target: Target, nowMs: number): ErrorFacts {
  const { headers } = head;
  const wait = retryAfterMs(headers, nowMs);
  const requestId = requestIdOf(headers);
  const shouldRetry = headers['x-should-retry'];
  return {
    source: 'provider',
    target,
    status: head.status,
    ...(requestId !== undefined && { requestId }),
    ...(wait !== undefined && { retryAfterMs: wait }),
    ...(shouldRetry === 'true' && { retryable: true }),
    ...(shouldRetry === 'false' && {
      retryable: false,
      // A server that says no to itself may still be replaced by another, if the fault is its own.
      ...(head.status < 500 && head.status !== 429 && { fallbackable: false }),
    }),
  };
}

export function requestIdOf(headers: Readonly<Record<string, string>>): string | undefined {
  return headers['x-request-id'] ?? headers['request-id'] ?? headers['x-amzn-requestid'] ?? headers['apim-request-id'];
}

/**
 * A provider's failure as ours. `said` is the provider's own message: it is kept apart, because it may quote the
 * prompt or a key; the exchange shows what is left of it after scrubbing.
 */
export function providerError(
  code: ErrorCode,
  said: string | undefined,
  head: ResponseHead,
  target: Target,
  nowMs: number,
  more: ErrorFacts = {},
): GatewayError {
  const facts = factsOfHead(head, target, nowMs);
  const where = `${target.provider}/${target.model}`;
  const status = more.status ?? head.status;
  const name = more.providerCode === undefined ? '' : ` (${more.providerCode})`;
  return new GatewayError(code, `${where} answered ${status}${name}: ${adviceFor(code)}`, {
    ...facts,
    providerMessage: said,
    ...more,
  });
}

/** What to do about it, for errors whose own text may not be shown. */
export function adviceFor(code: ErrorCode): string {
  switch (code) {
    case 'authentication':
      return 'the key was refused; check the key of this provider.';
    case 'permission':
      return 'the key may not use this model or endpoint.';
    case 'not-found':
      return 'no such model or endpoint; check the model name.';
    case 'rate-limited':
      return 'too many requests; wait for retryAfterMs or add another target.';
    case 'quota-exceeded':
      return 'the account has no credit or quota left.';
    case 'overloaded':
      return 'the provider is overloaded; retry or add another target.';
    case 'context-too-long':
      return 'the request is longer than the context window of the model.';
    case 'request-too-large':
      return 'the request body is too large.';
    case 'content-filtered':
      return 'the content filter of the provider refused the request.';
    case 'timeout':
      return 'the provider timed out.';
    case 'bad-response':
      return 'the answer has not the shape this protocol has.';
    default:
      return 'the provider refused or failed the request.';
  }
}

const WINDOWS: readonly (readonly [scope: string, limit: string, remaining: string, reset: string])[] = [
  ['requests', 'x-ratelimit-limit-requests', 'x-ratelimit-remaining-requests', 'x-ratelimit-reset-requests'],
  ['tokens', 'x-ratelimit-limit-tokens', 'x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens'],
  ...['requests', 'tokens', 'input-tokens', 'output-tokens'].map(
    (scope) =>
      [
        scope,
        `anthropic-ratelimit-${scope}-limit`,
        `anthropic-ratelimit-${scope}-remaining`,
        `anthropic-ratelimit-${scope}-reset`,
      ] as const,
  ),
];

/** The rate-limit windows a response tells of, in the header families of OpenAI and Anthropic. */
export function rateLimitOf(headers: Readonly<Record<string, string>>, nowMs: number): RateLimitWindow[] | undefined {
  const windows: RateLimitWindow[] = [];
  for (const [scope, limitName, remainingName, resetName] of WINDOWS) {
    const limit = numberOf(headers[limitName]);
    const remaining = numberOf(headers[remainingName]);
    if (limit === undefined && remaining === undefined) continue;
    const resetMs = resetMsOf(headers[resetName], nowMs);
    windows.push({
      scope,
      ...(limit !== undefined && { limit }),
      ...(remaining !== undefined && { remaining }),
      ...(resetMs !== undefined && { resetMs }),
    });
  }
  return windows.length > 0 ? windows : undefined;
}

/** A rate limit that says no word of waiting: until the window that is used up comes back, the longest if several are. */
export function withResetOfLimit(
  error: GatewayError,
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): GatewayError {
  if (error.code !== 'rate-limited' || error.retryAfterMs !== undefined) return error;
  const waits = (rateLimitOf(headers, nowMs) ?? []).flatMap(({ remaining, resetMs }) =>
    remaining === 0 && resetMs !== undefined ? [resetMs] : [],
  );
  return waits.length === 0 ? error : error.with({ retryAfterMs: Math.max(...waits) });
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** `6m0s`, `20ms`, `1.5s`, plain seconds, or an RFC 3339 date. */
export function resetMsOf(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const seconds = numberOf(text);
  if (seconds !== undefined) return seconds >= 0 ? Math.round(seconds * 1000) : undefined;
  if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    const unit: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    let total = 0;
    for (const match of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
      total += Number(match[1]) * (unit[match[2] as string] as number);
    return Math.round(total);
  }
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
