import { describe, expect, it } from 'vitest';
import { body, codes, encode, weather } from './encode-support.ts';

describe('tools', () => {
  it.each([
    ['auto', { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'any' }],
    [{ tool: 'weather' }, { type: 'tool', name: 'weather' }],
    [{ allow: ['weather'], mode: 'required' as const }, { type: 'any' }],
  ] as const)('maps the choice %j', (toolChoice, wire) => {
    expect(body({ tools: [weather], toolChoice })['tool_choice']).toEqual(wire);
  });

  it('refuses a choice that the tools cannot meet', () => {
    for (const request of [{ toolChoice: 'required' as const }, { tools: [weather], toolChoice: { tool: 'other' } }]) {
      expect(() => encode(request)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
    }
    expect(body({ toolChoice: 'auto' })).not.toHaveProperty('tool_choice');
  });

  it('asks for one call at a time, with or without a choice', () => {
    expect(body({ tools: [weather], parallelToolCalls: false })['tool_choice']).toEqual({
      type: 'auto',
      disable_parallel_tool_use: true,
    });
    expect(body({ tools: [weather], parallelToolCalls: false, toolChoice: 'required' })['tool_choice']).toEqual({
      type: 'any',
      disable_parallel_tool_use: true,
    });
    expect(body({ parallelToolCalls: false })).not.toHaveProperty('tool_choice');
  });

  it('asks for strict input of the models that have it, in the part of JSON Schema they take', () => {
    const input = { type: 'object', properties: { n: { type: 'integer', minimum: 1 } }, required: ['n'] };
    const request = { tools: [{ ...weather, input, strict: true }] };
    expect(body(request)['tools'][0]).toMatchObject({
      strict: true,
      input_schema: {
        properties: { n: { type: 'integer', description: '{minimum: 1}' } },
        additionalProperties: false,
      },
    });
    expect(codes(request)).toEqual(['schema-rewritten tools']);
    expect(body(request, 'claude-sonnet-4')['tools'][0]).toEqual({ name: 'weather', input_schema: input });
    expect(codes(request, 'claude-sonnet-4')).toEqual(['unsupported strict']);
    const loose = { tools: [{ ...weather, input, strict: false }] };
    expect(body(loose)['tools'][0]).toEqual({ name: 'weather', input_schema: input, strict: false });
  });

  it('leaves out tools that are not allowed, with a warning', () => {
    const request = { tools: [weather, { ...weather, name: 'other' }], toolChoice: { allow: ['other'] } };
    expect(body(request)['tools'].map((tool: any) => tool.name)).toEqual(['other']);
    expect(codes(request)).toEqual(['degraded toolChoice']);
  });

  it('keeps the order and the bytes of the tools in every run (TOOL-08)', () => {
    const tools = ['b', 'a', 'c'].map((name) => ({ ...weather, name }));
    expect(body({ tools })['tools'].map((tool: any) => tool.name)).toEqual(['b', 'a', 'c']);
  });

  it('sends hosted tools and MCP servers', () => {
    const { body: wire, headers } = encode({
      tools: [
        { type: 'hosted', tool: 'web_search', maxUses: 2, location: { city: 'Rome' } },
        { type: 'mcp', server: 'files', url: 'https://m', authorization: 'T', allow: ['read'] },
      ],
    });
    expect(wire['tools']).toEqual([
      {
        type: 'web_search_20250305',
        name: 'web_search',
        max_uses: 2,
        user_location: { type: 'approximate', city: 'Rome' },
      },
      {
        type: 'mcp_toolset',
        mcp_server_name: 'files',
        default_config: { enabled: false },
        configs: { read: { enabled: true } },
      },
    ]);
    expect(wire['mcp_servers']).toEqual([{ type: 'url', name: 'files', url: 'https://m', authorization_token: 'T' }]);
    expect(headers).toEqual({ 'anthropic-beta': 'mcp-client-2025-11-20' });
  });

  it.each([
    ['a freeform tool', { tools: [{ type: 'freeform' as const, name: 'x' }] }],
    ['an unknown hosted tool', { tools: [{ type: 'hosted' as const, tool: 'file_search' }] }],
    ['several choices', { n: 2 }],
    ['background work', { background: true }],
    ['stored conversations', { conversation: { previousResponseId: 'r' } }],
    ['audio answers', { modalities: ['audio' as const] }],
    ['a grammar', { output: { type: 'regex' as const, pattern: 'a' } }],
    [
      'video',
      {
        messages: [
          { role: 'user' as const, content: [{ type: 'video' as const, source: { kind: 'url' as const, url: 'x' } }] },
        ],
      },
    ],
  ])('refuses %s before any network (class A)', (_name, request) => {
    expect(() => encode(request)).toThrow(expect.objectContaining({ code: 'unsupported', fallbackable: true }));
  });

  it('refuses to force a tool on models that only choose themselves', () => {
    expect(() => encode({ tools: [weather], toolChoice: 'required' }, 'claude-opus-5-5')).toThrow(/forcing a tool/);
  });
});
