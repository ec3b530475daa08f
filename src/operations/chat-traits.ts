import { type ChatEvent, isContent } from './chat-events.ts';
import { foldChat } from './chat-fold.ts';
import type { AssistantMessage, Message, OutputPart, Part, ToolResultItem, ToolResultPart } from './chat-parts.ts';
import { replayChat } from './chat-replay.ts';
import type { ChatRequest, ChatResponse, Tool } from './chat.ts';
import type { Json } from './shared.ts';
import { Place, Slot } from './text-place.ts';
import type { OperationTraits, TextSlot } from './traits.ts';
import { estimateTokens, usageOf } from './usage.ts';

type MapText = (text: string, slot: TextSlot) => string;
type Kind = TextSlot['kind'];

/** What middleware has to know about chat. */
export const chatTraits: OperationTraits<ChatRequest, ChatResponse, ChatEvent> = {
  name: 'chat',
  mapRequestText(request, map) {
    const system = mapList(request.system, (part, index) => mapPart(part, new Place('system', index), 'system', map));
    const messages = mapList(request.messages, (message, index) =>
      mapMessage(message, new Place('messages', index), map),
    );
    const tools = mapList(request.tools, (tool, index) => mapTool(tool, new Place('tools', index), map));
    if (system === request.system && messages === request.messages && tools === request.tools) return request;
    return {
      ...request,
      ...(system !== undefined && { system }),
      ...(messages !== undefined && { messages }),
      ...(tools !== undefined && { tools }),
    };
  },
  mapResponseText(response, map) {
    const message = mapMessage(response.message, new Place('message'), map) as AssistantMessage;
    const choices = mapList(response.choices, (choice, index) => {
      if (index === 0) return choice.message === message ? choice : { ...choice, message };
      const place = new Place('choices', index).at('message');
      const mapped = mapMessage(choice.message, place, map) as AssistantMessage;
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
  for (let index = 0; index < list.length; index++) {
    const item = list[index] as T;
    const mapped = map(item, index);
    if (mapped !== item) (changed ??= [...list])[index] = mapped;
  }
  return changed ?? list;
}

function mapMessage(message: Message, place: Place, map: MapText): Message {
  const kind = message.role === 'developer' ? 'system' : message.role === 'tool' ? 'tool-result' : message.role;
  const content = mapList<Part>(message.content as readonly Part[], (part, index) =>
    mapPart(part, place.at('content', index), kind, map),
  );
  return content === message.content ? message : ({ ...message, content } as Message);
}

function mapPart<P extends Part>(part: P, place: Place, kind: Kind, map: MapText): P {
  switch (part.type) {
    case 'text':
    case 'reasoning':
    case 'refusal': {
      const text = map(part.text, new Slot(place, '.text', part.type === 'text' ? kind : part.type));
      return text === part.text ? part : { ...part, text };
    }
    case 'tool-call':
      return mapToolCall(part, place, map) as P;
    case 'tool-result':
      return mapToolResult(part, place, map) as P;
    case 'file': {
      let file: P = part;
      for (const field of ['filename', 'title', 'context'] as const) {
        const text = part[field];
        if (text === undefined) continue;
        const slot = new Slot(place, `.${field}`, 'filename');
        file = withField(file, field as keyof P, map(text, slot) as P[keyof P]);
      }
      if (part.source.kind !== 'text') return file;
      const text = map(part.source.text, new Slot(place, '.source.text', 'document'));
      return text === part.source.text ? file : { ...file, source: { kind: 'text', text } };
    }
    default:
      return part;
  }
}

function mapToolCall(part: Extract<OutputPart, { type: 'tool-call' }>, place: Place, map: MapText): OutputPart {
  if (part.invalid !== undefined && part.argsText !== undefined) {
    return withField(part, 'argsText', map(part.argsText, new Slot(place, '.argsText', 'tool-arguments', 'json')));
  }
  const args = mapJson(part.args, place.at('args'), 'tool-arguments', map);
  if (args === part.args) return part;
  return { ...part, args, ...(part.argsText !== undefined && { argsText: argumentsText(args) }) };
}

const argumentsText = (args: Json): string => (typeof args === 'string' ? args : JSON.stringify(args));

function mapToolResult(part: ToolResultPart, place: Place, map: MapText): ToolResultPart {
  let result = part;
  if (typeof part.content === 'string') {
    result = withField(part, 'content', map(part.content, new Slot(place, '.content', 'tool-result')));
  } else {
    const content = mapList<ToolResultItem>(part.content, (item, index) => {
      const at = place.at('content', index);
      if (item.type !== 'json') return mapPart(item, at, 'tool-result', map);
      return withField(item, 'value', mapJson(item.value, at.at('value'), 'tool-result', map));
    });
    if (content !== undefined) result = withField(part, 'content', content);
  }
  if (part.structured === undefined) return result;
  return withField(result, 'structured', mapJson(part.structured, place.at('structured'), 'tool-result', map));
}

function mapTool(tool: Tool, place: Place, map: MapText): Tool {
  if (tool.type !== 'function' && tool.type !== 'freeform') return tool;
  let mapped: Tool = tool;
  if (tool.description !== undefined) {
    const slot = new Slot(place, '.description', 'tool-definition');
    mapped = withField(tool, 'description', map(tool.description, slot));
  }
  if (tool.type !== 'function') return mapped;
  const input = mapJson(tool.input as Json, place.at('input'), 'tool-definition', map);
  return input === (tool.input as Json) ? mapped : ({ ...mapped, input } as Tool);
}

/** Maps every string value of a JSON value; keys stay. The same value if nothing changed. */
function mapJson(value: Json, place: Place, kind: Kind, map: MapText): Json {
  if (typeof value === 'string') return map(value, new Slot(place, '', kind));
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return mapList<Json>(value as readonly Json[], (item, index) =>
      mapJson(item, place.item(index), kind, map),
    ) as Json;
  }
  let changed: Record<string, Json> | undefined;
  for (const [key, item] of Object.entries(value as Readonly<Record<string, Json>>)) {
    const mapped = mapJson(item, place.at(key), kind, map);
    if (mapped !== item) (changed ??= { ...(value as Readonly<Record<string, Json>>) })[key] = mapped;
  }
  return changed ?? value;
}

function withField<T, K extends keyof T>(object: T, field: K, value: T[K]): T {
  return object[field] === value ? object : { ...object, [field]: value };
}
