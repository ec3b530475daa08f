import type { ChatRequest, Tool } from '../operations/chat.ts';
import type { Message, OutputPart, Part, ToolResultItem, ToolResultPart } from '../operations/chat-parts.ts';
import { base64ToBytes } from '../operations/media.ts';
import type { Source } from '../operations/shared.ts';
import type { JSONValue } from './json-value.ts';
import type {
  AiAssistantPart,
  AiCallOptions,
  AiFileData,
  AiFilePart,
  AiMessage,
  AiMetadata,
  AiTextPart,
  AiTool,
  AiToolOutput,
  AiToolResultPart,
} from './specification.ts';

/** A request of ours as the AI SDK asks a model. */
export function callOptionsOf(request: ChatRequest, signal: AbortSignal): AiCallOptions {
  const { maxTokens, temperature, topP, topK, presencePenalty, frequencyPenalty, seed, stop } = request;
  const system = request.system?.map((part) => part.text).join('\n\n');
  const effort = request.reasoning?.effort;
  return {
    prompt: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      ...request.messages.map(messageFor),
    ],
    abortSignal: signal,
    ...(maxTokens !== undefined && { maxOutputTokens: maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
    ...(presencePenalty !== undefined && { presencePenalty }),
    ...(frequencyPenalty !== undefined && { frequencyPenalty }),
    ...(seed !== undefined && { seed }),
    ...(stop !== undefined && { stopSequences: [...stop] }),
    ...(request.tools !== undefined && { tools: offered(request).flatMap(toolFor) }),
    ...toolChoiceFor(request),
    ...outputFor(request),
    ...(effort !== undefined && { reasoning: effort }),
    ...(request.native?.['ai-sdk'] !== undefined && { providerOptions: request.native['ai-sdk'] as AiMetadata }),
  };
}

/** A choice among some of the tools: only those are offered. */
function offered({ tools = [], toolChoice }: ChatRequest): readonly Tool[] {
  if (typeof toolChoice !== 'object' || !('allow' in toolChoice)) return tools;
  return tools.filter((tool) => tool.type === 'function' && toolChoice.allow.includes(tool.name));
}

function toolChoiceFor({ toolChoice }: ChatRequest): Pick<AiCallOptions, 'toolChoice'> {
  if (toolChoice === undefined) return {};
  if (typeof toolChoice === 'string') return { toolChoice: { type: toolChoice } };
  if ('tool' in toolChoice) return { toolChoice: { type: 'tool', toolName: toolChoice.tool } };
  return { toolChoice: { type: toolChoice.mode ?? 'auto' } };
}

function outputFor({ output }: ChatRequest): Pick<AiCallOptions, 'responseFormat'> {
  if (output?.type === 'json') return { responseFormat: { type: 'json' } };
  if (output?.type !== 'schema') return {};
  const { schema, name, description } = output;
  return { responseFormat: { type: 'json', schema, name, ...(description !== undefined && { description }) } };
}

function toolFor(tool: Tool): AiTool[] {
  if (tool.type !== 'function') return [];
  const { name, description, input, strict } = tool;
  return [
    {
      type: 'function',
      name,
      inputSchema: input,
      ...(description !== undefined && { description }),
      ...(strict !== undefined && { strict }),
    },
  ];
}

function messageFor(message: Message): AiMessage {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: message.content.map((part) => ('text' in part ? part.text : '')).join('') };
    case 'user':
      return { role: 'user', content: message.content.flatMap(inputFor) };
    case 'tool':
      return {
        role: 'tool',
        content: message.content.flatMap((part) => (part.type === 'native' ? [] : [resultFor(part)])),
      };
    default:
      return { role: 'assistant', content: message.content.flatMap(assistantPartFor) };
  }
}

function inputFor(part: Part): (AiTextPart | AiFilePart)[] {
  if (part.type === 'text') return [{ type: 'text', text: part.text }];
  if (part.type !== 'image' && part.type !== 'audio' && part.type !== 'video' && part.type !== 'file') return [];
  const fallback = part.type === 'file' ? 'application/octet-stream' : `${part.type}/*`;
  const filename = part.type === 'file' ? part.filename : undefined;
  return [
    {
      type: 'file',
      data: fileDataOf(part.source),
      mediaType: part.mediaType ?? fallback,
      ...(filename !== undefined && { filename }),
    },
  ];
}

function fileDataOf(source: Source): AiFileData {
  switch (source.kind) {
    case 'url':
      return { type: 'url', url: new URL(source.url) };
    case 'text':
      return { type: 'text', text: source.text };
    case 'file':
      return { type: 'reference', reference: { [source.owner ?? 'file']: source.id } };
    default:
      return { type: 'data', data: base64ToBytes(source.data) };
  }
}

function assistantPartFor(part: OutputPart): AiAssistantPart[] {
  const kept = part.native?.['ai-sdk'] as AiMetadata | undefined;
  const options = kept === undefined ? {} : { providerOptions: kept };
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text, ...options }];
    case 'reasoning':
      return [{ type: 'reasoning', text: part.text, ...options }];
    case 'tool-call':
      return [{ type: 'tool-call', toolCallId: part.id, toolName: part.name, input: part.args, ...options }];
    case 'tool-result':
      return [resultFor(part)];
    default:
      return inputFor(part);
  }
}

function resultFor(part: ToolResultPart): AiToolResultPart {
  return {
    type: 'tool-result',
    toolCallId: part.callId,
    toolName: part.name ?? part.callId,
    output: outputOfResult(part),
  };
}

function outputOfResult({ content, isError }: ToolResultPart): AiToolOutput {
  if (typeof content === 'string') return { type: isError === true ? 'error-text' : 'text', value: content };
  const [only] = content;
  if (content.length === 1 && only?.type === 'json') {
    return { type: isError === true ? 'error-json' : 'json', value: only.value as JSONValue };
  }
  return { type: 'content', value: content.flatMap(itemFor) };
}

function itemFor(item: ToolResultItem): (AiTextPart | AiFilePart)[] {
  return item.type === 'json' ? [{ type: 'text', text: JSON.stringify(item.value) }] : inputFor(item);
}
