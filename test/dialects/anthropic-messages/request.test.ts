import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../../src/operations/chat.ts';
import type { Message } from '../../../src/operations/chat-parts.ts';
import { body, codes, encode, hello, weather } from './encode-support.ts';

describe('the smallest request', () => {
  it('sends the target model, a limit and the messages, and nothing that was not asked for', () => {
    expect(encode({})).toEqual({
      path: '/v1/messages',
      body: {
        model: 'claude-sonnet-4-5',
        max_tokens: 21_333,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
      },
      warnings: [],
    });
  });

  it.each([
    ['claude-sonnet-4-5', true, 64_000],
    ['claude-opus-4-1', true, 32_000],
    ['claude-opus-5', true, 128_000],
    ['claude-opus-5', false, 21_333],
    ['claude-3-haiku-20240307', false, 4096],
    ['anthropic.claude-3-5-sonnet-20241022-v2:0', true, 8192],
    ['some-other-model', true, 4096],
  ])('limits %s (streamed: %s) to %i tokens by default', (model, stream, tokens) => {
    expect(body({}, model, { stream })['max_tokens']).toBe(tokens);
    expect(body({ maxTokens: 7 }, model, { stream })['max_tokens']).toBe(7);
  });

  it('clamps a limit above what the model writes, with a warning', () => {
    expect(body({ maxTokens: 99_000 }, 'claude-opus-4-1')['max_tokens']).toBe(32_000);
    expect(codes({ maxTokens: 99_000 }, 'claude-opus-4-1')).toEqual(['clamped maxTokens']);
  });
});

describe('cache', () => {
  it('keeps the last four breakpoints and never a longer lifetime after a shorter (E12)', () => {
    const part = (ttl: '5m' | '1h') => ({ type: 'text' as const, text: 'x', cache: { ttl } });
    const messages: Message[] = [
      { role: 'user', content: [part('1h'), part('1h'), part('1h'), part('5m'), part('1h'), part('5m')] },
    ];
    const content = body({ messages })['messages'][0].content;
    expect(content.map((block: any) => block.cache_control?.ttl)).toEqual([
      undefined,
      undefined,
      '1h',
      '5m',
      '5m',
      '5m',
    ]);
    expect(codes({ messages })).toEqual(['unsupported cache', 'unsupported cache', 'clamped cache']);
  });

  it('places hints on tools, system, parts and messages, and none when the cache is off', () => {
    const request: Partial<ChatRequest> = {
      tools: [{ ...weather, cache: true }],
      system: [{ type: 'text', text: 's', cache: { ttl: '12h' } }],
      messages: [{ ...hello, cache: true } as Message],
    };
    const wire = body(request);
    expect(wire['tools'][0].cache_control).toEqual({ type: 'ephemeral' });
    expect(wire['messages'][0].content[0].cache_control).toEqual({ type: 'ephemeral' });
    expect(JSON.stringify(body({ ...request, cache: { mode: 'off' } }))).not.toContain('cache_control');
    expect(body({ ...request, cache: { ttl: '1h' } })['tools'][0].cache_control).toEqual({
      type: 'ephemeral',
      ttl: '1h',
    });
    expect(codes({ cache: { mode: 'auto', ttl: '30m' } })).toEqual(['clamped cache']);
    expect(body({ cache: { mode: 'auto' } })['cache_control']).toEqual({ type: 'ephemeral' });
  });
});

describe('losses', () => {
  const tuned = {
    seed: 1,
    presencePenalty: 1,
    verbosity: 'low' as const,
    logprobs: true,
    tier: 'flex',
    metadata: { a: 'b' },
  };

  it('warns of each thing that is not sent', () => {
    expect(codes(tuned)).toHaveLength(6);
    expect(Object.keys(body(tuned))).toEqual(['model', 'max_tokens', 'messages']);
  });

  it.each(Object.entries(tuned))('fails instead when strict: %s (N08)', (name, value) => {
    expect(() => encode({ [name]: value }, undefined, { strict: true })).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
  });

  it('warns of names of speakers and of citations in the words of the user', () => {
    const citations = [{ source: { kind: 'url' as const, url: 'u' } }];
    const messages: Message[] = [{ role: 'user', name: 'ada', content: [{ type: 'text', text: 'x', citations }] }];
    expect(codes({ messages })).toEqual(['unsupported name', 'dropped-part citations']);
  });

  it('merges native fields last, at every level', () => {
    const native = (fields: Record<string, string>) => ({ 'anthropic-messages': fields, other: { no: 'no' } });
    const wire = body({
      native: native({ inference_geo: 'eu' }),
      tools: [{ ...weather, native: native({ type: 'custom' }) }],
      messages: [
        {
          role: 'user',
          native: native({ id: 'm' }),
          content: [{ type: 'text', text: 'x', native: native({ tag: 't' }) }],
        },
      ],
    });
    expect(wire).toMatchObject({
      inference_geo: 'eu',
      tools: [{ name: 'weather', type: 'custom' }],
      messages: [{ role: 'user', id: 'm', content: [{ type: 'text', text: 'x', tag: 't' }] }],
    });
    expect(JSON.stringify(wire)).not.toContain('no');
  });
});
