import type { ChatEvent } from '../operations/chat-events.ts';
import type { Finish } from '../operations/chat.ts';
import type { OutputPart, ReasoningPart, TextPart, ToolCallPart } from '../operations/chat-parts.ts';
import { bytesToBase64 } from '../operations/media.ts';
import type { Json, JsonObject, Native, Usage, Warning } from '../operations/shared.ts';
import { unknownUsage, usageOf } from '../operations/usage.ts';
import type { AiContent, AiFile, AiFinish, AiMetadata, AiStreamPart, AiUsage, AiWarning } from './specification.ts';

/** What the model's own SDK wants back on the next turn. */
const nativeOf = (metadata: AiMetadata | undefined): { native?: Native } =>
  metadata === undefined ? {} : { native: { 'ai-sdk': metadata as unknown as JsonObject } };

/** One piece of an AI SDK answer as a part of ours. Sources stand beside the text there and are left out. */
export function outputPartOf(content: AiContent): OutputPart[] {
  const native = nativeOf(content.providerMetadata);
  switch (content.type) {
    case 'text':
      return [{ type: 'text', text: content.text, ...native } satisfies TextPart];
    case 'reasoning':
      return [{ type: 'reasoning', text: content.text, form: 'full', ...native } satisfies ReasoningPart];
    case 'tool-call':
      return [callOf(content.toolCallId, content.toolName, content.input, content.providerMetadata)];
    case 'file':
      return [fileOf(content)];
    default:
      return [];
  }
}

function callOf(id: string, name: string, input: string, metadata: AiMetadata | undefined): ToolCallPart {
  const base = { type: 'tool-call', id, name, argsText: input, ...nativeOf(metadata) } as const;
  try {
    return { ...base, args: JSON.parse(input === '' ? '{}' : input) as Json };
  } catch {
    return { ...base, args: null, invalid: { message: 'the arguments are no JSON' } };
  }
}

function fileOf({ mediaType, data }: AiFile): OutputPart {
  const source =
    data.type === 'url'
      ? ({ kind: 'url', url: data.url.href } as const)
      : ({ kind: 'base64', data: typeof data.data === 'string' ? data.data : bytesToBase64(data.data) } as const);
  if (mediaType.startsWith('image/')) return { type: 'image', source, mediaType };
  if (mediaType.startsWith('audio/')) return { type: 'audio', source, mediaType };
  return { type: 'file', source, mediaType };
}

export function finishFrom({ unified, raw }: AiFinish): Finish {
  const reason = unified === 'interrupted' ? 'cancelled' : unified;
  return { reason, ...(raw !== undefined && { raw }) };
}

export function usageFrom(usage: AiUsage, model: string): Usage {
  const { inputTokens, outputTokens } = usage;
  if (inputTokens.total === undefined && outputTokens.total === undefined) return unknownUsage(model);
  const cacheRead = inputTokens.cacheRead ?? 0;
  const cacheWrite = inputTokens.cacheWrite ?? 0;
  const reasoning = outputTokens.reasoning ?? 0;
  const tokens = {
    input: inputTokens.noCache ?? Math.max(0, (inputTokens.total ?? 0) - cacheRead - cacheWrite),
    ...(cacheRead > 0 && { cacheRead }),
    ...(cacheWrite > 0 && { cacheWrite }),
    output: outputTokens.text ?? Math.max(0, (outputTokens.total ?? 0) - reasoning),
    ...(reasoning > 0 && { reasoning }),
  };
  return usageOf([{ model, role: 'main', tokens }], { quality: 'reported' });
}

export function warningsFrom(warnings: readonly AiWarning[]): Warning[] {
  return warnings.map((warning): Warning => {
    if ('message' in warning) return { code: warning.type, message: warning.message };
    const { type, feature, details } = warning;
    const code = type === 'unsupported' ? 'unsupported' : 'degraded';
    return { code, feature, message: details ?? `${feature} is not supported` };
  });
}

/** Turns the parts of one AI SDK stream into events. Its ids become positions; whole calls count as one delta. */
export class PartDecoder {
  readonly #model: string;
  readonly #open = new Map<string, { index: number; text: string }>();
  #next = 0;
  finished = false;

  constructor(model: string) {
    this.#model = model;
  }

  *events(part: AiStreamPart): Generator<ChatEvent> {
    switch (part.type) {
      case 'text-start':
        yield { type: 'text-start', index: this.#begin(`text ${part.id}`) };
        return;
      case 'reasoning-start':
        yield { type: 'reasoning-start', form: 'full', index: this.#begin(`reasoning ${part.id}`) };
        return;
      case 'text-delta':
      case 'reasoning-delta': {
        const block = this.#open.get(`${part.type.slice(0, -6)} ${part.id}`);
        if (block === undefined) return;
        block.text += part.delta;
        yield { type: part.type, index: block.index, text: part.delta };
        return;
      }
      case 'text-end':
      case 'reasoning-end': {
        const kind = part.type === 'text-end' ? 'text' : 'reasoning';
        const block = this.#end(`${kind} ${part.id}`);
        if (block === undefined) return;
        const native = nativeOf(part.providerMetadata);
        const { index, text } = block;
        if (kind === 'text') yield { type: 'text-end', index, part: { type: 'text', text, ...native } };
        else yield { type: 'reasoning-end', index, part: { type: 'reasoning', text, form: 'full', ...native } };
        return;
      }
      case 'tool-input-start': {
        const index = this.#begin(`call ${part.id}`);
        yield {
          type: 'tool-call-start',
          index,
          id: part.id,
          name: part.toolName,
          executor: 'client',
          encoding: 'json',
        };
        return;
      }
      case 'tool-input-delta': {
        const block = this.#open.get(`call ${part.id}`);
        if (block === undefined) return;
        block.text += part.delta;
        yield { type: 'tool-call-delta', index: block.index, text: part.delta };
        return;
      }
      case 'tool-call':
        yield* this.#call(part);
        return;
      case 'file':
        yield { type: 'part', index: this.#next++, part: fileOf(part) };
        return;
      case 'finish':
        this.finished = true;
        yield { type: 'usage', usage: usageFrom(part.usage, this.#model) };
        yield { type: 'finish', finish: finishFrom(part.finishReason) };
        yield { type: 'end' };
        return;
      default:
    }
  }

  *#call(part: Extract<AiStreamPart, { type: 'tool-call' }>): Generator<ChatEvent> {
    const { toolCallId: id, toolName: name, input } = part;
    const open = this.#end(`call ${id}`);
    const index = open?.index ?? this.#next++;
    if (open === undefined) {
      yield { type: 'tool-call-start', index, id, name, executor: 'client', encoding: 'json' };
    }
    if ((open?.text ?? '') === '' && input !== '') yield { type: 'tool-call-delta', index, text: input };
    yield { type: 'tool-call-end', index, part: callOf(id, name, input, part.providerMetadata) };
  }

  #begin(key: string): number {
    const index = this.#next++;
    this.#open.set(key, { index, text: '' });
    return index;
  }

  #end(key: string): { index: number; text: string } | undefined {
    const block = this.#open.get(key);
    this.#open.delete(key);
    return block;
  }
}
