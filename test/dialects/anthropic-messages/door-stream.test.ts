import Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import { stamped } from '../../../src/core/replay.ts';
import type { ChatEvent } from '../../../src/operations/chat-events.ts';
import type { OutputPart } from '../../../src/operations/chat-parts.ts';
import { replayChat } from '../../../src/operations/chat-replay.ts';
import type { ChatResponse, Finish } from '../../../src/operations/chat.ts';
import { usageOf } from '../../../src/operations/usage.ts';
import { size } from '../../size.ts';
import { chat, decodeFrames, door, environment, fold, framesOf, head, showResponse, writeStream } from './support.ts';

const PROTOCOL = 'anthropic-messages';

function response(
  content: readonly OutputPart[],
  finish: Finish = { reason: 'stop', raw: 'end_turn' },
  protocol = PROTOCOL,
): ChatResponse {
  const id = protocol === PROTOCOL ? 'msg_1' : 'resp_1';
  return {
    id,
    model: 'model-x',
    createdAt: new Date(environment().nowMs).toISOString(),
    requestId: 'req_1',
    message: {
      role: 'assistant',
      content,
      origin: { protocol, provider: 'anthropic', model: 'model-x', responseId: id },
    },
    finish,
    usage: usageOf([{ model: 'model-x', role: 'main', tokens: { input: 3, output: 4 } }]),
    warnings: [],
  };
}

async function read(sse: string): Promise<Anthropic.Message> {
  const client = new Anthropic({
    apiKey: 'test',
    maxRetries: 0,
    fetch: async () => new Response(sse, { headers: { 'content-type': 'text/event-stream' } }),
  });
  return client.messages
    .stream({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] })
    .finalMessage();
}

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

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const args = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,5}$/),
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
  { maxKeys: 3 },
);
const part: fc.Arbitrary<OutputPart> = fc.oneof(
  words.map((text): OutputPart => ({ type: 'text', text })),
  fc
    .record({ text: words, value: words })
    .map(
      ({ text, value }): OutputPart =>
        stamped({ type: 'reasoning', text, form: 'summary', sealed: { kind: 'signature', value } }),
    ),
  words.map(
    (value): OutputPart =>
      stamped({ type: 'reasoning', text: '', form: 'redacted', sealed: { kind: 'redacted', value } }),
  ),
  fc
    .record({ id: fc.stringMatching(/^toolu_[a-z]{6}$/), name: fc.stringMatching(/^[a-z_]{1,8}$/), args })
    .map(({ id, name, args: input }): OutputPart => ({ type: 'tool-call', id, name, args: input })),
  words.map((value): OutputPart => ({ type: 'native', protocol: PROTOCOL, value: { type: 'made_up', value } })),
);
const answer = fc
  .record({
    content: fc.array(part, { maxLength: 6 }),
    input: fc.nat(9999),
    output: fc.nat(9999),
    reasoning: fc.nat(99),
    cacheRead: fc.nat(99),
    cacheWrite1h: fc.nat(99),
  })
  .map(({ content, input, output, ...extra }) => {
    const calls = content.some(({ type }) => type === 'tool-call');
    const some = Object.fromEntries(Object.entries(extra).filter(([, count]) => count > 0));
    return {
      ...response(content, calls ? { reason: 'tool-calls', raw: 'tool_use' } : { reason: 'stop', raw: 'end_turn' }),
      usage: usageOf([{ model: 'model-x', role: 'main', tokens: { input, output, ...some } }]),
    };
  });

/** Generated answers carry no wire usage and, by default, no native `caller`. */
function comparable({ usage: { raw: _raw, ...usage }, ...rest }: ChatResponse) {
  return { ...rest, usage };
}

describe('any answer', () => {
  it('comes back from the stream it was written as (property)', () => {
    fc.assert(
      fc.property(answer, (original) => {
        const back = fold(decodeFrames(framesOf(writeStream(replayChat(original), {})), environment('model-x')));
        expect(comparable(back)).toEqual(comparable(original));
      }),
      { seed: 7, numRuns: size(200, 3000) },
    );
  });

  it('comes back from the body it was shown as (property)', () => {
    fc.assert(
      fc.property(answer, (original) => {
        const back = chat.decodeResponse(showResponse(original, {}).body, head, environment('model-x'));
        expect(comparable(back)).toEqual(comparable(original));
      }),
      { seed: 8, numRuns: size(200, 3000) },
    );
  });
});

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

describe('reasoning of another protocol', () => {
  const sealed = stamped<OutputPart>({
    type: 'reasoning',
    text: 'thörough',
    form: 'summary',
    id: 'rs_1',
    sealed: { kind: 'encrypted', value: 'ENC' },
  });
  const foreign = response([sealed, { type: 'text', text: 'x' }], { reason: 'stop' }, 'openai-responses');
  const send = (content: unknown) =>
    door.decodeRequest(
      {
        model: 'm',
        messages: [
          { role: 'user', content: 'q' },
          { role: 'assistant', content },
        ],
      },
      {},
    ).request.messages[1];

  it('travels in an envelope and comes back whole (P06)', async () => {
    const { body } = showResponse(foreign);
    const [thinking] = body['content'] as any[];
    expect(thinking.signature).toMatch(/^ptn1\.openai-responses\.[A-Za-z0-9+/=]+$/);
    const streamed = await read(writeStream(replayChat(foreign)));
    expect(streamed.content[0]).toEqual(thinking);
    expect(send(body['content'])).toMatchObject({
      content: [sealed, { text: 'x' }],
      origin: { protocol: 'openai-responses', provider: 'anthropic', model: 'model-x' },
    });
  });

  it('loses what is sealed when the text or the envelope was changed', () => {
    const [thinking] = showResponse(foreign).body['content'] as any[];
    for (const block of [
      { ...thinking, thinking: 'edited' },
      { ...thinking, signature: `${thinking.signature.slice(0, -9)}AAAA` },
      { ...thinking, signature: 'ptn1.x' },
    ]) {
      expect(send([block])?.content[0]).toEqual({ type: 'reasoning', text: block.thinking, form: 'summary' });
    }
  });

  it('never reaches Anthropic as a signature', () => {
    const messages = [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: showResponse(foreign).body['content'] },
      { role: 'user', content: 'r' },
    ];
    const { request, facts } = door.decodeRequest({ model: 'claude-opus-5', max_tokens: 5, messages }, {});
    const { body, warnings } = chat.encodeRequest(request, environment('claude-opus-5', { facts }));
    expect(JSON.stringify(body)).not.toContain('ptn1.');
    expect(warnings.map(({ code }) => code)).toEqual(['dropped-replay']);
  });
});
