import Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createGateway } from '../../src/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { ask, SAID } from './translated.ts';
import * as up from './upstream.ts';

describe('what an answer ends with that another protocol has no word for', () => {
  const answer = (stop_reason: string, content: object[] = []) => ({ ...up.message('', content), stop_reason });
  const streamed = (stop_reason: string, blocks: { type: string }[] = []) =>
    up.sse(
      up.namedEvents([
        { type: 'message_start', message: answer(stop_reason) } as { type: string },
        ...blocks,
        { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 6 } } as {
          type: string;
        },
        { type: 'message_stop' },
      ]),
    );
  const said = { type: 'text', text: 'So far.' };

  it.each([
    ['a refusal without words', 'refusal', [], 'content_filter', 'content_filter'],
    ['a turn to go on with', 'pause_turn', [said], 'length', 'max_messages'],
  ] as const)('%s is no whole answer', async (_, reason, content, word, detail) => {
    const blocks = content.flatMap((block) => [
      { type: 'content_block_start', index: 0, content_block: block },
      { type: 'content_block_stop', index: 0 },
    ]);
    for (const reply of [() => up.json(answer(reason, [...content])), () => streamed(reason, blocks)]) {
      const stream = reply().headers.get('content-type') !== 'application/json';
      const chat = await ask('chat', 'messages', { messages: [SAID], stream }, reply);
      expect(chat.text).toContain(`"finish_reason":"${word}"`);
      const responses = await ask('responses', 'messages', { input: 'x', stream }, reply);
      expect(responses.text).toContain(`"incomplete_details":{"reason":"${detail}"}`);
    }
  });

  it('numbers beyond what JSON numbers hold stay as the model streamed them', async () => {
    const block = { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} };
    const delta = { type: 'input_json_delta', partial_json: '{"id": 9007199254740993}' };
    const reply = () =>
      streamed('tool_use', [
        { type: 'content_block_start', index: 0, content_block: block } as { type: string },
        { type: 'content_block_delta', index: 0, delta } as { type: string },
        { type: 'content_block_stop', index: 0 } as { type: string },
      ]);
    const { text } = await ask('responses', 'messages', { input: 'x', stream: true }, reply);
    const last = JSON.parse(text.split('data: ').at(-1) as string);
    expect(last.response.output[0].arguments).toBe('{"id": 9007199254740993}');
    expect(text).not.toContain('9007199254740992');
  });
});

describe('a conversation the provider keeps', () => {
  it('is sent again as a whole by Anthropic’s tool runner, when another provider answers', async () => {
    const { fetch, seen } = up.upstream(({ body }) =>
      up.json(
        body.includes('"role":"tool"') ? up.completion('Cold.') : up.toolCallCompletion('weather', '{"city":"Oslo"}'),
      ),
    );
    const gateway = createGateway({
      providers: [openai({ apiKey: 'sk-0123456789abcdef', transport: 'fetch', fetch: fetch as never, api: 'chat' })],
      models: { other: 'openai/gpt-test' },
      use: [],
    });
    const client = new Anthropic({ apiKey: 'unused', fetch: gateway.fetch });
    const run = vi.fn(() => '3 degrees');
    const weather = betaZodTool({
      name: 'weather',
      description: 'w',
      inputSchema: z.object({ city: z.string() }),
      run,
    });
    const messages = [{ role: 'user' as const, content: 'Is it cold in Oslo?' }];
    const answer = await client.beta.messages.toolRunner({
      model: 'other',
      max_tokens: 64,
      messages,
      tools: [weather],
    });
    expect(answer.content).toMatchObject([{ type: 'text', text: 'Cold.' }]);
    expect(run).toHaveBeenCalledOnce();
    expect(seen).toHaveLength(2);
    const { messages: sent, tools } = JSON.parse(seen[1]?.body ?? '{}');
    expect(sent.map(({ role }: { role: string }) => role)).toEqual(['user', 'assistant', 'tool']);
    expect(tools).toHaveLength(1);
  });
});
