import type { CachedFacts, PlainReply } from './core/call.ts';
import { type CallCost, costKey } from './core/cost.ts';
import type { AttemptRecord } from './core/errors.ts';
import { type ChatResponse, textOf, toolCallsOf } from './operations/chat.ts';
import type { ToolCallPart } from './operations/chat-parts.ts';
import type { EmbedResponse } from './operations/embed.ts';
import type { Target } from './operations/shared.ts';

export { type CallCost, costKey };

interface Served {
  readonly target: Target;
  /** Every attempt of the call, as it happened. */
  readonly attempts: readonly AttemptRecord[];
  readonly cost: CallCost | null;
  readonly cached?: CachedFacts;
}

/** The answer to a chat call, as users get it. */
export interface GatewayChatResponse<T = unknown> extends ChatResponse, Served {
  /** All visible text. */
  readonly text: string;
  /** Calls for you to answer, with parsed arguments. */
  readonly toolCalls: readonly ToolCallPart[];
  /** The parsed and checked structured output, when the request asked for one. */
  readonly output?: T;
}

export interface GatewayEmbedResponse extends EmbedResponse, Served {
  /** The vectors in order of the inputs. For text encodings see `embeddings`. */
  readonly vectors: readonly (readonly number[])[];
}

interface ReplyFacts {
  readonly target: Target;
  readonly attempts: readonly AttemptRecord[];
  readonly cached?: CachedFacts;
}

export function chatResponseOf(
  response: ChatResponse,
  reply: ReplyFacts,
  cost: CallCost | null,
  output?: unknown,
): GatewayChatResponse {
  return {
    ...response,
    text: textOf(response.message),
    toolCalls: toolCallsOf(response.message),
    target: reply.target,
    attempts: [...reply.attempts],
    cost,
    ...(reply.cached !== undefined && { cached: reply.cached }),
    ...(output !== undefined && { output }),
  };
}

export function embedResponseOf(reply: PlainReply<'embed'>, cost: CallCost | null): GatewayEmbedResponse {
  const { response } = reply;
  return {
    ...response,
    vectors: response.embeddings.map(({ vector }) => (typeof vector === 'string' ? [] : vector)),
    target: reply.target,
    attempts: [...reply.attempts],
    cost,
    ...(reply.cached !== undefined && { cached: reply.cached }),
  };
}
