import { describe, expect, it } from 'vitest';
import type { DialectEnvironment } from '../../../src/core/dialect.ts';
import { isGatewayError } from '../../../src/core/errors.ts';
import { stamped } from '../../../src/core/replay.ts';
import { openaiResponses } from '../../../src/dialects/openai-responses/index.ts';
import type { ChatRequest } from '../../../src/operations/chat.ts';
import type { AssistantMessage, Message, OutputPart } from '../../../src/operations/chat-parts.ts';
import { decodeAll, decodeBody, environment, fold, frames } from './recordings.ts';

const user: Message = { role: 'user', content: [{ type: 'text', text: 'hi' }] };
const origin = { protocol: 'openai-responses', provider: 'openai', model: 'gpt-5-mini' };

const foreign = { ...origin, protocol: 'anthropic-messages' };

function encode(over: Partial<ChatRequest>, more: Partial<DialectEnvironment> = {}) {
  const request: ChatRequest = { model: 'fast', messages: [user], ...over };
  const encoded = openaiResponses.chat!.encodeRequest(request, { ...environment, stream: false, ...more });
  return { ...encoded, body: encoded.body as Record<string, any> };
}

function assistant(content: readonly OutputPart[], from: AssistantMessage['origin'] = origin): AssistantMessage {
  return { role: 'assistant', content, ...(from !== undefined && { origin: from }) };
}

const reasoning = stamped({
  type: 'reasoning',
  text: 'a\n\nb',
  form: 'summary',
  id: 'rs_1',
  sealed: { kind: 'encrypted', value: 'blob' },
  native: { 'openai-responses': { lengths: [1, 1] } },
} as OutputPart);

describe('openai-responses encodeRequest', () => {
  it('sends a small request with nothing that was not asked for, ERR-02', () => {
    const { path, body, warnings } = encode({ system: [{ type: 'text', text: 'be brief' }] });
    expect(path).toBe('/responses');
    expect(body).toEqual({
      model: 'gpt-5-mini',
      instructions: 'be brief',
      input: [{ role: 'user', content: 'hi' }],
      store: false,
      include: ['reasoning.encrypted_content'],
    });
    expect(warnings).toEqual([]);
  });

  it.each([
    ['gpt-4o', undefined, undefined],
    ['gpt-5-chat-latest', undefined, undefined],
    ['o4-mini', undefined, ['reasoning.encrypted_content']],
    ['openai/gpt-5.1', undefined, ['reasoning.encrypted_content']],
    ['house-model', { reasoning: true }, ['reasoning.encrypted_content']],
    ['gpt-5', { reasoning: false }, undefined],
  ])('asks %s for encrypted reasoning only if it thinks', (model, quirks, include) => {
    const { body } = encode({}, { target: { provider: 'p', model }, ...(quirks !== undefined && { quirks }) });
    expect(body['include']).toEqual(include);
  });

  it('asks for no seal where the answer is stored', () => {
    const { body } = encode({ conversation: { store: true } });
    expect([body['store'], body['include']]).toEqual([true, undefined]);
  });

  it('maps the options it has words for', () => {
    const { body, warnings } = encode(
      {
        maxTokens: 100,
        temperature: 3,
        topP: 0.5,
        reasoning: { effort: 'none', show: 'detailed' },
        verbosity: 'low',
        tier: 'flex',
        user: 'u',
        metadata: { a: 'b' },
        parallelToolCalls: false,
        maxToolCalls: 3,
        truncation: 'compact',
        background: true,
        logprobs: 2,
        cache: { key: 'k', ttl: '12h', mode: 'explicit' },
        conversation: { previousResponseId: 'resp_0' },
        native: { 'openai-responses': { text: { extra: 1 }, custom: null } },
      },
      { target: { provider: 'openai', model: 'gpt-5.1' }, stream: true },
    );
    expect(body).toMatchObject({
      max_output_tokens: 100,
      temperature: 2,
      top_p: 0.5,
      reasoning: { effort: 'none', summary: 'detailed' },
      text: { verbosity: 'low', extra: 1 },
      service_tier: 'flex',
      safety_identifier: 'u',
      metadata: { a: 'b' },
      parallel_tool_calls: false,
      max_tool_calls: 3,
      context_management: [{ type: 'compaction' }],
      background: true,
      top_logprobs: 2,
      prompt_cache_key: 'k',
      prompt_cache_options: { mode: 'explicit', ttl: '12h' },
      previous_response_id: 'resp_0',
      custom: null,
      stream: true,
    });
    expect(warnings.map((warning) => [warning.code, warning.feature])).toEqual([['clamped', 'temperature']]);
  });

  it.each([
    ['topK', 5],
    ['minP', 0.1],
    ['presencePenalty', 1],
    ['frequencyPenalty', 1],
    ['repetitionPenalty', 1],
    ['logitBias', { 1: 2 }],
    ['seed', 1],
    ['n', 2],
    ['prediction', 'x'],
    ['temperature', 0.5],
    ['output', { type: 'regex', pattern: 'a+' }],
    ['stop', ['END']],
  ] as const)('warns about %s, and refuses it where strict, N08', (name, value) => {
    const { warnings } = encode({ [name]: value });
    expect(warnings.map((warning) => warning.feature)).toEqual([name]);
    if (name === 'stop') expect(warnings[0]?.code).toBe('degraded');
    expect(() => encode({ [name]: value }, { strict: true })).toThrow(
      expect.objectContaining({ code: 'unsupported', fallbackable: true }),
    );
  });

  it('refuses audio and video, which it could only leave out', () => {
    const audio: Message = { role: 'user', content: [{ type: 'audio', source: { kind: 'base64', data: 'AA==' } }] };
    expect(() => encode({ messages: [audio] })).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('writes media as content entries', () => {
    const content: Message = {
      role: 'user',
      content: [
        { type: 'text', text: 'look', cache: true },
        { type: 'image', source: { kind: 'base64', data: 'AAAA' }, mediaType: 'image/webp', detail: 'low' },
        { type: 'image', source: { kind: 'url', url: 'https://x/y.png' } },
        { type: 'file', source: { kind: 'base64', data: 'BBBB' }, mediaType: 'application/pdf' },
        { type: 'file', source: { kind: 'file', id: 'file_1' } },
        { type: 'file', source: { kind: 'text', text: 'é' }, filename: 'a.txt' },
      ],
    };
    expect(encode({ messages: [content] }).body['input'][0].content).toEqual([
      { type: 'input_text', text: 'look', prompt_cache_breakpoint: { mode: 'explicit' } },
      { type: 'input_image', image_url: 'data:image/webp;base64,AAAA', detail: 'low' },
      { type: 'input_image', image_url: 'https://x/y.png' },
      { type: 'input_file', filename: 'document.pdf', file_data: 'data:application/pdf;base64,BBBB' },
      { type: 'input_file', file_id: 'file_1' },
      { type: 'input_file', filename: 'a.txt', file_data: 'data:text/plain;base64,w6k=' },
    ]);
  });

  it('sends sealed reasoning back as it came, with its id, R05', () => {
    const { body, warnings } = encode({ messages: [user, assistant([reasoning, { type: 'text', text: 'ok' }])] });
    expect(body['input'].slice(1)).toEqual([
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [
          { type: 'summary_text', text: 'a' },
          { type: 'summary_text', text: 'b' },
        ],
        encrypted_content: 'blob',
      },
      { role: 'assistant', content: 'ok' },
    ]);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['without encrypted content', { ...reasoning, sealed: undefined }, origin],
    ['edited since, R04', { ...reasoning, text: 'changed' }, origin],
    ['of another protocol, R03', reasoning, { ...origin, protocol: 'anthropic-messages' }],
    ['written by hand', reasoning, undefined],
  ])('drops reasoning %s and says so', (_what, part, from) => {
    const turn = { role: 'assistant', content: [part, { type: 'text', text: 'ok' }], ...(from && { origin: from }) };
    const { body, warnings } = encode({ messages: [user, turn as AssistantMessage] });
    expect(body['input'].slice(1)).toEqual([{ role: 'assistant', content: 'ok' }]);
    expect(warnings.map((warning) => warning.code)).toEqual(['dropped-replay']);
  });

  it('drops reasoning that led to nothing, which the server refuses', () => {
    const { body, warnings } = encode({ messages: [user, assistant([reasoning])] });
    expect(body['input']).toHaveLength(1);
    expect(warnings[0]?.code).toBe('dropped-replay');
  });

  it('sends item ids only where the server stored the items', () => {
    const native = { 'openai-responses': { id: 'msg_1', status: 'completed' } };
    const text = stamped({ type: 'text', text: 'ok', phase: 'commentary', native } as OutputPart);
    const sent = (store: boolean) =>
      encode({ messages: [assistant([text])], conversation: { store } }).body['input'][0];
    const content = [{ type: 'output_text', text: 'ok', annotations: [] }];
    const shell = { type: 'message', role: 'assistant', phase: 'commentary', status: 'completed', content };
    expect(sent(false)).toEqual(shell);
    expect(sent(true)).toEqual({ ...shell, id: 'msg_1' });
  });

  it('R10: sends the phase of what was said back, whichever way the answer came', () => {
    const message = (id: string, phase: string | undefined, text: string) => ({
      ...{ type: 'message', id, role: 'assistant', status: 'completed' },
      ...(phase !== undefined && { phase }),
      content: [{ type: 'output_text', text, annotations: [] }],
    });
    const output = [
      message('msg_1', 'commentary', 'Let me look.'),
      message('msg_2', 'final_answer', 'Here it is.'),
      message('msg_3', undefined, 'And so on.'),
    ];
    const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', status: 'completed', output };
    const streamed = decodeAll(
      frames([
        { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
        ...output.flatMap((item, output_index) => [
          {
            type: 'response.output_item.added',
            output_index,
            item: { ...item, status: 'in_progress', content: [] },
          },
          {
            ...{ type: 'response.output_text.delta', output_index, content_index: 0, item_id: item.id },
            delta: item.content[0]?.text,
          },
          { type: 'response.output_item.done', output_index, item },
        ]),
        { type: 'response.completed', response },
      ]),
    );
    expect(streamed.flatMap((event) => (event.type === 'text-start' ? [event.phase] : []))).toEqual([
      'commentary',
      'final',
      undefined,
    ]);
    for (const answer of [decodeBody(response), fold(streamed)]) {
      const { body } = encode({ messages: [user, answer.message] });
      const sent = (body['input'] as { phase?: string; content: unknown }[]).slice(1);
      expect(sent.map((item) => item.phase)).toEqual(['commentary', 'final_answer', undefined]);
      expect(sent.map((item) => item.content)).toEqual(output.map((item) => item.content));
    }
  });

  it('answers function, freeform and failed calls, by call_id', () => {
    const { body } = encode({
      messages: [
        assistant(
          [
            { type: 'tool-call', id: 'call_1', name: 'f', args: { a: 1 }, argsText: '{"a": 1}' },
            { type: 'tool-call', id: 'call_2', name: 'g', args: 'SELECT 1' },
            { type: 'tool-call', id: 'x'.repeat(70), name: 'f', args: {} },
          ],
          foreign,
        ),
        {
          role: 'tool',
          content: [
            { type: 'tool-result', callId: 'call_1', content: [{ type: 'json', value: { t: 1 } }] },
            { type: 'tool-result', callId: 'call_2', content: 'no', isError: true },
            { type: 'tool-result', callId: 'x'.repeat(70), content: 'late' },
          ],
        },
      ],
    });
    const [one, two, three, ...outputs] = body['input'];
    expect(one).toEqual({ type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"a": 1}' });
    expect(two).toEqual({ type: 'custom_tool_call', call_id: 'call_2', name: 'g', input: 'SELECT 1' });
    expect(three.call_id.length).toBeLessThanOrEqual(64);
    expect(outputs).toEqual([
      { type: 'function_call_output', call_id: 'call_1', output: '{"t":1}' },
      { type: 'custom_tool_call_output', call_id: 'call_2', output: 'Error: no' },
      { type: 'function_call_output', call_id: three.call_id, output: 'late' },
    ]);
  });

  it('writes arguments anew once they were edited', () => {
    const call: OutputPart = { type: 'tool-call', id: 'c', name: 'f', args: { a: 2 }, argsText: '{"a":1}' };
    expect(encode({ messages: [assistant([call])] }).body['input'][0].arguments).toBe('{"a":2}');
  });

  it('sends approval answers as items, and native blocks verbatim or not at all, R09', () => {
    const { body, warnings } = encode({
      messages: [
        assistant([
          { type: 'native', protocol: 'openai-responses', value: { type: 'compaction', encrypted_content: 'x' } },
          { type: 'native', protocol: 'gemini', value: {}, fallbackText: 'seen' },
          { type: 'native', protocol: 'gemini', value: {} },
        ]),
        { role: 'user', content: [{ type: 'approval-response', requestId: 'mcpr_1', approved: true }] },
      ],
    });
    expect(body['input']).toEqual([
      { type: 'compaction', encrypted_content: 'x' },
      { role: 'assistant', content: 'seen' },
      { type: 'mcp_approval_response', approval_request_id: 'mcpr_1', approve: true },
    ]);
    expect(warnings.map((warning) => warning.code)).toEqual(['dropped-part']);
  });

  it('writes tools with an explicit strict, and choices by what they name', () => {
    const input = { type: 'object', properties: { a: { type: 'string' } } };
    const tools: ChatRequest['tools'] = [
      { type: 'function', name: 'f', input },
      { type: 'function', name: 's', input, strict: true },
      { type: 'freeform', name: 'sql', grammar: { syntax: 'regex', definition: '.+' } },
      { type: 'hosted', tool: 'web_search', allowedDomains: ['a.b'], location: { city: 'Rome' } },
      { type: 'hosted', tool: 'code_execution' },
      { type: 'mcp', server: 'm', url: 'https://m', allow: ['x'], approval: { never: ['x'] } },
    ];
    const { body, warnings } = encode({ tools, toolChoice: { allow: ['f', 'sql', 'web_search'], mode: 'required' } });
    expect(body['tools']).toEqual([
      { type: 'function', name: 'f', parameters: input, strict: false },
      {
        type: 'function',
        name: 's',
        parameters: expect.objectContaining({ required: ['a'], additionalProperties: false }),
        strict: true,
      },
      { type: 'custom', name: 'sql', format: { type: 'grammar', syntax: 'regex', definition: '.+' } },
      {
        type: 'web_search',
        filters: { allowed_domains: ['a.b'] },
        user_location: { type: 'approximate', city: 'Rome' },
      },
      { type: 'code_interpreter', container: { type: 'auto' } },
      {
        type: 'mcp',
        server_label: 'm',
        server_url: 'https://m',
        allowed_tools: ['x'],
        require_approval: { never: { tool_names: ['x'] } },
      },
    ]);
    expect(body['tool_choice']).toEqual({
      type: 'allowed_tools',
      mode: 'required',
      tools: [{ type: 'function', name: 'f' }, { type: 'custom', name: 'sql' }, { type: 'web_search' }],
    });
    expect(warnings.map((warning) => warning.code)).toEqual(['schema-rewritten']);
    expect(() => encode({ tools: [{ type: 'hosted', tool: 'memory' }] })).toThrow(/memory/);
  });

  it('makes an output schema strict, E06, and says what could not be', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } };
    const { body } = encode({ output: { type: 'schema', name: 'out', schema } });
    expect(body['text'].format).toMatchObject({ type: 'json_schema', name: 'out', strict: true });
    expect(body['text'].format.schema.required).toEqual(['a']);
    const loose = encode({ output: { type: 'schema', name: 'out', schema: { type: 'array' } } });
    expect(loose.body['text'].format.strict).toBe(false);
    expect(loose.warnings[0]?.code).toBe('degraded');
    expect(encode({ output: { type: 'json' } }).body['text']).toEqual({ format: { type: 'json_object' } });
  });

  it('writes the same bytes each time, N07, TOOL-08', () => {
    const long: Message = assistant([{ type: 'tool-call', id: 'y'.repeat(80), name: 'f', args: { b: 1 } }], foreign);
    const once = JSON.stringify(encode({ messages: [user, long] }).body);
    expect(JSON.stringify(encode({ messages: [user, long] }).body)).toBe(once);
    expect(isGatewayError(once)).toBe(false);
  });
});
