import { anthropic as anthropicTools } from '@ai-sdk/anthropic';
import { openai as openaiTools } from '@ai-sdk/openai';
import { generateText, type ModelMessage, streamText } from 'ai';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { languageModel } from '../../src/ai-sdk.ts';
import { createGateway } from '../../src/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import * as up from '../doors/upstream.ts';

type Options = Omit<Parameters<typeof generateText>[0], 'model' | 'prompt' | 'messages'>;
const MODELS = {
  chat: 'openai/gpt-5-mini',
  responses: 'stateful/gpt-5-mini',
  messages: 'anthropic/claude-sonnet-4-5',
} as const;

function gatewayOver() {
  const { fetch, seen } = up.upstream(({ url, body }) => {
    const stream = JSON.parse(body).stream === true;
    if (url.endsWith('/messages')) return stream ? up.sse(up.messageEvents()) : up.json(up.message());
    if (url.endsWith('/responses')) return up.json(up.responseObject());
    return stream ? up.sse(up.completionChunks()) : up.json(up.completion());
  });
  const over = { apiKey: 'sk-0123456789abcdef', transport: 'fetch', fetch: fetch as never } as const;
  const gateway = createGateway({
    providers: [openai({ ...over, api: 'chat' }), openai({ ...over, name: 'stateful' }), anthropic(over)],
    models: MODELS,
    use: [],
  });
  return { gateway, sent: () => JSON.parse(seen.at(-1)?.body ?? '{}') };
}
async function ask(id: string, options: Options, messages: ModelMessage[] = [{ role: 'user', content: 'q' }]) {
  const { gateway, sent } = gatewayOver();
  const { warnings } = await generateText({ model: languageModel(gateway, id), messages, ...options });
  return { sent: sent(), lost: (warnings ?? []).map((warning) => ('feature' in warning ? warning.feature : '')) };
}

beforeEach(() => void vi.spyOn(console, 'warn').mockReturnValue());

describe('providerOptions of the AI SDK', () => {
  it('become fields of the request, whatever target answers', async () => {
    const given = { reasoningEffort: 'low', parallelToolCalls: false, textVerbosity: 'low', serviceTier: 'flex' };
    const one = await ask('chat', { providerOptions: { openai: { ...given, user: 'u1', store: false } } });
    expect(one.sent).toMatchObject({
      ...{ reasoning_effort: 'low', verbosity: 'low', service_tier: 'flex', safety_identifier: 'u1', store: false },
    });
    expect(one.lost).toEqual([]);
    const thinking = { type: 'enabled', budgetTokens: 2_000 };
    const other = await ask('messages', { providerOptions: { anthropic: { thinking, metadata: { userId: 'u1' } } } });
    expect(other.sent).toMatchObject({
      thinking: { type: 'enabled', budget_tokens: 2_000 },
      metadata: { user_id: 'u1' },
    });
    expect(other.lost).toEqual([]);
  });

  it('are named in a warning where nobody understands them, plain and streamed', async () => {
    const providerOptions = { openai: { foo: 1, user: null }, google: { bar: 2 } };
    const lost = ['providerOptions.openai.foo', 'providerOptions.google.bar'];
    expect((await ask('chat', { providerOptions })).lost).toEqual(lost);
    const { gateway } = gatewayOver();
    const result = streamText({ model: languageModel(gateway, 'chat'), prompt: 'q', providerOptions });
    await result.consumeStream();
    expect((await result.warnings)?.map((warning) => 'feature' in warning && warning.feature)).toEqual(lost);
  });

  it('of another provider than the one that is named are not for it', async () => {
    const providerOptions = {
      openai: { reasoningEffort: 'high', foo: 1 },
      anthropic: { thinking: { type: 'disabled' } },
    };
    const { sent, lost } = await ask(MODELS.messages, { providerOptions });
    expect(sent.thinking).toEqual({ type: 'disabled' });
    expect(lost).toEqual([]);
  });

  it('of postern are fields of ours, and checked as such', async () => {
    const native = { 'openai-chat': { x: 1 } };
    expect((await ask('chat', { providerOptions: { postern: { seed: 3, native } } })).sent).toMatchObject({
      seed: 3,
      x: 1,
    });
    await expect(ask('chat', { providerOptions: { postern: { sed: 3 } } })).rejects.toThrow('Did you mean seed?');
  });

  it('set cache breakpoints and say how media are read', async () => {
    const providerOptions = { anthropic: { cacheControl: { type: 'ephemeral' } } };
    const about = { anthropic: { title: 'T', context: 'C', citations: { enabled: true } } };
    const messages: ModelMessage[] = [
      {
        role: 'user',
        content: [
          { type: 'file', data: 'AQ==', mediaType: 'application/pdf', providerOptions: about },
          { type: 'text', text: 'x', providerOptions },
        ],
      },
    ];
    const { sent } = await ask('messages', {}, messages);
    expect(sent.messages[0].content).toMatchObject([
      { type: 'document', title: 'T', context: 'C', citations: { enabled: true } },
      { type: 'text', cache_control: { type: 'ephemeral' } },
    ]);
    const image = new URL('https://pictures.test/rhine.png');
    const detail = { openai: { imageDetail: 'low' } };
    const seen = await ask('chat', {}, [
      { role: 'user', content: [{ type: 'image', image, providerOptions: detail }] },
    ]);
    expect(seen.sent.messages[0].content[0].image_url).toEqual({ url: image.href, detail: 'low' });
  });
});

describe('tools of the AI SDK’s providers', () => {
  it('go out in the version that was chosen, with their arguments', async () => {
    const {
      webSearch_20250305: search,
      computer_20250124: computer,
      textEditor_20250124: editor,
    } = anthropicTools.tools;
    const tools = {
      web_search: search({
        maxUses: 3,
        allowedDomains: ['a.test'],
        userLocation: { type: 'approximate', country: 'DE' },
      }),
      computer: computer({ displayWidthPx: 10, displayHeightPx: 20 }),
      str_replace_editor: editor({}),
    };
    expect((await ask('messages', { tools } as never)).sent.tools).toEqual([
      {
        ...{ type: 'web_search_20250305', name: 'web_search', max_uses: 3, allowed_domains: ['a.test'] },
        user_location: { type: 'approximate', country: 'DE' },
      },
      { type: 'computer_20250124', name: 'computer', display_width_px: 10, display_height_px: 20 },
      { type: 'text_editor_20250124', name: 'str_replace_editor' },
    ]);
  });

  it('of OpenAI too, from web search to MCP', async () => {
    const { webSearch, fileSearch, codeInterpreter, mcp, customTool } = openaiTools.tools;
    const tools = {
      web_search: webSearch({ searchContextSize: 'low', filters: { allowedDomains: ['a.test'] } }),
      file_search: fileSearch({ vectorStoreIds: ['vs_1'], maxNumResults: 3 }),
      code_interpreter: codeInterpreter({}),
      mcp: mcp({ serverLabel: 's', serverUrl: 'https://m.test', requireApproval: 'never', allowedTools: ['a'] }),
      sql: customTool({ format: { type: 'grammar', syntax: 'regex', definition: '.+' } }),
    };
    expect((await ask('responses', { tools } as never)).sent.tools).toEqual([
      { type: 'web_search', search_context_size: 'low', filters: { allowed_domains: ['a.test'] } },
      { type: 'file_search', vector_store_ids: ['vs_1'], max_num_results: 3 },
      { type: 'code_interpreter', container: { type: 'auto' } },
      { type: 'mcp', server_label: 's', server_url: 'https://m.test', allowed_tools: ['a'], require_approval: 'never' },
      { type: 'custom', name: 'sql', format: { type: 'grammar', syntax: 'regex', definition: '.+' } },
    ]);
  });
});
