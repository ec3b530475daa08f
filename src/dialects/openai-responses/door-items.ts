import { shortHash } from '../../core/replay.ts';
import type { TokenLogprob } from '../../operations/chat.ts';
import type {
  AssistantMessage,
  OutputPart,
  ReasoningPart,
  RefusalPart,
  TextPart,
  ToolCallPart,
} from '../../operations/chat-parts.ts';
import { argumentsOf } from './assistant.ts';
import { annotationOf } from './citations.ts';
import { wrapSealed } from './envelope.ts';
import { encodeLogprobs } from './items.ts';
import { nativeOf, PROTOCOL, type Written } from './protocol.ts';
import { replayed } from './reasoning-item.ts';
import { isSealedHere, usableNative } from './replayable.ts';

/** What the items of one answer have in common. */
export interface ItemContext {
  /** Where the answer was generated: sealed and native data of this protocol goes out as it is. */
  readonly origin: NonNullable<AssistantMessage['origin']>;
  /** Ids of ours are made from it. */
  readonly seed: string;
  /** The application asked for encrypted reasoning. */
  readonly seals: boolean;
}

export function mintedId(prefix: string, index: number, context: ItemContext): string {
  return `${prefix}_ptn_${shortHash(`${context.seed}:${prefix}:${index}`)}`;
}

/** Native fields of a part that this answer may show. */
export function ownNative(part: OutputPart, context: ItemContext): Written | undefined {
  return usableNative(part, { role: 'assistant', content: [], origin: context.origin }) as Written | undefined;
}

export function textEntry(part: TextPart, logprobs: readonly TokenLogprob[] = []): Written {
  const annotations = (part.citations ?? []).flatMap((citation) => annotationOf(citation, part.text) ?? []);
  return { type: 'output_text', text: part.text, annotations, logprobs: encodeLogprobs(logprobs) };
}

export function messageItem(part: TextPart | RefusalPart, id: string, entry: Written, context: ItemContext): Written {
  const phase = part.type === 'text' ? part.phase : undefined;
  const native = ownNative(part, context);
  return {
    id,
    type: 'message',
    status: native?.['status'] ?? 'completed',
    role: 'assistant',
    ...(phase !== undefined && { phase: phase === 'final' ? 'final_answer' : phase }),
    ...(native?.['item'] as Written | undefined),
    content: [entry],
  };
}

/** Thinking: our own protocol's as it was; another's as a summary, its seal in a wrapping if the app carries one. */
export function reasoningItem(part: ReasoningPart, id: string, context: ItemContext): Written {
  const message: AssistantMessage = { role: 'assistant', content: [], origin: context.origin };
  if (context.origin.protocol === PROTOCOL) {
    const native = ownNative(part, context);
    const { native: _native, ...bare } = part;
    return { ...replayed(native === undefined ? bare : part, isSealedHere(part, message)), id };
  }
  const wrapped = context.seals ? wrapSealed(part, context.origin.protocol) : undefined;
  return {
    id,
    type: 'reasoning',
    summary: part.text === '' ? [] : [{ type: 'summary_text', text: part.text }],
    ...(wrapped !== undefined && { encrypted_content: wrapped }),
  };
}

/** A call the application answers. */
export function callItem(part: ToolCallPart, id: string, context: ItemContext, announced?: boolean): Written {
  const native = ownNative(part, context);
  const { custom, id: _id, status, ...rest } = native ?? {};
  const text = typeof part.args === 'string' && (part.argsText ?? part.args) === part.args;
  // What a stream announced, it has to keep.
  const freeform = announced ?? (custom === true || text);
  const shared: Written = {
    id,
    call_id: part.id,
    name: part.name,
    status: status ?? (part.invalid === undefined ? 'completed' : 'incomplete'),
    ...(part.server !== undefined && { namespace: part.server }),
    ...rest,
  };
  if (freeform) return { type: 'custom_tool_call', input: String(part.args ?? part.argsText ?? ''), ...shared };
  return { type: 'function_call', arguments: argumentsOf(part), ...shared };
}

/** A part that is an item of its own. `undefined`: an application of this protocol must not or cannot see it. */
export function wholeItem(part: OutputPart, index: number, context: ItemContext): Written | undefined {
  switch (part.type) {
    case 'reasoning':
      return reasoningItem(part, part.id ?? mintedId('rs', index, context), context);
    case 'tool-call': {
      const native = ownNative(part, context);
      if (typeof native?.['type'] === 'string') return { ...native };
      // It would try to answer a call that was answered elsewhere.
      if (part.executor === 'provider') return undefined;
      const own = native?.['id'];
      return callItem(part, typeof own === 'string' ? own : mintedId('fc', index, context), context);
    }
    case 'approval-request': {
      const own = ownNative(part, context);
      const head = { id: part.id, type: 'mcp_approval_request', name: part.name, server_label: part.server ?? '' };
      return { ...head, arguments: JSON.stringify(part.args), ...own };
    }
    case 'image':
      if (part.source.kind !== 'base64') return undefined;
      return {
        id: mintedId('ig', index, context),
        type: 'image_generation_call',
        status: 'completed',
        result: part.source.data,
        output_format: part.mediaType?.split('/')[1] ?? 'png',
      };
    case 'native':
      if (part.protocol === PROTOCOL) return { id: mintedId('it', index, context), ...(part.value as Written) };
      if (part.fallbackText === undefined) return undefined;
      return saidItem({ type: 'text', text: part.fallbackText }, index, context);
    case 'text':
    case 'refusal':
      return saidItem(part, index, context);
    default:
      return undefined;
  }
}

function saidItem(
  part: TextPart | RefusalPart,
  index: number,
  context: ItemContext,
  logprobs?: readonly TokenLogprob[],
): Written {
  const own = ownNative(part, context)?.['id'];
  const id = typeof own === 'string' ? own : mintedId('msg', index, context);
  const entry: Written = part.type === 'text' ? textEntry(part, logprobs) : { type: 'refusal', refusal: part.text };
  return messageItem(part, id, entry, context);
}

/** All items of a finished answer. Entries that came from one message go back into one. */
export function outputItems(
  content: readonly OutputPart[],
  context: ItemContext,
  logprobs: readonly TokenLogprob[] | undefined,
): Written[] {
  const items: Written[] = [];
  let unsaid = logprobs;
  for (const [index, part] of content.entries()) {
    if (part.type !== 'text' && part.type !== 'refusal') {
      const item = wholeItem(part, index, context);
      if (item !== undefined) items.push(item);
      continue;
    }
    // They come as one list for the whole answer: the first text carries them.
    const item = saidItem(part, index, context, part.type === 'text' ? unsaid : undefined);
    if (part.type === 'text') unsaid = undefined;
    const last = items.at(-1);
    const own = nativeOf(part)?.['id'];
    if (own !== undefined && last?.['type'] === 'message' && last['id'] === item['id']) {
      last['content'] = [...(last['content'] as Written[]), ...(item['content'] as Written[])];
    } else {
      items.push(item);
    }
  }
  return items;
}
