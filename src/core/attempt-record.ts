import type { Target, Usage } from '../operations/shared.ts';
import type { AttemptOutcome } from './middleware.ts';
import type { ErrorCode, Fault } from './verdicts.ts';

/** A target that was not asked although it stood before the one that was. */
export interface PassedOver {
  /** In one word, like `openai/gpt-5`. */
  readonly target: string;
  readonly reason: string;
  /** Milliseconds until it is asked again; 0 if time changes nothing. */
  readonly waitMs: number;
}

/** One exchange with one target, as it happened. */
export interface AttemptRecord {
  readonly id: string;
  readonly number: number;
  readonly target: Target;
  /** The candidate's identity. */
  readonly targetId: string;
  /** Milliseconds from the start of the call. */
  readonly startedMs: number;
  /** Time spent waiting before this attempt, in milliseconds. */
  readonly waitedMs: number;
  readonly durationMs?: number;
  readonly firstContentMs?: number;
  readonly outcome: 'running' | 'completed' | 'failed' | 'cancelled';
  readonly code?: ErrorCode;
  readonly fault?: Fault;
  /** Which part of the work failed: `connect`, `first-content`, `idle`, `total`, `hedge` for who lost a race, … */
  readonly stage?: string;
  /** Whether the same target was worth another try. */
  readonly retryable?: boolean;
  /** The request may have been processed although no answer came. */
  readonly ambiguous?: boolean;
  readonly status?: number;
  readonly requestId?: string;
  readonly message?: string;
  readonly retryAfterMs?: number;
  readonly usage?: Usage;
  /** Targets that were passed over for this one, and why. */
  readonly passedOver?: readonly PassedOver[];
  /** Why the next step was taken: `retry`, `next target`, `gave up: …`. */
  readonly next?: string;
}

/** What is kept of how an attempt ended. */
export function recordOf(outcome: AttemptOutcome): Partial<AttemptRecord> {
  const { error } = outcome;
  const requestId = error?.requestId ?? outcome.requestId;
  return {
    durationMs: outcome.durationMs,
    outcome: outcome.status === 'refused' ? 'failed' : outcome.status,
    ...(outcome.firstContentMs !== undefined && { firstContentMs: outcome.firstContentMs }),
    ...(outcome.usage !== undefined && { usage: outcome.usage }),
    ...(error !== undefined && {
      code: error.code,
      fault: error.fault,
      retryable: error.retryable,
      message: error.message,
    }),
    ...(error?.stage !== undefined && { stage: error.stage }),
    ...(error?.ambiguous === true && { ambiguous: true }),
    ...(error?.status !== undefined && { status: error.status }),
    ...(requestId !== undefined && { requestId }),
    ...(error?.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  };
}
