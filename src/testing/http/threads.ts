import { GatewayError } from '../../core/errors.ts';
import { recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatRequest, ChatResponse } from '../../operations/chat.ts';
import type { MockProtocol } from '../wire/protocols.ts';

/** Conversations a mock remembers; the oldest is forgotten first. */
const THREADS_MAX = 1_000;

/** What the vendors keep between requests: Anthropic's `thread`, and OpenAI's `previous_response_id`. */
export interface Threads {
  /** The whole request of one that sends only what is new. */
  continued(request: ChatRequest, body: unknown): ChatRequest;
  /** Keeps a request and its answer, if its protocol would. */
  keep(request: ChatRequest, response: ChatResponse, body: unknown, protocol: MockProtocol): void;
}

export function createThreads(): Threads {
  const kept = new Map<string, ChatRequest>();
  return {
    continued(request, body) {
      const thread = recordOf(recordOf(body)?.['thread']);
      const previous = stringOf(thread?.['previous_message_id']) ?? request.conversation?.previousResponseId;
      if (previous === undefined) return request;
      const before = kept.get(previous);
      if (before === undefined) {
        throw new GatewayError('not-found', `The mock has sent no answer ${previous} to continue from.`);
      }
      const messages = [...before.messages, ...request.messages];
      if (thread === undefined) return { ...request, messages };
      // A thread keeps its system text and tools; they may not be sent again.
      const { system = before.system, tools = before.tools } = request;
      return { ...request, messages, ...(system !== undefined && { system }), ...(tools !== undefined && { tools }) };
    },
    keep(request, response, body, protocol) {
      const record = recordOf(body);
      const stored = protocol === 'openai-responses' ? record?.['store'] !== false : record?.['thread'] !== undefined;
      if (!stored) return;
      kept.set(response.id, { ...request, messages: [...request.messages, response.message] });
      if (kept.size > THREADS_MAX) kept.delete(kept.keys().next().value as string);
    },
  };
}
