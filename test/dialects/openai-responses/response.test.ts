import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/core/errors.ts';
import { openaiResponses } from '../../../src/dialects/openai-responses/index.ts';
import { textOf } from '../../../src/operations/chat.ts';
import { decodeBody, environment } from './recordings.ts';

const shell = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', status: 'completed' };
const said = (content: unknown) => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [content],
});
const decode = (output: unknown[], over: object = {}) => decodeBody({ ...shell, output, ...over });
const text = said({ type: 'output_text', text: 'x', annotations: [] });
const call = { type: 'function_call', id: 'fc', call_id: 'c', name: 'f', arguments: '{}' };

describe('openai-responses decodeResponse', () => {
  it.each([
    ['stop', [text], {}],
    ['tool-calls', [text, call], {}],
    ['tool-calls', [{ type: 'mcp_approval_request', id: 'r', name: 'n', arguments: '{}', server_label: 's' }], {}],
    ['tool-calls', [{ type: 'computer_call', id: 'cu', call_id: 'c', action: { type: 'wait' } }], {}],
    [
      'stop',
      [{ type: 'shell_call', id: 's', call_id: 'c', action: {}, environment: { type: 'container_reference' } }],
      {},
    ],
    ['stop', [{ type: 'web_search_call', id: 'ws', action: {} }, text], {}],
    ['refusal', [said({ type: 'refusal', refusal: 'no' })], {}],
    ['length', [text, call], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }],
    ['content-filter', [text], { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }],
    ['pause', [text], { status: 'incomplete', incomplete_details: { reason: 'steered' } }],
    ['other', [text], { status: 'incomplete', incomplete_details: { reason: 'new_reason' } }],
    ['cancelled', [text], { status: 'cancelled' }],
    ['other', [text], { status: 'queued' }],
  ])('derives finish %s, F01, F03, TOOL-10', (reason, output, over) => {
    expect(decode(output, over).finish.reason).toBe(reason);
  });

  it.each([
    ['full', { content: [{ type: 'reasoning_text', text: 'a' }], summary: [{ type: 'summary_text', text: 's' }] }, 'a'],
    [
      'summary',
      {
        summary: [
          { type: 'summary_text', text: 's' },
          { type: 'summary_text', text: 't' },
        ],
      },
      's\n\nt',
    ],
    ['redacted', { summary: [], encrypted_content: 'e' }, ''],
  ])('reads reasoning of form %s', (form, fields, expected) => {
    const [part] = decode([{ type: 'reasoning', id: 'rs', ...fields }, text]).message.content;
    expect(part).toMatchObject({ type: 'reasoning', form, text: expected, id: 'rs' });
  });

  it('makes citations of annotations, with offsets in UTF-16 units', () => {
    const annotation = { type: 'url_citation', url: 'https://x', title: 'X', start_index: 2, end_index: 4 };
    const file = { type: 'file_citation', file_id: 'f', filename: 'a.pdf', index: 3 };
    const [part] = decode([said({ type: 'output_text', text: '🌍 ab', annotations: [annotation, file] })]).message
      .content;
    expect(part).toMatchObject({
      citations: [
        { start: 3, end: 5, source: { kind: 'url', url: 'https://x', title: 'X' } },
        { source: { kind: 'document', fileId: 'f', title: 'a.pdf' }, native: { 'openai-responses': { index: 3 } } },
      ],
    });
  });

  it('reads hosted calls with their results and keeps the whole item', () => {
    const image = {
      type: 'image_generation_call',
      id: 'ig',
      status: 'completed',
      result: 'AAAA',
      output_format: 'webp',
    };
    const mcp = {
      type: 'mcp_call',
      id: 'mcp',
      name: 'go',
      server_label: 's',
      arguments: '{"a":1}',
      output: null,
      error: 'bad',
    };
    const code = { type: 'code_interpreter_call', id: 'ci', code: '1+1', outputs: null, container_id: 'k' };
    const parts = decode([image, mcp, code]).message.content;
    expect(parts).toMatchObject([
      {
        type: 'tool-call',
        id: 'ig',
        name: 'image_generation',
        executor: 'provider',
        native: { 'openai-responses': image },
      },
      { type: 'tool-result', content: [{ type: 'image', mediaType: 'image/webp', source: { data: 'AAAA' } }] },
      { type: 'tool-call', id: 'mcp', name: 'go', server: 's', args: { a: 1 } },
      { type: 'tool-result', content: 'bad', isError: true },
      { type: 'tool-call', id: 'ci', name: 'code_execution', args: '1+1' },
    ]);
  });

  it('keeps unknown items and reports reasoning that the server left out', () => {
    const response = decode([{ type: 'compaction', id: 'c' }, text], {
      service_tier: 'priority',
      moderation: { input: 1 },
      input_transformations: [{ id: 'rs', type: 'reasoning', action: 'removed', reason: 'model_mismatch' }],
    });
    expect(response.message.content[0]).toMatchObject({ type: 'native', protocol: 'openai-responses' });
    expect([response.tier, response.warnings[0]?.code]).toEqual(['priority', 'dropped-replay']);
    expect(response.native).toMatchObject({ 'openai-responses': { moderation: { input: 1 } } });
  });

  it('throws a failed response with what it held', () => {
    const error = { code: 'server_error', message: 'secret words' };
    try {
      decode([text], { status: 'failed', error });
      expect.unreachable();
    } catch (thrown) {
      if (!isGatewayError(thrown)) throw thrown;
      expect([thrown.code, thrown.status, thrown.retryable]).toEqual(['unavailable', 500, true]);
      expect(textOf(thrown.partial!.message)).toBe('x');
      expect(JSON.stringify(thrown)).not.toContain('secret words');
    }
  });

  it.each([[null], ['text'], [{}], [{ choices: [] }]])('calls the wrong shape %j a bad response', (body) => {
    expect(() => decodeBody(body)).toThrow(expect.objectContaining({ code: 'bad-response', retryable: true }));
  });
});

describe('openai-responses errors', () => {
  it.each([
    [429, { code: 'insufficient_quota' }, 'quota-exceeded'],
    [429, { code: 'rate_limit_exceeded' }, 'rate-limited'],
    [429, { type: 'tokens', message: 'x' }, 'rate-limited'],
    [400, { code: 'context_length_exceeded' }, 'context-too-long'],
    [400, { type: 'invalid_request_error', message: 'Your input exceeds the context window' }, 'context-too-long'],
    [401, { code: 'invalid_api_key' }, 'authentication'],
    [404, { code: 'model_not_found' }, 'not-found'],
    [400, { code: 'invalid_prompt' }, 'content-filtered'],
    [400, { code: 'unsupported_parameter', param: 'temperature' }, 'invalid-request'],
    [503, { code: 'slow_down' }, 'overloaded'],
    [500, {}, 'unavailable'],
    [413, {}, 'request-too-large'],
  ])('reads %i %j as %s, X01', (status, error, code) => {
    const read = openaiResponses.decodeError({ error }, { status, headers: { 'x-request-id': 'r' } }, environment);
    expect([read.code, read.status, read.requestId]).toEqual([code, status, 'r']);
  });

  it('knows which failures another target cannot help with', () => {
    const body = { error: { code: 'previous_response_not_found' } };
    const error = openaiResponses.decodeError(body, { status: 404, headers: {} }, environment);
    expect([error.code, error.fallbackable]).toEqual(['not-found', false]);
  });

  it('reads any body without crashing', () => {
    for (const body of [null, 'x', [], { error: 'x' }, { message: 'x' }, { detail: 1 }, { error: { code: 429 } }]) {
      expect(openaiResponses.decodeError(body, { status: 502, headers: {} }, environment).code).toBe('unavailable');
    }
    expect(openaiResponses.isError({ error: { message: 'x' } })).toBe(true);
    expect(openaiResponses.isError({ error: null, output: [] })).toBe(false);
  });
});
