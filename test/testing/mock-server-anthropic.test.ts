import Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { mockProvider, mockServer, type MockServer } from '../../src/testing/index.ts';

let server: MockServer;
let client: Anthropic;
beforeAll(async () => {
  server = await mockServer({ models: ['m1', 'm2', 'm3', 'm4', 'm5'] });
  client = new Anthropic({ baseURL: server.anthropicURL, apiKey: 'any', maxRetries: 0 });
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const ask = (content: string) => ({ model: 'm1', max_tokens: 100, messages: [{ role: 'user' as const, content }] });
const tools = [
  { name: 'get_weather', input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } } },
];

describe("Anthropic's SDK against mockServer", () => {
  it('answers messages, plain and streamed', async () => {
    server.on('France').think('Easy.').reply('Paris is the capital.');
    const plain = await client.messages.create(ask('France?'));
    expect(plain).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: 'm1',
      stop_reason: 'end_turn',
      content: [
        { type: 'thinking', thinking: 'Easy.' },
        { type: 'text', text: 'Paris is the capital.' },
      ],
    });
    expect(plain.id).toMatch(/^msg_/);
    expect(plain._request_id).toMatch(/^req_/);
    const kinds: string[] = [];
    for await (const event of await client.messages.create({ ...ask('France?'), stream: true })) kinds.push(event.type);
    expect(kinds[0]).toBe('message_start');
    expect(kinds.at(-1)).toBe('message_stop');
    expect(kinds.filter((kind) => kind === 'content_block_delta').length).toBeGreaterThan(3);
  });

  it('runs the stream helper: text, tool input, finalMessage, finalText', async () => {
    server
      .on('both')
      .reply('Looking.')
      .callTool('get_weather', { city: 'Oslo' })
      .callTool('get_weather', { city: 'Rome' });
    const stream = client.messages.stream({ ...ask('both'), tools });
    const heard: string[] = [];
    let inputs = 0;
    stream.on('text', (delta) => heard.push(delta));
    stream.on('inputJson', () => inputs++);
    const message = await stream.finalMessage();
    expect(heard.join('')).toBe('Looking.');
    expect(inputs).toBeGreaterThan(3);
    expect(message.stop_reason).toBe('tool_use');
    expect(message.content.flatMap((block) => (block.type === 'tool_use' ? [block.input] : []))).toEqual([
      { city: 'Oslo' },
      { city: 'Rome' },
    ]);
    expect(message.usage.output_tokens).toBeGreaterThan(3);
    expect(await stream.finalText()).toBe('Looking.');
  });

  it('runs parse, plain and streamed', async () => {
    const Person = z.object({ name: z.string() });
    server.on('who').output({ name: 'Ada' });
    const request = { ...ask('who'), output_config: { format: zodOutputFormat(Person) } };
    expect((await client.messages.parse(request)).parsed_output).toEqual({ name: 'Ada' });
    expect((await client.messages.stream(request).finalMessage()).parsed_output).toEqual({ name: 'Ada' });
  });

  it('runs the tool runner, plain and streamed', async () => {
    const { betaZodTool } = await import('@anthropic-ai/sdk/helpers/beta/zod');
    const tool = betaZodTool({
      name: 'get_weather',
      description: 'Weather',
      inputSchema: z.object({ city: z.string() }),
      run: ({ city }) => `${city}: cold`,
    });
    for (const stream of [false, true] as const) {
      server.reset();
      server.on('Oslo').callTool('get_weather', { city: 'Oslo' }).then.reply('It is cold.');
      const runner = client.beta.messages.toolRunner({ ...ask('Oslo'), tools: [tool], stream });
      const final = await runner.runUntilDone();
      expect(final.content).toMatchObject([{ type: 'text', text: 'It is cold.' }]);
      expect(JSON.stringify(server.requests.at(-1)?.body)).toContain('Oslo: cold');
      server.done();
    }
  });

  it('keeps a thread between turns', async () => {
    server.on('my name').reply('Hello Ada.');
    server.on('who am I').reply('Ada');
    const thread = client.beta.messages.thread({ model: 'm1', max_tokens: 100 });
    await thread.send({ role: 'user', content: 'my name is Ada' });
    await thread.send({ role: 'user', content: 'who am I' });
    expect(JSON.stringify(server.requests.at(-1)?.body)).not.toContain('Ada');
    expect(JSON.stringify(server.last.request)).toContain('my name is Ada');
  });

  it('counts tokens and pages through models', async () => {
    const counted = await client.messages.countTokens({
      model: 'm1',
      messages: ask('How many tokens are these?').messages,
    });
    expect(counted.input_tokens).toBeGreaterThan(4);
    const ids: string[] = [];
    const before = server.hits;
    for await (const model of client.models.list({ limit: 2 })) ids.push(model.id);
    expect(ids).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
    expect(server.hits - before).toBe(3);
    expect((await client.models.retrieve('m2')).display_name).toBe('m2');
  });

  it('raises the classes of the SDK for scripted failures, also inside a 200', async () => {
    server.on('rate').fail('rate-limited', { retryAfter: 7 });
    server.on('busy').fail(529);
    server.on('later').reply('one two three').failInside('overloaded', { content: 2 });
    const fail = (text: string) => client.messages.create(ask(text)).catch((error: unknown) => error);
    expect(await fail('rate')).toBeInstanceOf(Anthropic.RateLimitError);
    expect(await fail('busy')).toMatchObject({ status: 529, error: { error: { type: 'overloaded_error' } } });
    const heard: string[] = [];
    const stream = client.messages.stream(ask('later')).on('text', (text) => heard.push(text));
    await expect(stream.finalMessage()).rejects.toThrow(/overloaded_error/);
    expect(heard.join('')).toBe('one two');
  });
});

describe('mock.anthropic', () => {
  it('is a real client whose network is the mock', async () => {
    const mock = mockProvider();
    mock.on('hi').reply('hello');
    const own = await mock.anthropic();
    expect(own).toBeInstanceOf(Anthropic);
    expect((await own.messages.create(ask('hi'))).content).toMatchObject([{ text: 'hello' }]);
    expect(await own.messages.stream(ask('hi')).finalText()).toBe('hello');
  });
});
