import { describe, expect, it } from 'vitest';
import { chat, door, environment } from './support.ts';

const decode = (body: object, headers: Record<string, string> = {}) =>
  door.decodeRequest(
    { model: 'claude-opus-4-6', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }], ...body },
    headers,
  );
const text = (words: string) => ({ type: 'text', text: words });

/** Out again through the same dialect. */
function again(body: Record<string, any>, headers: Record<string, string> = {}) {
  const { request, facts, stream } = decode(body, headers);
  return chat.encodeRequest(request, environment(request.model, { facts, stream }));
}

describe('a request of an application', () => {
  it('becomes canonical', () => {
    const { request, stream, facts } = decode(
      {
        system: 'be brief',
        stream: true,
        temperature: 0.5,
        stop_sequences: ['END'],
        metadata: { user_id: 'u' },
        thinking: { type: 'enabled', budget_tokens: 2000, display: 'omitted' },
        tools: [{ name: 'go', input_schema: { type: 'object' }, cache_control: { type: 'ephemeral', ttl: '1h' } }],
        tool_choice: { type: 'any', disable_parallel_tool_use: true },
        inference_geo: 'eu',
        container: null,
      },
      { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'one,two' },
    );
    expect(request).toEqual({
      model: 'claude-opus-4-6',
      system: [text('be brief')],
      messages: [{ role: 'user', content: [text('hi')] }],
      maxTokens: 9,
      temperature: 0.5,
      stop: ['END'],
      user: 'u',
      reasoning: { budgetTokens: 2000, show: 'none' },
      tools: [{ type: 'function', name: 'go', input: { type: 'object' }, cache: { ttl: '1h' } }],
      toolChoice: 'required',
      parallelToolCalls: false,
      native: { 'anthropic-messages': { inference_geo: 'eu' } },
    });
    expect(stream).toBe(true);
    expect(facts).toEqual({ protocol: 'anthropic-messages', version: '2026-10-21', betas: 'one,two' });
  });

  it.each([
    [undefined, 'body'],
    [[], 'body'],
    [{ messages: [] }, 'model'],
    [{ model: 'm' }, 'messages'],
    [{ model: 'm', messages: ['x'] }, 'messages[0]'],
    [{ model: 'm', messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
  ])('refuses %j at %s', (body, field) => {
    expect(() => door.decodeRequest(body, {})).toThrow(expect.objectContaining({ code: 'invalid-request', field }));
  });

  it('splits results from words and names the results', () => {
    const { messages } = decode({
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'go', input: {} }] },
        {
          role: 'user',
          content: [text('and'), { type: 'tool_result', tool_use_id: 'a', content: 'ok', is_error: false }],
        },
      ],
    }).request;
    expect(messages.slice(2)).toEqual([
      { role: 'tool', content: [{ type: 'tool-result', callId: 'a', name: 'go', content: 'ok', isError: false }] },
      { role: 'user', content: [text('and')] },
    ]);
  });
});

describe('written back', () => {
  it.each([
    ['thinking off with an effort', { thinking: { type: 'disabled' }, output_config: { effort: 'low' } }],
    ['an effort without thinking', { output_config: { effort: 'low' } }],
    [
      'a budget with an effort',
      { max_tokens: 4096, thinking: { type: 'enabled', budget_tokens: 1024 }, output_config: { effort: 'low' } },
    ],
    ['adaptive thinking', { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'max' } }],
    ['thinking of a later kind', { thinking: { type: 'between_tools' } }],
    ['tiers', { service_tier: 'standard_only' }],
    ['speed', { speed: 'fast' }],
    [
      'an open schema as it was',
      { output_config: { format: { type: 'json_schema', schema: { type: 'object', minProperties: 1 } } } },
    ],
    ['automatic caching', { cache_control: { type: 'ephemeral', ttl: '1h' } }],
    [
      'fields we do not know',
      { context_management: { edits: [{ type: 'clear' }] }, metadata: { user_id: 'u', more: 1 } },
    ],
    [
      'documents',
      {
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'document',
                source: { type: 'base64', media_type: 'application/pdf', data: 'AA' },
                title: 't',
                citations: { enabled: true },
                cache_control: { type: 'ephemeral' },
              },
              { type: 'search_result', source: 's', title: 't', content: [] },
            ],
          },
        ],
      },
    ],
    [
      'hosted tools of any version',
      {
        tools: [
          {
            type: 'web_search_20260318',
            name: 'web_search',
            max_uses: 3,
            user_location: { type: 'approximate', city: 'Rome' },
          },
          { type: 'brand_new_20270101', name: 'x', size: 1 },
        ],
      },
    ],
    [
      'MCP servers',
      {
        tools: [
          {
            type: 'mcp_toolset',
            mcp_server_name: 'm',
            default_config: { enabled: false },
            configs: { a: { enabled: true } },
          },
        ],
        mcp_servers: [{ type: 'url', name: 'm', url: 'https://m', authorization_token: 't' }],
      },
    ],
    [
      'MCP servers with settings we do not know',
      {
        tools: [{ type: 'mcp_toolset', mcp_server_name: 'm', configs: { a: { enabled: false } } }],
        mcp_servers: [{ type: 'url', name: 'm', url: 'https://m', tool_configuration: { enabled: true } }],
      },
    ],
    [
      'no parallel calls',
      {
        tools: [{ name: 'go', input_schema: { type: 'object' } }],
        tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      },
    ],
  ])('keeps %s', (_name, body) => {
    const sent = {
      model: 'claude-opus-4-6',
      max_tokens: 9,
      messages: [{ role: 'user', content: [text('hi')] }],
      ...body,
    };
    const encoded = again(sent);
    expect(encoded.body).toEqual(sent);
    expect(encoded.warnings).toEqual([]);
  });

  it('keeps the betas of the application', () => {
    expect(again({}, { 'anthropic-beta': 'a, b' }).headers).toEqual({ 'anthropic-beta': 'a,b' });
  });

  it('replays the turns of the model word for word', () => {
    const content = [
      { type: 'thinking', thinking: 'hm', signature: 'S' },
      { type: 'redacted_thinking', data: 'R' },
      { type: 'server_tool_use', id: 's', name: 'web_search', input: { q: 1 }, caller: { type: 'direct' } },
      {
        type: 'web_search_tool_result',
        tool_use_id: 's',
        content: [{ type: 'web_search_result', encrypted_content: 'E' }],
      },
      {
        ...text('x'),
        citations: [
          { type: 'web_search_result_location', encrypted_index: 'I', url: 'u', title: null, cited_text: 'c' },
        ],
      },
      { type: 'made_up', value: 1 },
    ];
    const messages = [
      { role: 'user', content: [text('hi')] },
      { role: 'assistant', content },
      { role: 'user', content: [text('go on')] },
    ];
    const encoded = again({ messages });
    expect(encoded.body['messages']).toEqual(messages);
    expect(encoded.warnings).toEqual([]);
  });

  it('puts results before words, and joins turns (documented changes)', () => {
    const use = { type: 'tool_use', id: 'a', name: 'go', input: {} };
    const result = { type: 'tool_result', tool_use_id: 'a', content: 'ok' };
    const head = [
      { role: 'user', content: [text('x')] },
      { role: 'assistant', content: [use] },
    ];
    const wanted = [...head, { role: 'user', content: [result, text('and')] }];
    expect(again({ messages: [...head, { role: 'user', content: [text('and'), result] }] }).body['messages']).toEqual(
      wanted,
    );
    const apart = [...head, { role: 'user', content: [result] }, { role: 'user', content: 'and' }];
    expect(again({ messages: apart }).body['messages']).toEqual(wanted);
  });
});
