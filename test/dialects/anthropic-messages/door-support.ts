import Anthropic from '@anthropic-ai/sdk';
import type { OutputPart } from '../../../src/operations/chat-parts.ts';
import type { ChatResponse, Finish } from '../../../src/operations/chat.ts';
import { usageOf } from '../../../src/operations/usage.ts';
import { environment } from './support.ts';

export const PROTOCOL = 'anthropic-messages';

export function response(
  content: readonly OutputPart[],
  finish: Finish = { reason: 'stop', raw: 'end_turn' },
  protocol = PROTOCOL,
): ChatResponse {
  const id = protocol === PROTOCOL ? 'msg_1' : 'resp_1';
  return {
    id,
    model: 'model-x',
    createdAt: new Date(environment().nowMs).toISOString(),
    requestId: 'req_1',
    message: {
      role: 'assistant',
      content,
      origin: { protocol, provider: 'anthropic', model: 'model-x', responseId: id },
    },
    finish,
    usage: usageOf([{ model: 'model-x', role: 'main', tokens: { input: 3, output: 4 } }]),
    warnings: [],
  };
}

export async function read(sse: string): Promise<Anthropic.Message> {
  const client = new Anthropic({
    apiKey: 'test',
    maxRetries: 0,
    fetch: async () => new Response(sse, { headers: { 'content-type': 'text/event-stream' } }),
  });
  return client.messages
    .stream({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] })
    .finalMessage();
}
