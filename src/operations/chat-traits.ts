import { type ChatEvent, isContent } from './chat-events.ts';
import { foldChat } from './chat-fold.ts';
import type { AssistantMessage, Message, OutputPart, Part, ToolResultItem, ToolResultPart } from './chat-parts.ts';
import { replayChat } from './chat-replay.ts';
import type { ChatRequest, ChatResponse, Tool } from './chat.ts';
import type { Json } from './shared.ts';
import type { OperationTraits, TextSlot } from './traits.ts';
import { estimateTokens, usageOf } from './usage.ts';

type MapText = (text: string, slot: TextSlot) => string;

/** What middleware has to know about chat. */
export const chatTraits: OperationTraits<ChatRequest, ChatResponse, ChatEvent> = {
  name: 'chat',
  mapRequestText(request, map) {
    const system = mapList(request.system, (part, index) => mapPart(part, `system[${index}]`, 'system', map));
    const messages = mapList(request.messages, (message, index) => mapMessage(message, `messages[${index}]`, map));
    const tools = mapList(request.tools, (tool, index) => mapTool(tool, `tools[${index}]`, map));
    if (system === request.system && messages === request.messages && tools === request.tools) return request;
    return {
      ...request,
      ...(system !== undefined && { system }),
      ...(messages !== undefined && { messages }),
      ...(tools !== undefined && { tools }),
    };
  },
  mapResponseText(response, map) {
    const message = mapMessage(response.message, 'message', map) as AssistantMessage;
    const choices = mapList(response.choices, (choice, index) => {
      if (index === 0) return choice.message === message ? choice : { ...choice, message };
      const mapped = mapMessage(choice.message, `choices[${index}].message`, map) as AssistantMessage;
      return mapped === choice.message ? choice : { ...choice, message: mapped };
    });
    if (message === response.message && choices === response.choices) return response;
    return { ...response, message, ...(choices !== undefined && { choices }) };
  },
  usage: (response) => response.usage,
  estimate(request, response, model) {
    let input = 3;
    chatTraits.mapRequestText(request, (text) => {
      input += estimateTokens(text) + 1;
      return text;
    });
    let output = 0;
    if (response !== undefined) {
      chatTraits.mapResponseText(response, (text) => {
        output += estimateTokens(text);
        return text;
      });
    }
    return usageOf([{ model, role: 'main', tokens: { input, output } }], { quality: 'estimated' });
  },
  isComplete(response) {
    const { reason } = response.finish;
    if (reason !== 'stop' && reason !== 'tool-calls') return false;
    return response.message.content.every((part) => part.type !== 'tool-call' || part.invalid === undefined);
  },
  stream: {
    isContent,
    isTerminal: (event) => event.type === 'end',
    fold: foldChat,
    replay: replayChat,
  },
};

/** Maps a list, keeping the same array when no item changed. */
function mapList<T>(list: readonly T[] | undefined, map: (item: T, index: number) => T): readonly T[] | undefined {
  if (list === undefined) return undefined;
  let changed: T[] | undefined;
  for (const [index, item] of list.entries()) {
    const mapped = map(item, index);
    if (mapped !== item) changed ??= [...list];
    if (changed !== undefined) changed[index] = mapped;
  }
  return changed ?? list;
}

function mapMessage(message: Message, path: string, map: MapText): Message {
  const kind = message.role === 'developer' ? 'system' : message.role === 'tool' ? 'tool-result' : message.role;
  const content = mapList<Part>(message.content as readonly Part[], (part, index) =>
    mapPart(part, `${path}.content[${index}]`, kind, map),
  );
  return content === message.content ? message : ({ ...message, content } as Message);
}

function mapPart<P extends Part>(part: P, path: string, kind: TextSlot['kind'], map: MapText): P {
  switch (part.type) {
    case 'text':
    case 'reasoning':
    case 'refusal': {
      const slotKind = part.type === 'text' ? kind : part.type;
      const text = map(part.text, { path: `${path}.text`, kind: slotKind, form: 'text' });
      return text === part.text ? part : { ...part, text };
    }
    case 'tool-call':
      return mapToolCall(part, path, map) as P;
    case 'tool-result':
      return mapToolResult(part, path, map) as P;
    case 'file': {
      let file: P = part;
      for (const field of ['filename', 'title', 'context'] as const) {
        const text = part[field];
        if (text === undefined) continue;
        const slot = { path: `${path}.${field}`, kind: 'filename', form: 'text' } as const;
        file = withField(file, field as keyof P, map(text, slot) as P[keyof P]);
      }
      if (part.source.kind !== 'text') return file;
      const text = map(part.source.text, { path: `${path}.source.text`, kind: 'document', form: 'text' });
      return text === part.source.text ? file : { ...file, source: { kind: 'text', text } };
    }
    default:
      return part;
  }
}

function mapToolCall(part: Extract<OutputPart, { type: 'tool-call' }>, path: string, map: MapText): OutputPart {
  if (part.invalid !== undefined && part.argsText !== undefined) {
    const slot = { path: `${path}.argsText`, kind: 'tool-arguments', form: 'json' } as const;
    return withField(part, 'argsText', map(part.argsText, slot));
  }
  const args = mapJson(part.args, `${path}.args`, 'tool-arguments', map);
  if (args === part.args) return part;
  return { ...part, args, ...(part.argsText !== undefined && { argsText: argumentsText(args) }) };
}

const argumentsText = (args: Json): string => (typeof args === 'string' ? args : JSON.stringify(args));

function mapToolResult(part: ToolResultPart, path: string, map: MapText): ToolResultPart {
  let result = part;
  if (typeof part.content === 'string') {
    const text = map(part.content, { path: `${path}.content`, kind: 'tool-result', form: 'text' });
    if (text !== part.content) result = { ...result, content: text };
  } else {
    const content = mapList<ToolResultItem>(part.content, (item, index) => {
      const at = `${path}.content[${index}]`;
      if (item.type !== 'json') return mapPart(item, at, 'tool-result', map);
      return withField(item, 'value', mapJson(item.value, `${at}.value`, 'tool-result', map));
    });
    if (content !== undefined && content !== part.content) result = { ...result, content };
  }
  if (part.structured === undefined) return result;
  return withField(result, 'structured', mapJson(part.structured, `${path}.structured`, 'tool-result', map));
}

function mapTool(tool: Tool, path: string, map: MapText): Tool {
  if (tool.type !== 'function' && tool.type !== 'freeform') return tool;
  let mapped: Tool = tool;
  if (tool.description !== undefined) {
    const slot = { path: `${path}.description`, kind: 'tool-definition', form: 'text' } as const;
    mapped = withField(tool, 'description', map(tool.description, slot));
  }
  if (tool.type !== 'function') return mapped;
  const input = mapJson(tool.input as Json, `${path}.input`, 'tool-definition', map);
  return input === (tool.input as Json) ? mapped : ({ ...mapped, input } as Tool);
}

/** Maps every string value of a JSON value; keys stay. The same value if nothing changed. */
export function mapJson(value: Json, path: string, kind: TextSlot['kind'], map: MapText): Json {
  if (typeof value === 'string') return map(value, { path, kind, form: 'json' });
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return mapList<Json>(value as readonly Json[], (item, index) =>
      mapJson(item, `${path}[${index}]`, kind, map),
    ) as Json;
  }
  let changed: Record<string, Json> | undefined;
  for (const [key, item] of Object.entries(value as Readonly<Record<string, Json>>)) {
    const mapped = mapJson(item, `${path}.${key}`, kind, map);
    if (mapped !== item) {
      changed ??= { ...(value as Readonly<Record<string, Json>>) };
      changed[key] = mapped;
    }
  }
  return changed ?? value;
}

function withField<T, K extends keyof T>(object: T, field: K, value: T[K]): T {
  return object[field] === value ? object : { ...object, [field]: value };
}
