import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGateway, type Gateway } from '../../src/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';

/** Rows of the conformance list that concern a whole gateway over plain fetch. */
type Fetch = () => Promise<Response>;
const KEY = { apiKey: 'sk-test-0123456789', transport: 'fetch' } as const;
const PROVIDERS = {
  'openai-chat': (fetch: Fetch) => openai({ ...KEY, fetch, api: 'chat', name: 'p' }),
  'openai-responses': (fetch: Fetch) => openai({ ...KEY, fetch, name: 'p' }),
  'anthropic-messages': (fetch: Fetch) => anthropic({ ...KEY, fetch, name: 'p' }),
};
type Protocol = keyof typeof PROVIDERS;
const over = (protocol: Protocol, fetch: Fetch): Gateway =>
  createGateway({ providers: [PROVIDERS[protocol](fetch)], models: { default: 'p/m' }, use: [] });
const sse = (body: BodyInit): Response => new Response(body, { headers: { 'content-type': 'text/event-stream' } });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(() => void process.off('unhandledRejection', note));

/** A stream of words without end: the beginning of one answer, and one more word at a time. */
const ENDLESS: Readonly<Record<Protocol, readonly [start: readonly object[], word: object]>> = {
  'openai-chat': [[], { id: 'c', model: 'm', choices: [{ index: 0, delta: { content: 'w ' }, finish_reason: null }] }],
  'openai-responses': [
    [{ type: 'response.created', response: { id: 'r', status: 'in_progress', output: [] } }],
    { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'w ' },
  ],
  'anthropic-messages': [
    [
      { type: 'message_start', message: { id: 'a', model: 'm', role: 'assistant', content: [], usage: {} } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ],
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'w ' } },
  ],
};
function endless(protocol: Protocol): { gateway: Gateway; seen: { pulls: number; cancels: number } } {
  const seen = { pulls: 0, cancels: 0 };
  const [start, word] = ENDLESS[protocol];
  const frame = (event: object): Uint8Array => {
    const { type } = event as { type?: string };
    return new TextEncoder().encode(
      `${type === undefined ? '' : `event: ${type}\n`}data: ${JSON.stringify(event)}\n\n`,
    );
  };
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => controller.enqueue(frame(start[seen.pulls++] ?? word)),
      cancel: () => void seen.cancels++,
    },
    { highWaterMark: 0 },
  );
  return { gateway: over(protocol, async () => sse(body)), seen };
}

describe.each(Object.keys(PROVIDERS) as Protocol[])('a consumer of an %s stream', (protocol) => {
  it('S08: that stops after three events cancels upstream once, and nothing is read after', async () => {
    const { gateway, seen } = endless(protocol);
    const stream = gateway.stream('x');
    let events = 0;
    for await (const _event of stream) if (++events === 3) break;
    await turn();
    const { pulls } = seen;
    expect(seen.cancels).toBe(1);
    for (let wait = 0; wait < 20; wait++) await turn();
    expect(seen).toEqual({ pulls, cancels: 1 });
    await expect(stream.response).rejects.toMatchObject({ code: 'aborted' });
    expect(unhandled).toEqual([]);
  });

  it('S09: that is slow holds upstream back: no more is read ahead than was asked for', async () => {
    const { gateway, seen } = endless(protocol);
    const before = ENDLESS[protocol][0].length;
    let words = 0;
    for await (const _word of gateway.stream('x').text) {
      words++;
      for (let wait = 0; wait < 20; wait++) await turn();
      // One frame a read here: the beginning, the words read, and at most one that waits.
      expect(seen.pulls).toBeLessThanOrEqual(before + words + 1);
      if (words === 20) break;
    }
    expect(words).toBe(20);
  });
});

/** What compatible servers do to tool calls, streamed and plain, and what it must mean. */
interface Quirk {
  readonly deltas: readonly object[];
  readonly calls: readonly object[];
  readonly finish?: string;
  readonly expected: readonly (readonly [name: string, args: unknown])[];
  /** How it was meant: the wire of an `n=2` answer has a choice more. */
  readonly choices?: 2;
}
const named = (name: string, args: unknown): object => ({ function: { name, arguments: args } });
const TWO = [
  ['find', { a: 1 }],
  ['get', { b: 2 }],
] as const;
const a = { id: 'a', type: 'function', ...named('find', '{"a":1}') };
const b = { id: 'b', type: 'function', ...named('get', '{"b":2}') };
const QUIRKS: Readonly<Record<string, Quirk>> = {
  'whole calls without an index': { deltas: [a, b], calls: [a, b], expected: TWO },
  'two calls that share index 0': {
    ...{
      deltas: [
        { ...a, index: 0 },
        { ...b, index: 0 },
      ],
      calls: [
        { ...a, index: 0 },
        { ...b, index: 0 },
      ],
    },
    expected: TWO,
  },
  'arguments that are objects': {
    deltas: [
      { index: 0, id: 'a', ...named('find', { a: 1 }) },
      { index: 1, id: 'b', ...named('get', { b: 2 }) },
    ],
    calls: [
      { id: 'a', ...named('find', { a: 1 }) },
      { id: 'b', ...named('get', { b: 2 }) },
    ],
    expected: TWO,
  },
  'the finish stop with calls': {
    ...{
      deltas: [
        { ...a, index: 0 },
        { ...b, index: 1 },
      ],
      calls: [a, b],
      finish: 'stop',
    },
    expected: TWO,
  },
  'broken JSON': {
    deltas: [{ index: 0, id: 'a', ...named('find', '{"a":') }],
    calls: [{ id: 'a', ...named('find', '{"a":') }],
    expected: [['find', null]],
  },
  'two choices': { deltas: [{ ...a, index: 0 }], calls: [a], expected: [['find', { a: 1 }]], choices: 2 },
};

describe('S04: a compatible server that sends', () => {
  for (const [name, quirk] of Object.entries(QUIRKS)) {
    const reason = quirk.finish ?? 'tool_calls';
    const second = quirk.choices === 2;
    const shell = { id: 'c', created: 1, model: 'm', usage: { prompt_tokens: 1, completion_tokens: 1 } };
    const plain = {
      ...{ ...shell, object: 'chat.completion' },
      choices: [
        { index: 0, message: { role: 'assistant', content: null, tool_calls: quirk.calls }, finish_reason: reason },
        ...(second ? [{ index: 1, message: { role: 'assistant', content: 'Other.' }, finish_reason: 'stop' }] : []),
      ],
    };
    const chunks = [
      ...quirk.deltas.map((call) => ({ index: 0, delta: { tool_calls: [call] }, finish_reason: null })),
      ...(second ? [{ index: 1, delta: { content: 'Other.' }, finish_reason: null }] : []),
      { index: 0, delta: {}, finish_reason: reason },
      ...(second ? [{ index: 1, delta: {}, finish_reason: 'stop' }] : []),
    ].map((choice) => `data: ${JSON.stringify({ ...shell, object: 'chat.completion.chunk', choices: [choice] })}\n\n`);

    it.each([
      ['plain', () => over('openai-chat', async () => Response.json(plain)).chat('x')],
      [
        'streamed',
        () => over('openai-chat', async () => sse(`${chunks.join('')}data: [DONE]\n\n`)).stream('x').response,
      ],
    ] as const)(`${name}, %s`, async (_mode, answer) => {
      const response = await answer();
      expect(response.toolCalls.map((call) => [call.name, call.args])).toEqual(quirk.expected);
      expect(response.finish.reason).toBe('tool-calls');
      const broken = response.toolCalls.filter((call) => call.invalid !== undefined);
      expect(broken).toHaveLength(name === 'broken JSON' ? 1 : 0);
      if (broken.length > 0) expect(broken[0]?.argsText).toBe('{"a":');
      expect(response.choices?.[1]?.message.content).toEqual(second ? [{ type: 'text', text: 'Other.' }] : undefined);
    });
  }
});
