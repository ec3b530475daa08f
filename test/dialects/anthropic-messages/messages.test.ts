import { describe, expect, it } from 'vitest';
import { stampOf } from '../../../src/core/replay.ts';
import type { AssistantMessage, Message, ReasoningPart } from '../../../src/operations/chat-parts.ts';
import { body, call, codes, encode, hello, result, weather } from './encode-support.ts';

describe('turns', () => {
  it('puts tool results first and joins them with the words that follow (E01)', () => {
    const { messages } = body({ tools: [weather], messages: [hello, call('a'), result('a'), hello] });
    expect(messages[2]).toEqual({
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'a', content: 'sun' },
        { type: 'text', text: 'hello' },
      ],
    });
    expect(messages).toHaveLength(3);
  });

  it('gathers all results of one assistant turn, whatever messages they came in', () => {
    const two: AssistantMessage = { role: 'assistant', content: [...call('a').content, ...call('b').content] };
    const { messages } = body({ messages: [hello, two, result('b'), result('a')] });
    expect(messages[2].content.map((block: any) => block.tool_use_id)).toEqual(['b', 'a']);
  });

  it('sends what a tool gave as structured data when it gave no text', () => {
    const messages: Message[] = [
      hello,
      call('a'),
      {
        role: 'tool',
        content: [{ type: 'tool-result', callId: 'a', content: '', structured: { sun: true }, isError: true }],
      },
    ];
    expect(body({ messages })['messages'][2].content[0]).toEqual({
      type: 'tool_result',
      tool_use_id: 'a',
      content: '{"sun":true}',
      is_error: true,
    });
  });

  it('puts an error in place of a result that never came, with a warning (N06)', () => {
    const { body: wire, warnings } = encode({ messages: [hello, call('a'), hello] });
    expect((wire['messages'] as any)[2].content[0]).toMatchObject({ tool_use_id: 'a', is_error: true });
    expect(warnings).toMatchObject([{ code: 'degraded', feature: 'tool-result', path: 'messages[2]' }]);
  });

  it('refuses a result without its call, naming the place (N05)', () => {
    expect(() => encode({ messages: [hello, result('x')] })).toThrow(
      expect.objectContaining({ code: 'invalid-request', field: 'messages[1].content[0]' }),
    );
  });

  it.each([
    ['an assistant turn first', [call('a'), result('a')]],
    ['no message', []],
    ['only empty words', [{ role: 'user', content: [{ type: 'text', text: '' }] }]],
  ] as const)('refuses a conversation with %s', (_name, messages) => {
    expect(() => encode({ messages: messages as unknown as Message[] })).toThrow(
      expect.objectContaining({ code: 'invalid-request' }),
    );
  });

  it('hoists system messages at the beginning and keeps later ones where the model has them', () => {
    const system: Message = { role: 'developer', content: [{ type: 'text', text: 'be brief' }] };
    const early = body({ system: [{ type: 'text', text: 'one' }], messages: [system, hello] });
    expect(early['system'].map((block: any) => block.text)).toEqual(['one', 'be brief']);
    expect(body({ messages: [hello, system] }, 'claude-opus-4-8')['messages'][1].role).toBe('system');
    const late = body({ messages: [hello, system] }, 'claude-sonnet-4-5');
    expect(late['messages'][1]).toEqual({
      role: 'user',
      content: [{ type: 'text', text: '<system>be brief</system>' }],
    });
    expect(codes({ messages: [hello, system] })).toEqual(['degraded system']);
  });

  it('rewrites call ids the API refuses, alike for call and result and in every run (N07)', () => {
    const request = { messages: [hello, call('a:b'), result('a:b')] };
    const { messages } = body(request);
    expect(messages[1].content[0].id).toMatch(/^ptn_id_[a-z0-9]+$/);
    expect(messages[2].content[0].tool_use_id).toBe(messages[1].content[0].id);
    expect(JSON.stringify(body(request))).toBe(JSON.stringify(body(request)));
    expect(codes(request)).toEqual(['id-rewritten a:b']);
  });

  it('cuts white space off a turn to continue, and refuses one where the model has no prefill', () => {
    const prefill: Message = { role: 'assistant', content: [{ type: 'text', text: 'Once  ' }], prefix: true };
    expect(body({ messages: [hello, prefill] })['messages'][1].content[0].text).toBe('Once');
    expect(() => encode({ messages: [hello, prefill] }, 'claude-opus-5')).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
  });
});

describe('replay', () => {
  const signed: ReasoningPart = {
    type: 'reasoning',
    text: 'hm',
    form: 'summary',
    sealed: { kind: 'signature', value: 'SIG' },
  };
  const stamped = { ...signed, stamp: stampOf(signed) };
  const origin = { protocol: 'anthropic-messages', provider: 'anthropic', model: 'claude-sonnet-4-5' };
  const turn = (part: ReasoningPart, from = origin): AssistantMessage => ({
    role: 'assistant',
    content: [part, ...call('a').content],
    origin: from,
  });

  it('sends thinking back word for word, in its place (R02)', () => {
    const { messages } = body({ messages: [hello, turn(stamped), result('a')] });
    expect(messages[1].content).toEqual([
      { type: 'thinking', thinking: 'hm', signature: 'SIG' },
      { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Rome' } },
    ]);
  });

  it.each([
    ['of another protocol (R03)', turn(stamped, { ...origin, protocol: 'openai-responses' })],
    ['that was edited (R04)', turn({ ...stamped, text: 'edited' })],
    ['without its signature', turn({ type: 'reasoning', text: 'hm', form: 'full' })],
  ])('drops thinking %s, with a warning', (_name, message) => {
    const { body: wire, warnings } = encode({ messages: [hello, message, result('a')] });
    expect((wire['messages'] as any)[1].content.map((block: any) => block.type)).toEqual(['tool_use']);
    expect(warnings.map(({ code }) => code)).toEqual(['dropped-replay']);
  });

  it('sends unsigned thinking back to models of other vendors behind this protocol', () => {
    const message = turn({ type: 'reasoning', text: 'hm', form: 'full' });
    const { messages } = body({ messages: [hello, message, result('a')] }, 'deepseek-chat');
    expect(messages[1].content[0]).toEqual({ type: 'thinking', thinking: 'hm', signature: '' });
  });

  it('sends native blocks to their own protocol only (R09)', () => {
    const own: AssistantMessage = {
      role: 'assistant',
      content: [{ type: 'native', protocol: 'anthropic-messages', value: { type: 'compaction', content: 'x' } }],
    };
    const other: AssistantMessage = {
      role: 'assistant',
      content: [
        { type: 'native', protocol: 'x', value: {}, fallbackText: 'said' },
        { type: 'native', protocol: 'x', value: {} },
      ],
    };
    const { body: wire, warnings } = encode({ messages: [hello, own, hello, other] });
    expect((wire['messages'] as any)[1].content).toEqual([{ type: 'compaction', content: 'x' }]);
    expect((wire['messages'] as any)[3].content).toEqual([{ type: 'text', text: 'said' }]);
    expect(warnings.map(({ code, path }) => `${code} ${path}`)).toEqual(['dropped-part messages[3].content[1]']);
  });
});

describe('media', () => {
  it.each([
    [
      { type: 'image', source: { kind: 'base64', data: 'AA' }, mediaType: 'image/jpeg' },
      { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'AA' } },
    ],
    [
      { type: 'image', source: { kind: 'url', url: 'data:image/gif;base64,BB' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/gif', data: 'BB' } },
    ],
    [
      { type: 'image', source: { kind: 'file', id: 'f' } },
      { type: 'image', source: { type: 'file', file_id: 'f' } },
    ],
    [
      { type: 'file', source: { kind: 'text', text: 'hi' }, title: 'T', cite: true },
      {
        type: 'document',
        source: { type: 'text', media_type: 'text/plain', data: 'hi' },
        title: 'T',
        citations: { enabled: true },
      },
    ],
    [
      { type: 'file', source: { kind: 'base64', data: 'w6k=' }, mediaType: 'text/markdown' },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'é' } },
    ],
    [
      { type: 'file', source: { kind: 'url', url: 'https://x/y.pdf' } },
      { type: 'document', source: { type: 'url', url: 'https://x/y.pdf' } },
    ],
  ] as const)('sends %j', (part, wire) => {
    const messages = [{ role: 'user', content: [part] }] as unknown as Message[];
    expect(body({ messages })['messages'][0].content[0]).toEqual(wire);
  });
});
