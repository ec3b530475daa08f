import type { AssistantMessage, Message, OutputPart, TextPart, ToolCallPart } from './chat-parts.ts';
import type {
  CacheHint,
  CacheTtl,
  Json,
  JsonObject,
  JsonSchema,
  Native,
  ResponseFacts,
  Usage,
  Warning,
} from './shared.ts';

/** A function the caller runs. Declared here, never run by Postern. */
export interface FunctionTool {
  readonly type: 'function';
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments. */
  readonly input: JsonSchema;
  readonly output?: JsonSchema;
  readonly strict?: boolean;
  readonly examples?: readonly JsonObject[];
  readonly defer?: boolean;
  readonly cache?: CacheHint;
  readonly native?: Native;
}
/** A tool whose input is free text, optionally bound by a grammar. */
export interface FreeformTool {
  readonly type: 'freeform';
  readonly name: string;
  readonly description?: string;
  readonly grammar?: { readonly syntax: 'lark' | 'regex'; readonly definition: string };
  readonly cache?: CacheHint;
  readonly native?: Native;
}
/** A tool the provider runs itself. */
export interface HostedTool {
  readonly type: 'hosted';
  readonly tool:
    | 'web_search'
    | 'web_fetch'
    | 'code_execution'
    | 'file_search'
    | 'image_generation'
    | 'computer'
    | 'shell'
    | 'apply_patch'
    | 'text_editor'
    | 'memory'
    | 'tool_search'
    | (string & {});
  readonly name?: string;
  readonly maxUses?: number;
  readonly allowedDomains?: readonly string[];
  readonly blockedDomains?: readonly string[];
  readonly location?: {
    readonly city?: string;
    readonly region?: string;
    readonly country?: string;
    readonly timezone?: string;
  };
  readonly storeIds?: readonly string[];
  readonly native?: Native;
}
/** A remote MCP server the provider connects to. */
export interface McpTool {
  readonly type: 'mcp';
  readonly server: string;
  readonly url?: string;
  readonly connectorId?: string;
  readonly authorization?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly allow?: readonly string[];
  readonly approval?: 'always' | 'never' | { readonly never?: readonly string[]; readonly always?: readonly string[] };
  readonly native?: Native;
}
export type Tool = FunctionTool | FreeformTool | HostedTool | McpTool;
export type ToolChoice =
  | 'auto'
  | 'none'
  | 'required'
  | { readonly tool: string }
  | { readonly allow: readonly string[]; readonly mode?: 'auto' | 'required' };

/** What the answer has to look like. */
export type OutputFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | {
      readonly type: 'schema';
      readonly schema: JsonSchema;
      readonly name: string;
      readonly description?: string;
      readonly strict?: boolean;
      /** How the schema reaches the model. Default `auto`: the best the target can do. */
      readonly via?: 'auto' | 'native' | 'tool' | 'prompt';
      readonly native?: Native;
    }
  | { readonly type: 'choice'; readonly options: readonly string[] }
  | { readonly type: 'regex'; readonly pattern: string }
  | { readonly type: 'grammar'; readonly syntax: string; readonly definition: string };

/** Every effort, ascending. */
export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export type Effort = (typeof EFFORTS)[number];
export interface ReasoningOptions {
  readonly effort?: Effort;
  readonly budgetTokens?: number;
  readonly show?: 'none' | 'summary' | 'detailed';
}

/** A chat request in normal form: plain JSON, no sugar. What middleware, caches, recorders and dialects see. */
export interface ChatRequest {
  /** As the caller wrote it: an alias, `provider/model` or a bare model. The target's model is `call.target.model`. */
  readonly model: string;
  readonly system?: readonly TextPart[];
  readonly messages: readonly Message[];
  readonly tools?: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  readonly maxToolCalls?: number;
  readonly output?: OutputFormat;
  readonly reasoning?: ReasoningOptions;
  readonly verbosity?: 'low' | 'medium' | 'high';
  /** Visible and reasoning tokens together. */
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly minP?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly repetitionPenalty?: number;
  readonly logitBias?: Readonly<Record<string, number>>;
  readonly stop?: readonly string[];
  readonly seed?: number;
  readonly n?: number;
  /** A number asks for that many alternatives. */
  readonly logprobs?: boolean | number;
  readonly modalities?: readonly ('text' | 'image' | 'audio')[];
  readonly audio?: { readonly voice?: string; readonly format?: string };
  readonly prediction?: string;
  readonly cache?: {
    readonly key?: string;
    readonly ttl?: CacheTtl;
    readonly mode?: 'auto' | 'explicit' | 'off';
  };
  readonly tier?: 'auto' | 'default' | 'flex' | 'priority' | 'fast' | (string & {});
  /** The end user, for the provider's abuse detection. Not the scope. */
  readonly user?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly conversation?: { readonly previousResponseId?: string; readonly id?: string; readonly store?: boolean };
  readonly background?: boolean;
  readonly truncation?: 'auto' | 'disabled' | 'compact';
  readonly native?: Native;
}

export type FinishReason =
  | 'stop'
  | 'length'
  | 'context-length'
  | 'tool-calls'
  | 'content-filter'
  | 'refusal'
  | 'pause'
  | 'error'
  | 'cancelled'
  | 'other';
export interface Finish {
  readonly reason: FinishReason;
  /** The provider's own word. */
  readonly raw?: string;
  readonly stopSequence?: string;
  readonly category?: string;
  readonly explanation?: string;
  readonly native?: Native;
}
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[];
  readonly top?: readonly { readonly token: string; readonly logprob: number; readonly bytes?: readonly number[] }[];
}
export interface Choice {
  readonly index: number;
  readonly message: AssistantMessage;
  readonly finish: Finish;
  readonly logprobs?: readonly TokenLogprob[];
}

/** What a model answered, as middleware sees it. The gateway adds target, attempts, cost and the rest for its users. */
export interface ChatResponse extends ResponseFacts {
  readonly message: AssistantMessage;
  /** Only when `n > 1`; the first one's message is `message`. */
  readonly choices?: readonly Choice[];
  readonly finish: Finish;
  readonly usage: Usage;
  readonly warnings: readonly Warning[];
  readonly logprobs?: readonly TokenLogprob[];
  readonly tier?: string;
  readonly conversation?: { readonly responseId?: string; readonly id?: string };
  /** The wire body, only when the call asked for it with `raw: true`. */
  readonly raw?: Json;
}

/** All visible text of a message, refusals excluded. */
export function textOf(message: { readonly content: readonly { readonly type: string }[] }): string {
  let text = '';
  for (const part of message.content) if (part.type === 'text') text += (part as TextPart).text;
  return text;
}

/** The calls the client has to answer. */
export function toolCallsOf(message: { readonly content: readonly OutputPart[] }): ToolCallPart[] {
  return message.content.filter(
    (part): part is ToolCallPart => part.type === 'tool-call' && part.executor !== 'provider',
  );
}
