import type { ChatRequest, FunctionTool, Tool } from '../operations/chat.ts';
import type {
  AssistantMessage,
  InputPart,
  Message,
  OutputPart,
  ToolResultItem,
  ToolResultPart,
} from '../operations/chat-parts.ts';
import { bytesToBase64 } from '../operations/media.ts';
import type { Json, JsonObject, JsonSchema, Source } from '../operations/shared.ts';
import { recordOf } from '../core/wire-json.ts';
import { cacheOf, withProviderOptions } from './provider-options.ts';
import { providerTool } from './provider-tools.ts';
import { replayedPart } from './replay.ts';
import type {
  AiAssistantPart,
  AiCallOptions,
  AiFileData,
  AiMessage,
  AiTool,
  AiToolOutput,
  AiWarning,
  AiMetadata,
} from './specification.ts';

/** What the AI SDK asks of a model, as a request of ours. */
export function chatRequestOf(
  model: string,
  options: AiCallOptions,
): { readonly request: ChatRequest; readonly warnings: AiWarning[] } {
  const { maxOutputTokens, temperature, topP, topK, presencePenalty, frequencyPenalty, seed } = options;
  const { stopSequences, tools, reasoning } = options;
  const request: ChatRequest = {
    model,
    messages: options.prompt.map(messageOf),
    ...(maxOutputTokens !== undefined && { maxTokens: maxOutputTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
    ...(presencePenalty !== undefined && { presencePenalty }),
    ...(frequencyPenalty !== undefined && { frequencyPenalty }),
    ...(seed !== undefined && { seed }),
    ...(stopSequences !== undefined && stopSequences.length > 0 && { stop: stopSequences }),
    ...(tools !== undefined && tools.length > 0 && { tools: tools.map(toolOf) }),
    ...toolChoiceOf(options),
    ...outputOf(options),
    ...(reasoning !== undefined && reasoning !== 'provider-default' && { reasoning: { effort: reasoning } }),
  };
  return withProviderOptions(request, options.providerOptions);
}

interface AiFile {
  readonly data: AiFileData;
  readonly mediaType: string;
  readonly filename?: string;
  readonly providerOptions?: AiMetadata;
}

function toolChoiceOf({ toolChoice: choice }: AiCallOptions): Pick<ChatRequest, 'toolChoice'> {
  if (choice === undefined) return {};
  return { toolChoice: choice.type === 'tool' ? { tool: choice.toolName } : choice.type };
}

function outputOf({ responseFormat: format }: AiCallOptions): Pick<ChatRequest, 'output'> {
  if (format?.type !== 'json') return {};
  if (format.schema === undefined) return { output: { type: 'json' } };
  const { schema, name, description } = format;
  const { $schema: _dialect, ...rest } = schema as JsonObject;
  return {
    output: {
      type: 'schema',
      schema: rest,
      name: name ?? 'output',
      via: 'auto',
      ...(description !== undefined && { description }),
    },
  };
}

function toolOf(tool: AiTool): Tool {
  if (tool.type === 'provider') return providerTool(tool);
  const { name, description, inputSchema, strict, inputExamples, providerOptions } = tool;
  const defer = providerOptions?.['anthropic']?.['deferLoading'] ?? providerOptions?.['openai']?.['deferLoading'];
  const { $schema: _dialect, ...input } = inputSchema as JsonSchema;
  return {
    type: 'function',
    name,
    input,
    ...(description !== undefined && { description }),
    ...(strict !== undefined && { strict }),
    ...(inputExamples !== undefined && { examples: inputExamples.map((one) => one.input as JsonObject) }),
    ...(typeof defer === 'boolean' && { defer }),
    ...cacheOf(providerOptions),
  } satisfies FunctionTool;
}

function messageOf(message: AiMessage): Message {
  return { ...bareMessage(message), ...cacheOf(message.providerOptions) };
}

function bareMessage(message: AiMessage): Message {
  switch (message.role) {
    case 'system':
      return { role: 'system', content: [{ type: 'text', text: message.content }] };
    case 'user':
      return {
        role: 'user',
        content: message.content.map((part) =>
          part.type === 'text' ? { type: 'text', text: part.text, ...cacheOf(part.providerOptions) } : mediaOf(part),
        ),
      };
    case 'assistant':
      return assistantOf(message.content);
    default:
      return {
        role: 'tool',
        content: message.content.flatMap((part) =>
          part.type === 'tool-result'
            ? [{ ...resultOf(part.toolCallId, part.toolName, part.output), ...cacheOf(part.providerOptions) }]
            : [],
        ),
      };
  }
}

function assistantOf(parts: readonly AiAssistantPart[]): AssistantMessage {
  let origin: AssistantMessage['origin'];
  const content = parts.flatMap((part): OutputPart[] => {
    const replayed = replayedPart(part.providerOptions);
    if (replayed !== undefined) {
      origin ??= replayed.origin;
      return [replayed.part];
    }
    switch (part.type) {
      case 'text':
        return [{ type: 'text', text: part.text, ...cacheOf(part.providerOptions) }];
      case 'reasoning':
        return [{ type: 'reasoning', text: part.text, form: 'full' }];
      case 'file':
        return [mediaOf(part) as OutputPart];
      case 'tool-call':
        return [
          {
            type: 'tool-call',
            id: part.toolCallId,
            name: part.toolName,
            args: part.input as Json,
            ...(part.providerExecuted === true && { executor: 'provider' as const }),
          },
        ];
      case 'tool-result':
        return [{ ...resultOf(part.toolCallId, part.toolName, part.output), executor: 'provider' }];
      default:
        return [];
    }
  });
  return { role: 'assistant', content, ...(origin !== undefined && { origin }) };
}

function resultOf(callId: string, name: string, output: AiToolOutput): ToolResultPart {
  const base = { type: 'tool-result', callId, name } as const;
  switch (output.type) {
    case 'text':
      return { ...base, content: output.value };
    case 'error-text':
      return { ...base, content: output.value, isError: true };
    case 'json':
      return { ...base, content: [{ type: 'json', value: output.value as Json }] };
    case 'error-json':
      return { ...base, content: [{ type: 'json', value: output.value as Json }], isError: true };
    case 'execution-denied':
      return { ...base, content: output.reason ?? 'The tool was not allowed to run.', isError: true };
    default:
      return {
        ...base,
        content: output.value.flatMap((item): ToolResultItem[] =>
          item.type === 'text'
            ? [{ type: 'text', text: item.text }]
            : item.type === 'file'
              ? [mediaOf(item) as ToolResultItem]
              : [],
        ),
      };
  }
}

/** A file of the AI SDK as the kind of part its media type says. */
function mediaOf(file: AiFile): InputPart {
  const { mediaType, filename, providerOptions } = file;
  const kind = mediaType.split('/', 1)[0];
  const source = sourceOf(file.data);
  const exact = mediaType.endsWith('/*') || !mediaType.includes('/') ? {} : { mediaType };
  const shared = { source, ...exact, ...cacheOf(providerOptions) };
  if (kind === 'image') {
    const detail = providerOptions?.['openai']?.['imageDetail'];
    return { type: 'image', ...shared, ...(typeof detail === 'string' && { detail: detail as 'auto' }) };
  }
  if (kind === 'audio' || kind === 'video') return { type: kind, ...shared };
  const { title, context, citations } = providerOptions?.['anthropic'] ?? {};
  const cite = recordOf(citations)?.['enabled'];
  return {
    type: 'file',
    ...shared,
    ...(filename !== undefined && { filename }),
    ...(typeof title === 'string' && { title }),
    ...(typeof context === 'string' && { context }),
    ...(typeof cite === 'boolean' && { cite }),
  };
}

function sourceOf(data: AiFileData): Source {
  switch (data.type) {
    case 'url':
      return { kind: 'url', url: data.url.href };
    case 'text':
      return { kind: 'text', text: data.text };
    case 'reference': {
      const [owner, id] = Object.entries(data.reference)[0] ?? [];
      return { kind: 'file', id: id ?? '', ...(owner !== undefined && { owner }) };
    }
    default:
      return { kind: 'base64', data: typeof data.data === 'string' ? data.data : bytesToBase64(data.data) };
  }
}
