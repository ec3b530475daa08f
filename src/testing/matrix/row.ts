import type { ErrorCode } from '../../core/errors.ts';
import type { Fault, FaultPosition } from '../script/fault.ts';

export type Mode = 'plain' | 'stream';

/** What one attempt that meets a fault comes to: the truth that every stack of middleware builds on. */
export interface Verdict {
  /** Absent: it is answered all the same. */
  readonly code?: ErrorCode;
  /** The same target is worth another try. */
  readonly retryable?: boolean;
  /** Another target of the same kind is. */
  readonly movesOn?: boolean;
  /** Content had reached the caller: nothing may be tried again. */
  readonly committed?: boolean;
  /** Worth one more try only. */
  readonly once?: boolean;
  readonly retryAfterMs?: number;
  /** The provider may bill it although no answer came. */
  readonly mayBill?: boolean;
}

/** One thing that may go wrong, and what it means. */
export interface FaultRow {
  readonly id: string;
  /** What happens, in words. */
  readonly title: string;
  readonly faults: readonly Fault[];
  readonly mode: Mode;
  /** What the answer is made of. */
  readonly answer: 'text' | 'tools';
  readonly verdict: Verdict;
  /** It ends only by a clock of ours. */
  readonly waits?: boolean;
}

const RETRYABLE = new Set<ErrorCode>([
  'rate-limited',
  'overloaded',
  'unavailable',
  'connection',
  'timeout',
  'bad-response',
  'stream-interrupted',
]);
/** Another target of the same kind would say the same, or nobody may try again. */
const STAYS = new Set<ErrorCode>([
  'invalid-request',
  'context-too-long',
  'request-too-large',
  'content-filtered',
  'aborted',
]);

/** A failure with what usually follows from its code. */
export function fails(code: ErrorCode, more: Omit<Verdict, 'code'> = {}): Verdict {
  const verdict: Verdict = {
    code,
    retryable: RETRYABLE.has(code),
    movesOn: !STAYS.has(code),
    ...(code === 'bad-response' && { once: true }),
    ...more,
  };
  // After content has reached the caller nothing is hidden any more.
  return verdict.committed === true ? { ...verdict, retryable: false, movesOn: false } : verdict;
}

export const ANSWERED: Verdict = {};

/** All positions of a stream with one text of four pieces, and of one tool call. */
export const POSITIONS: readonly FaultPosition[] = [
  'before-headers',
  'after-headers',
  'after-start',
  { content: 0 },
  { content: 1 },
  { content: 2 },
  { content: 3 },
  'inside-tool-args',
  'before-terminal',
  'after-terminal',
];

export function positionName(position: FaultPosition): string {
  return typeof position === 'string' ? position : `after ${position.content} pieces`;
}

/** Whether content has reached the caller when something strikes here. */
export function isCommitted(position: FaultPosition): boolean {
  if (typeof position !== 'string') return position.content > 0;
  return position === 'inside-tool-args' || position === 'before-terminal' || position === 'after-terminal';
}
