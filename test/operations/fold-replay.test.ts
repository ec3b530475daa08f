import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../src/operations/chat-events.ts';
import { foldChat } from '../../src/operations/chat-fold.ts';
import type { OutputPart } from '../../src/operations/chat-parts.ts';
import { replayChat } from '../../src/operations/chat-replay.ts';
import type { ChatResponse, FinishReason } from '../../src/operations/chat.ts';
import { usageOf } from '../../src/operations/usage.ts';
import { size } from '../size.ts';
import { checkGrammar } from './grammar.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const name = fc.stringMatching(/^[a-z]{1,8}$/);
const part = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text }),
  fc.record({
    type: fc.constant('text' as const),
    text,
    phase: fc.constantFrom('commentary' as const, 'final' as const),
  }),
  fc.record({
    type: fc.constant('reasoning' as const),
    text,
    form: fc.constantFrom('full' as const, 'summary' as const, 'redacted' as const),
  }),
  fc.record({ type: fc.constant('refusal' as const), text }),
  fc.record({ type: fc.constant('tool-call' as const), id: name, name, args: fc.dictionary(name, fc.integer()) }),
  fc.record({ type: fc.constant('tool-call' as const), id: name, name, args: text }),
  fc.record({
    type: fc.constant('image' as const),
    source: fc.record({ kind: fc.constant('url' as const), url: fc.constant('https://example.com/a.png') }),
  }),
  fc.record({
    type: fc.constant('audio' as const),
    source: fc.record({ kind: fc.constant('base64' as const), data: fc.constantFrom('', 'AAAA') }),
    mediaType: fc.constant('audio/wav'),
  }),
) as fc.Arbitrary<OutputPart>;

const response: fc.Arbitrary<ChatResponse> = fc
  .record({
    contents: fc.array(fc.array(part, { maxLength: 5 }), { minLength: 1, maxLength: 3 }),
    reason: fc.constantFrom<FinishReason>('stop', 'length', 'tool-calls', 'content-filter', 'pause', 'other'),
    input: fc.nat(1_000),
    output: fc.nat(1_000),
    tier: fc.option(fc.constant('default'), { nil: undefined }),
  })
  .map(({ contents, reason, input, output, tier }) => {
    const origin = { protocol: 'openai-chat', provider: 'p', model: 'm', responseId: 'id' };
    const choices = contents.map((content, index) => ({
      index,
      message: { role: 'assistant' as const, content, origin },
      finish: { reason },
    }));
    return {
      id: 'id',
      model: 'm',
      createdAt: '2026-11-22T00:00:00.000Z',
      message: (choices[0] as (typeof choices)[0]).message,
      ...(choices.length > 1 && { choices }),
      finish: { reason },
      usage: usageOf([{ model: 'm', role: 'main', tokens: { input, output } }]),
      warnings: [],
      ...(tier !== undefined && { tier }),
    };
  });

const fold = (events: Iterable<ChatEvent>): ChatResponse => {
  const folding = foldChat();
  for (const event of events) folding.add(event);
  return folding.response();
};

describe('fold and replay', () => {
  it('are inverses, and a replay keeps the grammar', () => {
    fc.assert(
      fc.property(response, (given) => {
        const events = [...replayChat(given)];
        checkGrammar(events);
        expect(fold(events)).toEqual(given);
      }),
      { seed: 11, numRuns: size(300, 20_000) },
    );
  });

  it('a cut at any event leaves a prefix, and never a finished answer', () => {
    fc.assert(
      fc.property(response, fc.nat(), (given, at) => {
        const events = [...replayChat(given)];
        const cut = events.slice(0, at % events.length);
        const folding = foldChat();
        for (const event of cut) folding.add(event);
        expect(folding.complete).toBe(false);
        const texts = (content: readonly OutputPart[]) =>
          content.map((one) => ('text' in one ? one.text : '')).join('');
        expect(texts(given.message.content).startsWith(texts(folding.response().message.content))).toBe(true);
      }),
      { seed: 12, numRuns: size(200, 5_000) },
    );
  });

  it('a reset forgets what came before it', () => {
    const events: ChatEvent[] = [
      { type: 'text-start', index: 0 },
      { type: 'text-delta', text: 'gone', index: 0 },
      { type: 'reset', reason: 'restart' },
      { type: 'text-start', index: 0 },
      { type: 'text-delta', text: 'kept', index: 0 },
      { type: 'text-end', part: { type: 'text', text: 'kept' }, index: 0 },
    ];
    expect(fold(events).message.content).toEqual([{ type: 'text', text: 'kept' }]);
  });

  it('a half tool call is marked invalid', () => {
    const events: ChatEvent[] = [
      { type: 'tool-call-start', id: 'c', name: 'n', executor: 'client', encoding: 'json', index: 0 },
      { type: 'tool-call-delta', text: '{"a', index: 0 },
    ];
    expect(fold(events).message.content[0]).toMatchObject({
      type: 'tool-call',
      args: null,
      argsText: '{"a',
      invalid: expect.anything(),
    });
  });
});
