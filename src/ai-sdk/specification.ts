import type { JSONValue } from './json-value.ts';

/**
 * The slice of the AI SDK's model specification that is used here, written out so that nothing of it is needed at run
 * time. Source: @ai-sdk/provider 4.0.38 (specification v4), read 2026-11-22.
 */
export type AiMetadata = Record<string, Record<string, JSONValue | undefined>>;
type Metadata = { providerMetadata?: AiMetadata };
type Options = { providerOptions?: AiMetadata };

export type AiFileData =
  | { type: 'data'; data: Uint8Array | string }
  | { type: 'url'; url: URL }
  | { type: 'reference'; reference: Record<string, string> }
  | { type: 'text'; text: string };
export type AiTextPart = Options & { type: 'text'; text: string };
export type AiFilePart = Options & { type: 'file'; data: AiFileData; mediaType: string; filename?: string };
export type AiToolOutput = Options &
  (
    | { type: 'text' | 'error-text'; value: string }
    | { type: 'json' | 'error-json'; value: JSONValue }
    | { type: 'execution-denied'; reason?: string }
    | { type: 'content'; value: (AiTextPart | AiFilePart | (Options & { type: 'custom' }))[] }
  );
export type AiToolResultPart = Options & {
  type: 'tool-result';
  toolCallId: string;
  toolName: string;
  output: AiToolOutput;
};
export type AiAssistantPart =
  | AiTextPart
  | AiFilePart
  | (Options & { type: 'reasoning'; text: string })
  | (Options & { type: 'reasoning-file'; data: AiFileData & { type: 'data' | 'url' }; mediaType: string })
  | (Options & { type: 'custom'; kind: `${string}.${string}` })
  | (Options & { type: 'tool-call'; toolCallId: string; toolName: string; input: unknown; providerExecuted?: boolean })
  | AiToolResultPart;
export type AiApprovalPart = Options & {
  type: 'tool-approval-response';
  approvalId: string;
  approved: boolean;
  reason?: string;
};
export type AiMessage = Options &
  (
    | { role: 'system'; content: string }
    | { role: 'user'; content: (AiTextPart | AiFilePart)[] }
    | { role: 'assistant'; content: AiAssistantPart[] }
    | { role: 'tool'; content: (AiToolResultPart | AiApprovalPart)[] }
  );

type AiSchema = object;
export type AiTool =
  | (Options & {
      type: 'function';
      name: string;
      description?: string;
      inputSchema: AiSchema;
      inputExamples?: { input: Record<string, JSONValue | undefined> }[];
      strict?: boolean;
    })
  | { type: 'provider'; id: `${string}.${string}`; name: string; args: Record<string, unknown> };
export type AiEffort = 'provider-default' | 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export interface AiCallOptions extends Options {
  prompt: AiMessage[];
  maxOutputTokens?: number;
  temperature?: number;
  stopSequences?: string[];
  topP?: number;
  topK?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  responseFormat?: { type: 'text' } | { type: 'json'; schema?: AiSchema; name?: string; description?: string };
  seed?: number;
  tools?: AiTool[];
  toolChoice?: { type: 'auto' | 'none' | 'required' } | { type: 'tool'; toolName: string };
  includeRawChunks?: boolean;
  abortSignal?: AbortSignal;
  headers?: Record<string, string | undefined>;
  reasoning?: AiEffort;
}

export type AiWarning =
  | { type: 'unsupported' | 'compatibility'; feature: string; details?: string }
  | { type: 'deprecated'; setting: string; message: string }
  | { type: 'other'; message: string };
export type AiToolCall = Metadata & {
  type: 'tool-call';
  toolCallId: string;
  toolName: string;
  input: string;
  providerExecuted?: boolean;
};
export type AiSource = Metadata &
  (
    | { type: 'source'; sourceType: 'url'; id: string; url: string; title?: string }
    | { type: 'source'; sourceType: 'document'; id: string; mediaType: string; title: string }
  );
export type AiFile = Metadata & { type: 'file'; mediaType: string; data: AiFileData & { type: 'data' | 'url' } };
export type AiContent =
  | (Metadata & { type: 'text'; text: string })
  | (Metadata & { type: 'reasoning'; text: string })
  | AiFile
  | AiSource
  | AiToolCall;
export interface AiUsage {
  inputTokens: {
    total: number | undefined;
    noCache: number | undefined;
    cacheRead: number | undefined;
    cacheWrite: number | undefined;
  };
  outputTokens: { total: number | undefined; text: number | undefined; reasoning: number | undefined };
  raw?: Record<string, JSONValue | undefined>;
}
export interface AiFinish {
  unified: 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'error' | 'interrupted' | 'other';
  raw: string | undefined;
}
export interface AiResponseMetadata {
  id?: string;
  timestamp?: Date;
  modelId?: string;
}
export interface AiGenerateResult extends Metadata {
  content: AiContent[];
  finishReason: AiFinish;
  usage: AiUsage;
  response?: AiResponseMetadata & { headers?: Record<string, string>; body?: unknown };
  warnings: AiWarning[];
}
export type AiStreamPart =
  | (Metadata & { type: 'text-start' | 'reasoning-start' | 'text-end' | 'reasoning-end'; id: string })
  | (Metadata & { type: 'text-delta' | 'reasoning-delta' | 'tool-input-delta'; id: string; delta: string })
  | (Metadata & { type: 'tool-input-start'; id: string; toolName: string; providerExecuted?: boolean })
  | (Metadata & { type: 'tool-input-end'; id: string })
  | AiToolCall
  | AiFile
  | AiSource
  | { type: 'stream-start'; warnings: AiWarning[] }
  | ({ type: 'response-metadata' } & AiResponseMetadata)
  | (Metadata & { type: 'finish'; usage: AiUsage; finishReason: AiFinish })
  | { type: 'raw'; rawValue: unknown }
  | { type: 'error'; error: unknown };

/** A language model as the AI SDK calls one. */
export interface AiLanguageModel {
  readonly specificationVersion: 'v4';
  readonly provider: string;
  readonly modelId: string;
  supportedUrls: Record<string, RegExp[]> | PromiseLike<Record<string, RegExp[]>>;
  doGenerate(options: AiCallOptions): PromiseLike<AiGenerateResult>;
  doStream(options: AiCallOptions): PromiseLike<{ stream: ReadableStream<AiStreamPart> }>;
}
/** An embedding model as the AI SDK calls one. */
export interface AiEmbeddingModel {
  readonly specificationVersion: 'v4';
  readonly provider: string;
  readonly modelId: string;
  readonly maxEmbeddingsPerCall: number | undefined | PromiseLike<number | undefined>;
  readonly supportsParallelCalls: boolean | PromiseLike<boolean>;
  doEmbed(options: {
    values: string[];
    dimensions?: number;
    abortSignal?: AbortSignal;
    providerOptions?: AiMetadata;
    headers?: Record<string, string | undefined>;
  }): PromiseLike<{
    embeddings: number[][];
    usage?: { tokens: number };
    providerMetadata?: AiMetadata;
    warnings: AiWarning[];
  }>;
}

/** Any language model of the AI SDK: its answers may hold more than is read here. */
export interface AnyLanguageModel {
  readonly provider: string;
  readonly modelId: string;
  doGenerate(options: never): PromiseLike<object>;
  doStream(options: never): PromiseLike<object>;
}
/** Any embedding model of the AI SDK. */
export interface AnyEmbeddingModel {
  readonly provider: string;
  readonly modelId: string;
  doEmbed(options: never): PromiseLike<object>;
}
