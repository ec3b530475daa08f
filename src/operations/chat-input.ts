import type { ChatRequest, OutputFormat, FunctionTool, Tool, Effort, ReasoningOptions } from './chat.ts';
import type {
  ApprovalResponsePart,
  AssistantMessage,
  FilePart,
  ImagePart,
  AudioPart,
  VideoPart,
  InputPart,
  NativePart,
  OutputPart,
  TextPart,
  ToolResultPart,
} from './chat-parts.ts';
import type { SchemaLike } from './schema.ts';
import type { CacheHint, Native, Source } from './shared.ts';

/** Bytes, a `data:` or `https:` URL, or a source in normal form. */
export type SourceInput = Source | string | URL | Uint8Array;
type Media<P extends { readonly source: Source }> = Omit<P, 'source'> & { readonly source: SourceInput };
export type InputPartInput =
  | TextPart
  | Media<ImagePart>
  | Media<AudioPart>
  | Media<VideoPart>
  | Media<FilePart>
  | NativePart
  | ApprovalResponsePart;

interface MessageInputBase {
  readonly name?: string;
  readonly cache?: CacheHint;
  readonly native?: Native;
}
/** A message as people write it: `content` may be a string. */
export type MessageInput =
  | (MessageInputBase & {
      readonly role: 'system' | 'developer';
      readonly content: string | readonly (TextPart | NativePart)[];
    })
  | (MessageInputBase & { readonly role: 'user'; readonly content: string | readonly InputPartInput[] })
  | (Omit<AssistantMessage, 'content'> & { readonly content: string | readonly OutputPart[] })
  | (MessageInputBase & { readonly role: 'tool'; readonly content: readonly (ToolResultPart | NativePart)[] });

/** A function tool as people write it: `input` takes any Standard Schema (zod, valibot, …) or JSON Schema. */
export interface FunctionToolInput extends Omit<FunctionTool, 'type' | 'input' | 'output'> {
  readonly type?: 'function';
  readonly input?: SchemaLike;
  readonly output?: SchemaLike;
}
export type ToolInput = FunctionToolInput | Exclude<Tool, FunctionTool>;

export type OutputInput<T = unknown> =
  | 'text'
  | 'json'
  | SchemaLike<T>
  | (Omit<Extract<OutputFormat, { type: 'schema' }>, 'schema' | 'name'> & {
      readonly schema: SchemaLike<T>;
      readonly name?: string;
    })
  | Exclude<OutputFormat, { type: 'schema' }>;

/** A chat request as people write it. A string or a list of messages is short for one with the default model. */
export interface ChatRequestInput<T = unknown>
  extends Partial<Omit<ChatRequest, 'system' | 'messages' | 'tools' | 'output' | 'reasoning' | 'stop'>> {
  /** An alias, `provider/model` or a bare model. @defaultValue the alias `default` */
  readonly model?: string;
  /** Short for one user message at the end. */
  readonly prompt?: string | readonly InputPartInput[];
  readonly system?: string | readonly TextPart[];
  readonly messages?: readonly MessageInput[];
  readonly tools?: readonly ToolInput[];
  /** What the answer has to look like; a schema makes `response.output` parsed, checked and typed. */
  readonly output?: OutputInput<T>;
  /** An effort, `false` for none, or all options. */
  readonly reasoning?: Effort | false | ReasoningOptions;
  readonly stop?: string | readonly string[];
}
export type ChatInput<T = unknown> = string | readonly MessageInput[] | ChatRequestInput<T>;

/** An embedding request as people write it. */
export interface EmbedInput {
  readonly model?: string;
  readonly input: string | readonly string[];
  readonly purpose?: string;
  readonly dimensions?: number;
  readonly encoding?: 'float' | 'base64' | 'int8' | 'uint8' | 'binary' | 'ubinary';
  readonly user?: string;
  readonly native?: Native;
}

export type { InputPart };
