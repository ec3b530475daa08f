import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUsage, encodeUsage } from '../../../src/dialects/openai-chat/usage.ts';
import { size } from '../../size.ts';

const decode = (wire: unknown) => decodeUsage(wire, 'm')!;

describe('decodeUsage', () => {
  it.each<[string, object, object]>([
    [
      'cache reads and writes inside the prompt (U01)',
      {
        prompt_tokens: 100,
        completion_tokens: 7,
        prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 10 },
      },
      { input: 50, cacheRead: 40, cacheWrite: 10, output: 7 },
    ],
    [
      'reasoning inside the completion',
      { prompt_tokens: 1, completion_tokens: 10, total_tokens: 11, completion_tokens_details: { reasoning_tokens: 4 } },
      { input: 1, output: 6, reasoning: 4 },
    ],
    [
      'reasoning apart (xAI)',
      {
        prompt_tokens: 12,
        completion_tokens: 1,
        total_tokens: 241,
        completion_tokens_details: { reasoning_tokens: 228 },
      },
      { input: 12, output: 1, reasoning: 228 },
    ],
    [
      'audio and rejected predictions',
      {
        prompt_tokens: 10,
        completion_tokens: 20,
        prompt_tokens_details: { audio_tokens: 4 },
        completion_tokens_details: { audio_tokens: 5, rejected_prediction_tokens: 3 },
      },
      { input: 6, inputAudio: 4, output: 12, outputAudio: 5, rejectedPrediction: 3 },
    ],
    [
      'DeepSeek',
      { prompt_tokens: 10, completion_tokens: 1, prompt_cache_hit_tokens: 4, prompt_cache_miss_tokens: 6 },
      { input: 6, cacheRead: 4, output: 1 },
    ],
    ['Moonshot', { prompt_tokens: 10, completion_tokens: 1, cached_tokens: 4 }, { input: 6, cacheRead: 4, output: 1 }],
    [
      'Mistral',
      { prompt_tokens: 10, completion_tokens: 1, num_cached_tokens: 4 },
      { input: 6, cacheRead: 4, output: 1 },
    ],
    [
      'nulls and junk',
      { prompt_tokens: 3, completion_tokens: null, prompt_tokens_details: null, completion_tokens_details: 'x' },
      { input: 3 },
    ],
  ])('reads %s', (_name, wire, tokens) => {
    expect(decode(wire).tokens).toEqual(tokens);
    expect(decode(wire).raw).toBe(wire);
  });

  it('clamps details larger than their total, and says so (U05)', () => {
    const usage = decode({
      prompt_tokens: 5,
      completion_tokens: 5,
      prompt_tokens_details: { cached_tokens: 9 },
      completion_tokens_details: { reasoning_tokens: 9 },
    });
    expect(usage.tokens).toEqual({ cacheRead: 9, reasoning: 9 });
    expect(usage.flags).toEqual(['totals-mismatch']);
  });

  it.each([
    [{ cost: 0.5 }, 0.5],
    [{ cost: { total_cost: 0.25 } }, 0.25],
    [{ estimated_cost: 0.125 }, 0.125],
    [{ cost_in_usd_ticks: 1_176_500 }, 0.00011765],
    [{}, undefined],
  ])('reads the reported cost of %j (USE-09)', (fields, cost) => {
    expect(decode({ prompt_tokens: 1, ...fields }).reportedCostUsd).toBe(cost);
  });

  it('sums to its totals, and comes back from the door the same (U06)', () => {
    const count = fc.nat(5_000);
    const wire = fc.record({
      text: count,
      read: count,
      write: count,
      seen: count,
      thought: count,
      audio: count,
      rejected: count,
    });
    fc.assert(
      fc.property(wire, ({ text, read, write, seen, thought, audio, rejected }) => {
        const usage = decode({
          prompt_tokens: text + read + write,
          completion_tokens: seen + thought + audio + rejected,
          total_tokens: text + read + write + seen + thought + audio + rejected,
          prompt_tokens_details: { cached_tokens: read, cache_write_tokens: write },
          completion_tokens_details: {
            reasoning_tokens: thought,
            audio_tokens: audio,
            rejected_prediction_tokens: rejected,
          },
        });
        const sum = Object.values(usage.tokens).reduce((total, one) => total + one, 0);
        expect([usage.total, usage.input + usage.output, usage.flags]).toEqual([sum, sum, undefined]);
        expect(decode(encodeUsage(usage)).tokens).toEqual(usage.tokens);
      }),
      { seed: 3, numRuns: size(200, 20_000) },
    );
  });
});
