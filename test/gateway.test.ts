import { describe, expect, it } from 'vitest';
import { createGateway, isGatewayError } from '../src/index.ts';
import { openai } from '../src/providers/openai/index.ts';
import { anthropic } from '../src/providers/anthropic/index.ts';

const sse = (events: readonly unknown[], done = true): Response =>
  new Response(
    `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}${done ? 'data: [DONE]\n\n' : ''}`,
    {
      headers: { 'content-type': 'text/event-stream' },
    },
  );
const chunk = (delta: object, finish: string | null = null): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-test',
  choices: [{ index: 0, delta, finish_reason: finish }],
});

describe('a gateway over fake fetch', () => {
  for (const transport of ['fetch', 'sdk'] as const) {
    it(`answers a plain call over ${transport}`, async () => {
      const bodies: unknown[] = [];
      const gateway = createGateway({
        providers: [
          openai({
            transport,
            api: 'chat',
            apiKey: 'sk-test-key-123456',
            fetch: async (_url, init) => {
              bodies.push(JSON.parse(String(init.body)));
              return Response.json({
                id: 'chatcmpl-1',
                object: 'chat.completion',
                created: 1,
                model: 'gpt-test',
                choices: [
                  { index: 0, message: { role: 'assistant', content: 'Rhine, Elbe, Oder' }, finish_reason: 'stop' },
                ],
                usage: { prompt_tokens: 10, completion_tokens: 6, total_tokens: 16 },
              });
            },
          }),
        ],
        models: { default: 'openai/gpt-test' },
      });
      const response = await gateway.chat('Name three rivers.');
      expect(response.text).toBe('Rhine, Elbe, Oder');
      expect(response.finish.reason).toBe('stop');
      expect(response.usage).toMatchObject({ input: 10, output: 6, quality: 'reported' });
      expect(response.target).toEqual({ provider: 'openai', model: 'gpt-test' });
      expect(response.attempts).toHaveLength(1);
      expect(bodies).toEqual([{ model: 'gpt-test', messages: [{ role: 'user', content: 'Name three rivers.' }] }]);
    });

    it(`streams over ${transport}, and a cut stream is an error`, async () => {
      let cut = false;
      const gateway = createGateway({
        providers: [
          openai({
            transport,
            api: 'chat',
            apiKey: 'sk-test-key-123456',
            fetch: async () =>
              cut
                ? sse([chunk({ content: 'Rhi' })], false)
                : sse([
                    chunk({ role: 'assistant', content: '' }),
                    chunk({ content: 'Rhi' }),
                    chunk({ content: 'ne' }, 'stop'),
                  ]),
          }),
        ],
        models: { default: 'openai/gpt-test' },
      });
      const pieces: string[] = [];
      const stream = gateway.stream('River?');
      for await (const text of stream.text) pieces.push(text);
      expect(pieces).toEqual(['Rhi', 'ne']);
      expect((await stream.response).text).toBe('Rhine');
      cut = true;
      const broken = gateway.stream('River?');
      await expect(broken.response).rejects.toSatisfy(
        (error) => isGatewayError(error, 'stream-interrupted') && error.partial?.message.content.length === 1,
      );
    });

    it(`takes the fallback when the first provider is overloaded, over ${transport}`, async () => {
      const gateway = createGateway({
        providers: [
          openai({
            transport,
            apiKey: 'sk-test-key-123456',
            fetch: async () => Response.json({ error: { message: 'try later' } }, { status: 503 }),
          }),
          anthropic({
            transport,
            apiKey: 'sk-ant-test',
            fetch: async () =>
              Response.json({
                id: 'msg_1',
                type: 'message',
                role: 'assistant',
                model: 'claude-test',
                content: [{ type: 'text', text: 'Elbe' }],
                stop_reason: 'end_turn',
                stop_sequence: null,
                usage: { input_tokens: 5, output_tokens: 2 },
              }),
          }),
        ],
        models: { default: ['openai/gpt-test', 'anthropic/claude-test'] },
      });
      const response = await gateway.chat('River?');
      expect(response.text).toBe('Elbe');
      expect(response.attempts.map((attempt) => [attempt.outcome, attempt.code])).toEqual([
        ['failed', 'overloaded'],
        ['completed', undefined],
      ]);
    });
  }
});
