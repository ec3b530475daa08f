import pRetry from 'p-retry';
import type { Call } from '../core/call.ts';
import { sleep } from '../core/clock.ts';
import { type GatewayError, isGatewayError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import { checkOptions, fraction, milliseconds, wholeNumber } from '../core/options.ts';
import { tokenBuckets } from '../core/token-bucket.ts';

export interface RetryOptions {
  /** First back-off before jitter, in milliseconds; it doubles each time. @defaultValue 500 */
  readonly baseMs?: number;
  /** Longest back-off before jitter, in milliseconds. @defaultValue 8_000 */
  readonly maxMs?: number;
  /** Longest wait a provider may ask for; a longer one gives up at once with `retryAfterMs`. @defaultValue 30_000 */
  readonly retryAfterMsMax?: number;
  /** Retries of failures after which the request may have been processed all the same. @defaultValue 1 */
  readonly ambiguousMax?: number;
  /** Retries a target may cause, as a share of its attempts over all calls; against storms. @defaultValue 0.1 */
  readonly budgetRatio?: number;
  /** Retries a target may cause on top of that. @defaultValue 10 */
  readonly budgetBurst?: number;
}

/** An overloaded provider is given at least this long. */
const OVERLOADED_MS_MIN = 1_000;
/** Codes (and one status) that are worth exactly one more try. */
const ONCE = new Set(['bad-response']);
const CONFLICT = 409;

/**
 * Waits and tries again what is worth it: transient failures before the first content, never the caller's mistakes,
 * never an abort. A provider's own Retry-After is honoured exactly; otherwise exponential back-off with full jitter.
 *
 * Place it outside `route`. The number of attempts is the call's own (`attemptsMax`).
 *
 * @example
 * createGateway({ providers, attemptsMax: 4, use: [retry({ baseMs: 200 }), route()] })
 */
export function retry(options: RetryOptions = {}): Middleware {
  checkOptions('retry', options, {
    baseMs: milliseconds,
    maxMs: milliseconds,
    retryAfterMsMax: milliseconds,
    ambiguousMax: wholeNumber(0),
    budgetRatio: fraction,
    budgetBurst: wholeNumber(0),
  });
  const buckets = tokenBuckets({
    ratio: options.budgetRatio ?? 0.1,
    burst: options.budgetBurst ?? 10,
    keysMax: LIMITS.healthTargetsMax,
  });
  let host: Host | undefined;
  return defineMiddleware(
    {
      name: 'retry',
      start: (given) => {
        host = given;
      },
      attempt(call) {
        const id = call.target?.id ?? '';
        // Moving on to a target this call has not tried is free; trying one again draws on its budget.
        if (call.context.attempts.some((attempt) => attempt.targetId === id)) buckets.take(id);
        else buckets.deposit(id);
      },
      explain: (call) => ({ summary: `up to ${call.context.attemptsLeft()} attempts in all` }),
    },
    async function retry(call, next) {
      return pRetry(() => next(call), {
        retries: Number.POSITIVE_INFINITY,
        minTimeout: 0,
        async shouldRetry({ error }) {
          const decision = decide(call, error, options, (id) => buckets.has(id), host?.random ?? call.context.random);
          note(call, decision);
          if (decision.waitMs === undefined) return false;
          if (decision.waitMs > 0) {
            await sleep(call.context.clock, decision.waitMs, call.signal).catch(() => undefined);
          }
          return !call.signal.aborted;
        },
      });
    },
  );
}

/** To wait and try again, or why not. */
interface Decision {
  readonly waitMs?: number;
  readonly reason: string;
}

function decide(
  call: Call,
  error: unknown,
  options: RetryOptions,
  mayRetry: (targetId: string) => boolean,
  random: () => number,
): Decision {
  const { attempts, clock } = call.context;
  if (!isGatewayError(error) || !error.retryable || error.committed) return { reason: 'gave up: not worth a retry' };
  if (call.signal.aborted) return { reason: 'gave up: aborted' };
  if (call.context.attemptsLeft() === 0) return { reason: 'gave up: no attempts left' };
  const ambiguous = attempts.filter((attempt) => attempt.ambiguous === true).length;
  if (error.ambiguous && ambiguous > (options.ambiguousMax ?? 1)) {
    return { reason: 'gave up: it may have been processed already' };
  }
  if (
    isOnce(error) &&
    attempts.filter((attempt) => attempt.code === error.code && attempt.status === error.status).length > 1
  ) {
    return { reason: 'gave up: one retry changed nothing' };
  }
  const open = call.plan.candidates.filter((candidate) => {
    const last = attempts.findLast((attempt) => attempt.targetId === candidate.id);
    return last === undefined || (last.retryable !== false && mayRetry(candidate.id));
  });
  if (open.length === 0) return { reason: 'gave up: the retry budget of its targets is used up' };
  const waitMs = waitOf(error, attempts.length, options, random);
  if (error.retryAfterMs !== undefined && error.retryAfterMs > (options.retryAfterMsMax ?? LIMITS.retryAfterMsMax)) {
    return { reason: `gave up: asked to wait ${error.retryAfterMs} ms` };
  }
  if (call.deadline !== undefined && clock.monotonic() + waitMs >= call.deadline) {
    return { reason: `gave up: the deadline comes before the wait of ${waitMs} ms` };
  }
  return { waitMs, reason: `retry after ${waitMs} ms` };
}

function isOnce(error: GatewayError): boolean {
  return ONCE.has(error.code) || error.status === CONFLICT;
}

/** Exactly what was asked, plus up to a tenth so that callers do not return as one; or full jitter over the back-off. */
function waitOf(error: GatewayError, tries: number, options: RetryOptions, random: () => number): number {
  if (error.retryAfterMs !== undefined) return Math.ceil(error.retryAfterMs * (1 + random() / 10));
  const ceiling = Math.min(options.maxMs ?? 8_000, (options.baseMs ?? 500) * 2 ** Math.max(0, tries - 1));
  const floor = error.code === 'overloaded' ? Math.min(OVERLOADED_MS_MIN, options.maxMs ?? 8_000) : 0;
  return Math.round(floor + random() * ceiling);
}

function note(call: Call, decision: Decision): void {
  const last = call.context.attempts.at(-1);
  if (last !== undefined && last.next === undefined) call.context.ledger.update(last.id, { next: decision.reason });
}
