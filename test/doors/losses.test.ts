import { describe, expect, it } from 'vitest';
import { ask, SAID, said } from './translated.ts';

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
