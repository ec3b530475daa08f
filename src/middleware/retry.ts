import pRetry from 'p-retry';
import type { Call, Next, Reply, StreamReply } from '../core/call.ts';
import { wasTried, withoutKey } from '../core/candidate-keys.ts';
import { sleep } from '../core/clock.ts';
import {
  abortedError,
  type ErrorCode,
  GatewayError,
  invalidOptions,
  isGatewayError,
  toGatewayError,
  VERDICTS,
} from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import { anObject, checkOptions, fraction, milliseconds, oneOf, wholeNumber } from '../core/options.ts';
import { isRecoverable, recovering, type RecoveryMode } from '../core/recovery.ts';
import { type Decision, decideRetry, endOf, type RetryPolicy } from '../core/retry-decision.ts';
import { tokenBuckets } from '../core/token-bucket.ts';
import type { OperationName } from '../operations/index.ts';

export interface RetryOptions {
  /** First back-off before jitter, in milliseconds; it doubles each time. `0` never waits. @defaultValue 500 */
  readonly baseMs?: number;
  /** Longest back-off before jitter, in milliseconds. @defaultValue 8_000 */
  readonly maxMs?: number;
  /** Longest wait a provider may ask for; a longer one gives up at once with `retryAfterMs`. @defaultValue 30_000 */
  readonly retryAfterMsMax?: number;
  /** Retries of failures after which the request may have been processed all the same. @defaultValue 1 */
  readonly ambiguousMax?: number;
  /**
   * Most retries at one target for an error code; `0` never retries it. Codes left out are bounded by the attempts of
   * the call alone.
   *
   * @defaultValue { 'bad-response': 1 }
   */
  readonly codes?: Readonly<Partial<Record<ErrorCode, number>>>;
  /**
   * What to do when a stream breaks after its reader has had content. `fail` throws with what was received. `restart`
   * asks again and tells the reader with a `reset` event to forget the first part. `continue` hands what was said to a
   * model to go on from; only for plain text, without tools or structured output.
   *
   * @defaultValue 'fail'
   */
  readonly afterContent?: 'fail' | RecoveryMode;
  /** Retries a target may cause, as a share of its attempts over all calls; against storms. @defaultValue 0.1 */
  readonly budgetRatio?: number;
  /** Retries a target may cause on top of that. @defaultValue 10 */
  readonly budgetBurst?: number;
}

/** Rounds that tried nothing, because every target is benched, before it gives up. */
const IDLE_ROUNDS_MAX = 5;
/** Marks an attempt that the retry budget refused. */
const BUDGET = 'retry-budget';

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
    codes: anObject,
    afterContent: oneOf('fail', 'restart', 'continue'),
    budgetRatio: fraction,
    budgetBurst: wholeNumber(0),
  });
  checkCodes(options.codes ?? {});
  const policy: RetryPolicy = {
    baseMs: options.baseMs ?? 500,
    maxMs: options.maxMs ?? 8_000,
    retryAfterMsMax: options.retryAfterMsMax ?? LIMITS.retryAfterMsMax,
    ambiguousMax: options.ambiguousMax ?? 1,
    codes: { 'bad-response': 1, ...options.codes },
  };
  const buckets = tokenBuckets({
    ratio: options.budgetRatio ?? 0.1,
    burst: options.budgetBurst ?? 10,
    keysMax: LIMITS.healthTargetsMax,
  });
  const { afterContent = 'fail' } = options;
  let host: Host | undefined;
  let waiting = 0;
  const judge = (call: Call, error: unknown): Decision => {
    const random = host?.random ?? call.context.random;
    const decision = decideRetry(call, error, { policy, random, mayRetry: buckets.has, waiting });
    const last = call.context.attempts.at(-1);
    if (last !== undefined && last.next === undefined) call.context.ledger.update(last.id, { next: decision.reason });
    return decision;
  };
  const wait = async (call: Call, waitMs: number): Promise<void> => {
    waiting++;
    try {
      if (waitMs > 0) await sleep(call.context.clock, waitMs, call.signal);
    } catch (reason) {
      const last = call.context.attempts.at(-1);
      if (last !== undefined)
        call.context.ledger.update(last.id, { next: `${last.next}; gave up: ${endOf(call.signal)}` });
      throw abortedError(reason, { attempts: [...call.context.attempts] });
    } finally {
      waiting--;
    }
  };
  return defineMiddleware(
    {
      name: 'retry',
      outside: ['hedge', 'route'],
      start: (given) => {
        host = given;
      },
      attempt(call) {
        const { target } = call;
        if (target === undefined) return;
        // Moving on to a target this call has not tried is free; trying one again draws on its budget.
        const bucket = withoutKey(target.id, target.credential);
        if (!wasTried(call.context.attempts, target)) buckets.deposit(bucket);
        else if (!buckets.take(bucket)) throw budgetRefusal(call);
      },
      explain: (call) => ({ summary: `up to ${call.context.attemptsLeft()} attempts in all` }),
    },
    async function retry<K extends OperationName>(call: Call<K>, next: Next): Promise<Reply<K>> {
      let reply: Reply<K>;
      try {
        reply = await next(call);
      } catch (thrown) {
        // Whatever is not ours is a bug in some middleware: trying again would only hide it.
        if (!isGatewayError(thrown)) throw thrown;
        reply = await again(call, next, thrown, judge, wait);
      }
      if (!reply.stream || afterContent === 'fail' || !isRecoverable(call as Call, afterContent)) return reply;
      const whole = recovering(call as unknown as Call<'chat'>, next, reply as unknown as StreamReply<'chat'>, {
        mode: afterContent,
        async again(open, error) {
          const { waitMs } = judge(open, error);
          if (waitMs !== undefined) await wait(open, waitMs);
          return waitMs !== undefined;
        },
      });
      return whole as unknown as typeof reply;
    },
  );
}

/** Every further round. Only a call that failed once pays for it. */
function again<K extends OperationName>(
  call: Call<K>,
  next: Next,
  first: GatewayError,
  judge: (call: Call, error: unknown) => Decision,
  wait: (call: Call, waitMs: number) => Promise<void>,
): Promise<Reply<K>> {
  let failure = first;
  let idle = 0;
  const round = async (number: number): Promise<Reply<K>> => {
    if (number === 1) throw failure;
    const tried = call.context.attempts.length;
    try {
      return await next(call);
    } catch (thrown) {
      const error = toGatewayError(thrown, 'A middleware');
      idle = call.context.attempts.length === tried ? idle + 1 : 0;
      // What failed is the news, not that our own budget said no.
      if (error.stage !== BUDGET) failure = error;
      else {
        idle = IDLE_ROUNDS_MAX;
        const last = call.context.attempts.at(-1);
        if (last !== undefined) call.context.ledger.update(last.id, { next: 'gave up: the retry budget is used up' });
      }
      throw failure;
    }
  };
  return pRetry(round, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 0,
    async shouldRetry({ error }) {
      if (idle >= IDLE_ROUNDS_MAX) return false;
      const { waitMs } = judge(call as Call, error);
      if (waitMs === undefined) return false;
      await wait(call as Call, waitMs);
      return true;
    },
  });
}

function budgetRefusal(call: Call): GatewayError {
  const { provider, model } = call.target ?? { provider: '?', model: '?' };
  return new GatewayError('limit-exceeded', `The retry budget of ${provider}/${model} is used up for now.`, {
    target: { provider, model },
    stage: BUDGET,
    fallbackable: true,
    limit: { name: 'retry.budgetRatio' },
  });
}

function checkCodes(codes: NonNullable<RetryOptions['codes']>): void {
  for (const [code, most] of Object.entries(codes)) {
    const verdict = VERDICTS[code as ErrorCode] as (typeof VERDICTS)[ErrorCode] | undefined;
    if (verdict === undefined) throw invalidOptions(`retry.codes.${code}`, 'there is no such error code.');
    if (!verdict.retryable) throw invalidOptions(`retry.codes.${code}`, 'this failure is never worth a retry.');
    if (!Number.isInteger(most) || most < 0) {
      throw invalidOptions(`retry.codes.${code}`, 'expected a whole number of at least 0.');
    }
  }
}
