import type { ChatEvent } from './chat-events.ts';
import type { ChatRequest, ChatResponse } from './chat.ts';
import type { EmbedRequest, EmbedResponse } from './embed.ts';

/**
 * The table of operations, open by declaration merging: a new operation adds its three types here and its traits
 * through `defineOperation`.
 */
export interface Operations {
  readonly chat: { readonly request: ChatRequest; readonly response: ChatResponse; readonly event: ChatEvent };
  readonly embed: { readonly request: EmbedRequest; readonly response: EmbedResponse; readonly event: never };
  readonly raw: { readonly request: RawRequest; readonly response: RawResponse; readonly event: never };
}
export type OperationName = keyof Operations;

/** What a door does not understand: it passes untouched, visible to policy by its method and path only. */
export interface RawRequest {
  readonly model: string;
  readonly method: string;
  readonly path: string;
}
export interface RawResponse {
  readonly status: number;
}
