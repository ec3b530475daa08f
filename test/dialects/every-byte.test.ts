import { expect, describe, it } from 'vitest';
import type { Dialect } from '../../src/core/dialect.ts';
import { isGatewayError } from '../../src/core/errors.ts';
import { SseParser } from '../../src/core/sse.ts';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/index.ts';
import { openaiChat } from '../../src/dialects/openai-chat/index.ts';
import { openaiResponses } from '../../src/dialects/openai-responses/index.ts';
import type { ChatEvent } from '../../src/operations/chat-events.ts';
import { absent, all, serve } from '../providers/recordings.ts';
import { size } from '../size.ts';

const DIALECTS: Readonly<Record<string, Dialect>> = {
  'chat-completions': openaiChat,
  responses: openaiResponses,
  messages: anthropicMessages,
};
const HEAD = { status: 200, headers: { 'content-type': 'text/event-stream' } };

/** What a stream says when its bytes come in these pieces: its events, or the code of its failure after them. */
function read(dialect: Dialect, pieces: Iterable<Uint8Array>): readonly (ChatEvent | string)[] {
  const events: (ChatEvent | string)[] = [];
  const emit = (event: ChatEvent): number => events.push(event);
  const target = { provider: 'p', model: 'm' };
  const decoder = dialect.chat!.decodeStream(HEAD, { target, stream: true, nowMs: 0 });
  const parser = new SseParser();
  try {
    for (const piece of pieces) parser.push(piece, (frame) => decoder.decode(frame, emit));
    parser.end((frame) => decoder.decode(frame, emit));
    decoder.end(emit);
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    events.push(error.code);
  }
  return events;
}
function* byteByByte(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

const streams = all.filter(({ endpoint, stream, status }) => stream && status === 200 && endpoint in DIALECTS);

describe.skipIf(absent)('S06: every recorded stream, split at every byte (fixtures beside the repository)', () => {
  it('gives the same events one byte at a time, and in two pieces cut anywhere, whatever its line ends', async () => {
    let [taken, cuts] = [0, 0];
    for (const [number, recording] of streams.entries()) {
      if (number % size(8, 1) !== 0) continue;
      const dialect = DIALECTS[recording.endpoint] as Dialect;
      const text = await serve(recording).text();
      for (const lineEnd of ['\n', '\r\n', '\r']) {
        const bytes = new TextEncoder().encode(text.replaceAll('\n', lineEnd));
        const expected = read(dialect, [bytes]);
        taken++;
        expect(read(dialect, byteByByte(bytes)), recording.name).toEqual(expected);
        // Every cut of what is short enough; the work grows with the square of the length.
        if (bytes.length > size(2_000, 6_000)) continue;
        for (let at = 1; at < bytes.length; at++, cuts++) {
          const cut = read(dialect, [bytes.subarray(0, at), bytes.subarray(at)]);
          if (JSON.stringify(cut) !== JSON.stringify(expected))
            expect(cut, `${recording.name} at ${at}`).toEqual(expected);
        }
      }
    }
    expect(taken).toBeGreaterThan(30);
    expect(cuts).toBeGreaterThan(2_000);
  }, 600_000);
});

describe('S06: characters of several bytes and every line end', () => {
  const said = 'Zażółć 東京 👩‍👩‍👧 \u0085\u2028.';
  const data = (value: object): string => `data: ${JSON.stringify(value)}\r\n\r\n`;
  const named = (value: { type: string }): string => `event: ${value.type}\r\n${data(value)}`;
  const item = { type: 'message', id: 'i', role: 'assistant', status: 'completed' };
  const content = [{ type: 'output_text', text: said, annotations: [] }];
  const WIRE: Readonly<Record<string, string>> = {
    'chat-completions':
      data({ id: 'c', model: 'm', choices: [{ index: 0, delta: { content: said }, finish_reason: 'stop' }] }) +
      'data: [DONE]\r\n\r\n',
    responses:
      named({ type: 'response.created', response: { id: 'r', status: 'in_progress', output: [] } } as never) +
      named({ type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: said } as never) +
      named({
        type: 'response.completed',
        response: { id: 'r', model: 'm', status: 'completed', output: [{ ...item, content }] },
      } as never),
    messages: [
      { type: 'message_start', message: { id: 'a', model: 'm', role: 'assistant', content: [], usage: {} } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: said } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 6 } },
      { type: 'message_stop' },
    ]
      .map(named)
      .join(''),
  };
  it.each(Object.keys(WIRE))('%s', (endpoint) => {
    const dialect = DIALECTS[endpoint] as Dialect;
    const bytes = new TextEncoder().encode(WIRE[endpoint]);
    const expected = read(dialect, [bytes]);
    const text = expected.map((event) => (typeof event === 'object' && event.type === 'text-delta' ? event.text : ''));
    expect(text.join('')).toBe(said);
    expect(expected.at(-1)).toMatchObject({ type: 'end' });
    for (let at = 1; at < bytes.length; at++)
      expect(read(dialect, [bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).toEqual(expected);
  });
});
