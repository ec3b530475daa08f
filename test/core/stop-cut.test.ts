import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/index.ts';
import type { ChatEvent } from '../../src/operations/chat-events.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { checkGrammar } from '../operations/grammar.ts';

const TEXT = 'One two END three four';
const response = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'gpt-test',
  status: 'completed',
  error: null,
  incomplete_details: null,
  output: [
    {
      type: 'message',
      id: 'm1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: TEXT, annotations: [] }],
    },
  ],
  usage: { input_tokens: 5, output_tokens: 9, total_tokens: 14 },
};

function gatewayFor(deltas: readonly string[]) {
  const item = { type: 'message', id: 'm1', role: 'assistant', status: 'in_progress', content: [] };
  const list = [
    { type: 'response.created', response: { ...response, status: 'in_progress', output: [], usage: null } },
    { type: 'response.output_item.added', output_index: 0, item },
    {
      type: 'response.content_part.added',
      output_index: 0,
      content_index: 0,
      item_id: 'm1',
      part: { type: 'output_text', text: '', annotations: [] },
    },
    ...deltas.map((delta) => ({
      type: 'response.output_text.delta',
      output_index: 0,
      content_index: 0,
      item_id: 'm1',
      delta,
    })),
    {
      type: 'response.content_part.done',
      output_index: 0,
      content_index: 0,
      item_id: 'm1',
      part: response.output[0]?.content[0],
    },
    { type: 'response.output_item.done', output_index: 0, item: response.output[0] },
    { type: 'response.completed', response },
  ];
  const sse = list.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  const provider = openai({
    transport: 'fetch',
    apiKey: 'sk-test-0123456789',
    fetch: async (_url, init) =>
      String(init.body).includes('"stream":true')
        ? new Response(sse, { headers: { 'content-type': 'text/event-stream' } })
        : Response.json(response),
  });
  return createGateway({ providers: [provider], models: { default: 'openai/gpt-test' } });
}

describe('E08: stop sequences where the protocol has none', () => {
  it('cuts a stream at every split of the sequence, and the usage is whole', async () => {
    for (let at = 1; at < TEXT.length; at++) {
      const events: ChatEvent[] = [];
      const stream = gatewayFor([TEXT.slice(0, at), TEXT.slice(at)]).stream({ prompt: 'x', stop: ['END', 'ENDING'] });
      for await (const event of stream) events.push(event);
      checkGrammar(events);
      const whole = await stream.response;
      expect(whole.text, `split at ${at}`).toBe('One two ');
      expect(whole.finish).toMatchObject({ reason: 'stop', stopSequence: 'END' });
      expect(whole.usage.output).toBe(9);
      expect(
        events
          .filter((event) => event.type === 'text-delta')
          .map((event) => event.text)
          .join(''),
      ).toBe('One two ');
    }
  });

  it('cuts a plain answer the same, and warns', async () => {
    const { text, finish, warnings } = await gatewayFor([]).chat({ prompt: 'x', stop: 'END' });
    expect(text).toBe('One two ');
    expect(finish.stopSequence).toBe('END');
    expect(warnings.some((warning) => warning.feature === 'stop')).toBe(true);
  });

  it('leaves an answer without the sequence as it is', async () => {
    expect((await gatewayFor([]).chat({ prompt: 'x', stop: 'nowhere' })).text).toBe(TEXT);
    expect(
      (await gatewayFor(['One two ', 'END three four']).stream({ prompt: 'x', stop: 'nowhere' }).response).text,
    ).toBe(TEXT);
  });
});
