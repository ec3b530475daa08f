import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import type { ChatEvent } from '../../../src/operations/chat-events.ts';
import type { OutputPart } from '../../../src/operations/chat-parts.ts';
import { replayChat } from '../../../src/operations/chat-replay.ts';
import { read, response } from './door-support.ts';
import { door, framesOf, showResponse, writeStream } from './support.ts';

const start = (protocol = 'openai-chat'): ChatEvent => ({
  type: 'start',
  id: 'c',
  model: 'gpt',
  createdAt: '',
  provider: 'openai',
  protocol,
  warnings: [],
});
const finish: ChatEvent[] = [{ type: 'finish', finish: { reason: 'tool-calls' } }, { type: 'end' }];
const json = (text: string) => framesOf(text).map(({ data }) => JSON.parse(data) as Record<string, any>);

describe('what the application sees', () => {
  it('has every nullable field for versions from 2026-10-21, and none of them before (STR-20)', () => {
    const { body } = showResponse(
      response([
        { type: 'text', text: 'x' },
        { type: 'tool-call', id: 'a', name: 'go', args: {} },
      ]),
    );
    expect(body).toMatchObject({ container: null, diagnostics: null, stop_details: null, stop_sequence: null });
    expect(Object.keys(body['usage'] as object).sort()).toEqual([
      'cache_creation',
      'cache_creation_input_tokens',
      'cache_read_input_tokens',
      'inference_geo',
      'input_tokens',
      'output_tokens',
      'output_tokens_details',
      'server_tool_use',
      'service_tier',
      'speed',
    ]);
    expect(body['content']).toMatchObject([{ citations: null }, { caller: { type: 'direct' } }]);
    const old = showResponse(response([{ type: 'text', text: 'x' }]), { 'anthropic-version': '2023-06-01' }).body;
    expect(Object.keys(old)).toEqual([
      'id',
      'type',
      'role',
      'model',
      'content',
      'stop_reason',
      'stop_sequence',
      'usage',
    ]);
  });

  it.each([
    ['length', 'max_tokens'],
    ['content-filter', 'refusal'],
    ['pause', 'pause_turn'],
    ['context-length', 'model_context_window_exceeded'],
    ['other', 'end_turn'],
  ] as const)('finish %s is %s', (reason, word) => {
    expect(showResponse(response([], { reason }, 'openai-chat')).body['stop_reason']).toBe(word);
  });

  it('never shows tools that another provider ran, nor its native blocks', () => {
    const content: OutputPart[] = [
      { type: 'tool-call', id: 'h', name: 'web_search', args: {}, executor: 'provider' },
      { type: 'tool-result', callId: 'h', content: 'x', executor: 'provider' },
      { type: 'native', protocol: 'openai-responses', value: {} },
      { type: 'text', text: 'done' },
    ];
    const foreign = response(content, { reason: 'stop' }, 'openai-responses');
    expect(showResponse(foreign, {}).body['content']).toEqual([{ type: 'text', text: 'done' }]);
    const blocks = json(writeStream(replayChat(foreign))).filter(({ type }) => type === 'content_block_start');
    expect(blocks.map(({ index, content_block }) => [index, content_block.type])).toEqual([[0, 'text']]);
  });

  it('is one block after the other with indexes that count up, however the parts came (S07)', async () => {
    const at = (index: number, text: string): ChatEvent => ({ type: 'tool-call-delta', index, text });
    const open = (index: number, id: string): ChatEvent => ({
      type: 'tool-call-start',
      index,
      id,
      name: id,
      executor: 'client',
      encoding: 'json',
    });
    const close = (index: number, id: string, value: number): ChatEvent => ({
      type: 'tool-call-end',
      index,
      part: { type: 'tool-call', id, name: id, args: { value } },
    });
    const text = writeStream([
      start(),
      open(0, 'a'),
      open(1, 'b'),
      at(1, '{"value":2}'),
      at(0, '{"value"'),
      close(1, 'b', 2),
      at(0, ':1}'),
      close(0, 'a', 1),
      ...finish,
    ]);
    const indexes = json(text).flatMap(({ index }) => (index === undefined ? [] : [index as number]));
    expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
    const message = await read(text);
    expect(message.content).toMatchObject([
      { id: 'a', input: { value: 1 } },
      { id: 'b', input: { value: 2 } },
    ]);
    expect(message.stop_reason).toBe('tool_use');
  });

  it('forwards the arguments of a cut call as they came, which the official helper reads (S10)', async () => {
    const args: OutputPart = {
      type: 'tool-call',
      id: 'a',
      name: 'go',
      args: null,
      argsText: '{"to":"Ro',
      invalid: { message: 'cut' },
    };
    const cut = response([args], { reason: 'length' }, 'openai-chat');
    const message = await read(writeStream(replayChat(cut)));
    expect(message.stop_reason).toBe('max_tokens');
    expect(message.content).toMatchObject([{ type: 'tool_use', id: 'a' }]);
    expect(showResponse(cut, {}).body['content']).toMatchObject([{ input: { _invalid: '{"to":"Ro' } }]);
  });

  it('writes the oldest open block at once', () => {
    const encoder = door.encodeStream({ facts: {}, request: {}, headers: {}, nowMs: 0 });
    const written: string[] = [];
    const write = (text: string) => void written.push(text);
    encoder.encode(start(), write);
    encoder.encode({ type: 'text-start', index: 0 }, write);
    encoder.encode({ type: 'text-delta', index: 0, text: 'a' }, write);
    expect(written).toHaveLength(3);
    encoder.encode({ type: 'text-delta', index: 0, text: 'b' }, write);
    expect(written[3]).toBe(
      'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"b"},"index":0}\n\n',
    );
  });

  it('reports a failure as an error event, which the official helper throws', async () => {
    let text = '';
    const encoder = door.encodeStream({ facts: {}, request: {}, headers: {}, nowMs: 0 });
    const write = (piece: string) => void (text += piece);
    encoder.encode(start(), write);
    encoder.fail(new GatewayError('overloaded', 'busy'), write);
    encoder.encode({ type: 'text-delta', index: 0, text: 'late' }, write);
    encoder.fail(new GatewayError('internal', 'again'), write);
    expect(text).toContain('event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}');
    expect(text).not.toMatch(/late|again/);
    await expect(read(text)).rejects.toThrow(/overloaded_error/);
  });

  it('fails when an answer begins anew after a part of it was sent', () => {
    const text = writeStream([
      start(),
      { type: 'text-start', index: 0 },
      { type: 'text-delta', index: 0, text: 'a' },
      { type: 'reset', reason: 'retry' },
    ]);
    expect(text).toContain('event: error');
    const early = writeStream([
      start(),
      { type: 'text-start', index: 0 },
      { type: 'reset', reason: 'retry' },
      ...finish,
    ]);
    expect(early).not.toContain('event: error');
  });
});
