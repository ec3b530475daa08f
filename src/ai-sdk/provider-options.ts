import { recordOf } from '../core/wire-json.ts';
import { type ChatRequest, type Effort, EFFORTS } from '../operations/chat.ts';
import type { TextPart } from '../operations/chat-parts.ts';
import type { CacheHint } from '../operations/shared.ts';
import type { AiMetadata, AiWarning } from './specification.ts';

type Draft = { -readonly [K in keyof ChatRequest]?: ChatRequest[K] };
/** Takes an option over into a request of ours; `false` for a value it cannot read. */
type Reader = (value: never, draft: Draft) => boolean | void;

const reason = (draft: Draft, more: NonNullable<ChatRequest['reasoning']>): void => {
  draft.reasoning = { ...more, ...draft.reasoning };
};
const effort: Reader = (value: Effort, draft) => EFFORTS.includes(value) && void reason(draft, { effort: value });

/** Options of the AI SDK's OpenAI provider that have a word of ours. Source: @ai-sdk/openai 4.0, read 2026-11-22. */
const OPENAI: Readonly<Record<string, Reader>> = {
  reasoningEffort: effort,
  reasoningSummary: (value: string, draft) => reason(draft, { show: value === 'detailed' ? 'detailed' : 'summary' }),
  parallelToolCalls: (value: boolean, draft) => void (draft.parallelToolCalls ??= value),
  maxToolCalls: (value: number, draft) => void (draft.maxToolCalls ??= value),
  maxCompletionTokens: (value: number, draft) => void (draft.maxTokens ??= value),
  textVerbosity: (value: 'low', draft) => void (draft.verbosity ??= value),
  user: (value: string, draft) => void (draft.user ??= value),
  safetyIdentifier: (value: string, draft) => void (draft.user = value),
  metadata: (value: Record<string, string>, draft) => void (draft.metadata ??= value),
  serviceTier: (value: string, draft) => void (draft.tier ??= value),
  logprobs: (value: boolean | number, draft) => void (draft.logprobs ??= value),
  logitBias: (value: Record<string, number>, draft) => void (draft.logitBias ??= value),
  promptCacheKey: (value: string, draft) => void (draft.cache = { ...draft.cache, key: value }),
  promptCacheRetention: (value: string, draft) =>
    value === '24h' && void (draft.cache = { ...draft.cache, ttl: '24h' }),
  store: (value: boolean, draft) => void (draft.conversation = { ...draft.conversation, store: value }),
  conversation: (value: string, draft) => void (draft.conversation = { ...draft.conversation, id: value }),
  previousResponseId: (value: string, draft) =>
    void (draft.conversation = { ...draft.conversation, previousResponseId: value }),
  truncation: (value: 'auto', draft) => void (draft.truncation ??= value),
  instructions: (text: string, draft) => void (draft.system ??= [{ type: 'text', text } satisfies TextPart]),
  prediction: (value: { type: string; content: unknown }, draft) =>
    typeof value.content === 'string' && void (draft.prediction ??= value.content),
  strictJsonSchema: (strict: boolean, draft) => {
    if (draft.output?.type === 'schema') draft.output = { ...draft.output, strict };
  },
  allowedTools: ({ toolNames, mode }: { toolNames: string[]; mode?: 'auto' }, draft) =>
    void (draft.toolChoice = { allow: toolNames, ...(mode !== undefined && { mode }) }),
};

/** And those of its Anthropic provider. Source: @ai-sdk/anthropic 4.0, read 2026-11-22. */
const ANTHROPIC: Readonly<Record<string, Reader>> = {
  effort,
  thinking: ({ type, budgetTokens, display }: { type: string; budgetTokens?: number; display?: string }, draft) => {
    if (type === 'disabled') reason(draft, { effort: 'none' });
    else if (type === 'enabled' || type === 'adaptive') {
      reason(draft, {
        ...(budgetTokens !== undefined && { budgetTokens }),
        ...(display === 'summarized' && { show: 'summary' as const }),
        ...(display === 'omitted' && { show: 'none' as const }),
      });
    } else return false;
    return undefined;
  },
  disableParallelToolUse: (value: boolean, draft) => void (draft.parallelToolCalls ??= !value),
  cacheControl: (value: { ttl?: '5m' }, draft) =>
    void (draft.cache = { mode: 'auto', ...(value.ttl !== undefined && { ttl: value.ttl }), ...draft.cache }),
  metadata: ({ userId }: { userId?: string }, draft) => {
    if (userId !== undefined) draft.user ??= userId;
  },
  speed: (value: string, draft) => {
    if (value === 'fast') draft.tier ??= 'fast';
  },
};
const READERS: ReadonlyMap<string, Readonly<Record<string, Reader>>> = new Map([
  ['openai', OPENAI],
  ['anthropic', ANTHROPIC],
]);

/**
 * `providerOptions` of a call as fields of ours, so that they hold for whatever target answers; those of `postern` are ours
 * already. A model id that names one of the two providers takes no options of the other, as in the AI SDK.
 */
export function withProviderOptions(
  request: ChatRequest,
  options: AiMetadata | undefined,
): { readonly request: ChatRequest; readonly warnings: AiWarning[] } {
  const warnings: AiWarning[] = [];
  if (options === undefined) return { request, warnings };
  const draft: Draft = { ...request };
  const [leads] = request.model.split('/', 1);
  for (const [provider, fields] of Object.entries(options)) {
    const readers = READERS.get(provider);
    if (provider === 'postern') {
      Object.assign(draft, fields);
      continue;
    }
    if (leads !== undefined && READERS.has(leads) && leads !== provider) continue;
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined || value === null) continue;
      const read = readers !== undefined && Object.hasOwn(readers, name) ? readers[name] : undefined;
      if (read !== undefined && read(value as never, draft) !== false) continue;
      warnings.push(unread(`${provider}.${name}`));
    }
  }
  return { request: draft as ChatRequest, warnings };
}

export function unread(name: string): AiWarning {
  return { type: 'unsupported', feature: `providerOptions.${name}`, details: 'The gateway has no such option.' };
}

/** What stands with a message, a part or a tool: where the prompt cache may break. */
export function cacheOf(options: AiMetadata | undefined): { readonly cache?: CacheHint } {
  const control = recordOf(options?.['anthropic']?.['cacheControl'] ?? options?.['anthropic']?.['cache_control']);
  if (control === undefined) return {};
  const { ttl } = control;
  return { cache: ttl === '5m' || ttl === '1h' ? { ttl } : true };
}
