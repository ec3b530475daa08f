import type { ErrorCode } from '../../core/errors.ts';

/**
 * Where in an answer a fault strikes. `content: k` is after the k-th piece of content (0 is right before the first);
 * the others count for streams alone: of a plain answer everything after the headers is the middle of its body.
 */
export type FaultPosition =
  | 'before-headers'
  | 'after-headers'
  | 'after-start'
  | { readonly content: number }
  | 'inside-tool-args'
  | 'before-terminal'
  | 'after-terminal';

interface At {
  /** @defaultValue { content: 1 } */
  readonly at?: FaultPosition;
}

/** What may go wrong with one answer: plain data, the same words for {@link mockProvider} and {@link mockServer}. */
export type Fault = { readonly probability?: number } & (
  | ({ readonly kind: 'status' } & StatusFault)
  /** An error event (or error body) inside a 200. */
  | ({ readonly kind: 'error'; readonly code?: ErrorCode; readonly message?: string } & At)
  /** The connection is closed as if the answer were complete. */
  | ({ readonly kind: 'cut' } & At)
  /** The connection breaks. */
  | ({ readonly kind: 'reset' } & At)
  /** Nothing comes any more, and the connection stays open. */
  | ({ readonly kind: 'hang' } & At)
  /** Only keep-alive comes from here on, every `everyMs`. */
  | ({ readonly kind: 'pings'; readonly everyMs?: number } & At)
  /** A pause, and then it goes on. */
  | ({ readonly kind: 'pause'; readonly ms: number } & At)
  /** The body trickles: `bytes` (1) at a time, every `everyMs` (0). */
  | { readonly kind: 'drip'; readonly bytes?: number; readonly everyMs?: number }
  /** An event that is no JSON, or junk in the middle of a body. */
  | ({ readonly kind: 'junk'; readonly text?: string } & At)
  /** The event before the position comes twice. */
  | ({ readonly kind: 'duplicate' } & At)
  /** One line of so many bytes (2 MiB). */
  | ({ readonly kind: 'huge-line'; readonly bytes?: number } & At)
  /** A 200 with a body that is no answer. */
  | { readonly kind: 'wrong-type'; readonly type?: string; readonly body?: string }
  | { readonly kind: 'redirect'; readonly status?: number; readonly location?: string }
  /** The server takes the request slowly: the whole answer waits so long. */
  | { readonly kind: 'slow-read'; readonly ms?: number }
  | { readonly kind: 'no-usage' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'broken-tool-json' }
  | { readonly kind: 'duplicate-tool-ids' }
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  /** Failures below HTTP. A server cannot play the first three: they happen before a request arrives. */
  | { readonly kind: 'dns'; readonly temporary?: boolean }
  | { readonly kind: 'refused' }
  | { readonly kind: 'tls' }
);

export interface StatusFault {
  readonly status: number;
  /** Our code for the provider's own word, where the status alone does not say it, like `quota-exceeded`. */
  readonly code?: ErrorCode;
  readonly message?: string;
  /** `Retry-After` as it is written: seconds, or a date. A `Date` is written as an HTTP date. */
  readonly retryAfter?: number | string | Date;
  /** `retry-after-ms`. */
  readonly retryAfterMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole body in place of the protocol's own error. */
  readonly body?: string | object;
}

export type FaultKind = Fault['kind'];
/** Failures that `fail` takes by name, beside error codes and statuses. */
export type FailureWord = 'dns' | 'refused' | 'tls' | 'reset' | 'hang';

/** Rate-limit headers as OpenAI and Anthropic send them. Source: both vendors' documentation, read 2026-11. */
export function rateLimitHeaders(left: {
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds?: number;
}): Record<string, string> {
  const { limit, remaining, resetSeconds = 1 } = left;
  return {
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': `${resetSeconds}s`,
    'anthropic-ratelimit-requests-limit': String(limit),
    'anthropic-ratelimit-requests-remaining': String(remaining),
  };
}
