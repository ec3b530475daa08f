import type { Scope } from '../../core/call.ts';
import type { ChatRequest } from '../../operations/chat.ts';
import type { EmbedRequest } from '../../operations/embed.ts';
import type { Operations } from '../../operations/index.ts';

export type MockedOperation = 'chat' | 'embed';

/** One call as a mock saw it: what scripts match on and tests look at. */
export interface MockCall<K extends MockedOperation = MockedOperation> {
  /** From 1, in order of arrival. */
  readonly number: number;
  readonly operation: K;
  readonly provider: string;
  readonly model: string;
  /** Name of the key its target chose. */
  readonly credential?: string;
  /** The request in normal form. */
  readonly request: Operations[K]['request'];
  /** The text of the last user message, or the texts to embed, one a line. */
  readonly text: string;
  /** All system text. */
  readonly system: string;
  /** Names of the tools offered. */
  readonly tools: readonly string[];
  /** Names of the tools whose results stand after the last user message. */
  readonly toolResults: readonly string[];
  readonly stream: boolean;
  readonly scope: Scope;
  /** Headers as they came, lower case; empty without HTTP. */
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON body as it came over HTTP. */
  readonly body?: unknown;
}

type Facts = Omit<MockCall, 'text' | 'system' | 'tools' | 'toolResults' | 'operation' | 'request'>;

/** A chat call with what scripts match on picked out of its request. */
export function chatMockCall(request: ChatRequest, facts: Facts): MockCall<'chat'> {
  const { messages } = request;
  // Anthropic sends tool results as a user message; what the user said stands before them.
  const lastUser = messages.findLastIndex(({ role, content }) => role === 'user' && textsOf(content) !== '');
  const names = new Map<string, string>();
  for (const { content } of messages) {
    for (const part of content) if (part.type === 'tool-call') names.set(part.id, part.name);
  }
  const toolResults = messages
    .slice(lastUser + 1)
    .flatMap((message) =>
      message.role !== 'tool'
        ? []
        : message.content.flatMap((part) =>
            part.type === 'tool-result' ? [part.name ?? names.get(part.callId) ?? part.callId] : [],
          ),
    );
  const inline = messages.filter(({ role }) => role === 'system' || role === 'developer');
  return {
    ...facts,
    operation: 'chat',
    request,
    text: lastUser === -1 ? '' : textsOf(messages[lastUser]?.content ?? []),
    system: [...(request.system ?? []).map(({ text }) => text), ...inline.map(({ content }) => textsOf(content))].join(
      '\n',
    ),
    tools: (request.tools ?? []).map((tool) => ('server' in tool ? tool.server : (tool.name ?? tool.type))),
    toolResults,
  };
}

export function embedMockCall(request: EmbedRequest, facts: Facts): MockCall<'embed'> {
  const text = request.input.join('\n');
  return { ...facts, operation: 'embed', request, text, system: '', tools: [], toolResults: [] };
}

export function isChat(call: MockCall): call is MockCall<'chat'> {
  return call.operation === 'chat';
}

function textsOf(content: readonly { readonly type: string }[]): string {
  return content.flatMap((part) => (part.type === 'text' ? [(part as { text?: string }).text ?? ''] : [])).join('\n');
}
