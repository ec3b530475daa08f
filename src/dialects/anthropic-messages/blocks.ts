import { mayReplay, shortHash, stampOf } from '../../core/replay.ts';
import { mergeNative, recordOf } from '../../core/wire-json.ts';
import type {
  AssistantMessage,
  OutputPart,
  ReasoningPart,
  TextPart,
  ToolCallPart,
} from '../../operations/chat-parts.ts';
import type { Json, JsonObject, Native } from '../../operations/shared.ts';
import { encodeCitation } from './citations.ts';
import { type Encoding, PROTOCOL, type Wire } from './encoding.ts';

/** The blocks of an assistant turn. What may not be replayed here is left out with a warning. */
export function encodeAssistant(message: AssistantMessage, path: string, encoding: Encoding): Wire[] {
  const blocks: Wire[] = [];
  for (const [index, part] of message.content.entries()) {
    const at = `${path}.content[${index}]`;
    const block = encodePart(part, message, at, encoding);
    if (block === undefined) continue;
    if ('cache' in part) encoding.cache(block, part.cache, at);
    blocks.push(block);
  }
  const last = blocks.at(-1);
  if (last !== undefined) encoding.cache(last, message.cache, path);
  return blocks;
}

function encodePart(part: OutputPart, message: AssistantMessage, path: string, encoding: Encoding): Wire | undefined {
  switch (part.type) {
    case 'text':
      return part.text === '' ? undefined : encodeText(part, path, encoding);
    case 'refusal':
      return part.text === '' ? undefined : { type: 'text', text: part.text };
    case 'reasoning':
      return encodeReasoning(part, message, path, encoding);
    case 'tool-call':
      return part.executor === 'provider'
        ? providerBlock(part, message, path, encoding)
        : encodeCall(part, path, encoding);
    case 'tool-result':
      return providerBlock(part, message, path, encoding);
    case 'native':
      if (part.protocol === PROTOCOL) return { ...recordOf(part.value) } as Wire;
      if (part.fallbackText !== undefined) return { type: 'text', text: part.fallbackText };
      return drop('dropped-part', `a native block of ${part.protocol}`, path, encoding);
    default:
      // Anthropic refuses media in assistant turns.
      return drop('dropped-part', `${part.type} in an assistant turn`, path, encoding);
  }
}

export function encodeText(part: TextPart, path: string, encoding: Encoding): Wire {
  const citations = (part.citations ?? []).map(encodeCitation);
  const known = citations.filter((citation): citation is JsonObject => citation !== undefined);
  if (known.length < citations.length) {
    encoding.lose('dropped-part', 'citations', path, 'citations of another protocol are not sent back');
  }
  return withNative({ type: 'text', text: part.text, ...(known.length > 0 && { citations: known }) }, part);
}

/** Thinking goes back word for word to the protocol that made it, or not at all. */
function encodeReasoning(
  part: ReasoningPart,
  message: AssistantMessage,
  path: string,
  encoding: Encoding,
): Wire | undefined {
  const unsigned = part.sealed === undefined && encoding.model.signed;
  if (!mayReplay(part, message, PROTOCOL) || unsigned) {
    const why = unsigned ? 'thinking without its signature' : 'thinking of another protocol, or edited since';
    return drop('dropped-replay', why, path, encoding);
  }
  if (part.sealed?.kind === 'redacted') return { type: 'redacted_thinking', data: part.sealed.value };
  return withNative({ type: 'thinking', thinking: part.text, signature: part.sealed?.value ?? '' }, part);
}

function encodeCall(part: ToolCallPart, path: string, encoding: Encoding): Wire {
  return withNative(
    {
      type: 'tool_use',
      id: encodeId(part.id, path, encoding),
      name: part.name,
      input: encodeInput(part, path, encoding),
    },
    part,
  );
}

/** `input` must be an object; anything else is wrapped into one. */
function encodeInput(part: ToolCallPart, path: string, encoding: Encoding): Json {
  if (part.invalid !== undefined) {
    encoding.lose('degraded', 'tool-call', path, 'a call with broken arguments is sent with its text as `_invalid`');
    return { _invalid: part.argsText ?? '' };
  }
  if (recordOf(part.args) !== undefined) return part.args;
  encoding.lose('degraded', 'tool-call', path, 'arguments that are no object are sent as `value`');
  return { value: part.args };
}

/** Calls and results of the provider's own tools: the very block that came, or nothing. */
function providerBlock(
  part: Extract<OutputPart, { type: 'tool-call' | 'tool-result' }>,
  message: AssistantMessage,
  path: string,
  encoding: Encoding,
): Wire | undefined {
  const block = part.native?.[PROTOCOL];
  if (block !== undefined && mayReplay(part, message, PROTOCOL)) return { ...block };
  return drop('dropped-part', 'a tool run by another provider', path, encoding);
}

function drop(code: 'dropped-part' | 'dropped-replay', feature: string, path: string, encoding: Encoding): undefined {
  encoding.lose(code, feature, path, `${feature} is not sent`);
}

/** Native fields of a part, unless the part was edited after it was decoded. */
export function withNative(block: Wire, part: { readonly native?: Native; readonly stamp?: string }): Wire {
  if (part.native === undefined) return block;
  const edited = part.stamp !== undefined && part.stamp !== stampOf(part as OutputPart);
  return edited ? block : mergeNative(block, part.native, PROTOCOL);
}

/** Call ids outside `[A-Za-z0-9_-]` get a stand-in, the same one for the call and its result in every request. */
export function encodeId(id: string, path: string, encoding: Encoding): string {
  if (/^[A-Za-z0-9_-]+$/.test(id)) return id;
  const warned = encoding.warnings.some((warning) => warning.code === 'id-rewritten' && warning.feature === id);
  if (!warned)
    encoding.warnings.push({ code: 'id-rewritten', feature: id, path, message: 'a tool call id was rewritten' });
  return `ptn_id_${shortHash(id)}`;
}
