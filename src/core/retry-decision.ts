import type { Call } from './call.ts';
import { wasTried, withoutKey } from './candidate-keys.ts';
import { type ErrorCode, type GatewayError, isGatewayError } from './errors.ts';
import { hasServerEffects } from './side-effects.ts';
import { standbyKey } from './standby.ts';

/** What `retry` was told, with its defaults. */
export interface RetryPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  readonly retryAfterMsMax: number;
  readonly ambiguousMax: number;
  readonly codes: Readonly<Partial<Record<ErrorCode, number>>>;
}

/** To wait and try again, or why not. */
export interface Decision {
  readonly waitMs?: number;
  readonly reason: string;
}

export interface DecisionFacts {
  readonly policy: RetryPolicy;
  readonly random: () => number;
  /** Whether the retry budget of a target still has something in it. */
  readonly mayRetry: (targetId: string) => boolean;
  /** Retries of all calls that wait right now. */
  readonly waiting: number;
}

/** An overloaded provider is given at least this long. */
const OVERLOADED_MS_MIN = 1_000;
/** Retries that wait at the same time are spread by this much each, so that an outage does not end in a wave. */
const SPREAD_MS = 4;
/** Longest wait a provider may ask for while another model stands ready. */
const PATIENCE_MS = 1_000;
const CONFLICT = 409;

/** Decides about a failure: reads the error, the attempts of the call and the budgets, and waits for nothing. */
export function decideRetry(call: Call, error: unknown, facts: DecisionFacts): Decision {
  const { attempts, clock } = call.context;
  const { policy } = facts;
  if (call.signal.aborted) return { reason: `gave up: ${endOf(call.signal)}` };
  if (!isGatewayError(error) || !error.retryable || error.committed) return { reason: 'gave up: not worth a retry' };
  if (call.context.attemptsLeft() === 0) return { reason: 'gave up: no attempts left' };
  const standby = call.context.get(standbyKey);
  if (standby?.takesOver(error) === true) {
    if (standby.probing) return { reason: 'gave up: it is not back yet, and another model stands ready' };
    if ((error.retryAfterMs ?? 0) > PATIENCE_MS) {
      return { reason: `gave up: asked to wait ${error.retryAfterMs} ms, and another model stands ready` };
    }
  }
  if (error.ambiguous) {
    const ambiguous = attempts.filter((attempt) => attempt.ambiguous === true).length;
    if (ambiguous > policy.ambiguousMax) return { reason: 'gave up: it may have been processed already' };
    if (hasServerEffects(call)) return { reason: 'gave up: the provider may have run a tool already' };
  }
  const exhausted = exhaust(call, policy);
  const open = call.plan.candidates.filter((candidate) => {
    const last = attempts.findLast((attempt) => attempt.targetId === candidate.id);
    return last === undefined || last.retryable !== false;
  });
  if (open.length === 0) {
    const often = exhausted === undefined ? 'not worth a retry' : `${exhausted} was retried as often as it may be`;
    return { reason: `gave up: ${often}` };
  }
  const affordable = open.filter(
    (one) => facts.mayRetry(withoutKey(one.id, one.credential)) || !wasTried(attempts, one),
  );
  if (affordable.length === 0) return { reason: 'gave up: the retry budget of its targets is used up' };
  if (error.retryAfterMs !== undefined && error.retryAfterMs > policy.retryAfterMsMax) {
    return { reason: `gave up: asked to wait ${error.retryAfterMs} ms` };
  }
  const waitMs = waitOf(error, attempts.length, facts);
  if (call.deadline !== undefined && clock.monotonic() + waitMs >= call.deadline) {
    return { reason: `gave up: the deadline comes before the wait of ${waitMs} ms` };
  }
  return { waitMs, reason: `retry after ${waitMs} ms` };
}

/** Who ended the call. */
export function endOf({ reason }: AbortSignal): string {
  if (isGatewayError(reason, 'timeout')) return 'the time of the call is up';
  return isGatewayError(reason, 'closed') ? 'the gateway was closed' : 'aborted';
}

/**
 * Marks targets whose last failure has had its number of retries: `route` and the next decision leave them out. Gives
 * the code of one.
 */
function exhaust(call: Call, { codes }: RetryPolicy): ErrorCode | undefined {
  const { attempts, ledger } = call.context;
  let exhausted: ErrorCode | undefined;
  for (const { id } of call.plan.candidates) {
    const last = attempts.findLast((attempt) => attempt.targetId === id);
    if (last === undefined || last.code === undefined || last.retryable === false) continue;
    const most = last.status === CONFLICT ? 1 : codes[last.code];
    if (most === undefined) continue;
    const alike = attempts.filter(
      (attempt) => attempt.targetId === id && attempt.code === last.code && attempt.status === last.status,
    ).length;
    if (alike <= most) continue;
    ledger.update(last.id, { retryable: false });
    exhausted = last.code;
  }
  return exhausted;
}

/** Exactly what was asked, plus up to a tenth so that callers do not return as one; or full jitter over the back-off. */
function waitOf(error: GatewayError, tries: number, { policy, random, waiting }: DecisionFacts): number {
  if (error.retryAfterMs !== undefined) return Math.ceil(error.retryAfterMs * (1 + random() / 10));
  const backOff = policy.baseMs * 2 ** Math.max(0, tries - 1);
  const ceiling = Math.min(policy.maxMs, Math.max(backOff, backOff === 0 ? 0 : waiting * SPREAD_MS));
  const overloaded = error.code === 'overloaded' || (error.cause as GatewayError | undefined)?.code === 'overloaded';
  const floor = overloaded ? Math.min(OVERLOADED_MS_MIN, policy.maxMs) : 0;
  return Math.round(floor + random() * ceiling);
}
