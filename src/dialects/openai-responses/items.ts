import { mintId, stamped } from '../../core/replay.ts';
import { arrayOf, parseArguments, recordOf, stringOf } from '../../core/wire-json.ts';
import type { TokenLogprob } from '../../operations/chat.ts';
import type {
  ApprovalRequestPart,
  NativePart,
  OutputPart,
  ReasoningPart,
  RefusalPart,
  TextPart,
} from '../../operations/chat-parts.ts';
import type { Json } from '../../operations/shared.ts';
import { callParts, isCall } from './calls.ts';
import { citationOf } from './citations.ts';
import { asNative, PROTOCOL, restOf, type Wire, type Written } from './protocol.ts';

const MESSAGE_FIELDS = new Set(['type', 'role', 'content', 'phase', 'id', 'status']);
const TEXT_FIELDS = new Set(['type', 'text', 'annotations', 'logprobs']);
const REFUSAL_FIELDS = new Set(['type', 'refusal']);
const REASONING_FIELDS = new Set(['type', 'id', 'summary', 'content', 'encrypted_content']);
const APPROVAL_FIELDS = new Set(['type', 'id', 'name', 'arguments', 'server_label']);

/** The parts of one finished output item. Plain answers and streams both end here, so that they agree. */
export function partsOfItem(item: Wire): OutputPart[] {
  const type = stringOf(item['type']) ?? '';
  if (type === 'message') return arrayOf(item['content']).map((entry) => messagePart(item, recordOf(entry) ?? {}));
  if (type === 'reasoning') return [reasoningPart(item)];
  if (type === 'mcp_approval_request') return [approvalRequest(item)];
  if (isCall(type)) return callParts(item, type);
  return [nativePart(item)];
}

/** A content entry of a message as part. The item's id and status go with each, so that encoding can join them. */
export function messagePart(item: Wire, entry: Wire): TextPart | RefusalPart | NativePart {
  const rest = restOf(item, MESSAGE_FIELDS);
  const carried = {
    id: item['id'] ?? undefined,
    status: item['status'],
    ...(Object.keys(rest).length > 0 && { item: rest }),
  };
  if (entry['type'] === 'output_text') {
    const text = stringOf(entry['text']) ?? '';
    const citations = arrayOf(entry['annotations']).flatMap((annotation) => {
      const wire = recordOf(annotation);
      return wire === undefined ? [] : [citationOf(wire, text)];
    });
    const phase = phaseOf(item);
    return stamped({
      type: 'text',
      text,
      ...(citations.length > 0 && { citations }),
      ...(phase !== undefined && { phase }),
      ...asNative({ ...carried, ...restOf(entry, TEXT_FIELDS) }),
    });
  }
  if (entry['type'] === 'refusal') {
    const text = stringOf(entry['refusal']) ?? '';
    return stamped({ type: 'refusal', text, ...asNative({ ...carried, ...restOf(entry, REFUSAL_FIELDS) }) });
  }
  return nativePart({ ...item, content: [entry] });
}

export function phaseOf(item: Wire): 'commentary' | 'final' | undefined {
  if (item['phase'] === 'commentary') return 'commentary';
  return item['phase'] === 'final_answer' ? 'final' : undefined;
}

/** What joins the entries of `content` or `summary`; their lengths are kept to part them again. */
export const REASONING_JOINT = '\n\n';

function reasoningPart(item: Wire): ReasoningPart {
  const content = textsOf(item['content']);
  const summary = textsOf(item['summary']);
  const full = content.some((text) => text !== '');
  const texts = full ? content : summary;
  const text = texts.join(REASONING_JOINT);
  const form = full ? 'full' : text === '' ? 'redacted' : 'summary';
  const sealed = stringOf(item['encrypted_content']);
  const id = stringOf(item['id']);
  return stamped({
    type: 'reasoning',
    text,
    form,
    ...(sealed !== undefined && sealed !== '' && { sealed: { kind: 'encrypted', value: sealed } }),
    ...(id !== undefined && { id }),
    ...asNative({
      ...restOf(item, REASONING_FIELDS),
      ...(texts.length > 1 && { lengths: texts.map((entry) => entry.length) }),
      // What the text does not say: an empty list, a `null`, and a summary beside the full content.
      ...(!full && Array.isArray(item['content']) && { content: item['content'] }),
      ...(full && summary.length > 0 && { summary: item['summary'] }),
      ...(item['encrypted_content'] === null && { encrypted_content: null }),
    }),
  });
}

function textsOf(list: unknown): string[] {
  return arrayOf(list).map((entry) => stringOf(recordOf(entry)?.['text']) ?? '');
}

function approvalRequest(item: Wire): ApprovalRequestPart {
  const server = stringOf(item['server_label']);
  return stamped({
    type: 'approval-request',
    id: stringOf(item['id']) ?? mintId('approval', JSON.stringify(item)),
    name: stringOf(item['name']) ?? '',
    args: parseArguments(stringOf(item['arguments']) ?? '').args,
    ...(server !== undefined && { server }),
    // The exact text, because the server compares it with what it asked.
    ...asNative({ arguments: item['arguments'], ...restOf(item, APPROVAL_FIELDS) }),
  });
}

/** A block without canonical meaning, whole. */
export function nativePart(value: Wire): NativePart {
  return { type: 'native', protocol: PROTOCOL, value: value as Json };
}

/** Log probabilities of all text of one item, in order. */
export function itemLogprobs(item: Wire): TokenLogprob[] {
  return arrayOf(item['content']).flatMap((entry) => logprobsOf(recordOf(entry)?.['logprobs']));
}

export function logprobsOf(list: unknown): TokenLogprob[] {
  return arrayOf(list).flatMap((entry) => {
    const one = logprobOf(entry);
    if (one === undefined) return [];
    const top = arrayOf(recordOf(entry)?.['top_logprobs']).flatMap((other) => logprobOf(other) ?? []);
    return [top.length > 0 ? { ...one, top } : one];
  });
}

function logprobOf(entry: unknown): { token: string; logprob: number; bytes?: readonly number[] } | undefined {
  const wire = recordOf(entry);
  if (typeof wire?.['token'] !== 'string' || typeof wire['logprob'] !== 'number') return undefined;
  const bytes = wire['bytes'];
  return {
    token: wire['token'],
    logprob: wire['logprob'],
    ...(Array.isArray(bytes) && { bytes: bytes as number[] }),
  };
}

/** Log probabilities the other way. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[]): Written[] {
  const one = (entry: { token: string; logprob: number; bytes?: readonly number[] }): Written => ({
    token: entry.token,
    logprob: entry.logprob,
    bytes: entry.bytes ?? [...new TextEncoder().encode(entry.token)],
  });
  return logprobs.map((entry) => ({ ...one(entry), top_logprobs: (entry.top ?? []).map(one) }));
}
