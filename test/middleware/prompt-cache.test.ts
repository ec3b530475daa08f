import { describe, expect, it } from 'vitest';
import { defineProvider } from '../../src/core/provider.ts';
import { createGateway } from '../../src/gateway.ts';
import type { ChatRequestInput } from '../../src/operations/chat-input.ts';
import type { ChatRequest } from '../../src/operations/chat.ts';
import { promptCache, type PromptCacheOptions } from '../../src/middleware/prompt-cache.ts';
import { route } from '../../src/middleware/route.ts';
import { costOf } from '../../src/pricing/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';

const LONG = 'A rule that everybody must follow. '.repeat(300);

function setup(options: PromptCacheOptions = {}) {
  const mock = mockProvider({ name: 'anthropic' });
  mock.reply('ok');
  const { handlers } = mock;
  const speaks = defineProvider({ name: 'anthropic', protocols: ['anthropic-messages'], handlers });
  const other = mockProvider({ name: 'other' });
  other.reply('ok');
  const prompts = promptCache(options);
  const gateway = createGateway({
    providers: [speaks, other],
    models: { default: 'anthropic/claude-sonnet-4-5' },
    use: [route(), prompts],
  });
  const send = async (request: ChatRequestInput): Promise<ChatRequest> => {
    await gateway.chat(request as never);
    return (request.model === 'other/m' ? other : mock).last.request as ChatRequest;
  };
  return { mock, gateway, prompts, send };
}

function breakpoints(request: ChatRequest): string[] {
  const places: string[] = [];
  request.tools?.forEach((tool, at) => 'cache' in tool && tool.cache && places.push(`tools.${at}`));
  request.system?.forEach((part, at) => part.cache && places.push(`system.${at}`));
  request.messages.forEach((message, at) => {
    message.content.forEach((part, index) => 'cache' in part && part.cache && places.push(`messages.${at}.${index}`));
  });
  return places;
}

const tools = (...names: string[]) =>
  names.map((name) => ({ name, description: LONG, input: { type: 'object', properties: { b: {}, a: {} } } }));
const turns = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello' },
  { role: 'user', content: 'And?' },
] as const;

describe('promptCache', () => {
  it('places breakpoints where prefixes end that come again, for providers that need them', async () => {
    const { send } = setup();
    const request = { system: LONG, tools: tools('a', 'b'), messages: turns };
    expect(breakpoints(await send(request))).toEqual(['tools.1', 'system.0', 'messages.0.0', 'messages.2.0']);
    expect(breakpoints(await send({ system: LONG, prompt: 'Hi' }))).toEqual(['system.0']);
    expect(breakpoints(await send({ ...request, model: 'other/m' }))).toEqual([]);
    expect(breakpoints(await send({ ...request, cache: { mode: 'off' } }))).toEqual([]);
    expect(breakpoints(await setup({ providers: ['other'] }).send({ ...request, model: 'other/m' }))).toHaveLength(4);
  });

  it('wastes none on short prefixes', async () => {
    const { send } = setup();
    expect(breakpoints(await send({ system: 'Be brief.', messages: turns }))).toEqual([]);
    expect(breakpoints(await setup({ tokensMin: 0 }).send({ system: 'Be brief.', prompt: 'x' }))).toEqual(['system.0']);
  });

  it("keeps the caller's own, and never exceeds four with them", async () => {
    const { send } = setup({ ttl: '1h' });
    const own = { type: 'text', text: LONG, cache: true } as const;
    const sent = await send({
      system: [own, { ...own }],
      tools: tools('a'),
      messages: [
        { role: 'user', content: [own] },
        { role: 'assistant', content: 'Hello' },
        { role: 'user', content: 'And?' },
      ],
    } as ChatRequestInput);
    expect(breakpoints(sent)).toEqual(['tools.0', 'system.0', 'system.1', 'messages.0.0']);
    expect(sent.tools?.[0]).toMatchObject({ cache: { ttl: '1h' } });
    expect(sent.system?.[0]?.cache).toBe(true);
  });

  it('sends the same tools as the same bytes, in whatever order they were built (TOOL-08)', async () => {
    const { send } = setup();
    const names = ['delta', 'alpha', 'echo', 'bravo', 'charlie'];
    const bodies = new Set<string>();
    let state = 3;
    for (let build = 0; build < 1_000; build++) {
      const shuffled = [...names];
      for (let at = shuffled.length - 1; at > 0; at--) {
        state = (state * 48_271) % 2_147_483_647;
        const other = state % (at + 1);
        [shuffled[at], shuffled[other]] = [shuffled[other] as string, shuffled[at] as string];
      }
      const input = { type: 'object' };
      bodies.add(JSON.stringify(await send({ prompt: 'x', tools: shuffled.map((name) => ({ name, input })) })));
    }
    expect(bodies.size).toBe(1);
    const unsorted = await setup({ sortTools: false }).send({ prompt: 'x', tools: tools('b', 'a') });
    expect(unsorted.tools?.map((tool) => 'name' in tool && tool.name)).toEqual(['b', 'a']);
  });

  it('is written as cache_control on the wire, at most four times', async () => {
    const bodies: string[] = [];
    const gateway = createGateway({
      providers: [
        anthropic({
          transport: 'fetch',
          apiKey: 'sk-ant-test-key-123456',
          fetch: async (_url, init) => {
            bodies.push(String(init.body));
            return Response.json({
              id: 'msg_1',
              type: 'message',
              role: 'assistant',
              model: 'claude-sonnet-4-5',
              content: [{ type: 'text', text: 'ok' }],
              stop_reason: 'end_turn',
              usage: {
                input_tokens: 100,
                output_tokens: 5,
                cache_read_input_tokens: 900,
                cache_creation_input_tokens: 0,
              },
            });
          },
        }),
      ],
      models: { default: 'anthropic/claude-sonnet-4-5' },
      use: [route(), promptCache()],
    });
    const { warnings } = await gateway.chat({ system: LONG, tools: tools('a', 'b'), messages: turns } as never);
    expect(bodies[0]?.match(/"cache_control"/g)).toHaveLength(4);
    expect(warnings).toEqual([]);
  });

  it('reports the hit ratio and what it saved', async () => {
    const priceOf: PromptCacheOptions['priceOf'] = (usage, { provider, model }) =>
      costOf(usage, { provider, model }).nanoUsd;
    const { gateway, mock, prompts } = setup({ priceOf });
    mock.on('first').reply('ok').usage({ input: 100, cacheWrite5m: 900, output: 5 });
    mock.on('second').reply('ok').usage({ input: 100, cacheRead: 900, output: 5 });
    await gateway.chat('first');
    const [written] = prompts.report();
    expect(written).toMatchObject({ attempts: 1, promptTokens: 1_000, writtenTokens: 900, hitRatio: 0 });
    expect(written?.savedNanoUsd).toBeLessThan(0n);
    await gateway.chat('second');
    const [both] = prompts.report();
    expect(both).toMatchObject({ target: 'anthropic/claude-sonnet-4-5', attempts: 2, readTokens: 900, hitRatio: 0.45 });
    expect(both?.savedNanoUsd).toBeGreaterThan(0n);
    expect(setup().prompts.report()).toEqual([]);
  });

  it('refuses bad options by name', () => {
    for (const options of [{ ttl: '2h' }, { tokensMin: -1 }, { sortTool: true }]) {
      expect(() => promptCache(options as PromptCacheOptions)).toThrow(
        expect.objectContaining({ code: 'invalid-options' }),
      );
    }
  });
});
