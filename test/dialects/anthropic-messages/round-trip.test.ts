import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stamped } from '../../../src/core/replay.ts';
import type { OutputPart } from '../../../src/operations/chat-parts.ts';
import { replayChat } from '../../../src/operations/chat-replay.ts';
import type { ChatResponse } from '../../../src/operations/chat.ts';
import { usageOf } from '../../../src/operations/usage.ts';
import { size } from '../../size.ts';
import { PROTOCOL, response } from './door-support.ts';
import { chat, decodeFrames, environment, fold, framesOf, head, showResponse, writeStream } from './support.ts';

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
