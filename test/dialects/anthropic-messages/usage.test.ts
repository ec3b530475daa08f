import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUsage } from '../../../src/dialects/anthropic-messages/door-usage.ts';
import { decodeUsage, mergeUsage } from '../../../src/dialects/anthropic-messages/usage.ts';
import { size } from '../../size.ts';

const tokens = (wire: object) => decodeUsage(wire, 'm').tokens;

describe('usage', () => {
  it.each([
    [
      'cache outside the input (U02)',
      {
        input_tokens: 50,
        cache_read_input_tokens: 40,
        cache_creation_input_tokens: 10,
        cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 0 },
        output_tokens: 1,
      },
      { input: 50, cacheRead: 40, cacheWrite5m: 10, output: 1 },
    ],
    [
      'writes of an unknown lifetime (USE-03)',
      { input_tokens: 3, cache_creation_input_tokens: 12_304, output_tokens: 550 },
      { input: 3, cacheWrite: 12_304, output: 550 },
    ],
    [
      'thinking inside the output',
      { input_tokens: 1, output_tokens: 100, output_tokens_details: { thinking_tokens: 67 } },
      { input: 1, output: 33, reasoning: 67 },
    ],
    [
      'nulls as nothing',
      { input_tokens: 1, output_tokens: 2, cache_creation: null, cache_read_input_tokens: null },
      { input: 1, output: 2 },
    ],
  ])('reads %s', (_name, wire, expected) => {
    expect(tokens(wire)).toEqual(expected);
  });

  it('says when the details do not fit the total (U05)', () => {
    const usage = decodeUsage(
      { input_tokens: 1, output_tokens: 5, output_tokens_details: { thinking_tokens: 9 } },
      'm',
    );
    expect(usage.flags).toEqual(['totals-mismatch']);
    expect(usage.tokens).toEqual({ input: 1, output: 0, reasoning: 5 });
  });

  it.each([[undefined], [null], [{}], ['x']])('knows that it does not know: %j (U07)', (wire) => {
    expect(decodeUsage(wire, 'm').quality).toBe('unknown');
  });

  it('counts the searches of server tools and the tier', () => {
    const usage = decodeUsage(
      {
        input_tokens: 1,
        output_tokens: 1,
        server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
        service_tier: 'batch',
      },
      'm',
    );
    expect(usage.units).toEqual({ webSearch: 2, webFetch: 1 });
    expect(usage.lines[0]?.tier).toBe('batch');
  });

  it('gives what other models did inside the call lines of their own', () => {
    const iteration = (type: string, input_tokens: number, model?: string) => ({
      type,
      input_tokens,
      output_tokens: 1,
      ...(model && { model }),
    });
    const lines = decodeUsage(
      {
        input_tokens: 5,
        output_tokens: 5,
        iterations: [iteration('message', 5), iteration('advisor_message', 7, 'big'), iteration('compaction', 9)],
      },
      'm',
    ).lines;
    expect(lines.map(({ role, model, tokens: { input } }) => [role, model, input])).toEqual([
      ['main', 'm', 5],
      ['advisor', 'big', 7],
      ['compaction', 'm', 9],
    ]);
    const fell = decodeUsage(
      {
        input_tokens: 5,
        output_tokens: 5,
        iterations: [iteration('message', 3, 'first'), iteration('fallback_message', 5, 'm')],
      },
      'm',
    ).lines;
    expect(fell.map(({ role, model }) => [role, model])).toEqual([
      ['main', 'm'],
      ['declined', 'first'],
    ]);
  });

  it('takes cumulative counts as they are and never adds them (USE-02)', () => {
    const merged = mergeUsage(
      mergeUsage({ input_tokens: 9, output_tokens: 1 }, { output_tokens: 2, input_tokens: null }),
      { output_tokens: 3 },
    );
    expect(merged).toEqual({ input_tokens: 9, output_tokens: 3 });
  });

  it('always adds up, and comes back the same through the door (U06)', () => {
    const count = fc.nat(1_000_000);
    const wire = fc.record({ input: count, read: count, five: count, hour: count, output: count, thinking: count });
    fc.assert(
      fc.property(wire, ({ input, read, five, hour, output, thinking }) => {
        const usage = decodeUsage(
          {
            input_tokens: input,
            cache_read_input_tokens: read,
            cache_creation_input_tokens: five + hour,
            cache_creation: { ephemeral_5m_input_tokens: five, ephemeral_1h_input_tokens: hour },
            output_tokens: output + thinking,
            output_tokens_details: { thinking_tokens: thinking },
          },
          'm',
        );
        expect(usage.input).toBe(input + read + five + hour);
        expect(usage.output).toBe(output + thinking);
        expect(usage.total).toBe(usage.input + usage.output);
        expect(tokens(encodeUsage(usage, true))).toEqual(usage.tokens);
      }),
      { seed: 42, numRuns: size(200, 5000) },
    );
  });
});
