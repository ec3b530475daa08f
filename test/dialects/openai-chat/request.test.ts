import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/core/errors.ts';
import { openaiChatDoor } from '../../../src/dialects/openai-chat/door.ts';
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts';
import { originalName, wireName } from '../../../src/dialects/openai-chat/names.ts';
import type { ChatRequest } from '../../../src/operations/chat.ts';
import type { Message } from '../../../src/operations/chat-parts.ts';
import { environment } from './fixtures.ts';

const user = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] });
const request = (more: Partial<ChatRequest> = {}): ChatRequest => ({ model: 'x', messages: [user('hi')], ...more });
const encode = (more: Partial<ChatRequest> = {}, model = 'gpt-4o', more2 = {}) =>
  openaiChat.chat!.encodeRequest(request(more), environment({ target: { provider: 'openai', model }, ...more2 }));
const call = (id: string, name = 'find'): Message => ({
  role: 'assistant',
  content: [{ type: 'tool-call', id, name, args: { a: 1 } }],
});
const result = (callId: string, content: unknown = 'ok', more = {}): Message =>
  ({ role: 'tool', content: [{ type: 'tool-result', callId, content, ...more }] }) as Message;
const tool = { type: 'function', name: 'find', input: { type: 'object', properties: {} } } as const;

describe('encodeRequest', () => {
  it('sends nothing that was not asked for (ERR-02)', () => {
    const { body, warnings, path } = encode();
    expect(body).toEqual({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] });
    expect([warnings, path]).toEqual([[], '/chat/completions']);
    expect(JSON.stringify(body)).not.toContain('null');
  });

  it('is the same text every time (N07, TOOL-08)', () => {
    const make = () =>
      JSON.stringify(
        encode({
          tools: [{ ...tool, name: 'a.b' }],
          messages: [user('x'), call('x'.repeat(60)), result('x'.repeat(60))],
        }).body,
      );
    expect(make()).toBe(make());
  });

  it.each<[string, Partial<ChatRequest>, object]>([
    ['output limit', { maxTokens: 5 }, { max_completion_tokens: 5 }],
    [
      'sampling',
      { temperature: 1, topP: 0.5, presencePenalty: 1, frequencyPenalty: 1, logitBias: { 5: 1 } },
      { temperature: 1, top_p: 0.5, presence_penalty: 1, frequency_penalty: 1, logit_bias: { 5: 1 } },
    ],
    ['stop, seed and n', { stop: ['a'], seed: 1, n: 2 }, { stop: ['a'], seed: 1, n: 2 }],
    ['log probabilities', { logprobs: 3 }, { logprobs: true, top_logprobs: 3 }],
    ['reasoning and verbosity', { verbosity: 'low' }, { verbosity: 'low' }],
    [
      'cache',
      { cache: { key: 'k', ttl: '24h', mode: 'explicit' } },
      { prompt_cache_key: 'k', prompt_cache_retention: '24h', prompt_cache_options: { mode: 'explicit' } },
    ],
    [
      'tier, user, metadata',
      { tier: 'flex', user: 'u', metadata: { a: 'b' } },
      { service_tier: 'flex', safety_identifier: 'u', metadata: { a: 'b' } },
    ],
    [
      'audio',
      { modalities: ['text', 'audio'], audio: { voice: 'ash', format: 'wav' } },
      { modalities: ['text', 'audio'], audio: { voice: 'ash', format: 'wav' } },
    ],
    [
      'prediction and store',
      { prediction: 'p', conversation: { store: false } },
      { prediction: { type: 'content', content: 'p' }, store: false },
    ],
    ['json', { output: { type: 'json' } }, { response_format: { type: 'json_object' } }],
    [
      'native fields',
      { native: { 'openai-chat': { a: null, temperature: 2 } }, temperature: 1 },
      { a: null, temperature: 2 },
    ],
    [
      'tools',
      { tools: [tool], toolChoice: 'required', parallelToolCalls: false },
      {
        tools: [{ type: 'function', function: { name: 'find', parameters: tool.input } }],
        tool_choice: 'required',
        parallel_tool_calls: false,
      },
    ],
    [
      'a named tool',
      { tools: [tool], toolChoice: { tool: 'find' } },
      { tools: expect.anything(), tool_choice: { type: 'function', function: { name: 'find' } } },
    ],
    [
      'allowed tools',
      { tools: [tool], toolChoice: { allow: ['find'] } },
      {
        tools: expect.anything(),
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'find' } }] },
        },
      },
    ],
    [
      'a freeform tool',
      { tools: [{ type: 'freeform', name: 'f', grammar: { syntax: 'regex', definition: 'a+' } }] },
      {
        tools: [
          {
            type: 'custom',
            custom: { name: 'f', format: { type: 'grammar', grammar: { syntax: 'regex', definition: 'a+' } } },
          },
        ],
      },
    ],
    [
      'web search',
      { tools: [{ type: 'hosted', tool: 'web_search', location: { city: 'Oslo' } }] },
      { web_search_options: { user_location: { type: 'approximate', approximate: { city: 'Oslo' } } } },
    ],
  ])('encodes %s', (_name, more, expected) => {
    const { body, warnings } = encode(more);
    const { model: _model, messages: _messages, ...rest } = body;
    expect(rest).toEqual(expected);
    expect(warnings).toEqual([]);
  });

  it('makes a schema strict, and says when its meaning changed (E06)', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } };
    const { body, warnings } = encode({ output: { type: 'schema', name: 'n', schema } });
    expect(body['response_format']).toMatchObject({
      json_schema: { name: 'n', strict: true, schema: { required: ['a'], additionalProperties: false } },
    });
    expect(warnings.map((one) => one.code)).toEqual(['schema-rewritten']);
    const open = encode({
      output: { type: 'schema', name: 'n', schema: { type: 'object', additionalProperties: true } },
    });
    expect(open.body['response_format']).toMatchObject({ json_schema: { strict: false } });
  });

  it.each<[string, Partial<ChatRequest>, string]>([
    ['topK (N08)', { topK: 5 }, 'unsupported'],
    ['temperature above 2', { temperature: 3 }, 'clamped'],
    ['purpose of reasoning', { reasoning: { show: 'summary' } }, 'unsupported'],
    ['truncation', { truncation: 'auto' }, 'unsupported'],
    [
      'a cache hint',
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'a', cache: true }] }] },
      'unsupported',
    ],
    ['video times', { maxToolCalls: 1 }, 'unsupported'],
  ])('warns of %s, and refuses it under strict', (_name, more, code) => {
    expect(encode(more).warnings.map((one) => one.code)).toEqual([code]);
    expect(() => encode(more, 'gpt-4o', { strict: true })).toThrow(
      expect.objectContaining({ code: 'unsupported', fallbackable: true }),
    );
  });

  it.each<[string, Partial<ChatRequest>]>([
    ['an MCP server', { tools: [{ type: 'mcp', server: 's' }] }],
    ['an unknown hosted tool', { tools: [{ type: 'hosted', tool: 'computer' }] }],
    ['an earlier response', { conversation: { previousResponseId: 'r' } }],
    ['background work', { background: true }],
    [
      'a document by address',
      { messages: [{ role: 'user', content: [{ type: 'file', source: { kind: 'url', url: 'https://a.example' } }] }] },
    ],
    ['a grammar', { output: { type: 'regex', pattern: 'a' } }],
    [
      'video',
      { messages: [{ role: 'user', content: [{ type: 'video', source: { kind: 'url', url: 'https://a.example' } }] }] },
    ],
  ])('refuses %s always', (_name, more) => {
    let thrown: unknown;
    try {
      encode(more);
    } catch (error) {
      thrown = error;
    }
    expect(isGatewayError(thrown, 'unsupported')).toBe(true);
  });

  it('spares reasoning models what they refuse', () => {
    const { body, warnings } = encode(
      { temperature: 1, topP: 1, logprobs: 2, maxTokens: 9, system: [{ type: 'text', text: 's' }] },
      'gpt-5-mini',
    );
    expect(body).toEqual({
      model: 'gpt-5-mini',
      max_completion_tokens: 9,
      messages: [
        { role: 'developer', content: 's' },
        { role: 'user', content: 'hi' },
      ],
    });
    expect(warnings).toHaveLength(3);
    expect(encode({ temperature: 1, reasoning: { effort: 'none' } }, 'gpt-5.1').body).toMatchObject({
      temperature: 1,
      reasoning_effort: 'none',
    });
  });

  it('always asks a stream for its usage, unless the server does not know how', () => {
    expect(encode({}, 'm', { stream: true }).body).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(encode({}, 'm', { stream: true, quirks: { streamOptions: false } }).body).not.toHaveProperty(
      'stream_options',
    );
  });

  it('follows the quirks of a server', () => {
    const quirks = {
      maxTokensField: 'max_tokens',
      seedField: 'random_seed',
      userField: 'user',
      toolChoiceRequired: 'any',
      toolIds: 'nine',
      developerRole: false,
      arrayContent: false,
      sampling: ['top_k'],
      reasoningField: 'reasoning_content',
      strict: false,
    };
    const messages: Message[] = [
      {
        role: 'developer',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      {
        role: 'assistant',
        content: [{ type: 'reasoning', text: 'r', form: 'full' }, ...(call('call_1').content as never[])],
      },
      result('call_1'),
    ];
    const { body } = encode(
      {
        messages,
        maxTokens: 1,
        seed: 2,
        user: 'u',
        topK: 3,
        tools: [{ ...tool, strict: true }],
        toolChoice: 'required',
      },
      'm',
      { quirks },
    );
    expect(body).toMatchObject({ max_tokens: 1, random_seed: 2, user: 'u', top_k: 3, tool_choice: 'any' });
    expect(body['messages']).toMatchObject([
      { role: 'system', content: 'a\nb' },
      { reasoning_content: 'r', content: null },
      { role: 'tool' },
    ]);
    const [, assistant, tooled] = body['messages'] as { tool_calls: { id: string }[]; tool_call_id: string }[];
    expect(assistant!.tool_calls[0]!.id).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(tooled!.tool_call_id).toBe(assistant!.tool_calls[0]!.id);
    expect(JSON.stringify(body['tools'])).not.toContain('strict');
  });
});

describe('encodeRequest writes messages', () => {
  const encoded = (messages: Message[], more = {}) => encode({ messages }, 'gpt-4o', more);

  it('one tool message a result, errors marked (E09)', () => {
    const both: Message = {
      role: 'tool',
      content: [...(result('a').content as never[]), ...(result('b', 'bad', { isError: true }).content as never[])],
    };
    const { body } = encoded([
      { role: 'assistant', content: [...(call('a').content as never[]), ...(call('b').content as never[])] },
      both,
    ]);
    expect((body['messages'] as object[]).slice(1)).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'ok' },
      { role: 'tool', tool_call_id: 'b', content: 'Error: bad' },
    ]);
  });

  it('an image result as a placeholder and a user message after all results (E10)', () => {
    const image = { type: 'image', source: { kind: 'base64', data: 'QQ==' }, mediaType: 'image/png' };
    const { body, warnings } = encoded([
      { role: 'assistant', content: [...(call('a').content as never[]), ...(call('b').content as never[])] },
      result('a', [{ type: 'text', text: 'see' }, image]),
      result('b'),
      user('and?'),
    ]);
    const messages = body['messages'] as { role: string; content: unknown }[];
    expect(messages.map((one) => one.role)).toEqual(['assistant', 'tool', 'tool', 'user', 'user']);
    expect(messages[3]!.content).toContainEqual({
      type: 'image_url',
      image_url: { url: 'data:image/png;base64,QQ==' },
    });
    expect(warnings.map((one) => one.code)).toEqual(['degraded']);
  });

  it('an error result for a call that has none (N06)', () => {
    const { body, warnings } = encoded([call('a'), user('well?')]);
    expect((body['messages'] as object[])[1]).toEqual({
      role: 'tool',
      tool_call_id: 'a',
      content: 'Error: no result recorded',
    });
    expect(warnings).toHaveLength(1);
  });

  it('no reasoning and no call of another provider (R03)', () => {
    const { body, warnings } = encoded([
      {
        role: 'assistant',
        origin: { protocol: 'anthropic-messages', provider: 'anthropic', model: 'c' },
        content: [
          { type: 'reasoning', text: 'secret', form: 'full', sealed: { kind: 'signature', value: 'sig' } },
          { type: 'text', text: 'a' },
          { type: 'tool-call', id: 'p', name: 'web', args: {}, executor: 'provider' },
        ],
      },
    ]);
    expect(body['messages']).toEqual([{ role: 'assistant', content: 'a' }]);
    expect(warnings.map((one) => one.code)).toEqual(['dropped-replay', 'dropped-part']);
  });

  it('media of user messages', () => {
    const { body } = encoded([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'image', source: { kind: 'url', url: 'https://a.example/i.png' }, detail: 'low' },
          { type: 'audio', source: { kind: 'base64', data: 'QQ==' }, mediaType: 'audio/mpeg' },
          { type: 'file', source: { kind: 'base64', data: 'QQ==' }, mediaType: 'application/pdf', filename: 'f.pdf' },
          { type: 'file', source: { kind: 'file', id: 'file-1' } },
        ],
      },
    ]);
    expect((body['messages'] as { content: unknown }[])[0]!.content).toEqual([
      { type: 'text', text: 'a' },
      { type: 'image_url', image_url: { url: 'https://a.example/i.png', detail: 'low' } },
      { type: 'input_audio', input_audio: { data: 'QQ==', format: 'mp3' } },
      { type: 'file', file: { filename: 'f.pdf', file_data: 'data:application/pdf;base64,QQ==' } },
      { type: 'file', file: { file_id: 'file-1' } },
    ]);
  });

  it('names and ids that fit, reversibly', () => {
    const { body, warnings } = encoded([call('x'.repeat(60), 'srv.find'), result('x'.repeat(60))]);
    const [assistant, tooled] = body['messages'] as {
      tool_calls: { id: string; function: { name: string } }[];
      tool_call_id: string;
    }[];
    expect(assistant!.tool_calls[0]!.id.length).toBeLessThanOrEqual(40);
    expect(tooled!.tool_call_id).toBe(assistant!.tool_calls[0]!.id);
    expect(originalName(assistant!.tool_calls[0]!.function.name)).toBe('srv.find');
    expect(warnings.every((one) => one.code === 'id-rewritten')).toBe(true);
    for (const name of ['a b', 'ü', '_x0041_.', 'ptnx_x']) expect(originalName(wireName(name, 'p'))).toBe(name);
    expect(() => wireName('.'.repeat(40), 'p')).toThrow(/1 to 64/);
  });
});

describe('decodeRequest of the door', () => {
  const roundTrip = (body: Record<string, unknown>) => {
    const { request: decoded, facts, stream } = openaiChatDoor.chat!.decodeRequest(body, {});
    const target = { provider: 'openai', model: body['model'] as string };
    return openaiChat.chat!.encodeRequest(decoded, environment({ target, facts, stream })).body;
  };
  const messages = [{ role: 'user', content: 'hi' }];

  it.each<[string, Record<string, unknown>]>([
    [
      'old functions',
      {
        functions: [{ name: 'f', parameters: { type: 'object' }, x: 1 }],
        function_call: { name: 'f' },
        messages: [
          ...messages,
          { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
          { role: 'function', name: 'f', content: 'r' },
        ],
      },
    ],
    ['both limits', { max_tokens: 1, max_completion_tokens: 2 }],
    ['a single stop', { stop: 'a', user: 'u', seed: 1 }],
    [
      'nulls',
      {
        temperature: null,
        stop: null,
        tools: null,
        stream: null,
        messages: [{ role: 'assistant', content: 'a', refusal: null, tool_calls: null }],
      },
    ],
    [
      'array content',
      {
        messages: [
          { role: 'system', content: [{ type: 'text', text: 's' }] },
          { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
          {
            role: 'assistant',
            content: '',
            tool_calls: [
              { id: 'a', type: 'function', function: { name: 'f', arguments: '{"a": 1}' }, extra_content: { x: 1 } },
            ],
          },
          { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'r' }] },
        ],
      },
    ],
    [
      'custom tools',
      {
        tools: [{ type: 'custom', custom: { name: 'c', format: { type: 'text' } } }],
        tool_choice: { type: 'custom', custom: { name: 'c' } },
        messages: [{ role: 'assistant', tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'c', input: 'x' } }] }],
      },
    ],
    [
      'unknown tools and parts',
      {
        tools: [{ type: 'new' }],
        tool_choice: 'auto',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'new', x: 1 },
              { type: 'image_url', image_url: { url: 'u', detail: 'huge' } },
            ],
          },
        ],
      },
    ],
    [
      'sampling of open models',
      { top_k: 1, min_p: 0.1, repetition_penalty: 1.1, reasoning_effort: 'low', logprobs: true, top_logprobs: 2 },
    ],
    [
      'formats',
      {
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'n', schema: { type: 'object', properties: { a: {} } }, strict: null, x: 1 },
        },
      },
    ],
    [
      'text format',
      {
        response_format: { type: 'text' },
        modalities: ['text'],
        store: true,
        metadata: { a: 'b' },
        logit_bias: { 1: 2 },
      },
    ],
    [
      'an assistant that reasons',
      {
        messages: [
          {
            role: 'assistant',
            content: 'a',
            reasoning: 'r',
            reasoning_details: [{ type: 'reasoning.text', text: 'r' }],
          },
        ],
      },
    ],
    ['spoken turns', { messages: [{ role: 'assistant', audio: { id: 'a1' } }] }],
    [
      'allowed tools',
      {
        tools: [{ type: 'function', function: { name: 'f' } }],
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] },
        },
      },
    ],
  ])('keeps %s word for word', (_name, more) => {
    const body = { model: 'gpt-4o', messages, ...more };
    expect(roundTrip(body)).toEqual(body);
  });

  it('reads what other protocols can use', () => {
    const body = {
      model: 'm',
      messages: [{ role: 'developer', content: 'd' }, ...messages],
      max_tokens: 5,
      stop: 'x',
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
      stream: true,
      stream_options: { include_usage: true },
    };
    const decoded = openaiChatDoor.chat!.decodeRequest(body, {});
    expect(decoded.stream).toBe(true);
    expect(decoded.request).toEqual({
      model: 'm',
      messages: [{ role: 'developer', content: [{ type: 'text', text: 'd' }] }, user('hi')],
      maxTokens: 5,
      stop: ['x'],
      tools: [{ type: 'function', name: 'f', input: { type: 'object' } }],
    });
  });

  it.each([[null], [{}], [{ model: 'm' }], [{ model: 'm', messages: [{ role: 7 }] }]])(
    'refuses %j as a bad request',
    (body) => {
      expect(() => openaiChatDoor.chat!.decodeRequest(body, {})).toThrow(
        expect.objectContaining({ code: 'invalid-request' }),
      );
    },
  );
});
