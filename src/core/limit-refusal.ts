import { type Candidate, plainTarget } from './call.ts';
import type { Denial } from './counter-store.ts';
import { type ErrorCode, GatewayError } from './errors.ts';
import type { LimitUnit } from './limit-rule.ts';

/** Why an attempt may not be made. */
export interface Refusal {
  readonly denial: Denial;
  readonly target: Candidate;
  readonly unit: LimitUnit;
  /** Whether another target may be within the limit: it depends on the target, or on what the target costs. */
  readonly elsewhere: boolean;
}

/** A refusal as an error. Never retryable by itself: waiting is what `onExhausted: 'wait'` is for. */
export function refusalError(code: ErrorCode, refusal: Refusal, waitedMs?: number): GatewayError {
  const { denial, target, unit, elsewhere } = refusal;
  const { name, maximum, used, held, retryAfterMs } = denial;
  const waited = waitedMs === undefined ? '' : ` after ${Math.round(waitedMs)} ms in the queue`;
  return new GatewayError(code, `The limit "${name}" refused the attempt${waited}: ${reasonOf(denial, unit)}`, {
    fault: 'gateway',
    retryable: false,
    fallbackable: elsewhere,
    target: plainTarget(target),
    limit: { name, maximum, actual: used + held },
    ...(retryAfterMs !== undefined && { retryAfterMs: Math.ceil(retryAfterMs) }),
  });
}

function reasonOf({ blockedBy, maximum, used, held, remaining, retryAfterMs }: Denial, unit: LimitUnit): string {
  const amount = (value: number): string => (unit === 'costUsd' ? `$${value / 1e9}` : String(value));
  if (blockedBy === 'size' && (unit === 'requests' || unit === 'concurrent')) return `it is ${maximum}.`;
  if (blockedBy === 'size') {
    return `it may need more than the whole limit of ${amount(maximum)}; set maxTokens, shorten it or raise the limit.`;
  }
  const stand = `${amount(used)} used and ${amount(held)} held of ${amount(maximum)}`;
  const again = retryAfterMs === undefined ? '' : ` Try again in ${Math.ceil(retryAfterMs)} ms.`;
  return remaining > 0 ? `${stand}, and it may need more than what is left.${again}` : `${stand}.${again}`;
}
