import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainAnswer } from '../../../src/dialects/openai-chat/plain-answer.ts';
import { anyAnswer } from '../../../src/dialects/openai-chat/response.ts';
import { size } from '../../size.ts';
import { absent, environment, head, read, recordings } from './fixtures.ts';

const PLAIN = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'gpt-test',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'The Rhine.', refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6, prompt_tokens_details: { cached_tokens: 1 } },
  service_tier: 'default',
};

describe('an answer that is one text', () => {
  const headers = { 'x-request-id': 'req_1', 'x-ratelimit-limit-requests': '60', 'x-ratelimit-reset-requests': '1s' };

  it('is read at once, as the stream decoder reads it', () => {
    const plain = plainAnswer(PLAIN, head(200, headers), environment());
    expect(plain).toEqual(anyAnswer(PLAIN, head(200, headers), environment()));
    expect(plain?.message.content).toEqual([{ type: 'text', text: 'The Rhine.' }]);
    expect(plain?.usage).toMatchObject({ input: 4, output: 2, tokens: { cacheRead: 1, input: 3, output: 2 } });
  });

  it('is read as the stream decoder reads it, or left to it, whatever else stands there', () => {
    const odd = fc.constantFrom(null, '', 'word', 0, 7, false, [], ['x'], {}, { a: 1 }, 'tool_calls', 'length');
    const at = fc.constantFrom('', 'usage', 'choices.0', 'choices.0.message');
    const key = fc.constantFrom(
      ...['id', 'model', 'created', 'choices', 'usage', 'service_tier', 'error', 'obfuscation', 'system_fingerprint'],
      ...['index', 'message', 'finish_reason', 'logprobs', 'stop_reason', 'content', 'refusal', 'tool_calls', 'audio'],
      ...['reasoning', 'reasoning_content', 'annotations', 'images', 'prompt_tokens', 'completion_tokens', 'x_other'],
    );
    let read = 0;
    const edits = fc.array(fc.tuple(at, key, odd), { maxLength: 3 });
    fc.assert(
      fc.property(edits, (changes) => {
        const wire = JSON.parse(JSON.stringify(PLAIN)) as Record<string, unknown>;
        for (const [where, name, value] of changes) {
          const holder = where
            .split('.')
            .reduce<unknown>(
              (inner, step) => (step === '' ? inner : (inner as Record<string, unknown> | undefined)?.[step]),
              wire,
            );
          if (typeof holder === 'object' && holder !== null) Object.assign(holder, { [name]: value });
        }
        if (!Array.isArray(wire['choices']) || wire['choices'].length === 0) return;
        const plain = plainAnswer(wire, head(), environment());
        if (plain === undefined) return;
        read++;
        expect(plain).toStrictEqual(anyAnswer(wire, head(), environment()));
      }),
      { seed: 7, numRuns: size(2_000, 50_000) },
    );
    expect(read).toBeGreaterThan(300);
  });

  it.skipIf(absent)('is read alike in every recording (fixtures are beside the repository)', () => {
    let count = 0;
    for (const one of recordings('chat-completions')) {
      if (one.stream || one.status !== 200 || one.files.response === undefined) continue;
      const wire = JSON.parse(read(one.files.response)) as Record<string, unknown>;
      if (!Array.isArray(wire['choices']) || wire['choices'].length === 0) continue;
      const plain = plainAnswer(wire, head(), environment());
      if (plain === undefined) continue;
      count++;
      expect(plain).toStrictEqual(anyAnswer(wire, head(), environment()));
    }
    expect(count).toBeGreaterThan(20);
  });
});
