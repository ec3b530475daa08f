import type { Target } from '../operations/shared.ts';
import type { PassedOver } from './attempt-record.ts';
import type { Call } from './call.ts';
import type { AttemptLedger } from './context.ts';
import type { AttemptRecord } from './errors.ts';

/**
 * The attempts of a call as one readable block: where each went, how it ended, and why the next step was taken.
 *
 * @example
 * console.log(formatAttempts(response.attempts));
 * // 1. openai/gpt-5-mini  failed after 1.2 s: overloaded (503, target, request req_1)
 * //      -> next target: anthropic/claude-haiku-4-5
 * // 2. anthropic/claude-haiku-4-5  completed after 2.4 s, first content after 310 ms, 812 tokens
 */
export function formatAttempts(attempts: readonly AttemptRecord[]): string {
  if (attempts.length === 0) return 'No attempt was made.';
  return attempts
    .map((attempt) => {
      const waited = attempt.waitedMs >= 1 ? `  (waited ${duration(attempt.waitedMs)})` : '';
      return [
        ...(attempt.passedOver ?? []).map(passedText),
        `${attempt.number}. ${placeOf(attempt.target)}  ${endOf(attempt)}${waited}`,
        ...(attempt.next === undefined ? [] : [`     -> ${attempt.next}`]),
      ].join('\n');
    })
    .join('\n');
}

function passedText({ target, reason, waitMs }: PassedOver): string {
  return `   passed over ${target}: ${reason}${waitMs > 0 ? `, for another ${duration(waitMs)}` : ''}`;
}

/** Notes targets that are not asked now; the next attempt of the call tells of them. */
export function passOver({ context }: Pick<Call, 'context'>, passed: readonly PassedOver[]): void {
  const { ledger } = context;
  const plain = passed.map(({ target, reason, waitMs }) => ({ target, reason, waitMs: Math.ceil(waitMs) }));
  const others = (ledger.passedOver ?? []).filter(({ target }) => plain.every((one) => one.target !== target));
  ledger.passedOver = [...others, ...plain];
}

/** A target in one word, like `openai/gpt-5@eu#spare`: the name of its key, never the key. */
export function placeOf({ provider, model, region, credential }: Target): string {
  return `${provider}/${model}${region === undefined ? '' : `@${region}`}${credential === undefined ? '' : `#${credential}`}`;
}

function endOf(attempt: AttemptRecord): string {
  const { outcome, durationMs, firstContentMs, usage, retryAfterMs, code, requestId } = attempt;
  if (outcome === 'running') return 'is running';
  const facts = [
    `${outcome}${durationMs === undefined ? '' : ` after ${duration(durationMs)}`}${failureOf(attempt)}`,
    ...(firstContentMs === undefined ? [] : [`first content after ${duration(firstContentMs)}`]),
    ...(usage === undefined
      ? []
      : [`${usage.total} tokens${usage.quality === 'reported' ? '' : ` (${usage.quality})`}`]),
    ...(code !== undefined || requestId === undefined ? [] : [`request ${requestId}`]),
    ...(retryAfterMs === undefined ? [] : [`asked to wait ${duration(retryAfterMs)}`]),
  ];
  return facts.join(', ');
}

/** Code, stage, status, whose doing, and the id a provider's support asks for. */
function failureOf({ code, stage, status, fault, requestId, ambiguous }: AttemptRecord): string {
  if (code === undefined) return '';
  const facts = [
    ...(stage === undefined ? [] : [stage]),
    ...(status === undefined ? [] : [String(status)]),
    ...(fault === undefined ? [] : [fault]),
    ...(ambiguous === true ? ['may have been processed'] : []),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
  ];
  return `: ${code}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** Puts what was passed over on the attempt that was made instead. */
export function tellPassedOver(ledger: AttemptLedger, id: string): void {
  if (ledger.passedOver !== undefined) ledger.update(id, { passedOver: ledger.passedOver });
  ledger.passedOver = undefined;
}

/** Says why nothing followed a failure, where nobody has said so yet. */
export function noteGivenUp({ context }: Pick<Call, 'context'>, why: string): void {
  const last = context.attempts.at(-1);
  if (last?.outcome === 'failed' && last.next === undefined)
    context.ledger.update(last.id, { next: `gave up: ${why}` });
}
