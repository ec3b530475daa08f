import { VERDICTS } from '../../src/core/errors.ts';
import type { FaultRow } from '../../src/testing/matrix/row.ts';
import { type Seen, type Setting, TEXT } from './matrix-run.ts';

/** What a stack does about a failed attempt. */
export interface Policy {
  readonly retries: boolean;
  readonly routes: boolean;
  /** Whether a fallback to the second target is named for every reason. */
  readonly fallsBack?: boolean;
}

interface Wanted {
  readonly code: string | undefined;
  readonly hits: number;
  readonly secondHits: number;
}

const ATTEMPTS_MAX = 3;
/** Longest wait a provider may ask for while another model stands ready, in milliseconds. */
const PATIENCE_MS = 1_000;

/** The outcome that the failure matrix asks for, derived from its rows alone. */
export function wantedOf(row: FaultRow, setting: Setting, policy: Policy): Wanted {
  const wanted = withoutFallback(row, setting, policy);
  const { code, committed, movesOn, retryable, retryAfterMs = 0 } = row.verdict;
  if (policy.fallsBack !== true || code === undefined || committed === true) return wanted;
  if (policy.retries && retryable && retryAfterMs > PATIENCE_MS) return { code: undefined, hits: 1, secondHits: 1 };
  if (wanted.code === undefined) return wanted;
  return movesOn || VERDICTS[code].fallbackable ? { ...wanted, code: undefined, secondHits: 1 } : wanted;
}

function withoutFallback({ verdict }: FaultRow, { times, targets }: Setting, policy: Policy): Wanted {
  if (verdict.code === undefined) return { code: undefined, hits: 1, secondHits: 0 };
  const failed = { code: verdict.code, hits: 1, secondHits: 0 };
  if (policy.routes && targets === 2 && verdict.movesOn) return { code: undefined, hits: 1, secondHits: 1 };
  if (!policy.retries || !verdict.retryable) return failed;
  if (times === 'once') return { code: undefined, hits: 2, secondHits: 0 };
  return { ...failed, hits: verdict.once === true ? 2 : ATTEMPTS_MAX };
}

/** Everything wrong with what was seen, in words; empty if all is well. */
export function problemsOf(row: FaultRow, seen: Seen, wanted: Wanted): string[] {
  const problems: string[] = [];
  const same = (name: string, actual: unknown, expected: unknown): void => {
    if (actual !== expected) problems.push(`${name} is ${String(actual)}, not ${String(expected)}`);
  };
  const { error, response, rows } = seen;
  same('code', error?.code, wanted.code);
  same('hits', seen.hits, wanted.hits);
  same('hits of the second', seen.secondHits, wanted.secondHits);
  const attempts = wanted.hits + wanted.secondHits;
  same('attempts', seen.attempts.length, attempts);
  same('meter rows of attempts', rows.filter(({ kind }) => kind === 'attempt').length, attempts);
  same('meter rows of calls', rows.filter(({ kind }) => kind === 'call').length, 1);
  same('attempt events', seen.events.attempt, attempts);
  same('call-end events', seen.events.end, 1);
  same('timers left', seen.timersLeft, 0);
  const settled = rows.find(({ kind }) => kind === 'call')?.status;
  same('status of the call', settled, wanted.code === undefined ? 'completed' : 'failed');
  const firstRow = rows.find((one) => one.kind === 'attempt');
  if (row.verdict.code !== undefined && firstRow?.kind === 'attempt') {
    same('billing', firstRow.billing, billingOf(row));
    same('code of the first attempt', firstRow.errorCode, row.verdict.code);
  }
  if (error !== undefined) {
    same('committed', error.committed, row.verdict.committed ?? false);
    if (wanted.hits === 1) same('retryAfterMs', error.retryAfterMs, row.verdict.retryAfterMs);
    const json = JSON.stringify(error);
    if (json.includes('one two')) problems.push('the error shows content as JSON');
    const partial =
      error.partial?.message.content.map((part) => (part.type === 'text' ? part.text : '')).join('') ?? '';
    if (error.committed) same('partial text', partial, seen.pieces);
  }
  problems.push(...textProblems(row, seen, wanted));
  if (response === undefined && error === undefined) problems.push('neither an answer nor an error');
  return problems;
}

function billingOf({ verdict }: FaultRow): string {
  if (verdict.committed === true) return 'yes';
  return verdict.mayBill === true ? 'possible' : 'no';
}

/** What was delivered is a prefix of exactly one attempt's text, and whole if it was answered (STR-05). */
function textProblems(row: FaultRow, { pieces, response }: Seen, wanted: Wanted): string[] {
  const whole =
    wanted.secondHits > 0 ? 'from the second' : wanted.hits > 1 && wanted.code === undefined ? 'fine' : TEXT;
  if (row.answer === 'tools' && whole === TEXT) {
    const calls = response?.message.content.filter((part) => part.type === 'tool-call') ?? [];
    const ids = new Set(calls.map((part) => (part.type === 'tool-call' ? part.id : '')));
    // Chat Completions servers are known to repeat ids; the other two protocols take ids as they come.
    const unique = response?.message.origin?.protocol === 'openai-chat' ? 2 : 1;
    if (wanted.code === undefined && (calls.length !== 2 || ids.size < unique))
      return ['not two tool calls with two ids'];
    return pieces === '' ? [] : ['text of an answer without text'];
  }
  if (row.faults.some(({ kind }) => kind === 'empty') && whole === TEXT)
    return pieces === '' ? [] : ['text from nothing'];
  if (wanted.code === undefined) return pieces === whole ? [] : [`text is ${JSON.stringify(pieces)}`];
  return TEXT.startsWith(pieces) ? [] : [`text ${JSON.stringify(pieces)} is no prefix`];
}
