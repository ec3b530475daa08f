import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import { describe, expect, it } from 'vitest';
import { embeddingModel, fromAiSdk, languageModel } from '../src/ai-sdk.ts';
import { createGateway, isGatewayError } from '../src/index.ts';
import { anthropic } from '../src/providers/anthropic/index.ts';
import { openai } from '../src/providers/openai/index.ts';
import * as up from './doors/upstream.ts';

const KEY = 'sk-test-0123456789abcdef';
const place = jsonSchema<{ city: string }>({
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
});
const double = tool({
  description: 'doubles a number',
  inputSchema: jsonSchema<{ n: number }>({ type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }),
  execute: async ({ n }) => n * 2,
});
const gatewayOver = (answer: up.Answer) => {
  const { fetch, seen } = up.upstream(answer);
  const transport = { apiKey: KEY, transport: 'fetch', fetch: fetch as never } as const;
  const gateway = createGateway({
    providers: [openai({ ...transport, api: 'chat' }), anthropic(transport)],
    models: { fast: 'openai/gpt-test', smart: 'anthropic/claude-test' },
  });
  return { gateway, seen };
};
const usesStream = (seen: up.Seen) => (JSON.parse(seen.body) as { stream?: boolean }).stream === true;

describe('a gateway as models of the AI SDK', () => {
  it('answers generateText, with how it went under providerMetadata', async () => {
    const { gateway } = gatewayOver(() => up.json(up.completion()));
    const result = await generateText({ model: languageModel(gateway, 'fast'), prompt: 'Name a river.' });
    expect(result.text).toBe('Rhine');
    expect(result.usage).toMatchObject({ inputTokens: 10, outputTokens: 6, totalTokens: 16 });
    expect(result.finishReason).toBe('stop');
    expect(result.providerMetadata?.['postern']).toMatchObject({ target: 'openai/gpt-test', attempts: 1 });
  });

  it('answers streamText', async () => {
    const { gateway } = gatewayOver(() => up.sse(up.messageEvents(['Rhi', 'ne'])));
    const result = streamText({ model: languageModel(gateway, 'smart'), prompt: 'Name a river.' });
    const texts: string[] = [];
    for await (const text of result.textStream) texts.push(text);
    expect(texts).toEqual(['Rhi', 'ne']);
    expect(await result.finishReason).toBe('stop');
    expect(await result.usage).toMatchObject({ inputTokens: 10, outputTokens: 6 });
  });

  it('gives structured output, plain and streamed', async () => {
    const { gateway, seen } = gatewayOver((request) =>
      usesStream(request)
        ? up.sse(up.completionChunks(['{"city":', '"Bonn"}']))
        : up.json(up.completion('{"city":"Bonn"}')),
    );
    const model = languageModel(gateway, 'fast');
    const output = Output.object({ schema: place });
    expect((await generateText({ model, prompt: 'x', output })).output).toEqual({ city: 'Bonn' });
    const streamed = streamText({ model, prompt: 'x', output });
    await streamed.consumeStream();
    expect(await streamed.output).toEqual({ city: 'Bonn' });
    expect(seen[0]?.body).toContain('"json_schema"');
  });

  it('runs tools over several steps, also with a provider of another protocol', async () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'double', input: { n: 21 } };
    for (const alias of ['fast', 'smart']) {
      const { gateway, seen } = gatewayOver((request, number) =>
        request.url.includes('anthropic')
          ? up.json(number === 1 ? up.message('', [call]) : up.message('It is 42.'))
          : up.json(number === 1 ? up.toolCallCompletion('double', '{"n":21}') : up.completion('It is 42.')),
      );
      const result = await generateText({
        model: languageModel(gateway, alias),
        prompt: 'Twice 21?',
        tools: { double },
        stopWhen: stepCountIs(3),
      });
      expect(result.text).toBe('It is 42.');
      expect(result.steps[0]?.toolResults[0]?.output).toBe(42);
      expect(seen).toHaveLength(2);
      expect(seen[1]?.body).toContain('42');
    }
  });

  it('sends signatures of reasoning back on the next step', async () => {
    const thinking = { type: 'thinking', thinking: 'Twenty-one twice.', signature: 'sig-1' };
    const call = { type: 'tool_use', id: 'toolu_1', name: 'double', input: { n: 21 } };
    const { gateway, seen } = gatewayOver((_request, number) =>
      up.json(number === 1 ? up.message('', [thinking, call]) : up.message('It is 42.')),
    );
    const options = { prompt: 'Twice 21?', tools: { double }, stopWhen: stepCountIs(3) };
    const result = await generateText({ model: languageModel(gateway, 'smart'), ...options });
    expect(result.steps[0]?.reasoningText).toBe('Twenty-one twice.');
    expect(seen[1]?.body).toContain('"signature":"sig-1"');
  });

  it('embeds', async () => {
    const data = [0, 1].map((index) => ({ object: 'embedding', index, embedding: [index, 0.5] }));
    const body = { object: 'list', model: 'e', data, usage: { prompt_tokens: 2, total_tokens: 2 } };
    const { gateway } = gatewayOver(() => up.json(body));
    const result = await embedMany({ model: embeddingModel(gateway, 'openai/embed-test'), values: ['a', 'b'] });
    expect(result.embeddings).toEqual([
      [0, 0.5],
      [1, 0.5],
    ]);
    expect(result.usage.tokens).toBe(2);
  });

  it('throws our error once, unchanged: the AI SDK does not try again', async () => {
    const { gateway, seen } = gatewayOver(() => up.json({ error: { message: 'No.' } }, { status: 400 }));
    const work = generateText({ model: languageModel(gateway, 'fast'), prompt: 'x' });
    await expect(work).rejects.toSatisfy((error) => isGatewayError(error, 'invalid-request'));
    expect(seen).toHaveLength(1);
  });

  it('tells of a stream that breaks off', async () => {
    const whole = up.completionChunks();
    const { gateway } = gatewayOver(() => up.sse(whole.slice(0, whole.lastIndexOf('data: {'))));
    const errors: unknown[] = [];
    const result = streamText({
      model: languageModel(gateway, 'fast'),
      prompt: 'x',
      onError: ({ error }) => void errors.push(error),
    });
    await result.consumeStream();
    expect(errors[0]).toSatisfy((error) => isGatewayError(error, 'stream-interrupted'));
  });
});

describe('models of the AI SDK as a provider', () => {
  const modelOver = (answer: up.Answer) => {
    const { fetch, seen } = up.upstream(answer);
    return { sdk: createAnthropic({ apiKey: KEY, fetch }), seen };
  };

  it('answer chat, streams and tools', async () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'double', input: { n: 21 } };
    const { sdk, seen } = modelOver((request) =>
      usesStream(request) ? up.sse(up.messageEvents()) : up.json(up.message('', [{ type: 'text', text: 'So' }, call])),
    );
    const gateway = createGateway({
      providers: [fromAiSdk(sdk('claude-test'))],
      models: { default: 'anthropic/claude-test' },
    });
    const reply = await gateway.chat({ prompt: 'x', tools: [{ name: 'double', input: { type: 'object' } }] });
    expect(reply.text).toBe('So');
    expect(reply.toolCalls).toMatchObject([{ name: 'double', args: { n: 21 } }]);
    expect(reply.usage).toMatchObject({ input: 10, output: 6, quality: 'reported' });
    expect(JSON.parse(seen[0]?.body ?? '').tools[0].name).toBe('double');
    let text = '';
    for await (const piece of gateway.stream('x').text) text += piece;
    expect(text).toBe('Rhine');
  });

  it('give errors by their status, retried by the gateway alone', async () => {
    const { sdk, seen } = modelOver(() =>
      up.json({ type: 'error', error: { type: 'rate_limit_error', message: 'slow' } }, { status: 429 }),
    );
    const gateway = createGateway({ providers: [fromAiSdk((id) => sdk(id), { name: 'any' })], use: [] });
    await expect(gateway.chat({ model: 'any/claude-test', prompt: 'x' })).rejects.toSatisfy((error) =>
      isGatewayError(error, 'rate-limited'),
    );
    expect(seen).toHaveLength(1);
  });
});

describe('AI SDK providers over gateway.fetch', () => {
  it('answer through it, whatever their protocol', async () => {
    const { gateway } = gatewayOver((request) => {
      if (request.url.includes('anthropic'))
        return usesStream(request) ? up.sse(up.messageEvents()) : up.json(up.message());
      return usesStream(request) ? up.sse(up.completionChunks()) : up.json(up.completion());
    });
    const options = { apiKey: 'unused', fetch: gateway.fetch };
    const models = [
      createOpenAI(options).chat('smart'),
      createOpenAI(options).responses('smart'),
      createOpenAI(options).chat('gpt-test'),
      createAnthropic(options)('fast'),
      createAnthropic(options)('claude-test'),
    ];
    for (const model of models) {
      expect((await generateText({ model, prompt: 'Name a river.' })).text).toBe('Rhine');
      const result = streamText({ model, prompt: 'Name a river.' });
      expect(await result.text).toBe('Rhine');
    }
  });
});
