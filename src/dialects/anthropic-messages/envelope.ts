import { shortHash, stamped } from '../../core/replay.ts';
import { parseJson, recordOf, stringOf } from '../../core/wire-json.ts';
import type { AssistantMessage, ReasoningPart } from '../../operations/chat-parts.ts';
import type { Json, Native, Protocol } from '../../operations/shared.ts';

const PREFIX = 'ptn1.';
const KINDS = new Set(['signature', 'encrypted', 'redacted']);

export type Origin = NonNullable<AssistantMessage['origin']>;

/**
 * Another protocol's reasoning as the `signature` of a thinking block, so that an application which sends its turns
 * back gives us what that protocol wants to see again: `ptn1.<protocol>.<base64 of JSON>`.
 */
export function wrapReasoning(part: ReasoningPart, origin: Origin): string {
  const content = {
    provider: origin.provider,
    model: origin.model,
    form: part.form,
    hash: shortHash(part.text),
    ...(part.id !== undefined && { id: part.id }),
    ...(part.sealed !== undefined && { kind: part.sealed.kind, value: part.sealed.value }),
    ...(part.native !== undefined && { native: part.native }),
  };
  return `${PREFIX}${origin.protocol}.${btoa(asciiJson(content))}`;
}

export interface Unwrapped {
  readonly part: ReasoningPart;
  readonly origin: Origin;
}

/**
 * The reasoning inside an envelope, or `undefined` where there is none. Text that no longer fits the envelope was
 * edited: then nothing sealed comes back, only the words.
 */
export function unwrapReasoning(signature: string, text: string): Unwrapped | undefined {
  if (!signature.startsWith(PREFIX)) return undefined;
  const dot = signature.indexOf('.', PREFIX.length);
  const protocol: Protocol = signature.slice(PREFIX.length, dot < 0 ? undefined : dot);
  const content = recordOf(parseJson(dot < 0 ? '' : fromBase64(signature.slice(dot + 1))));
  const origin = {
    protocol,
    provider: stringOf(content?.['provider']) ?? '',
    model: stringOf(content?.['model']) ?? '',
  };
  const form = stringOf(content?.['form']);
  const plain: ReasoningPart = {
    type: 'reasoning',
    text,
    form: form === 'full' || form === 'redacted' ? form : 'summary',
  };
  if (content === undefined || content['hash'] !== shortHash(text)) return { part: plain, origin };
  const kind = stringOf(content['kind']);
  const value = stringOf(content['value']);
  const id = stringOf(content['id']);
  const native = recordOf(content['native']) as Native | undefined;
  const sealed =
    kind !== undefined && value !== undefined && KINDS.has(kind)
      ? { kind: kind as 'signature' | 'encrypted' | 'redacted', value }
      : undefined;
  const part: ReasoningPart = {
    ...plain,
    ...(sealed !== undefined && { sealed }),
    ...(id !== undefined && { id }),
    ...(native !== undefined && { native }),
  };
  return { part: stamped(part), origin };
}

function asciiJson(value: Json | object): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function fromBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    return '';
  }
}
