import { stamped } from '../../core/replay.ts';
import { arrayOf, nativeRest, recordOf, stringOf } from '../../core/wire-json.ts';
import type {
  NativePart,
  OutputPart,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultItem,
  ToolResultPart,
} from '../../operations/chat-parts.ts';
import type { Json, JsonObject, Native } from '../../operations/shared.ts';
import { hintOf } from './cache-control.ts';
import { citationsOf } from './citations.ts';
import { PROTOCOL } from './encoding.ts';

type WireBlock = Readonly<Record<string, unknown>>;

/** The tool that stands in for structured output where a model has none; its call is the answer. */
export const OUTPUT_TOOL = 'ptn_output';

const TEXT_KEYS = new Set(['type', 'text', 'citations', 'cache_control']);
const CALL_KEYS = new Set(['type', 'id', 'name', 'input', 'cache_control']);
const THINKING_KEYS = new Set(['type', 'thinking', 'signature', 'data', 'cache_control']);

/** One block of an assistant turn as a part. Blocks without a canonical meaning become native parts. */
export function partOfBlock(value: unknown, thinkingForm: ReasoningPart['form']): OutputPart {
  const block = recordOf(value);
  if (block === undefined) return nativePart(value as Json);
  const type = stringOf(block['type']) ?? '';
  switch (type) {
    case 'text':
      return textPart(block);
    case 'thinking':
    case 'redacted_thinking':
      return reasoningPart(block, thinkingForm);
    case 'tool_use':
      return toolCallPart(block);
    case 'server_tool_use':
    case 'mcp_tool_use':
      return providerCallPart(block);
    default:
      return type.endsWith('_tool_result') ? providerResultPart(block, type) : nativePart(block as Json);
  }
}

export function textPart(block: WireBlock): TextPart {
  const citations = citationsOf(block['citations']);
  return stamped({
    type: 'text',
    text: stringOf(block['text']) ?? '',
    ...(citations.length > 0 && { citations }),
    ...carried(block, TEXT_KEYS),
  });
}

function reasoningPart(block: WireBlock, form: ReasoningPart['form']): ReasoningPart {
  const data = stringOf(block['data']);
  if (block['type'] === 'redacted_thinking') {
    return stamped({
      type: 'reasoning',
      text: '',
      form: 'redacted',
      sealed: { kind: 'redacted', value: data ?? '' },
      ...carried(block, THINKING_KEYS),
    });
  }
  const signature = stringOf(block['signature']) ?? '';
  return stamped({
    type: 'reasoning',
    text: stringOf(block['thinking']) ?? '',
    form,
    ...(signature !== '' && { sealed: { kind: 'signature' as const, value: signature } }),
    ...carried(block, THINKING_KEYS),
  });
}

function toolCallPart(block: WireBlock): OutputPart {
  const name = stringOf(block['name']) ?? '';
  const args = (block['input'] ?? {}) as Json;
  if (name === OUTPUT_TOOL) return { type: 'text', text: JSON.stringify(args) };
  return stamped<ToolCallPart>({
    type: 'tool-call',
    id: stringOf(block['id']) ?? '',
    name,
    args,
    ...carried(block, CALL_KEYS),
  });
}

/** A call the provider runs itself. The whole block is kept: it has to come back word for word. */
function providerCallPart(block: WireBlock): ToolCallPart {
  const server = stringOf(block['server_name']);
  return stamped<ToolCallPart>({
    type: 'tool-call',
    id: stringOf(block['id']) ?? '',
    name: stringOf(block['name']) ?? '',
    args: (block['input'] ?? {}) as Json,
    executor: 'provider',
    ...(server !== undefined && { server }),
    ...cacheOf(block),
    native: wholeBlock(block),
  });
}

function providerResultPart(block: WireBlock, type: string): ToolResultPart {
  const content = block['content'];
  const failed = block['is_error'] === true || (stringOf(recordOf(content)?.['type']) ?? '').endsWith('_error');
  return stamped<ToolResultPart>({
    type: 'tool-result',
    callId: stringOf(block['tool_use_id']) ?? '',
    name: type.slice(0, -'_tool_result'.length),
    content: resultItems(content),
    ...(failed && { isError: true }),
    executor: 'provider',
    ...cacheOf(block),
    native: wholeBlock(block),
  });
}

function resultItems(content: unknown): string | ToolResultItem[] {
  if (typeof content === 'string') return content;
  const items = arrayOf(content);
  const texts = items.map((item) =>
    recordOf(item)?.['type'] === 'text' ? stringOf(recordOf(item)?.['text']) : undefined,
  );
  if (items.length > 0 && texts.every((text) => text !== undefined)) {
    return texts.map((text): TextPart => ({ type: 'text', text }));
  }
  return content === undefined || content === null ? '' : [{ type: 'json', value: content as Json }];
}

export function nativePart(value: Json): NativePart {
  return { type: 'native', protocol: PROTOCOL, value };
}

/** Fields without a canonical home, and the cache hint. */
export function carried(
  block: WireBlock,
  known: ReadonlySet<string>,
): { native?: Native; cache?: TextPart['cache'] & {} } {
  const native = nativeRest(block, known, PROTOCOL);
  return { ...cacheOf(block), ...(native !== undefined && { native }) };
}

function cacheOf(block: WireBlock): { cache?: TextPart['cache'] & {} } {
  const cache = hintOf(block['cache_control']);
  return cache === undefined ? {} : { cache };
}

function wholeBlock(block: WireBlock): Native {
  if (block['cache_control'] === undefined) return { [PROTOCOL]: block as JsonObject };
  const { cache_control: _hint, ...rest } = block;
  return { [PROTOCOL]: rest as JsonObject };
}
