import { invalidRequest } from '../../core/errors.ts';
import { arrayOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type {
  AssistantMessage,
  FilePart,
  ImagePart,
  InputPart,
  Message,
  NativePart,
  OutputPart,
  TextPart,
  ToolResultItem,
  ToolResultPart,
} from '../../operations/chat-parts.ts';
import type { Json, Native, Source } from '../../operations/shared.ts';
import { PROTOCOL } from './encoding.ts';
import { type Origin, unwrapReasoning } from './envelope.ts';
import { carried, nativePart, partOfBlock, textPart } from './parts.ts';
import { modelOf } from './models.ts';

type WireBlock = Readonly<Record<string, unknown>>;

export function decodeSystem(system: unknown): TextPart[] {
  if (typeof system === 'string') return system === '' ? [] : [{ type: 'text', text: system }];
  return arrayOf(system).map((block) => textPart(recordOf(block) ?? {}));
}

/** Messages in canonical roles: the tool results of a user turn become a tool message before its words. */
export function decodeMessages(messages: readonly unknown[], model: string): Message[] {
  const names = new Map<string, string>();
  return messages.flatMap((value, index): Message[] => {
    const message = recordOf(value);
    const role = message?.['role'];
    const blocks = blocksOf(message?.['content']);
    if (message === undefined || blocks === undefined) {
      throw invalidRequest(`messages[${index}]`, 'a message has a role and content, as text or as a list of blocks');
    }
    const native = messageNative(message);
    switch (role) {
      case 'user':
        return decodeUser(blocks, native, names);
      case 'assistant': {
        const turn = decodeAssistant(blocks, native, names, model);
        // The last turn is one to go on with, which other protocols have to be told.
        return [index === messages.length - 1 ? { ...turn, prefix: true } : turn];
      }
      case 'system':
        return [{ role: 'system', content: blocks.map(systemPart), ...native }];
      default:
        throw invalidRequest(`messages[${index}].role`, 'the roles are user, assistant and system');
    }
  });
}

function blocksOf(content: unknown): readonly unknown[] | undefined {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content : undefined;
}

function messageNative(message: WireBlock): { native?: Native } {
  const { role: _role, content: _content, ...rest } = message;
  return Object.keys(rest).length === 0 ? {} : { native: { [PROTOCOL]: rest as Record<string, Json> } };
}

function systemPart(value: unknown): TextPart | NativePart {
  const block = recordOf(value) ?? {};
  return block['type'] === 'text' ? textPart(block) : nativePart(value as Json);
}

function decodeUser(blocks: readonly unknown[], native: { native?: Native }, names: Map<string, string>): Message[] {
  const results: ToolResultPart[] = [];
  const content: InputPart[] = [];
  for (const value of blocks) {
    const block = recordOf(value) ?? {};
    if (block['type'] === 'tool_result') results.push(resultPart(block, names));
    else content.push(inputPart(block));
  }
  const messages: Message[] = [];
  if (results.length > 0) messages.push({ role: 'tool', content: results, ...(content.length === 0 && native) });
  if (content.length > 0 || results.length === 0) messages.push({ role: 'user', content, ...native });
  return messages;
}

function decodeAssistant(
  blocks: readonly unknown[],
  native: { native?: Native },
  names: Map<string, string>,
  model: string,
): AssistantMessage {
  const form = modelOf(model).thinkingFull ? 'full' : 'summary';
  let origin: Origin = { protocol: PROTOCOL, provider: '', model };
  const content = blocks.map((value): OutputPart => {
    const block = recordOf(value) ?? {};
    const sealed = stringOf(block['signature']) ?? stringOf(block['data']);
    const foreign = sealed === undefined ? undefined : unwrapReasoning(sealed, stringOf(block['thinking']) ?? '');
    if (foreign === undefined) return partOfBlock(value, form);
    origin = foreign.origin;
    return foreign.part;
  });
  for (const part of content) if (part.type === 'tool-call') names.set(part.id, part.name);
  return { role: 'assistant', content, origin, ...native };
}

function inputPart(block: WireBlock): InputPart {
  switch (block['type']) {
    case 'text':
      return textPart(block);
    case 'image':
      return imagePart(block) ?? nativePart(block as Json);
    case 'document':
      return filePart(block) ?? told(block, recordOf(block['source'])?.['content']);
    case 'search_result':
      return told(block, block['content']);
    default:
      return nativePart(block as Json);
  }
}

/** A block only this protocol has, with its words for the others. */
function told(block: WireBlock, content: unknown): NativePart {
  const texts =
    typeof content === 'string' ? [content] : arrayOf(content).map((one) => stringOf(recordOf(one)?.['text']));
  const words = texts.filter((text) => text !== undefined);
  if (words.length === 0) return nativePart(block as Json);
  const heading = [stringOf(block['title']), stringOf(block['source'])].filter((text) => text !== undefined).join(', ');
  const fallbackText = [...(heading === '' ? [] : [`${heading}:`]), ...words].join('\n');
  return { ...nativePart(block as Json), fallbackText };
}

const IMAGE_KEYS = new Set(['type', 'source', 'cache_control']);
const DOCUMENT_KEYS = new Set(['type', 'source', 'title', 'context', 'citations', 'cache_control']);
const RESULT_KEYS = new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control']);

function imagePart(block: WireBlock): ImagePart | undefined {
  const media = mediaOf(block['source']);
  return media === undefined || media.source.kind === 'text'
    ? undefined
    : { type: 'image', ...media, ...carried(block, IMAGE_KEYS) };
}

function filePart(block: WireBlock): FilePart | undefined {
  const media = mediaOf(block['source']);
  if (media === undefined) return undefined;
  const title = stringOf(block['title']);
  const context = stringOf(block['context']);
  const cite = recordOf(block['citations'])?.['enabled'];
  return {
    type: 'file',
    ...media,
    ...(title !== undefined && { title }),
    ...(context !== undefined && { context }),
    ...(typeof cite === 'boolean' && { cite }),
    ...carried(block, DOCUMENT_KEYS),
  };
}

function mediaOf(value: unknown): { source: Source; mediaType?: string } | undefined {
  const source = recordOf(value) ?? {};
  const mediaType = stringOf(source['media_type']);
  const typed = mediaType === undefined ? {} : { mediaType };
  const text = stringOf(source['data']) ?? stringOf(source['url']) ?? stringOf(source['file_id']);
  if (text === undefined) return undefined;
  switch (source['type']) {
    case 'base64':
      return { source: { kind: 'base64', data: text }, ...typed };
    case 'text':
      return { source: { kind: 'text', text }, ...typed };
    case 'url':
      return { source: { kind: 'url', url: text }, ...typed };
    case 'file':
      return { source: { kind: 'file', id: text }, ...typed };
    default:
      return undefined;
  }
}

function resultPart(block: WireBlock, names: ReadonlyMap<string, string>): ToolResultPart {
  const callId = stringOf(block['tool_use_id']) ?? '';
  const name = names.get(callId);
  const content = block['content'];
  return {
    type: 'tool-result',
    callId,
    ...(name !== undefined && { name }),
    content: Array.isArray(content) ? content.map(resultItem) : (stringOf(content) ?? ''),
    ...(typeof block['is_error'] === 'boolean' && { isError: block['is_error'] }),
    ...carried(block, RESULT_KEYS),
  };
}

function resultItem(value: unknown): ToolResultItem {
  const block = recordOf(value) ?? {};
  const part = inputPart(block);
  if (part.type !== 'native') return part;
  return { type: 'json', value: block as Json, native: { [PROTOCOL]: block as Record<string, Json> } };
}
