import { mayReplay } from '../../core/replay.ts';
import { mergeNative, recordOf } from '../../core/wire-json.ts';
import type {
  AssistantMessage,
  OutputPart,
  ReasoningPart,
  TextPart,
  ToolCallPart,
} from '../../operations/chat-parts.ts';
import type { JsonObject } from '../../operations/shared.ts';
import { showCitation } from './citations.ts';
import { PROTOCOL, type Wire } from './encoding.ts';
import { type Origin, wrapReasoning } from './envelope.ts';

/** What the application's SDK can read, and where the answer came from. */
export interface ShowOptions {
  /** Fields that are null when empty have to be there (API versions from 2026-10-21). */
  readonly nullables: boolean;
  readonly origin: Origin;
}

/** First API version whose objects have every nullable field. */
const NULLABLES_SINCE = '2026-10-21';

export function hasNullables(headers: Readonly<Record<string, string>>): boolean {
  return (headers['anthropic-version'] ?? '') >= NULLABLES_SINCE;
}

/**
 * A part of an answer as a block. Tools that another provider ran itself are left out: an application would try to
 * run them. So are media, which this protocol cannot answer with.
 */
export function showPart(part: OutputPart, options: ShowOptions): Wire | undefined {
  switch (part.type) {
    case 'text':
      return part.text === '' ? undefined : showText(part, options);
    case 'refusal':
      return part.text === '' ? undefined : showText({ type: 'text', text: part.text }, options);
    case 'reasoning':
      return showReasoning(part, options);
    case 'tool-call':
      return part.executor === 'provider' ? ownBlock(part, options) : showCall(part, options);
    case 'tool-result':
      return ownBlock(part, options);
    case 'audio':
      return part.transcript === undefined ? undefined : showText({ type: 'text', text: part.transcript }, options);
    case 'native':
      if (part.protocol === PROTOCOL) return { ...recordOf(part.value) } as Wire;
      return part.fallbackText === undefined ? undefined : showText({ type: 'text', text: part.fallbackText }, options);
    default:
      return undefined;
  }
}

function showText(part: TextPart, options: ShowOptions): Wire {
  const citations = (part.citations ?? []).map(showCitation).filter((wire): wire is JsonObject => wire !== undefined);
  return mergeNative<Wire>(
    {
      ...emptyText(options),
      text: part.text,
      ...(citations.length > 0 && { citations }),
    },
    part.native,
    PROTOCOL,
  );
}

export function emptyText(options: ShowOptions): Wire {
  return { type: 'text', text: '', ...(options.nullables && { citations: null }) };
}

function showReasoning(part: ReasoningPart, options: ShowOptions): Wire {
  const sealed = sealOf(part, options);
  if (part.form === 'redacted') return { type: 'redacted_thinking', data: sealed };
  return mergeNative<Wire>({ type: 'thinking', thinking: part.text, signature: sealed }, part.native, PROTOCOL);
}

/** The real signature of an Anthropic model, or an envelope with whatever another protocol needs to see again. */
export function sealOf(part: ReasoningPart, { origin }: ShowOptions): string {
  if (origin.protocol !== PROTOCOL) return wrapReasoning(part, origin);
  return mayReplay(part, asMessage(part, origin), PROTOCOL) ? (part.sealed?.value ?? '') : '';
}

function showCall(part: ToolCallPart, options: ShowOptions): Wire {
  return mergeNative<Wire>({ ...emptyCall(part.id, part.name, options), input: inputOf(part) }, part.native, PROTOCOL);
}

export function emptyCall(id: string, name: string, options: ShowOptions): Wire {
  return { type: 'tool_use', id, name, input: {}, ...(options.nullables && { caller: { type: 'direct' } }) };
}

function inputOf(part: ToolCallPart): JsonObject {
  if (part.invalid !== undefined) return { _invalid: part.argsText ?? '' };
  return recordOf(part.args) === undefined ? { value: part.args } : (part.args as JsonObject);
}

/** The very block an Anthropic model made; of other protocols nothing. */
export function ownBlock(
  part: Extract<OutputPart, { type: 'tool-call' | 'tool-result' }>,
  { origin }: ShowOptions,
): Wire | undefined {
  const block = part.native?.[PROTOCOL];
  return block !== undefined && mayReplay(part, asMessage(part, origin), PROTOCOL) ? { ...block } : undefined;
}

function asMessage(part: OutputPart, origin: Origin): AssistantMessage {
  return { role: 'assistant', content: [part], origin };
}
