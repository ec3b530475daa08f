import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import { mayReplay } from '../../../src/core/replay.ts';
import { openaiResponsesDoor } from '../../../src/dialects/openai-responses/door.ts';
import { decodeRequest } from '../../../src/dialects/openai-responses/door-request.ts';
import { wrapSealed } from '../../../src/dialects/openai-responses/envelope.ts';
import { openaiResponses } from '../../../src/dialects/openai-responses/index.ts';
import type { AssistantMessage } from '../../../src/operations/chat-parts.ts';
import { environment, present, recordings, text, why } from './recordings.ts';

/** Encodes what the door decoded, as for the same protocol. */
function roundTrip(body: any): { body: any; warnings: readonly unknown[] } {
  const { request, facts, stream } = decodeRequest(body);
  const target = { provider: 'openai', model: body.model };
  return openaiResponses.chat!.encodeRequest(request, { ...environment, target, facts, stream });
}

describe.skipIf(!present)(`recorded Responses requests (skipped where ${why})`, () => {
  it('writes every recorded request back as it came, R01', () => {
    let count = 0;
    for (const row of recordings) {
      if (row.files.request === undefined) continue;
      count++;
      const body = JSON.parse(text(row.files.request));
      const back = roundTrip(body);
      expect(back.body, row.name).toEqual(body);
      expect(back.warnings, row.name).toEqual([]);
    }
    // No normalisation is needed for any of them.
    expect(count).toBe(70);
  });
});

const assistantText = {
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: 'ok', annotations: [] }],
};

describe('openai-responses decodeRequest', () => {
  it('groups what the assistant did, and the answers to its calls', () => {
    const { request } = decodeRequest({
      model: 'fast',
      instructions: 'be brief',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'hi' },
            { type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'low' },
          ],
        },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'blob' },
        { type: 'function_call', id: 'fc_1', call_id: 'a', name: 'f', arguments: '{}' },
        { type: 'function_call', id: 'fc_2', call_id: 'b', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'a', output: '1' },
        { type: 'function_call_output', call_id: 'b', output: [{ type: 'input_text', text: '2' }] },
        assistantText,
        { type: 'mcp_approval_response', approval_request_id: 'r', approve: false, reason: 'no' },
      ],
    });
    expect(request.system).toEqual([{ type: 'text', text: 'be brief' }]);
    expect(request.messages.map((message) => [message.role, message.content.map((part) => part.type)])).toEqual([
      ['user', ['text', 'image']],
      ['assistant', ['reasoning', 'tool-call', 'tool-call']],
      ['tool', ['tool-result', 'tool-result']],
      ['assistant', ['text']],
      ['user', ['approval-response']],
    ]);
    expect(request.messages[1]).toMatchObject({ origin: { protocol: 'openai-responses' } });
    expect(request.messages[2]?.content).toMatchObject([{ name: 'f', content: '1' }, { name: 'f' }]);
  });

  it.each([
    ['bare text', { input: 'hi' }],
    ['no input at all', { prompt: { id: 'pmpt_1' } }],
    ['a list of one text', { input: [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }] }] }],
    ['a system image', { input: [{ role: 'system', content: [{ type: 'input_image', file_id: 'f' }] }] }],
    ['nulls', { input: 'x', temperature: null, tools: null, tool_choice: null, text: {}, reasoning: {}, store: null }],
    ['state', { input: 'x', conversation: { id: 'c' }, store: true, stream: false, previous_response_id: 'r' }],
    ['reasoning', { input: 'x', reasoning: { effort: 'low', summary: 'concise', mode: 'pro' }, top_logprobs: 2 }],
    ['caching', { input: 'x', prompt_cache_options: { mode: 'implicit', ttl: '12h', prewarm: true }, user: 'u' }],
    [
      'formats',
      { input: 'x', text: { format: { type: 'json_schema', name: 'n', schema: {}, strict: null }, verbosity: 'high' } },
    ],
    [
      'files',
      {
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_file', file_data: 'AAAA', filename: 'a.pdf' },
              { type: 'input_file', file_id: 'f' },
              { type: 'input_audio', input_audio: {} },
            ],
          },
        ],
      },
    ],
    [
      'tools',
      {
        input: 'x',
        tools: [
          { type: 'function', name: 'f', description: null, parameters: null, strict: null },
          { type: 'function', name: 'g', parameters: {}, defer_loading: true },
          { type: 'custom', name: 'c', format: { type: 'text' } },
          {
            type: 'web_search_preview',
            search_context_size: 'low',
            user_location: { type: 'approximate', country: null },
          },
          { type: 'web_search', filters: { allowed_domains: ['a'] } },
          { type: 'code_interpreter', container: 'cntr_1' },
          { type: 'namespace', name: 'n', description: 'd', tools: [] },
          {
            type: 'mcp',
            server_label: 's',
            require_approval: { never: { read_only: true } },
            allowed_tools: { read_only: true },
          },
          { type: 'brand_new', option: 1 },
        ],
      },
    ],
    ['choices', { input: 'x', tool_choice: { type: 'mcp', server_label: 's', name: 'n' }, tools: [] }],
    [
      'items',
      {
        input: [
          { type: 'item_reference', id: 'msg_9' },
          {
            type: 'computer_call',
            id: 'cu',
            call_id: 'c',
            action: { type: 'wait' },
            pending_safety_checks: [],
            status: 'completed',
          },
          { type: 'computer_call_output', call_id: 'c', output: { type: 'computer_screenshot', file_id: 'f' } },
          { type: 'custom_tool_call', call_id: 'd', name: 'sql', input: 'x' },
          { type: 'custom_tool_call_output', call_id: 'd', output: 'y' },
          { type: 'function_call_output', output: 'late', name: 'f' },
          { type: 'compaction_trigger' },
          assistantText,
        ],
      },
    ],
  ])('writes back %s word for word', (_what, body) => {
    expect(roundTrip({ model: 'm', ...body }).body).toEqual({ model: 'm', ...body });
  });

  it('names the field of a body it cannot read', () => {
    for (const body of [null, 'x', { model: 1 }, { model: 'm', input: 5 }]) {
      expect(() => decodeRequest(body)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
    }
  });

  it('unwraps foreign seals, and drops one that does not fit its text, P06', () => {
    const sealed = { kind: 'signature' as const, value: 'sig é' };
    const wrapped = wrapSealed({ type: 'reasoning', text: 'hm', form: 'full', sealed }, 'anthropic-messages') as string;
    const read = (text: string, encrypted_content: string) => {
      const item = { type: 'reasoning', id: 'rs_ptn_1', summary: [{ type: 'summary_text', text }], encrypted_content };
      return decodeRequest({ model: 'm', input: [{ role: 'user', content: 'x' }, item, assistantText] }).request;
    };
    const message = read('hm', wrapped).messages[1] as AssistantMessage;
    expect(message.origin?.protocol).toBe('anthropic-messages');
    expect(message.content[0]).toMatchObject({ type: 'reasoning', text: 'hm', form: 'full', sealed });
    expect(mayReplay(message.content[0] as never, message, 'anthropic-messages')).toBe(true);
    for (const request of [
      read('changed', wrapped),
      read('hm', `${wrapped.slice(0, -6)}AAAA==`),
      read('hm', 'ptn1.x'),
    ]) {
      expect(request.messages[1]?.content[0]).not.toHaveProperty('sealed');
    }
    // The upstream of this protocol never sees a wrapping.
    const back = openaiResponses.chat!.encodeRequest(read('hm', wrapped), environment);
    expect(JSON.stringify(back.body)).not.toContain('ptn1');
    expect(back.warnings.map((warning) => warning.code)).toEqual(['dropped-replay']);
  });

  it('sends no id of ours to a server', () => {
    const item = { ...assistantText, id: 'msg_ptn_abc' };
    expect(JSON.stringify(roundTrip({ model: 'm', input: [item] }).body)).not.toContain('_ptn_');
  });
});

describe('openai-responses encodeError', () => {
  it.each([
    ['rate-limited', 429, OpenAI.RateLimitError],
    ['quota-exceeded', 429, OpenAI.RateLimitError],
    ['authentication', 401, OpenAI.AuthenticationError],
    ['not-found', 404, OpenAI.NotFoundError],
    ['context-too-long', 400, OpenAI.BadRequestError],
    ['overloaded', 503, OpenAI.InternalServerError],
    ['internal', 500, OpenAI.InternalServerError],
  ] as const)('makes the SDK raise its own class for %s, once, P04', async (code, status, errorClass) => {
    let calls = 0;
    const error = new GatewayError(code, 'No.', { requestId: 'req_1', retryAfterMs: 1500, providerMessage: 'private' });
    const { body, headers, status: sent } = openaiResponsesDoor.encodeError(error, { headers: {}, nowMs: 0 });
    const fetch = async (): Promise<Response> => {
      calls++;
      return new Response(JSON.stringify(body), { status: sent, headers });
    };
    const client = new OpenAI({ apiKey: 'test', fetch });
    const thrown: any = await client.responses.create({ model: 'm', input: 'x' }).catch((reason: unknown) => reason);
    expect(thrown).toBeInstanceOf(errorClass);
    expect([thrown.status, thrown.requestID, calls]).toEqual([status, 'req_1', 1]);
    expect(JSON.stringify(body)).not.toContain('private');
    expect(headers['retry-after']).toBe('2');
  });
});
