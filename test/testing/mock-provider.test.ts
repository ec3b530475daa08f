import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createGateway, isGatewayError } from '../../src/index.ts';
import { foldChat } from '../../src/operations/chat-fold.ts';
import { fakeClock, mockProvider, type MockProvider } from '../../src/testing/index.ts';

const gatewayOver = (mock: MockProvider) =>
  createGateway({ providers: [mock], models: { default: 'mock/any' }, use: [] });

describe('mockProvider', () => {
  it('answers by text, regular expression and default', async () => {
    const mock = mockProvider();
    mock.on('capital of france').reply('Paris');
    mock
      .on(/weather/)
      .callTool('get_weather', { city: 'Oslo' })
      .callTool('get_weather', { city: 'Rome' });
    mock.reply('something else');
    const gateway = gatewayOver(mock);
    expect((await gateway.chat('What is the capital of France?')).text).toBe('Paris');
    const weather = await gateway.chat('How is the weather?');
    expect(weather.finish.reason).toBe('tool-calls');
    expect(weather.toolCalls.map(({ args }) => args)).toEqual([{ city: 'Oslo' }, { city: 'Rome' }]);
    expect(new Set(weather.toolCalls.map(({ id }) => id)).size).toBe(2);
    expect((await gateway.chat('Anything')).text).toBe('something else');
    expect(mock.calls.map(({ text }) => text)).toEqual([
      'What is the capital of France?',
      'How is the weather?',
      'Anything',
    ]);
    expect(mock.last.number).toBe(3);
    mock.done();
  });

  it('matches on model, tool, tool result, system, scope, stream and a predicate', async () => {
    const mock = mockProvider();
    mock.on({ model: 'big' }).reply('model');
    mock.on({ tool: 'search' }).reply('tool');
    mock.on({ system: /pirate/i }).reply('system');
    mock.on({ scope: { tenant: 'acme' } }).reply('scope');
    mock.on({ stream: true }).reply('stream');
    mock.on((call) => call.request.model === 'mock/odd').reply('predicate');
    const gateway = gatewayOver(mock);
    const ask = async (request: Parameters<typeof gateway.chat>[0]): Promise<string> =>
      (await gateway.chat(request)).text;
    expect(await ask({ model: 'mock/big', prompt: 'x' })).toBe('model');
    expect(await ask({ prompt: 'x', tools: [{ name: 'search' }] })).toBe('tool');
    expect(await ask({ prompt: 'x', system: 'You are a Pirate.' })).toBe('system');
    expect((await gateway.with({ scope: { tenant: 'acme' } }).chat('x')).text).toBe('scope');
    expect((await gateway.stream('x').response).text).toBe('stream');
    expect(await ask({ model: 'mock/odd', prompt: 'x' })).toBe('predicate');
    mock.done();
  });

  it('plays sequences: in the middle once, the last from then on; once, times and always say otherwise', async () => {
    const mock = mockProvider();
    mock.on('a').reply('1').then.reply('2').times(2).then.reply('3');
    mock.on('b').reply('only').once();
    const gateway = gatewayOver(mock);
    const texts: string[] = [];
    for (let turn = 0; turn < 6; turn++) texts.push((await gateway.chat('a')).text);
    expect(texts).toEqual(['1', '2', '2', '3', '3', '3']);
    await gateway.chat('b');
    await expect(gateway.chat('b')).rejects.toThrow('used up after 1');
  });

  it('is strict: an unmatched call fails with the near misses, without the prompt', async () => {
    const mock = mockProvider();
    mock.on('rivers').reply('Rhine');
    mock.on({ model: 'big', text: 'secret' }).reply('x');
    const error = await gatewayOver(mock)
      .chat('My password is hunter2')
      .catch((thrown: unknown) => thrown);
    expect(isGatewayError(error, 'invalid-request')).toBe(true);
    const { message, cause } = error as Error;
    expect(message).toContain('on "rivers": its text does not match "rivers"');
    expect(String((cause as Error).message)).toContain('its model is any, not "big"');
    expect(`${message}${String((cause as Error).message)}`).not.toContain('hunter2');
    expect(() => mock.done()).toThrow(/unused: on "rivers": used 0 of 1[\s\S]*unanswered: chat call 1 to mock\/any/);
  });

  it('says what to do when nothing is scripted', async () => {
    await expect(gatewayOver(mockProvider()).chat('x')).rejects.toThrow('nothing is scripted');
  });

  it('answers with a function of the request, reasoning, a refusal, citations and usage', async () => {
    const mock = mockProvider();
    mock.on('shout').reply((call) => call.text.toUpperCase());
    mock.on('think').think('Hmm.').reply('Done');
    mock.on('bad').refuse('No.');
    mock.on('cite').reply('Water is wet.').cite({ url: 'https://example.com/water', title: 'Water' });
    mock.on('count').reply({ text: 'x', usage: { input: 10, cacheRead: 90, output: 5 }, finish: 'length' });
    const gateway = gatewayOver(mock);
    expect((await gateway.chat('shout')).text).toBe('SHOUT');
    const thought = await gateway.chat('think');
    expect(thought.message.content.map(({ type }) => type)).toEqual(['reasoning', 'text']);
    expect(thought.usage.tokens.reasoning).toBeGreaterThan(0);
    expect((await gateway.chat('bad')).finish.reason).toBe('refusal');
    expect((await gateway.chat('cite')).message.content[0]).toMatchObject({
      citations: [{ start: 0, end: 13, source: { kind: 'url', url: 'https://example.com/water' } }],
    });
    expect(await gateway.chat('count')).toMatchObject({
      finish: { reason: 'length' },
      usage: { input: 100, output: 5 },
    });
  });

  it('makes up structured output, forced tool calls and choices from the request', async () => {
    const mock = mockProvider();
    const city = z.object({
      name: z.string(),
      size: z.int().min(10),
      kind: z.enum(['port', 'inland']),
      tags: z.array(z.string()),
    });
    const { output } = await gatewayOver(mock).chat({ prompt: 'x', output: city });
    expect(city.parse(output)).toMatchObject({ size: 10, kind: 'port' });
    mock.reply();
    const forced = await gatewayOver(mock).chat({
      prompt: 'x',
      tools: [{ name: 'find', input: z.object({ query: z.string(), limit: z.number().max(5) }) }],
      toolChoice: { tool: 'find' },
    });
    expect(forced.toolCalls).toMatchObject([{ name: 'find', args: { query: 'query', limit: 1 } }]);
    mock.done();
  });

  it('streams in pieces that fold to the plain answer, with the same ids in every run', async () => {
    const run = async (): Promise<unknown[]> => {
      const mock = mockProvider();
      mock
        .on('greet')
        .think('Let me see')
        .reply('Grüße aus Köln 👩‍👩‍👧 und Umgebung')
        .callTool('find', { query: 'a long query' });
      mock.on('word by word').reply(['Par', 'is']);
      const gateway = gatewayOver(mock);
      const plain = await gateway.chat('greet');
      const fold = foldChat();
      let pieces = 0;
      for await (const event of gateway.stream('greet')) {
        fold.add(event);
        if (event.type === 'text-delta') pieces++;
      }
      const streamed = fold.response();
      expect(streamed.message.content.map(({ type }) => type)).toEqual(plain.message.content.map(({ type }) => type));
      expect(streamed.usage).toEqual(plain.usage);
      expect(pieces).toBeGreaterThan(3);
      const exact: string[] = [];
      for await (const text of gateway.stream('word by word').text) exact.push(text);
      expect(exact).toEqual(['Par', 'is']);
      return [plain.id, streamed.id, streamed.message];
    };
    expect(await run()).toEqual(await run());
  });

  it('embeds: the same text the same vector, similar texts near, any encoding', async () => {
    const mock = mockProvider();
    const gateway = gatewayOver(mock);
    const { vectors } = await gateway.embed({
      input: [
        'The cat sat on the mat',
        'A cat is sitting on a mat',
        'Quarterly tax law reform',
        'The cat sat on the mat',
      ],
    });
    const dot = (one: number, other: number): number =>
      (vectors[one] as number[]).reduce((sum, value, index) => sum + value * (vectors[other]?.[index] ?? 0), 0);
    expect(vectors[0]).toHaveLength(256);
    expect(dot(0, 3)).toBeCloseTo(1, 5);
    expect(dot(0, 1)).toBeGreaterThan(0.4);
    expect(dot(0, 2)).toBeLessThan(0.2);
    const small = await gateway.embed({ input: 'x', dimensions: 8, encoding: 'base64' });
    expect(small.dimensions).toBe(8);
    expect(Buffer.from(small.embeddings[0]?.vector as string, 'base64')).toHaveLength(32);
    mock.on({ operation: 'embed', text: 'fixed' }).vectors([1, 0], [0, 1]);
    expect((await gateway.embed({ input: ['fixed', 'two'] })).vectors).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it('stands in for every provider of a gateway', async () => {
    const mock = mockProvider();
    mock.on({ provider: 'openai' }).fail(503);
    mock.on({ provider: 'anthropic' }).reply('from anthropic');
    const application = createGateway({ models: { default: ['openai/gpt-x', 'anthropic/claude-x'] } });
    const { text, target } = await application.with({ providers: mock.everywhere() }).chat('x');
    expect([text, target]).toEqual(['from anthropic', { provider: 'anthropic', model: 'claude-x' }]);
  });

  it('waits on the fake clock, and its delay can be aborted', async () => {
    const clock = fakeClock();
    const mock = mockProvider();
    mock.on('slow').reply('a b c').delay(5_000).pace({ pieceDelayMs: 1_000 });
    const gateway = createGateway({ providers: [mock], models: { default: 'mock/any' }, use: [], clock });
    await clock.settled(gateway.stream('slow').response);
    expect(clock.monotonic()).toBe(8_000);
    const controller = new AbortController();
    const call = gateway.chat('slow', { signal: controller.signal });
    await clock.advance(100);
    controller.abort();
    await expect(call).rejects.toSatisfy((error) => isGatewayError(error, 'aborted'));
    expect(clock.pending).toBe(0);
  });

  it('compares the last call with what was expected, place by place', async () => {
    const mock = mockProvider();
    mock.reply('y');
    await gatewayOver(mock).chat({ prompt: 'x', temperature: 0.5, system: 'Be kind.' });
    mock.expectLast({ text: 'x', system: 'Be kind.', request: { temperature: 0.5 } });
    expect(() => mock.expectLast({ text: 'z', request: { temperature: 1, maxTokens: 5 } })).toThrow(
      'text: expected "z", got "x"\n  request.temperature: expected 1, got 0.5\n  request.maxTokens: expected 5, got nothing',
    );
  });

  it('forgets everything on reset, and refuses what it does not know', () => {
    const mock = mockProvider();
    mock.on('x').reply('y');
    mock.reset();
    mock.done();
    expect(() => mock.last).toThrow('not called');
    expect(() => mock.on({ modle: 'x' } as never)).toThrow('Did you mean model?');
    expect(() => mock.on('x').fail('budget-exceeded')).toThrow('no provider fails with budget-exceeded');
    expect(() => mockProvider({ nmae: 'x' } as never)).toThrow('Did you mean name?');
  });
});
