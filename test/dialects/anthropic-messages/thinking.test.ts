import { describe, expect, it } from 'vitest';
import { stamped } from '../../../src/core/replay.ts';
import { body, codes, encode } from './encode-support.ts';

describe('thinking', () => {
  it('raises max_tokens by the budget, so that the answer keeps its room (E04)', () => {
    expect(body({ reasoning: { effort: 'high' }, maxTokens: 1000 })).toMatchObject({
      max_tokens: 17_384,
      thinking: { type: 'enabled', budget_tokens: 16_384 },
    });
  });

  it('leaves a budget alone that the caller put inside the limit', () => {
    expect(body({ reasoning: { budgetTokens: 1024 }, maxTokens: 4096 })).toMatchObject({
      max_tokens: 4096,
      thinking: { type: 'enabled', budget_tokens: 1024 },
    });
  });

  it('keeps the budget below the limit of the model', () => {
    const { max_tokens, thinking } = body({ reasoning: { effort: 'xhigh' }, maxTokens: 30_000 }, 'claude-opus-4-1');
    expect(max_tokens).toBe(32_000);
    expect(thinking.budget_tokens).toBeLessThan(32_000);
  });

  it.each([
    ['claude-opus-4-8', { effort: 'xhigh', show: 'summary' }, { type: 'adaptive', display: 'summarized' }, 'xhigh', []],
    ['claude-opus-4-6', { effort: 'xhigh' }, { type: 'adaptive' }, 'high', ['clamped reasoning']],
    ['claude-opus-4-8', { effort: 'minimal' }, { type: 'adaptive' }, 'low', ['clamped reasoning']],
    ['claude-opus-4-8', { budgetTokens: 9000 }, { type: 'adaptive' }, 'medium', ['degraded reasoning']],
    ['claude-opus-4-6', { budgetTokens: 9000 }, { type: 'enabled', budget_tokens: 9000 }, undefined, []],
    ['claude-opus-4-8', { effort: 'none' }, { type: 'disabled' }, undefined, []],
    ['claude-fable-5', { effort: 'none' }, undefined, 'low', ['clamped reasoning']],
    ['claude-3-haiku', { effort: 'high' }, undefined, undefined, ['unsupported reasoning']],
  ] as const)('%s with %j', (model, reasoning, thinking, effort, warned) => {
    const wire = body({ reasoning }, model);
    expect(wire['thinking']).toEqual(thinking);
    expect(wire['output_config']?.effort).toBe(effort);
    expect(codes({ reasoning }, model)).toEqual(warned);
  });
});

describe('thinking in the middle of a turn', () => {
  const origin = { protocol: 'anthropic-messages', provider: 'anthropic', model: 'claude-sonnet-4-5' };
  const thought = { type: 'reasoning', text: '', form: 'redacted', sealed: { kind: 'redacted', value: 'd' } } as const;
  const turn = (parts: readonly object[]) =>
    ({
      reasoning: { effort: 'high' },
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'q' }] },
        {
          role: 'assistant',
          origin,
          content: [...parts, { type: 'tool-call', id: 'c1', name: 'f', args: {} }].map((part) =>
            stamped(part as never),
          ),
        },
        { role: 'tool', content: [{ type: 'tool-result', callId: 'c1', content: 'r' }] },
      ],
    }) as never;

  it('is left out where the calls it led to come back without it, which the API would refuse', () => {
    for (const parts of [[], [{ type: 'text', text: 'Let me look.' }]]) {
      expect(body(turn(parts))).not.toHaveProperty('thinking');
      expect(codes(turn(parts))).toEqual(['unsupported reasoning']);
    }
    expect(body(turn([thought]))['thinking']).toEqual({ type: 'enabled', budget_tokens: 16_384 });
    expect(body(turn([]), 'claude-opus-4-8')['thinking']).toEqual({ type: 'adaptive' });
  });
});

describe('sampling', () => {
  it('asks for the older API version when, and only when, sampling parameters go out (E05)', () => {
    const sent = encode({ temperature: 0.5 });
    expect(sent.headers).toEqual({ 'anthropic-version': '2023-06-01' });
    expect(sent.body['temperature']).toBe(0.5);
    expect(encode({}).headers).toBeUndefined();
  });

  it.each([
    ['claude-opus-4-8', {}],
    ['claude-sonnet-4-5', { apiVersion: '2026-10-21' }],
  ])('drops them for %s with quirks %j', (model, quirks) => {
    const { body: wire, headers, warnings } = encode({ temperature: 0.5, topP: 0.9, topK: 3 }, model, { quirks });
    expect(wire).not.toHaveProperty('temperature');
    expect(headers).toBeUndefined();
    expect(warnings.map(({ path }) => path)).toEqual(['temperature', 'topP', 'topK']);
  });

  it('takes what the quirks say about a model', () => {
    const quirks = { model: () => ({ sampling: 'all' as const }) };
    expect(body({ topP: 0.9, temperature: 2 }, 'claude-opus-5', { quirks })).toMatchObject({
      top_p: 0.9,
      temperature: 1,
    });
  });

  it('drops what thinking excludes', () => {
    expect(codes({ temperature: 0.2, topK: 3, reasoning: { effort: 'low' } })).toEqual([
      'unsupported temperature',
      'unsupported top_k',
    ]);
  });
});
