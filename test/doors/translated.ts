import { createGateway } from '../../src/index.ts';
import type { Warning } from '../../src/operations/shared.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { openaiCompatible } from '../../src/providers/openai-compatible/index.ts';
import * as up from './upstream.ts';

const PATHS = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' } as const;
const TARGETS = {
  chat: 'openai/gpt-test',
  responses: 'stateful/gpt-test',
  messages: 'anthropic/claude-sonnet-4-5',
  groq: 'groq/openai/gpt-oss-120b',
} as const;
export const SAID = { role: 'user', content: 'Name a river.' };
export const said = (...content: object[]) => ({
  messages: [{ role: 'user', content: [...content, { type: 'text', text: 'So?' }] }],
});

/** Asks through the door of one protocol for a target of another. */
export async function ask(from: keyof typeof PATHS, to: keyof typeof TARGETS, body: object, answer?: () => Response) {
  const { fetch, seen } = up.upstream(({ url, body: sent }) => {
    if (answer !== undefined) return answer();
    const stream = JSON.parse(sent).stream === true;
    if (url.endsWith('/messages')) return stream ? up.sse(up.messageEvents()) : up.json(up.message());
    if (url.endsWith('/responses')) return stream ? up.sse(up.responseEvents()) : up.json(up.responseObject());
    return stream ? up.sse(up.completionChunks()) : up.json(up.completion());
  });
  const over = { apiKey: 'sk-0123456789abcdef', transport: 'fetch', fetch: fetch as never } as const;
  const gateway = createGateway({
    providers: [
      openai({ ...over, api: 'chat' }),
      openai({ ...over, api: 'responses', name: 'stateful' }),
      openaiCompatible({ ...over, name: 'groq' }),
      anthropic(over),
    ],
    models: { other: TARGETS[to] },
    use: [],
  });
  const warnings: Warning[] = [];
  gateway.on('warning', ({ warning }) => void warnings.push(warning));
  const response = await gateway.fetch(`https://anywhere.test${PATHS[from]}`, {
    method: 'POST',
    body: JSON.stringify({ model: 'other', max_tokens: 64, ...body }),
  });
  const text = await response.text();
  const sent = seen[0] === undefined ? undefined : JSON.parse(seen[0].body);
  return { response, text, sent, seen, warnings, places: warnings.map(({ path, feature }) => path ?? feature) };
}
