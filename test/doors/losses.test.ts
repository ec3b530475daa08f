import Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createGateway } from '../../src/index.ts';
import type { Warning } from '../../src/operations/shared.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { openaiCompatible } from '../../src/providers/openai-compatible/index.ts';
import * as up from './upstream.ts';

const PATHS = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' } as const;
const TARGETS = {
  chat: 'openai/gpt-test',
  responses: 'stateful/gpt-test',
  messages: 'anthropic/claude-sonnet-4-5',
  groq: 'groq/openai/gpt-oss-120b',
} as const;
const SAID = { role: 'user', content: 'Name a river.' };
const said = (...content: object[]) => ({
  messages: [{ role: 'user', content: [...content, { type: 'text', text: 'So?' }] }],
});

/** Asks through the door of one protocol for a target of another. */
async function ask(from: keyof typeof PATHS, to: keyof typeof TARGETS, body: object, answer?: () => Response) {
  const { fetch, seen } = up.upstream(({ url, body: sent }) => {
    if (answer !== undefined) return answer();
    const stream = JSON.parse(sent).stream === true;
    if (url.endsWith('/messages')) return stream ? up.sse(up.messageEvents()) : up.json(up.message());
    if (url.endsWith('/responses')) return stream ? up.sse(up.responseEvents()) : up.json(up.responseObject());
    return stream ? up.sse(up.completionChunks()) : up.json(up.completion());
  });
  const over = { apiKey: 'sk-0123456789abcdef', transport: 'fetch', fetch: fetch as never } as const;
  const gateway = createGateway({
    providers: [
      openai({ ...over, api: 'chat' }),
      openai({ ...over, api: 'responses', name: 'stateful' }),
      openaiCompatible({ ...over, name: 'groq' }),
      anthropic(over),
    ],
    models: { other: TARGETS[to] },
    use: [],
  });
  const warnings: Warning[] = [];
  gateway.on('warning', ({ warning }) => void warnings.push(warning));
  const response = await gateway.fetch(`https://anywhere.test${PATHS[from]}`, {
    method: 'POST',
    body: JSON.stringify({ model: 'other', max_tokens: 64, ...body }),
  });
  const text = await response.text();
  const sent = seen[0] === undefined ? undefined : JSON.parse(seen[0].body);
  return { response, text, sent, seen, warnings, places: warnings.map(({ path, feature }) => path ?? feature) };
}

describe('what another protocol has no word for', () => {
  it.each([
    ['chat', 'messages', { foo: 1, moderation: { model: 'm' }, messages: [SAID] }, ['foo', 'moderation.model']],
    [
      'chat',
      'messages',
      { messages: [{ ...SAID, bar: 1, content: [{ type: 'text', text: 'x', baz: 2 }] }] },
      ['messages[0].bar', 'messages[0].content[0].baz'],
    ],
    [
      'chat',
      'messages',
      { web_search_options: { search_context_size: 'low' }, messages: [SAID] },
      ['tools[0].search_context_size'],
    ],
    ['messages', 'chat', { inference_geo: 'us', messages: [SAID] }, ['inference_geo']],
    ['messages', 'responses', { context_management: { edits: [{}] }, messages: [SAID] }, ['context_management.edits']],
    ['responses', 'messages', { input: 'x', include: ['reasoning.encrypted_content'], top: 1 }, ['max_tokens', 'top']],
    [
      'responses',
      'groq',
      { input: 'x', context_management: [{ type: 'compaction' }] },
      ['max_tokens', 'context_management'],
    ],
  ] as const)('is named to a caller of %s on its way to %s', async (from, to, body, expected) => {
    for (const stream of [false, true]) {
      const { response, places, warnings } = await ask(from, to, { ...body, stream });
      expect(response.status).toBe(200);
      expect(places.toSorted()).toEqual([...expected].toSorted());
      const header = response.headers.get('x-postern-warnings') ?? '';
      expect(header).toMatch(new RegExp(`^${warnings.length}; unsupported `));
      for (const place of expected) expect(header).toContain(`unsupported ${place}`);
    }
  });

  it('is nothing where fields are empty, or the request says the same in our words', async () => {
    const nulls = { stop: null, foo: null, bar: [], baz: {}, seen: false };
    expect((await ask('chat', 'messages', { ...nulls, messages: [SAID] })).places).toEqual([]);
    const image = { type: 'image_url', image_url: 'https://pictures.test/rhine.png' };
    const { sent, places } = await ask('chat', 'messages', said(image));
    expect(sent.messages[0].content[0]).toEqual({
      type: 'image',
      source: { type: 'url', url: 'https://pictures.test/rhine.png' },
    });
    expect(places).toEqual([]);
  });

  it.each([
    ['chat', 'messages', said({ type: 'file', file: { file_id: 'file-1' } }), 'messages[0].content[0]'],
    [
      'messages',
      'chat',
      said({ type: 'document', source: { type: 'file', file_id: 'file_1' } }),
      'messages[0].content[0]',
    ],
    ['messages', 'responses', said({ type: 'container_upload', file_id: 'file_1' }), 'messages[0].content[0]'],
    ['messages', 'chat', { container: null, mcp_servers: [{ name: 'm' }], messages: [SAID] }, 'mcp_servers'],
    ['messages', 'responses', { tools: [{ type: 'bash_20250124', name: 'bash' }], messages: [SAID] }, 'tools[0]'],
    ['responses', 'messages', { prompt: { id: 'pmpt_1' } }, 'prompt'],
    ['responses', 'messages', { input: [{ type: 'item_reference', id: 'msg_1' }, SAID] }, 'messages[0].content[0]'],
    [
      'responses',
      'messages',
      { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file-1' }] }] },
      'messages[0].content[0]',
    ],
    [
      'responses',
      'messages',
      { input: 'x', tools: [{ type: 'mcp', server_label: 'm', server_url: 'https://m.test' }] },
      'tools[0]',
    ],
  ] as const)('is refused before any network if %s keeps it and %s cannot', async (from, to, body, field) => {
    const { response, text, seen } = await ask(from, to, body);
    expect(response.status).toBe(400);
    expect(text).toContain(field);
    expect(seen).toHaveLength(0);
  });

  it('tells other protocols of search results and cut documents in words, and of a turn to go on with', async () => {
    const result = {
      type: 'search_result',
      source: 'https://a.test',
      title: 'Rivers',
      content: [{ type: 'text', text: 'The Rhine.' }],
    };
    const cut = {
      type: 'document',
      title: 'Atlas',
      source: { type: 'content', content: [{ type: 'text', text: 'The Elbe.' }] },
    };
    const { sent, places } = await ask('messages', 'chat', said(result, cut));
    expect(sent.messages[0].content.map(({ text }: { text: string }) => text)).toEqual([
      'Rivers, https://a.test:\nThe Rhine.',
      'Atlas:\nThe Elbe.',
      'So?',
    ]);
    expect(places).toEqual(['messages[0].content[0]', 'messages[0].content[1]']);
    const own = await ask('messages', 'messages', said(result, cut));
    expect(own.sent.messages[0].content.slice(0, 2)).toEqual([result, cut]);
    const prefilled = await ask('messages', 'chat', { messages: [SAID, { role: 'assistant', content: '{' }] });
    expect(prefilled.warnings).toMatchObject([{ code: 'degraded', feature: 'prefix' }]);
  });

  it.each([
    ['chat', { messages: [{ role: 'critic', content: 'Hm.' }, SAID] }],
    ['responses', { input: [{ role: 'critic', content: 'Hm.' }, SAID] }],
  ] as const)('takes a role that only its server knows for the user’s, in %s', async (from, body) => {
    const own = await ask(from, from, body);
    const { messages = own.sent.input } = own.sent;
    expect(messages[0]).toEqual({ role: 'critic', content: 'Hm.' });
    const other = await ask(from, 'messages', { ...body, max_tokens: undefined });
    expect(other.sent.messages[0].role).toBe('user');
    expect(JSON.stringify(other.sent.messages[0])).toContain('Hm.');
    expect(other.places).toEqual(['messages[0].role']);
  });

  it('takes media in a tool result for what they are, not for their JSON', async () => {
    const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };
    const shot = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
    const result = { role: 'tool', tool_call_id: 'c1', content: [{ type: 'text', text: 'Seen:' }, shot] };
    const body = { messages: [SAID, { role: 'assistant', content: null, tool_calls: [call] }, result] };
    const { sent, places } = await ask('chat', 'messages', body);
    expect(sent.messages[2].content[0].content).toEqual([
      { type: 'text', text: 'Seen:' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
    ]);
    expect(places).toEqual([]);
    expect((await ask('chat', 'groq', body)).sent.messages[2]).toEqual(result);
  });

  it('leaves judging odd parts to the server that is asked, in its own protocol', async () => {
    const { sent } = await ask('chat', 'groq', { messages: [{ role: 'developer', content: [null, 'x'] }, SAID] });
    expect(sent.messages[0]).toEqual({ role: 'developer', content: [null, 'x'] });
  });

  it('asks servers of the same protocol for the effort that was asked for', async () => {
    const { sent } = await ask('chat', 'groq', { messages: [SAID], reasoning_effort: 'high' });
    expect(sent.reasoning_effort).toBe('high');
  });

  it('keeps calls to MCP servers as free of questions as they were', async () => {
    const server = { type: 'url', name: 'm', url: 'https://m.test' };
    const toolset = { type: 'mcp_toolset', mcp_server_name: 'm' };
    const { sent } = await ask('messages', 'responses', { mcp_servers: [server], tools: [toolset], messages: [SAID] });
    expect(sent.tools).toEqual([
      { type: 'mcp', server_label: 'm', server_url: 'https://m.test', require_approval: 'never' },
    ]);
  });
});

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
