import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/core/errors.ts';
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts';
import type { ChatEvent } from '../../../src/operations/chat-events.ts';
import { foldChat } from '../../../src/operations/chat-fold.ts';
import { textOf, toolCallsOf } from '../../../src/operations/chat.ts';
import { size } from '../../size.ts';
import { environment, head } from './fixtures.ts';
import { checkGrammar } from './grammar.ts';

const chat = openaiChat.chat!;
type Json = Record<string, unknown>;
const chunk = (choices: unknown, more: Json = {}): string =>
  JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'm', choices, ...more });
const delta = (fields: Json, more: Json = {}): string =>
  chunk([{ index: 0, delta: fields, finish_reason: null, ...more }]);
const finish = (reason: string): string => chunk([{ index: 0, delta: {}, finish_reason: reason }]);
const call = (fields: Json): string => delta({ tool_calls: [fields] });
const fn = (name?: string, args?: unknown): Json => ({
  function: { ...(name !== undefined && { name }), ...(args !== undefined && { arguments: args }) },
});

function run(lines: readonly string[], more = {}) {
  const events: ChatEvent[] = [];
  const emit = (event: ChatEvent) => void events.push(event);
  const decoder = chat.decodeStream(head(), environment({ stream: true, ...more }));
  let failure: unknown;
  try {
    for (const data of lines) decoder.decode({ data }, emit);
    decoder.end(emit);
  } catch (error) {
    failure = error;
  }
  const fold = foldChat();
  for (const event of events) fold.add(event);
  return { events, failure, response: fold.response(), calls: callsOf(fold.response()) };
}
const callsOf = (response: Parameters<typeof toolCallsOf>[0] extends infer M ? { message: M } : never) =>
  toolCallsOf(response.message).map((one) => [one.name, one.argsText]);

describe('decodeStream puts tool calls together', () => {
  const AB = [
    ['find', '{"a":1}'],
    ['get', '{"b":2}'],
  ];
  it.each([
    [
      'two calls of one index (TOOL-01)',
      [call({ index: 0, id: 'a', ...fn('find', '{"a":1}') }), call({ index: 0, id: 'b', ...fn('get', '{"b":2}') })],
    ],
    [
      'whole calls in one chunk',
      [
        delta({
          tool_calls: [
            { id: 'a', ...fn('find', '{"a":1}') },
            { id: 'b', ...fn('get', '{"b":2}') },
          ],
        }),
      ],
    ],
    [
      'calls without id or index (TOOL-02)',
      [call(fn('find', '{"a":')), call(fn(undefined, '1}')), call(fn('get', '{"b":2}'))],
    ],
    [
      'continuations with an empty id',
      [
        call({ index: 0, id: 'a', ...fn('find', '') }),
        call({ index: 0, id: '', ...fn('', '{"a":1}') }),
        call({ index: 1, id: 'b', ...fn('get', '{"b":2}') }),
      ],
    ],
    [
      'one id for two calls',
      [call({ index: 0, id: 'a', ...fn('find', '{"a":1}') }), call({ index: 1, id: 'a', ...fn('get', '{"b":2}') })],
    ],
    [
      'sparse indexes',
      [call({ index: 3, id: 'a', ...fn('find', '{"a":1}') }), call({ index: 9, id: 'b', ...fn('get', '{"b":2}') })],
    ],
    [
      'id and name repeated in every piece',
      [
        call({ index: 0, id: 'a', ...fn('find', '{"a"') }),
        call({ index: 0, id: 'a', ...fn('find', ':1}') }),
        call({ index: 1, id: 'b', ...fn('get', '{"b":2}') }),
      ],
    ],
    [
      'arguments as objects',
      [call({ index: 0, id: 'a', ...fn('find', { a: 1 }) }), call({ index: 1, id: 'b', ...fn('get', { b: 2 }) })],
    ],
    [
      'true interleaving',
      [
        call({ index: 0, id: 'a', ...fn('find', '{"a"') }),
        call({ index: 1, id: 'b', ...fn('get', '{"b"') }),
        call({ index: 0, ...fn(undefined, ':1}') }),
        call({ index: 1, ...fn(undefined, ':2}') }),
      ],
    ],
    [
      'a name that comes after its arguments',
      [
        call({ index: 0, id: 'a', ...fn(undefined, '{"a"') }),
        call({ index: 0, ...fn('find', ':1}') }),
        call({ index: 1, id: 'b', ...fn('get', '{"b":2}') }),
      ],
    ],
    [
      'a whole call sent twice',
      [
        call({ index: 0, id: 'a', ...fn('find', '{"a":1}') }),
        call({ index: 1, id: 'b', ...fn('get', '{"b":2}') }),
        call({ index: 0, id: 'a', ...fn('find', '{"a":1}') }),
      ],
    ],
  ])('%s', (_name, lines) => {
    const { events, failure, calls, response } = run([...lines, finish('tool_calls'), '[DONE]']);
    expect(failure).toBeUndefined();
    checkGrammar(events);
    expect(calls).toEqual(AB);
    expect(new Set(toolCallsOf(response.message).map((one) => one.id)).size).toBe(2);
    expect(response.finish.reason).toBe('tool-calls');
  });

  it('emits each call once when the finish comes twice (TOOL-03)', () => {
    const lines = [
      call({ index: 0, id: 'a', ...fn('find', '{}') }),
      finish('tool_calls'),
      finish('tool_calls'),
      chunk([], { usage: { prompt_tokens: 1, completion_tokens: 2 } }),
      '[DONE]',
    ];
    expect(run(lines).events.filter((event) => event.type === 'tool-call-end')).toHaveLength(1);
  });

  it('says so when pieces cannot be told apart, and never merges them', () => {
    const lines = [
      call({ index: 0, id: 'a', ...fn('find', '{"a":1}') }),
      call({ index: 1, id: 'b', ...fn('get', '{') }),
      call({ index: 0, ...fn(undefined, '{"c":3}') }),
    ];
    expect(isGatewayError(run(lines).failure, 'bad-response')).toBe(true);
  });

  it('throws only our errors whatever the labels are (TOOL-02)', () => {
    const piece = fc.record({
      id: fc.constantFrom(undefined, '', 'a', 'b'),
      index: fc.constantFrom(undefined, 0, 1, 7),
      function: fc.record({
        name: fc.constantFrom(undefined, '', 'find'),
        arguments: fc.constantFrom(undefined, '', '{', '}', '{}', '{"a":1}'),
      }),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const { events, failure } = run([...pieces.map((one) => call(one)), finish('tool_calls'), '[DONE]']);
        if (failure === undefined) checkGrammar(events);
        else expect(isGatewayError(failure)).toBe(true);
      }),
      { seed: 1, numRuns: size(300, 20_000) },
    );
  });

  it.each([
    ['broken JSON (TOOL-04)', '{"a":', 'tool_calls', 'tool-calls'],
    ['arguments cut at the limit (F02, TOOL-05)', '{"a":', 'length', 'length'],
    ['a call cut before its arguments', '', 'length', 'length'],
  ])('marks %s invalid', (_name, args, reason, expected) => {
    const { response } = run([call({ index: 0, id: 'a', ...fn('find', args) }), finish(reason)]);
    expect(toolCallsOf(response.message)[0]).toMatchObject({
      args: null,
      argsText: args,
      invalid: { message: expect.any(String) },
    });
    expect(response.finish.reason).toBe(expected);
  });

  it('reads the old function_call', () => {
    const { response } = run([
      delta({ function_call: { name: 'find', arguments: '{"a"' } }),
      delta({ function_call: { arguments: ':1}' } }),
      finish('function_call'),
    ]);
    expect(toolCallsOf(response.message)[0]).toMatchObject({ name: 'find', args: { a: 1 } });
    expect(response.finish).toMatchObject({ reason: 'tool-calls', raw: 'function_call' });
  });
});

describe('decodeStream reads what servers send', () => {
  const filters = chunk([], { model: '', prompt_filter_results: [{ prompt_index: 0 }] });
  const odd = chunk([{ index: 0, finish_reason: null, content_filter_results: { hate: { filtered: false } } }]);
  it.each([
    ['first', [filters, odd, delta({ content: 'a' }), delta({ content: 'b' }), finish('stop')]],
    ['in the middle', [delta({ content: 'a' }), odd, filters, delta({ content: 'b' }), finish('stop')]],
    ['last', [delta({ content: 'a' }), delta({ content: 'b' }), finish('stop'), odd, filters]],
  ])('skips filter frames that come %s (STR-14)', (_where, lines) => {
    const { events, response } = run([...lines, '[DONE]']);
    checkGrammar(events);
    expect(textOf(response.message)).toBe('ab');
    expect(response.native).toEqual({ 'openai-chat': { prompt_filter_results: [{ prompt_index: 0 }] } });
    expect(response.finish.native?.['openai-chat']).toHaveProperty('content_filter_results');
    expect(response.model).toBe('m');
  });

  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  it.each([
    [
      'beside the finish',
      [delta({ content: 'a' }), chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], { usage })],
    ],
    ['in a chunk of its own', [delta({ content: 'a' }), finish('stop'), chunk([], { usage })]],
    [
      'growing in every chunk',
      [
        chunk([{ index: 0, delta: { content: 'a' } }], { usage: { prompt_tokens: 10, completion_tokens: 2 } }),
        chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], { usage }),
      ],
    ],
    ['twice', [delta({ content: 'a' }), finish('stop'), chunk([], { usage }), chunk([], { usage })]],
    [
      'where Groq puts it',
      [delta({ content: 'a' }), chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], { x_groq: { usage } })],
    ],
    ['in a choice', [delta({ content: 'a' }), chunk([{ index: 0, delta: {}, finish_reason: 'stop', usage }])]],
  ])('reads usage %s once (USE-01, USE-02)', (_where, lines) => {
    expect(run(lines).response.usage).toMatchObject({ input: 10, output: 5, total: 15, quality: 'reported' });
  });

  it('does not call missing usage zero (U07)', () => {
    expect(run([delta({ content: 'a' }), finish('stop')]).response.usage.quality).toBe('unknown');
  });

  it('walks content chunks, thinking and references of Mistral', () => {
    const { events, response } = run([
      delta({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] }),
      delta({
        content: [
          { type: 'text', text: 'yes' },
          { type: 'reference', reference_ids: [1] },
        ],
      }),
      finish('stop'),
    ]);
    checkGrammar(events);
    expect(response.message.content.map((part) => part.type)).toEqual(['reasoning', 'text', 'native']);
  });

  it.each(['reasoning_content', 'reasoning'])('reads reasoning in %s, and once where both names come', (field) => {
    const both = { reasoning_content: 'b', reasoning: 'b' };
    const { response } = run([
      delta({ [field]: 'a' }),
      delta(both),
      delta({ content: 'c', role: 'assistant' }),
      finish('stop'),
    ]);
    expect(response.message.content).toEqual([
      { type: 'reasoning', text: 'ab', form: 'full' },
      { type: 'text', text: 'c' },
    ]);
  });

  it('never splits a surrogate pair, and loses no half (G8)', () => {
    const { events, response } = run([
      delta({ content: 'a\ud83d' }),
      delta({ content: '\ude00b' }),
      delta({ content: '\ud83d' }),
      finish('stop'),
    ]);
    const deltas = events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : []));
    expect(deltas).toEqual(['a', '😀b', '\ud83d']);
    expect(textOf(response.message)).toBe('a😀b\ud83d');
  });

  it('keeps citations with the text they belong to', () => {
    const annotation = {
      type: 'url_citation',
      url_citation: { url: 'https://a.example', title: 'A', start_index: 0, end_index: 2 },
    };
    const { events, response } = run([delta({ content: 'ab' }), delta({ annotations: [annotation] }), finish('stop')]);
    checkGrammar(events);
    expect(response.message.content[0]).toMatchObject({
      citations: [{ start: 0, end: 2, source: { kind: 'url', url: 'https://a.example', title: 'A' } }],
    });
  });

  it.each([
    ['stop', 'stop'],
    ['model_length', 'context-length'],
    ['content_filter', 'content-filter'],
    ['insufficient_system_resource', 'error'],
    ['something_new', 'other'],
    ['constructor', 'other'],
  ])('knows the finish %s as %s (F03, TOOL-10)', (raw, reason) => {
    expect(run([delta({ content: 'a' }), finish(raw)]).response.finish).toEqual({ reason, raw });
  });

  it('promotes a stop with calls, and takes back calls that are none (F01)', () => {
    expect(run([call({ index: 0, id: 'a', ...fn('find', '{}') }), finish('stop')]).response.finish).toEqual({
      reason: 'tool-calls',
      raw: 'stop',
    });
    const none = run([delta({ content: 'a' }), finish('tool_calls')]).response;
    expect([none.finish.reason, none.warnings[0]?.code]).toEqual(['stop', 'provider']);
  });

  it('gives the provider events when asked for raw ones', () => {
    const { events } = run([delta({ content: 'a' }), finish('stop')], { raw: true });
    expect(events.filter((event) => event.type === 'raw')).toHaveLength(2);
    checkGrammar(events);
  });
});

describe('decodeStream ends one way', () => {
  const whole = [
    delta({ role: 'assistant', content: '' }),
    delta({ content: 'a' }),
    call({ index: 0, id: 'x', ...fn('find', '{"a"') }),
    call({ index: 0, ...fn(undefined, ':1}') }),
    finish('tool_calls'),
    chunk([], { usage: { prompt_tokens: 1, completion_tokens: 1 } }),
    '[DONE]',
  ];

  it('fails on a cut at any event before the finish, and keeps what came (STR-01, S05)', () => {
    const full = run(whole).response;
    for (let cut = 0; cut < whole.length; cut++) {
      const { failure, response } = run(whole.slice(0, cut));
      if (cut >= 5) expect(failure).toBeUndefined();
      else expect(isGatewayError(failure, 'stream-interrupted')).toBe(true);
      expect(textOf(full.message).startsWith(textOf(response.message))).toBe(true);
    }
  });

  it('takes [DONE] without a finish reason for a stop, and says so', () => {
    const { response } = run([delta({ content: 'a' }), '[DONE]']);
    expect([response.finish.reason, response.warnings[0]?.code]).toEqual(['stop', 'provider']);
  });

  it('waits for the finish of every choice it has seen', () => {
    const second = chunk([{ index: 1, delta: { content: 'b' } }]);
    expect(isGatewayError(run([delta({ content: 'a' }), second, finish('stop')]).failure, 'stream-interrupted')).toBe(
      true,
    );
  });

  it.each(['{"choices":[{"del', 'null', '[]', '<html>'])('fails on the junk %s', (junk) => {
    expect(isGatewayError(run([delta({ content: 'a' }), junk, finish('stop')]).failure, 'stream-interrupted')).toBe(
      true,
    );
  });

  it('fails on an answer without any choice (ERR-01)', () => {
    expect(isGatewayError(run([chunk([]), '[DONE]']).failure, 'bad-response')).toBe(true);
    expect(() => chat.decodeResponse({ choices: [] }, head(), environment())).toThrow(/without any choice/);
  });

  it('throws an error event as the same failure over HTTP (STR-03, STR-04)', () => {
    const { failure } = run([
      delta({ content: 'a' }),
      JSON.stringify({ error: { message: 'no', code: 'insufficient_quota' } }),
    ]);
    expect(failure).toMatchObject({ code: 'quota-exceeded', status: 429, retryable: false });
  });
});
