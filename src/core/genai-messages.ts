import type { ChatRequest, ChatResponse } from '../operations/chat.ts';
import type { Part } from '../operations/chat-parts.ts';
import { ATTRIBUTE } from './genai-conventions.ts';

/** Content in the shape of the GenAI conventions, by attribute name. */
export type GenAiContent = Record<string, readonly object[]>;

/** A view of a call's content, masked or not, as messages of the conventions. Of what is no chat, nothing. */
export function genAiContent(view: { readonly request?: unknown; readonly response?: unknown }): GenAiContent {
  const content: GenAiContent = {};
  const request = view.request as Partial<ChatRequest> | undefined;
  const response = view.response as Partial<ChatResponse> | undefined;
  if (Array.isArray(request?.messages)) {
    content[ATTRIBUTE.inputMessages] = request.messages.map(({ role, content: parts }) => ({
      role,
      parts: parts.map(partOf),
    }));
  }
  if (request?.system !== undefined) {
    content[ATTRIBUTE.systemInstructions] = request.system.map(({ text }) => ({ type: 'text', content: text }));
  }
  if (request?.tools !== undefined) {
    content[ATTRIBUTE.toolDefinitions] = request.tools.map((tool) => ({
      type: tool.type,
      ...('name' in tool && { name: tool.name }),
      ...('description' in tool && { description: tool.description }),
      ...('input' in tool && { parameters: tool.input }),
    }));
  }
  if (response?.message !== undefined) {
    const choices = response.choices ?? [{ message: response.message, finish: response.finish }];
    content[ATTRIBUTE.outputMessages] = choices.map(({ message, finish }) => ({
      role: 'assistant',
      parts: message.content.map(partOf),
      finish_reason: FINISH[finish?.reason ?? ''] ?? finish?.reason ?? 'error',
    }));
  }
  return content;
}

const FINISH: Readonly<Record<string, string>> = { 'tool-calls': 'tool_call', 'content-filter': 'content_filter' };

function partOf(part: Part): object {
  switch (part.type) {
    case 'text':
      return { type: 'text', content: part.text };
    case 'reasoning':
      return { type: 'reasoning', content: part.text };
    case 'refusal':
      return { type: 'refusal', content: part.text };
    case 'tool-call':
      return { type: 'tool_call', id: part.id, name: part.name, arguments: part.args ?? part.argsText };
    case 'tool-result':
      return { type: 'tool_call_response', id: part.callId, result: resultOf(part.content) };
    default:
      // Bytes of images, sound and files have no place in a trace.
      return { type: part.type };
  }
}

function resultOf(content: string | readonly { readonly type: string }[]): unknown {
  if (typeof content === 'string') return content;
  return content.map((item) => {
    if (item.type === 'text') return (item as { text?: string }).text;
    return item.type === 'json' ? (item as { value?: unknown }).value : { type: item.type };
  });
}

/** Messages as JSON text of at most so many characters: older messages go first, and what is left is valid JSON. */
export function boundedJson(messages: readonly object[], charactersMax: number): string {
  const texts = messages.map((message) => JSON.stringify(message));
  let length = 2;
  let first = texts.length;
  while (first > 0 && length + (texts[first - 1] as string).length + 1 <= charactersMax) {
    length += (texts[--first] as string).length + 1;
  }
  return `[${texts.slice(first).join(',')}]`;
}
