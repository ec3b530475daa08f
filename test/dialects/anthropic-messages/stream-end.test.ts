import { describe, expect, it } from 'vitest';
import { close, delta, end, frames, open, start, text, turn, types, whole } from './stream-support.ts';
import { chat, decodeFrames, environment, fold, head } from './support.ts';

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
