import type { DialectEnvironment } from '../../../src/core/dialect.ts';
import type { ChatRequest } from '../../../src/operations/chat.ts';
import type { AssistantMessage, Message } from '../../../src/operations/chat-parts.ts';
import { chat, environment } from './support.ts';

export const hello: Message = { role: 'user', content: [{ type: 'text', text: 'hello' }] };
export const weather = { type: 'function' as const, name: 'weather', input: { type: 'object' } };

export function call(id: string): AssistantMessage {
  return { role: 'assistant', content: [{ type: 'tool-call', id, name: 'weather', args: { city: 'Rome' } }] };
}
export function result(callId: string): Message {
  return { role: 'tool', content: [{ type: 'tool-result', callId, content: 'sun' }] };
}

/** Encodes a request that says hello, with whatever else is given. */
export function encode(request: Partial<ChatRequest>, model?: string, more: Partial<DialectEnvironment> = {}) {
  return chat.encodeRequest({ model: 'alias', messages: [hello], ...request }, environment(model, more));
}
/** The body alone, as loosely typed as JSON is. */
export function body(request: Partial<ChatRequest>, model?: string, more?: Partial<DialectEnvironment>) {
  return encode(request, model, more).body as Record<string, any>;
}
/** Code and feature of every warning. */
export function codes(request: Partial<ChatRequest>, model?: string): string[] {
  return encode(request, model).warnings.map((warning) => `${warning.code} ${warning.feature}`);
}
