import type { ChatResponse } from '../operations/chat.ts';
import type { TextPart } from '../operations/chat-parts.ts';
import type { OperationName, Operations } from '../operations/index.ts';
import type { Target } from '../operations/shared.ts';
import type { Call, Candidate } from './call.ts';
import { type ErrorCode, GatewayError, VERDICTS } from './errors.ts';
import type { StoreValue } from './store.ts';
import type { Rhythm } from './stream-recording.ts';

/** An answer as it is kept. */
export interface AnswerRecord<K extends OperationName = OperationName> {
  readonly version: 1;
  /** Wall time when it came, milliseconds since the epoch. */
  readonly at: number;
  /** How long it is fresh. */
  readonly ttlMs: number;
  /** Identity of the target that made it: it serves only calls that might have gone there. */
  readonly producer: string;
  readonly target: Target;
  readonly response?: Operations[K]['response'];
  readonly rhythm?: Rhythm;
  /** In place of a response: a failure that would only come again. */
  readonly failure?: { readonly code: ErrorCode; readonly message: string; readonly status?: number };
}

/**
 * A record as text. An answer that is one text, as most are, stands on the lines after the JSON as it is: escaping it
 * would take longer than all the rest.
 */
export function encodeRecord(record: AnswerRecord): string {
  const response = record.response as ChatResponse | undefined;
  const part = soleText(response);
  if (response === undefined || part === undefined) return JSON.stringify(record);
  const message = { ...response.message, content: [{ ...part, text: '' }] };
  return `${JSON.stringify({ ...record, response: { ...response, message } })}\n${part.text}`;
}

/** The text of an answer that is nothing else. Half a surrogate pair only JSON can keep. */
function soleText(response: Partial<ChatResponse> | undefined): TextPart | undefined {
  const content = response?.message?.content;
  const part = content?.length === 1 ? content[0] : undefined;
  return part?.type === 'text' && part.text.isWellFormed() ? part : undefined;
}

/** `undefined` for what another version, or nobody we know, has written. */
export function decodeRecord<K extends OperationName>(value: StoreValue): AnswerRecord<K> | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    // JSON of ours is one line.
    const end = value.indexOf('\n');
    const record = JSON.parse(end === -1 ? value : value.slice(0, end)) as Partial<AnswerRecord<K>> | null;
    const { version, at, ttlMs, producer, target, response, failure } = record ?? {};
    const whole = typeof at === 'number' && typeof ttlMs === 'number' && typeof producer === 'string';
    if (version !== 1 || !whole || typeof target !== 'object' || target === null) return undefined;
    if (failure !== undefined && !(failure.code in VERDICTS)) return undefined;
    if (end !== -1) {
      const [part] = (response as unknown as { message: { content: { text: string }[] } }).message.content;
      (part as { text: string }).text = value.slice(end + 1);
    }
    return response === undefined && failure === undefined ? undefined : (record as AnswerRecord<K>);
  } catch {
    return undefined;
  }
}

/** A record as its reader's own: what one caller does to its answer is not everybody's. */
export function copyOf<K extends OperationName>(record: AnswerRecord<K>): AnswerRecord<K> {
  return copied(record) as AnswerRecord<K>;
}

/** Only for what came out of JSON. A spread takes a field named `__proto__` for the field it is. */
function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  const copy: Record<string, unknown> = { ...value };
  for (const name in copy) {
    const field = copy[name];
    if (typeof field === 'object' && field !== null) copy[name] = copied(field);
  }
  return copy;
}

/** A response without what is only true of the exchange it came from. */
export function keptResponse<K extends OperationName>(response: Operations[K]['response']): Operations[K]['response'] {
  const { raw: _raw, rateLimit: _rateLimit, ...rest } = response as unknown as Readonly<Record<string, unknown>>;
  return rest as unknown as Operations[K]['response'];
}

/** The candidate that made a reply; `undefined` if none of the plan did. */
export function producerOf(call: Call, reply: { readonly target: Target }): Candidate | undefined {
  const { candidates } = call.plan;
  const served = call.context.attempts.findLast(({ outcome }) => outcome === 'completed' || outcome === 'running');
  const byAttempt = candidates.find((candidate) => candidate.id === served?.targetId);
  if (byAttempt !== undefined && isTarget(byAttempt, reply.target)) return byAttempt;
  return candidates.find((candidate) => isTarget(candidate, reply.target));
}

function isTarget(candidate: Candidate, target: Target): boolean {
  return (
    candidate.provider === target.provider &&
    candidate.model === target.model &&
    candidate.region === target.region &&
    candidate.credential === target.credential
  );
}

/** The failure a record holds, as new. */
export function failureOf(record: AnswerRecord): GatewayError {
  const { code, message, status } = record.failure as NonNullable<AnswerRecord['failure']>;
  return new GatewayError(code, message, { target: record.target, source: 'provider', status });
}
