import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../../src/operations/chat-events.ts';
import { chat, decodeFrames, environment, fold, head } from './support.ts';

const frames = (...events: object[]) => events.map((event) => ({ data: JSON.stringify(event) }));
const start = (message: object = {}) => ({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-x',
    content: [],
    usage: { input_tokens: 9, output_tokens: 1 },
    ...message,
  },
});
const open = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block });
const delta = (index: number, piece: object) => ({ type: 'content_block_delta', index, delta: piece });
const close = (index: number) => ({ type: 'content_block_stop', index });
const end = (stop_reason: string | null = 'end_turn', usage: object = { output_tokens: 7 }) => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage },
  { type: 'message_stop' },
];
const text = (index: number, words: string) => [
  open(index, { type: 'text', text: '' }),
  delta(index, { type: 'text_delta', text: words }),
  close(index),
];
const types = (events: readonly ChatEvent[]) => events.map((event) => event.type);

/** One turn with every kind of block, streamed and whole. */
const SEARCH = {
  type: 'web_search_tool_result',
  tool_use_id: 's1',
  content: [{ type: 'web_search_result', url: 'u', encrypted_content: 'E' }],
};
const CITATION = { type: 'web_search_result_location', url: 'u', title: 't', cited_text: 'q', encrypted_index: 'I' };
const turn = [
  start({ container: null }),
  open(0, { type: 'thinking', thinking: '', signature: '' }),
  delta(0, { type: 'thinking_delta', thinking: 'hm' }),
  delta(0, { type: 'signature_delta', signature: 'SIG' }),
  close(0),
  open(1, { type: 'redacted_thinking', data: 'R' }),
  close(1),
  { type: 'ping' },
  open(2, { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} }),
  delta(2, { type: 'input_json_delta', partial_json: '{"query":' }),
  delta(2, { type: 'input_json_delta', partial_json: '"x"}' }),
  close(2),
  open(3, SEARCH),
  close(3),
  open(4, { type: 'text', text: '', citations: [] }),
  delta(4, { type: 'text_delta', text: 'Rome ' }),
  delta(4, { type: 'text_delta', text: 'is far' }),
  delta(4, { type: 'citations_delta', citation: CITATION }),
  close(4),
  open(5, { type: 'made_up_block', value: 1 }),
  close(5),
  open(6, { type: 'tool_use', id: 't1', name: 'go', input: {}, caller: { type: 'direct' } }),
  delta(6, { type: 'input_json_delta', partial_json: '{"to": "Rome"}' }),
  close(6),
  ...end('tool_use', { output_tokens: 7, server_tool_use: { web_search_requests: 1 } }),
];
const whole = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content: [
    { type: 'thinking', thinking: 'hm', signature: 'SIG' },
    { type: 'redacted_thinking', data: 'R' },
    { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'x' } },
    SEARCH,
    { type: 'text', text: 'Rome is far', citations: [CITATION] },
    { type: 'made_up_block', value: 1 },
    { type: 'tool_use', id: 't1', name: 'go', input: { to: 'Rome' }, caller: { type: 'direct' } },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  container: null,
  usage: { input_tokens: 9, output_tokens: 7, server_tool_use: { web_search_requests: 1 } },
};

describe('a streamed turn', () => {
  it('folds into what the same turn gives unstreamed (S02, G18)', () => {
    expect(fold(decodeFrames(frames(...turn)))).toEqual(chat.decodeResponse(whole, head, environment()));
  });

  it('keeps the tool JSON out of the text (TOOL-07) and citations with their text', () => {
    const { message } = fold(decodeFrames(frames(...turn)));
    expect(message.content[4]).toMatchObject({
      text: 'Rome is far',
      citations: [{ quote: 'q', source: { kind: 'url', url: 'u' } }],
    });
    expect(message.content[5]).toEqual({
      type: 'native',
      protocol: 'anthropic-messages',
      value: { type: 'made_up_block', value: 1 },
    });
    expect(message.content[6]).toMatchObject({ type: 'tool-call', id: 't1', args: { to: 'Rome' } });
  });

  it('passes the provider events on when asked', () => {
    const events = decodeFrames(frames(...turn), environment(undefined, { raw: true }));
    expect(events.filter((event) => event.type === 'raw')).toHaveLength(turn.length);
  });

  it('reads interleaved blocks', () => {
    const { message } = fold(
      decodeFrames(
        frames(
          start(),
          open(0, { type: 'tool_use', id: 'a', name: 'x', input: {} }),
          open(1, { type: 'tool_use', id: 'b', name: 'y', input: {} }),
          delta(1, { type: 'input_json_delta', partial_json: '{"b":1}' }),
          delta(0, { type: 'input_json_delta', partial_json: '{"a":1}' }),
          close(1),
          close(0),
          ...end('tool_use'),
        ),
      ),
    );
    expect(message.content).toMatchObject([
      { id: 'a', args: { a: 1 } },
      { id: 'b', args: { b: 1 } },
    ]);
  });
});

describe('tool arguments', () => {
  const call = (input: object, ...pieces: string[]) =>
    fold(
      decodeFrames(
        frames(
          start(),
          open(0, { type: 'tool_use', id: 'a', name: 'x', input }),
          ...pieces.map((partial_json) => delta(0, { type: 'input_json_delta', partial_json })),
          close(0),
          ...end('max_tokens'),
        ),
      ),
    );

  it('reads no arguments as an empty object, and arguments that came whole', () => {
    expect(call({}, '').message.content[0]).toMatchObject({ args: {} });
    expect(call({ a: 1 }).message.content[0]).toMatchObject({ args: { a: 1 } });
  });

  it('marks cut or broken JSON as invalid and keeps the finish (TOOL-04, TOOL-05, F02)', () => {
    const { message, finish } = call({}, '{"a":', '"b');
    expect(message.content[0]).toMatchObject({
      args: null,
      argsText: '{"a":"b',
      invalid: { message: expect.any(String) },
    });
    expect(finish.reason).toBe('length');
  });
});

describe('the end of a stream', () => {
  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['pause_turn', 'pause'],
    ['refusal', 'refusal'],
    ['model_context_window_exceeded', 'context-length'],
    ['something_new', 'other'],
    [null, 'other'],
  ])('reads %s as %s (F03, TOOL-10)', (raw, reason) => {
    const { finish } = fold(decodeFrames(frames(start(), ...text(0, 'x'), ...end(raw))));
    expect(finish).toEqual({ reason, ...(raw !== null && { raw }) });
  });

  it('reads why a model refused', () => {
    const stop_details = { type: 'refusal', category: 'cyber', explanation: 'no', recommended_model: 'claude-y' };
    const { finish } = chat.decodeResponse(
      { ...whole, content: [], stop_reason: 'refusal', stop_details },
      head,
      environment(),
    );
    expect(finish).toEqual({
      reason: 'refusal',
      raw: 'refusal',
      category: 'cyber',
      explanation: 'no',
      native: { 'anthropic-messages': { stop_details: { recommended_model: 'claude-y' } } },
    });
  });

  it('promotes a stop with open calls, and warns of calls that are not there (F01)', () => {
    const stopped = chat.decodeResponse({ ...whole, stop_reason: 'end_turn' }, head, environment());
    expect(stopped.finish).toEqual({ reason: 'tool-calls', raw: 'end_turn' });
    const none = chat.decodeResponse({ ...whole, content: [] }, head, environment());
    expect(none.finish.reason).toBe('stop');
    expect(none.warnings).toMatchObject([{ code: 'provider' }]);
  });

  it('is an error without message_stop, whatever came before (STR-01, G14)', () => {
    for (let cut = 0; cut < turn.length; cut++) {
      expect(() => decodeFrames(frames(...turn.slice(0, cut)))).toThrow(
        expect.objectContaining({ code: 'stream-interrupted' }),
      );
    }
  });

  it('is over at message_stop: nothing after it counts (STR-06, STR-15)', () => {
    const events = decodeFrames(
      frames(start(), ...text(0, 'x'), ...end(), start({ id: 'msg_2' }), ...text(0, 'y'), { type: 'error' }),
    );
    expect(fold(events).message.content).toEqual([{ type: 'text', text: 'x' }]);
  });

  it('ends blocks the server forgot to end', () => {
    const [opened, piece] = text(0, 'x');
    expect(fold(decodeFrames(frames(start(), opened as object, piece as object, ...end()))).message.content).toEqual([
      { type: 'text', text: 'x' },
    ]);
  });
});

describe('what goes wrong inside a stream', () => {
  it('throws the error of an error event with the status of its type (X03, STR-04)', () => {
    const failure = { type: 'error', error: { type: 'overloaded_error', message: 'busy' } };
    for (const before of [[], [start()], [start(), ...text(0, 'x')]]) {
      expect(() => decodeFrames(frames(...before, failure))).toThrow(
        expect.objectContaining({ code: 'overloaded', status: 529 }),
      );
    }
    expect(() => decodeFrames([{ event: 'error', data: '{"error":{"type":"rate_limit_error"}}' }])).toThrow(
      expect.objectContaining({ code: 'rate-limited' }),
    );
  });

  it.each(['<html>', '{"type":', '[1]', '"x"'])('throws on junk: %s (row 18)', (data) => {
    expect(() => decodeFrames([...frames(start()), { data }])).toThrow(
      expect.objectContaining({ code: 'stream-interrupted' }),
    );
  });

  it('ignores a repeated message_start of the same message, or before any block (STR-06)', () => {
    const again = decodeFrames(
      frames(start(), start({ id: 'msg_2' }), ...text(0, 'x'), start(), ...text(1, 'y'), ...end()),
    );
    expect(types(again).filter((type) => type === 'start')).toHaveLength(1);
    expect(fold(again)).toMatchObject({ id: 'msg_1', message: { content: [{ text: 'x' }, { text: 'y' }] } });
  });

  it('ignores unknown events, unknown pieces, empty data and [DONE]', () => {
    const events = decodeFrames([
      ...frames(
        start(),
        { type: 'new_event' },
        open(0, { type: 'text', text: '' }),
        delta(0, { type: 'new_delta', text: 'no' }),
      ),
      { data: '' },
      { data: '[DONE]' },
      ...frames(delta(0, { type: 'text_delta', text: 'x' }), close(0), ...end()),
    ]);
    expect(fold(events).message.content).toEqual([{ type: 'text', text: 'x' }]);
  });

  it('opens what a careless server did not open', () => {
    const events = decodeFrames(frames(delta(0, { type: 'text_delta', text: 'x' }), ...end()));
    expect(fold(events).message.content).toEqual([{ type: 'text', text: 'x' }]);
  });

  it('never cuts a surrogate pair and never emits an empty delta (G8)', () => {
    const [high, low] = ['\ud83d', '\ude00'];
    const events = decodeFrames(
      frames(
        start(),
        open(0, { type: 'text', text: '' }),
        ...['a', high, '', low, 'b'].map((piece) => delta(0, { type: 'text_delta', text: piece })),
        close(0),
        ...end(),
      ),
    );
    const deltas = events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : []));
    expect(deltas).toEqual(['a', '😀', 'b']);
  });
});
