import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUsage, encodeUsage } from '../../../src/dialects/openai-responses/usage.ts';
import { size } from '../../size.ts';

const read = (usage: unknown, more: object = {}) => decodeUsage({ usage, ...more }, 'm', undefined);

describe('openai-responses usage', () => {
  it('takes cached and written tokens out of the input, U01', () => {
    const usage = read({
      input_tokens: 100,
      input_tokens_details: {
        cached_tokens: 40,
        cache_write_tokens: 10,
        cache_write_tokens_details: { ttl_30m_tokens: 6, ttl_12h_tokens: 3 },
      },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 5 },
      total_tokens: 120,
    });
    expect(usage.tokens).toEqual({
      ...{ input: 50, cacheRead: 40, cacheWrite: 1, cacheWrite30m: 6, cacheWrite12h: 3, output: 15, reasoning: 5 },
    });
    expect([usage.input, usage.output, usage.total, usage.quality]).toEqual([100, 20, 120, 'reported']);
    expect(encodeUsage(usage)).toEqual(usage.raw);
  });

  it('puts image generation on a line of its own and counts web searches', () => {
    const usage = read(
      { input_tokens: 10, output_tokens: 5 },
      {
        tools: [{ type: 'image_generation', model: 'gpt-image-2' }],
        tool_usage: {
          web_search: { num_requests: 2 },
          image_gen: {
            input_tokens: 30,
            input_tokens_details: { image_tokens: 20, text_tokens: 10 },
            output_tokens: 40,
          },
        },
      },
    );
    expect(usage.lines).toEqual([
      { model: 'm', role: 'main', tokens: { input: 10, output: 5 }, units: { webSearch: 2 } },
      { model: 'gpt-image-2', role: 'tool', tokens: { input: 10, inputImage: 20, output: 0, outputImage: 40 } },
    ]);
  });

  it('clamps details larger than the total and says so, U05', () => {
    const usage = read({ input_tokens: 5, input_tokens_details: { cached_tokens: 9 }, output_tokens: 1 });
    expect([usage.tokens.input, usage.flags]).toEqual([0, ['totals-mismatch']]);
  });

  it('reads thinking beside the completion where the total says so', () => {
    const usage = read({
      input_tokens: 5,
      output_tokens: 2,
      output_tokens_details: { reasoning_tokens: 7 },
      total_tokens: 14,
    });
    expect([usage.tokens.output, usage.tokens.reasoning, usage.total, usage.flags]).toEqual([2, 7, 14, undefined]);
  });

  it('never reports a zero that nobody reported, U07', () => {
    expect(read(undefined).quality).toBe('unknown');
    expect(read(null).quality).toBe('unknown');
    expect(encodeUsage(read(null))).toBe(null);
  });

  it('adds up for any usage, U06', () => {
    const count = fc.nat(1000);
    fc.assert(
      fc.property(count, count, count, count, count, (plain, cached, written, output, reasoning) => {
        const usage = read({
          input_tokens: plain + cached + written,
          input_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
          output_tokens: output + reasoning,
          output_tokens_details: { reasoning_tokens: reasoning },
          total_tokens: plain + cached + written + output + reasoning,
        });
        const sum = Object.values(usage.tokens).reduce((left, right) => left + (right ?? 0), 0);
        expect([usage.total, usage.flags]).toEqual([sum, undefined]);
        expect(usage.input).toBe(plain + cached + written);
      }),
      { numRuns: size(200, 10_000), seed: 7 },
    );
  });
});
