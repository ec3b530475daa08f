import type { CacheHint, Json, Native, Protocol, Source } from './shared.ts';

interface PartBase {
  /** Prompt-cache breakpoint after this part. */
  readonly cache?: CacheHint;
  readonly native?: Native;
  /** Hash of the semantic fields, set by decoding; a part that was edited afterwards loses its sealed data on encode. */
  readonly stamp?: string;
}

export interface TextPart extends PartBase {
  readonly type: 'text';
  readonly text: string;
  readonly citations?: readonly Citation[];
  readonly phase?: 'commentary' | 'final';
}
export interface ImagePart extends PartBase {
  readonly type: 'image';
  readonly source: Source;
  readonly mediaType?: string;
  readonly detail?: 'auto' | 'low' | 'high' | 'original';
}
export interface AudioPart extends PartBase {
  readonly type: 'audio';
  readonly source: Source;
  readonly mediaType?: string;
  readonly transcript?: string;
  readonly id?: string;
}
export interface VideoPart extends PartBase {
  readonly type: 'video';
  readonly source: Source;
  readonly mediaType?: string;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly fps?: number;
}
/** A file or document (PDF, text) for the model to read. */
export interface FilePart extends PartBase {
  readonly type: 'file';
  readonly source: Source;
  readonly mediaType?: string;
  readonly filename?: string;
  readonly title?: string;
  readonly context?: string;
  /** Asks for citations into this document. */
  readonly cite?: boolean;
}
export interface RefusalPart extends PartBase {
  readonly type: 'refusal';
  readonly text: string;
  readonly category?: string;
}
/** Model thinking. `sealed` is the opaque blob its provider wants back on the next turn. */
export interface ReasoningPart extends PartBase {
  readonly type: 'reasoning';
  /** `''` when only sealed data came. */
  readonly text: string;
  readonly form: 'full' | 'summary' | 'redacted';
  readonly sealed?: { readonly kind: 'signature' | 'encrypted' | 'redacted'; readonly value: string };
  readonly id?: string;
}
export interface ToolCallPart extends PartBase {
  readonly type: 'tool-call';
  /** Unique in the conversation; minted (`ptn_…`) where the wire has none. */
  readonly id: string;
  readonly name: string;
  /** Parsed arguments; a string for freeform tools; `null` when `invalid`. */
  readonly args: Json;
  /** The exact argument text of protocols that send text. */
  readonly argsText?: string;
  /** Present when the argument text was not JSON. Such a call must not be executed. */
  readonly invalid?: { readonly message: string };
  /** Who runs it. Default `client`. */
  readonly executor?: 'client' | 'provider';
  /** MCP server label, toolset or namespace. */
  readonly server?: string;
  readonly callerId?: string;
  readonly sealed?: { readonly kind: 'signature'; readonly value: string };
}
export type ToolResultItem =
  | TextPart
  | ImagePart
  | AudioPart
  | VideoPart
  | FilePart
  | { readonly type: 'json'; readonly value: Json; readonly native?: Native };
export interface ToolResultPart extends PartBase {
  readonly type: 'tool-result';
  readonly callId: string;
  /** Filled in from the matching call. */
  readonly name?: string;
  readonly content: string | readonly ToolResultItem[];
  readonly isError?: boolean;
  /** MCP `structuredContent`. */
  readonly structured?: Json;
  readonly executor?: 'client' | 'provider';
}
export interface ApprovalRequestPart extends PartBase {
  readonly type: 'approval-request';
  readonly id: string;
  readonly name: string;
  readonly args: Json;
  readonly server?: string;
}
export interface ApprovalResponsePart extends PartBase {
  readonly type: 'approval-response';
  readonly requestId: string;
  readonly approved: boolean;
  readonly reason?: string;
}
/** A whole block with no canonical meaning. Verbatim to its own protocol, or nothing. */
export interface NativePart {
  readonly type: 'native';
  readonly protocol: Protocol;
  readonly value: Json;
  readonly fallbackText?: string;
  readonly native?: Native;
}

export type InputPart = TextPart | ImagePart | AudioPart | VideoPart | FilePart | NativePart;
export type OutputPart =
  | TextPart
  | ReasoningPart
  | RefusalPart
  | ToolCallPart
  | ToolResultPart
  | ImagePart
  | AudioPart
  | VideoPart
  | FilePart
  | ApprovalRequestPart
  | NativePart;
export type Part = InputPart | OutputPart | ApprovalResponsePart;

/** Offsets are UTF-16 code units into the text of the part that carries the citation. */
export interface Citation {
  readonly start?: number;
  readonly end?: number;
  readonly quote?: string;
  readonly source:
    | { readonly kind: 'url'; readonly url: string; readonly title?: string }
    | {
        readonly kind: 'document';
        readonly index?: number;
        readonly fileId?: string;
        readonly title?: string;
        readonly pages?: readonly [number, number];
        readonly chars?: readonly [number, number];
        readonly blocks?: readonly [number, number];
      }
    | { readonly kind: 'tool'; readonly callId?: string; readonly output?: Json };
  readonly native?: Native;
}

interface MessageBase {
  readonly name?: string;
  readonly cache?: CacheHint;
  readonly native?: Native;
}
export interface SystemMessage extends MessageBase {
  readonly role: 'system' | 'developer';
  readonly content: readonly (TextPart | NativePart)[];
}
export interface UserMessage extends MessageBase {
  readonly role: 'user';
  readonly content: readonly (InputPart | ApprovalResponsePart)[];
}
export interface ToolMessage extends MessageBase {
  readonly role: 'tool';
  readonly content: readonly (ToolResultPart | NativePart)[];
}
export interface AssistantMessage extends MessageBase {
  readonly role: 'assistant';
  readonly content: readonly OutputPart[];
  /** Where it was generated. Absent means written by hand: nothing sealed may be replayed. */
  readonly origin?: {
    readonly protocol: Protocol;
    readonly provider: string;
    readonly model: string;
    readonly responseId?: string;
  };
  /** Last message only: the model continues from this text. */
  readonly prefix?: boolean;
}
export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;
