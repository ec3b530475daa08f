import OpenAI from 'openai';
import { zodFunction, zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { mockProvider, mockServer, type MockServer } from '../../src/testing/index.ts';

let server: MockServer;
let client: OpenAI;
beforeAll(async () => {
  server = await mockServer();
  client = new OpenAI({ baseURL: server.openaiURL, apiKey: 'sk-any', maxRetries: 0 });
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const ask = (content: string) => ({ model: 'mock-large', messages: [{ role: 'user' as const, content }] });
const weatherTool = zodFunction({
  name: 'get_weather',
  parameters: z.object({ city: z.string() }),
  function: ({ city }) => `${city}: cold`,
});

describe("OpenAI's SDK against mockServer", () => {
  it('answers chat completions, plain and streamed', async () => {
    server.on('France').reply('Paris is the capital.');
    const plain = await client.chat.completions.create(ask('France?'));
    expect(plain).toMatchObject({
      object: 'chat.completion',
      model: 'mock-large',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Paris is the capital.' }, finish_reason: 'stop' }],
    });
    expect(plain.usage?.total_tokens).toBeGreaterThan(5);
    expect(plain.id).toMatch(/^chatcmpl-/);
    expect(plain._request_id).toMatch(/^req_/);
    const pieces: string[] = [];
    const stream = await client.chat.completions.create({
      ...ask('France?'),
      stream: true,
      stream_options: { include_usage: true },
    });
    let usage: unknown;
    for await (const chunk of stream) {
      pieces.push(chunk.choices[0]?.delta.content ?? '');
      usage = chunk.usage ?? usage;
    }
    expect(pieces.join('')).toBe('Paris is the capital.');
    expect(pieces.filter(Boolean).length).toBeGreaterThan(2);
    expect(usage).toMatchObject({ total_tokens: plain.usage?.total_tokens });
  });

  it('runs the stream helper with all its final words', async () => {
    server
      .on('both')
      .reply('Looking.')
      .callTool('get_weather', { city: 'Oslo' })
      .callTool('get_weather', { city: 'Rome' });
    const stream = client.chat.completions.stream({ ...ask('both'), tools: [weatherTool] });
    const kinds = new Set<string>();
    stream.on('content.delta', () => kinds.add('content.delta'));
    stream.on('content.done', () => kinds.add('content.done'));
    stream.on('tool_calls.function.arguments.delta', () => kinds.add('arguments.delta'));
    stream.on('tool_calls.function.arguments.done', () => kinds.add('arguments.done'));
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]?.finish_reason).toBe('tool_calls');
    expect(completion.choices[0]?.message.tool_calls).toMatchObject([
      { function: { parsed_arguments: { city: 'Oslo' } } },
      { function: { parsed_arguments: { city: 'Rome' } } },
    ]);
    expect(await stream.finalContent()).toBe('Looking.');
    expect([...kinds].sort()).toEqual(['arguments.delta', 'arguments.done', 'content.delta', 'content.done']);
  });

  it('runs parse with made-up output, plain and streamed', async () => {
    const Person = z.object({ name: z.string(), age: z.number() });
    const request = { ...ask('person'), response_format: zodResponseFormat(Person, 'person') };
    const plain = await client.chat.completions.parse(request);
    expect(Person.parse(plain.choices[0]?.message.parsed)).toEqual({ name: 'name', age: 1 });
    server.on('person').output({ name: 'Ada', age: 36 });
    const streamed = await client.chat.completions.stream(request).finalChatCompletion();
    expect(streamed.choices[0]?.message.parsed).toEqual({ name: 'Ada', age: 36 });
  });

  it('runs runTools, plain and streamed', async () => {
    for (const stream of [false, true] as const) {
      server.reset();
      server
        .on('Oslo')
        .callTool('get_weather', { city: 'Oslo' })
        .then.reply((call) => `Seen ${call.toolResults.join()}`);
      const request = { ...ask('Oslo'), tools: [weatherTool] };
      const runner = stream
        ? client.chat.completions.runTools({ ...request, stream: true })
        : client.chat.completions.runTools(request);
      expect(await runner.finalContent()).toBe('Seen get_weather');
      expect(server.calls).toHaveLength(2);
      server.done();
    }
  });

  it('answers Responses: create, stream, parse, tools and refusals', async () => {
    server.on('France').think('Easy.').reply('Paris');
    server.on('tool').callTool('get_weather', { city: 'Oslo' });
    server.on('bad').refuse('No.');
    const input = (text: string) => ({ model: 'mock-large', input: text });
    const plain = await client.responses.create(input('France?'));
    expect(plain.output_text).toBe('Paris');
    expect(plain.status).toBe('completed');
    expect(plain.id).toMatch(/^resp_/);
    const kinds: string[] = [];
    const stream = client.responses.stream(input('France?'));
    stream.on('event', (event) => kinds.push(event.type));
    const final = await stream.finalResponse();
    expect(final.output_text).toBe('Paris');
    expect(kinds[0]).toBe('response.created');
    expect(kinds.at(-1)).toBe('response.completed');
    expect(kinds).toContain('response.output_text.delta');
    const next = await client.responses.create({ ...input('bad'), previous_response_id: plain.id });
    expect(next.previous_response_id).toBe(plain.id);
    expect(server.last.request).toMatchObject({
      messages: [{ role: 'user' }, { role: 'assistant' }, { role: 'user' }],
    });
    const called = await client.responses.stream(input('tool')).finalResponse();
    expect(called.output.find((item) => item.type === 'function_call')).toMatchObject({
      name: 'get_weather',
      arguments: '{"city":"Oslo"}',
    });
    const refused = await client.responses.create(input('bad'));
    expect(JSON.stringify(refused.output)).toContain('"refusal":"No."');
    const Person = z.object({ name: z.string() });
    server.on('who').output({ name: 'Ada' });
    const format = { text: { format: zodTextFormat(Person, 'person') } };
    expect((await client.responses.parse({ ...input('who'), ...format })).output_parsed).toEqual({ name: 'Ada' });
  });

  it('answers embeddings in both encodings and lists models', async () => {
    const embedded = await client.embeddings.create({ model: 'mock-embedding', input: ['a cat', 'a cat', 'tax law'] });
    expect(embedded.data).toHaveLength(3);
    expect(embedded.data[0]?.embedding).toEqual(embedded.data[1]?.embedding);
    const floats = await client.embeddings.create({
      model: 'mock-embedding',
      input: 'a cat',
      encoding_format: 'float',
    });
    expect(floats.data[0]?.embedding[0]).toBeCloseTo(embedded.data[0]?.embedding[0] as number, 5);
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toEqual(['mock-large', 'mock-small', 'mock-embedding']);
    expect((await client.models.retrieve('mock-small')).id).toBe('mock-small');
    await expect(client.models.retrieve('nope')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('raises the classes of the SDK for scripted failures', async () => {
    server.on('rate').fail(429, { retryAfter: 7 });
    server.on('key').fail('authentication');
    server.on('quota').fail('quota-exceeded');
    server.on('down').fail(500);
    const fail = (text: string) => client.chat.completions.create(ask(text)).catch((error: unknown) => error);
    const limited = (await fail('rate')) as InstanceType<typeof OpenAI.RateLimitError>;
    expect(limited).toBeInstanceOf(OpenAI.RateLimitError);
    expect(limited.headers?.get('retry-after')).toBe('7');
    expect(limited.headers?.get('x-should-retry')).toBeNull();
    expect(await fail('key')).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(await fail('quota')).toMatchObject({ status: 429, code: 'insufficient_quota' });
    expect(await fail('down')).toBeInstanceOf(OpenAI.InternalServerError);
    expect(await fail('unscripted')).toBeInstanceOf(OpenAI.BadRequestError);
  });

  it('sees every hit of the SDK’s own retries, and the body of each', async () => {
    server.on('flaky').fail(503, { retryAfterMs: 1 }).times(2).then.reply('at last');
    const patient = client.withOptions({ maxRetries: 2 });
    const before = server.hits;
    const request = { ...ask('flaky'), temperature: 0.5 };
    server.on('never').reply('x').always();
    expect((await patient.chat.completions.create(request)).choices[0]?.message.content).toBe('at last');
    expect(server.hits - before).toBe(3);
    expect(server.requests.at(-1)?.body).toMatchObject({ temperature: 0.5 });
  });
});

describe('mock.openai', () => {
  it('is a real client whose network is the mock', async () => {
    const mock = mockProvider({ models: ['one'] });
    mock.on('hi').reply('hello');
    mock.on('broken').reply('never seen').reset('after-headers');
    const own = await mock.openai();
    expect(own).toBeInstanceOf(OpenAI);
    expect((await own.chat.completions.create(ask('hi'))).choices[0]?.message.content).toBe('hello');
    const text = await own.chat.completions.stream(ask('hi')).finalContent();
    expect(text).toBe('hello');
    await expect(own.chat.completions.create(ask('broken'))).rejects.toThrow('terminated');
    expect(mock.calls.map(({ provider }) => provider)).toEqual(['openai', 'openai', 'openai']);
  });
});
