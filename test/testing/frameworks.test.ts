import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, Output, streamText } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { mockServer, type MockServer } from '../../src/testing/index.ts';

/** Frameworks that know nothing of us, against the mock server: they must not be able to tell. */
let server: MockServer;
beforeAll(async () => {
  server = await mockServer();
  server.on('three rivers').reply('The Rhine, the Elbe and the Oder.').always();
  server.on('Plan a trip').output({ city: 'Oslo', days: 3 }).always();
  server.on('weather').callTool('get_weather', { city: 'Oslo' }).always();
});
afterAll(() => server.close());

describe('the AI SDK', () => {
  const provider = () => createOpenAI({ apiKey: 'any', baseURL: server.openaiURL });
  for (const [api, model] of [
    ['chat', () => provider().chat('mock-large')],
    ['responses', () => provider().responses('mock-large')],
  ] as const) {
    it(`generates and streams text over ${api}`, async () => {
      const plain = await generateText({ model: model(), prompt: 'Name three rivers.' });
      expect(plain.text).toBe('The Rhine, the Elbe and the Oder.');
      expect(plain.usage.outputTokens).toBeGreaterThan(0);
      let text = '';
      for await (const piece of streamText({ model: model(), prompt: 'Name three rivers.' }).textStream) text += piece;
      expect(text).toBe(plain.text);
    });
    it(`reads structured output over ${api}`, async () => {
      const schema = z.object({ city: z.string(), days: z.number() });
      const { output } = await generateText({
        model: model(),
        prompt: 'Plan a trip.',
        output: Output.object({ schema }),
      });
      expect(output).toEqual({ city: 'Oslo', days: 3 });
    });
    it(`sees a tool call over ${api}`, async () => {
      const tools = { get_weather: { inputSchema: z.object({ city: z.string() }) } };
      const { toolCalls } = await generateText({ model: model(), prompt: 'How is the weather?', tools });
      expect(toolCalls.map(({ toolName, input }) => [toolName, input])).toEqual([['get_weather', { city: 'Oslo' }]]);
    });
  }
});

describe('LangChain', () => {
  const model = () =>
    new ChatOpenAI({ apiKey: 'any', model: 'mock-large', configuration: { baseURL: server.openaiURL } });
  it('invokes, streams and calls tools', async () => {
    expect((await model().invoke('Name three rivers.')).content).toBe('The Rhine, the Elbe and the Oder.');
    let text = '';
    for await (const piece of await model().stream('Name three rivers.')) text += String(piece.content);
    expect(text).toBe('The Rhine, the Elbe and the Oder.');
    const tool = {
      type: 'function' as const,
      function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
    };
    const answer = await model().bindTools([tool]).invoke('How is the weather?');
    expect(answer.tool_calls?.map((call) => [call.name, call.args])).toEqual([['get_weather', { city: 'Oslo' }]]);
  });
  it('reads structured output', async () => {
    const schema = z.object({ city: z.string(), days: z.number() });
    expect(await model().withStructuredOutput(schema, { method: 'jsonSchema' }).invoke('Plan a trip.')).toEqual({
      city: 'Oslo',
      days: 3,
    });
  });
});
