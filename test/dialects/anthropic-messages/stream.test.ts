import { describe, expect, it } from 'vitest';
import { close, delta, end, frames, open, start, turn, whole } from './stream-support.ts';
import { chat, decodeFrames, environment, fold, head } from './support.ts';

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
