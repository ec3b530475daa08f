import type { ChatResponse, Finish } from '../operations/chat.ts';
import type { AssistantMessage, Citation, OutputPart } from '../operations/chat-parts.ts';
import type { Json, Usage, Warning } from '../operations/shared.ts';
import type { CallCost } from '../response.ts';
import type { JSONValue } from './json-value.ts';
import { replayMetadata } from './replay.ts';
import type { AiContent, AiFinish, AiMetadata, AiSource, AiUsage, AiWarning } from './specification.ts';

/** The content of an answer as the AI SDK reads it. */
export function contentOf(message: AssistantMessage): AiContent[] {
  return message.content.flatMap((part) => partOf(part, message.origin));
}

export function partOf(part: OutputPart, origin: AssistantMessage['origin']): AiContent[] {
  const providerMetadata = replayMetadata(part, origin);
  const metadata = providerMetadata === undefined ? {} : { providerMetadata };
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text, ...metadata }, ...sourcesOf(part.citations)];
    case 'refusal':
      return [{ type: 'text', text: part.text }];
    case 'reasoning':
      return [{ type: 'reasoning', text: part.text, ...metadata }];
    case 'tool-call':
      // A call the provider ran has no result the AI SDK could pair it with.
      if (part.executor === 'provider') return [];
      return [{ type: 'tool-call', toolCallId: part.id, toolName: part.name, input: inputOf(part), ...metadata }];
    case 'image':
    case 'audio':
    case 'file': {
      if (part.source.kind !== 'base64') return [];
      const mediaType = part.mediaType ?? (part.type === 'image' ? 'image/png' : 'application/octet-stream');
      return [{ type: 'file', mediaType, data: { type: 'data', data: part.source.data } }];
    }
    default:
      return [];
  }
}

function inputOf(part: { readonly args: Json; readonly argsText?: string }): string {
  return part.argsText ?? (typeof part.args === 'string' ? part.args : JSON.stringify(part.args));
}

export function sourcesOf(citations: readonly Citation[] = []): AiSource[] {
  return citations.flatMap(({ source }): AiSource[] => {
    if (source.kind !== 'url') return [];
    const { url, title } = source;
    return [{ type: 'source', sourceType: 'url', id: url, url, ...(title !== undefined && { title }) }];
  });
}

const FINISHES: Readonly<Record<Finish['reason'], AiFinish['unified']>> = {
  stop: 'stop',
  length: 'length',
  'context-length': 'length',
  'tool-calls': 'tool-calls',
  'content-filter': 'content-filter',
  refusal: 'content-filter',
  pause: 'other',
  error: 'error',
  cancelled: 'interrupted',
  other: 'other',
};

export function finishOf(finish: Finish): AiFinish {
  return { unified: FINISHES[finish.reason], raw: finish.raw ?? finish.reason };
}

export function usageFor(usage: Usage): AiUsage {
  if (usage.quality === 'unknown') return UNKNOWN_USAGE;
  const { tokens, input, output } = usage;
  const sum = (prefix: string): number =>
    Object.entries(tokens).reduce((total, [name, count]) => total + (name.startsWith(prefix) ? count : 0), 0);
  const cacheRead = sum('cacheRead');
  const cacheWrite = sum('cacheWrite');
  const reasoning = tokens.reasoning ?? 0;
  return {
    inputTokens: { total: input, noCache: input - cacheRead - cacheWrite, cacheRead, cacheWrite },
    outputTokens: { total: output, text: output - reasoning, reasoning },
  };
}

export const UNKNOWN_USAGE: AiUsage = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};

export function warningsFor(warnings: readonly Warning[]): AiWarning[] {
  return warnings.map(({ code, feature, path, message }) =>
    code === 'unsupported'
      ? { type: 'unsupported', feature: feature ?? path ?? 'request', details: message }
      : { type: 'other', message },
  );
}

interface Served {
  readonly target: { readonly provider: string; readonly model: string };
  readonly attempts: readonly unknown[];
  readonly cached?: { readonly kind: string };
  readonly cost: CallCost | null;
}

/** How the call went, under `providerMetadata.postern`. */
export function metadataOf(served: Served): AiMetadata {
  const { target, attempts, cached, cost } = served;
  const spent = cost?.spentNanoUsd ?? undefined;
  const facts: Record<string, JSONValue> = {
    target: `${target.provider}/${target.model}`,
    attempts: attempts.length,
    ...(cached !== undefined && { cached: cached.kind }),
    ...(spent !== undefined && { costUsd: Number(spent) / 1e9 }),
  };
  return { postern: facts };
}

export function responseMetadata(response: Pick<ChatResponse, 'id' | 'model' | 'createdAt'>) {
  const timestamp = new Date(response.createdAt);
  return {
    id: response.id,
    modelId: response.model,
    ...(!Number.isNaN(timestamp.getTime()) && { timestamp }),
  };
}
