import fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import { openaiChatDoor } from '../../../src/dialects/openai-chat/door.ts';
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts';
import type { ChatEvent } from '../../../src/operations/chat-events.ts';
import { foldChat } from '../../../src/operations/chat-fold.ts';
import { replayChat } from '../../../src/operations/chat-replay.ts';
import { size } from '../../size.ts';
import { environment, head } from './fixtures.ts';
import { checkGrammar } from './grammar.ts';

const chat = openaiChat.chat!;
const door = openaiChatDoor.chat!;
const doorEnvironment = (facts = {}) => ({ facts, request: {}, headers: {}, nowMs: 0 });
const answer = (message: object, finish = 'stop') => ({
  id: 'c1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
});
const decode = (body: object) => chat.decodeResponse(body, head(), environment());

function frames(events: Iterable<ChatEvent>, facts = {}) {
  const encoder = door.encodeStream(doorEnvironment(facts));
  const written: string[] = [];
  for (const event of events) encoder.encode(event, (text) => written.push(text));
  return written;
}
const chunks = (written: readonly string[]) =>
  written.filter((one) => !one.includes('[DONE]')).map((one) => JSON.parse(one.slice('data: '.length)));

describe('encodeStream', () => {
  const events = () => [...replayChat(decode(answer({ content: 'hello' })))];

  it('shows usage only to who asked, and ends with [DONE]', () => {
    const plain = frames(events());
    expect(plain.at(-1)).toBe('data: [DONE]\n\n');
    expect(plain.join('')).not.toContain('usage');
    const asked = chunks(frames(events(), { streamOptions: { include_usage: true } }));
    expect(asked.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } });
    expect(asked.slice(0, -1).every((one) => one.usage === null)).toBe(true);
  });

  it('makes an id of its own for answers of another protocol', () => {
    const [first, ...rest] = events();
    const foreign = { ...first, protocol: 'anthropic-messages', id: 'msg_1' } as ChatEvent;
    expect(chunks(frames([foreign, ...rest]))[0].id).toMatch(/^chatcmpl_ptn_/);
  });

  it('believes closing parts over missing deltas', () => {
    const quiet = events().filter((event) => event.type !== 'text-delta');
    expect(chunks(frames(quiet))[0].choices[0].delta.content).toBe('hello');
  });

  it('speaks the old function_call to who asks for functions', () => {
    const call = decode(
      answer(
        { content: null, tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
        'tool_calls',
      ),
    );
    const written = chunks(frames(replayChat(call), { legacyFunctions: true }));
    expect(written[0].choices[0].delta.function_call).toEqual({ name: 'f', arguments: '' });
    expect(written.at(-1).choices[0].finish_reason).toBe('function_call');
    const whole = door.encodeResponse(call, doorEnvironment({ legacyFunctions: true }))
      .body as unknown as OpenAI.ChatCompletion;
    expect(whole.choices[0]!.message).toMatchObject({ content: null, function_call: { name: 'f', arguments: '{}' } });
  });

  it('never shows a call that the provider ran itself', () => {
    const response = decode(answer({ content: 'a' }));
    const part = { type: 'tool-call', id: 'p', name: 'web', args: {}, executor: 'provider' } as const;
    const message = { ...response.message, content: [part, ...response.message.content] };
    expect(frames(replayChat({ ...response, message })).join('')).not.toContain('web');
  });

  it('breaks off with an error that the SDK throws', async () => {
    const encoder = door.encodeStream(doorEnvironment());
    let sse = '';
    const write = (text: string) => void (sse += text);
    for (const event of events().slice(0, 3)) encoder.encode(event, write);
    encoder.fail(new GatewayError('overloaded', 'p/m is overloaded.'), write);
    encoder.encode({ type: 'end' }, write);
    const client = new OpenAI({
      apiKey: 'k',
      maxRetries: 0,
      fetch: async () => new Response(sse, { headers: { 'content-type': 'text/event-stream' } }),
    });
    const stream = client.chat.completions.stream({ model: 'm', messages: [{ role: 'user', content: 'hi' }] });
    await expect(stream.finalChatCompletion()).rejects.toThrow(/overloaded/);
    expect(sse).not.toContain('[DONE]');
  });

  it('cannot take back what was sent, and says so', () => {
    const [start, open, delta] = events() as [ChatEvent, ChatEvent, ChatEvent];
    const reset: ChatEvent = { type: 'reset', reason: 'again' };
    expect(frames([start, open, delta, reset, ...events()]).at(-1)).toContain('stream_interrupted');
    expect(frames([start, open, reset, ...events()]).at(-1)).toContain('[DONE]');
  });
});

describe('encodeResponse', () => {
  it('has every field the SDK needs, for parse() too', async () => {
    const response = decode(answer({ content: '{"a":1}' }));
    const client = new OpenAI({
      apiKey: 'k',
      fetch: async () => Response.json(door.encodeResponse(response, doorEnvironment()).body),
    });
    const schema = {
      name: 'n',
      strict: true,
      schema: { type: 'object', properties: { a: { type: 'number' } }, required: ['a'], additionalProperties: false },
    };
    const parsed = await client.chat.completions.parse({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      response_format: { type: 'json_schema', json_schema: schema },
    });
    expect(parsed.choices[0]).toMatchObject({
      finish_reason: 'stop',
      logprobs: null,
      message: { role: 'assistant', refusal: null, content: '{"a":1}' },
    });
  });
});

describe('a turn cut into frames anywhere', () => {
  it('folds to the answer that came whole (S02)', () => {
    const cuts = fc.array(fc.nat(), { maxLength: 6 });
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
    const turn = fc.record({
      reasoning: text,
      content: text,
      args: fc.json({ maxDepth: 1 }).map((json) => `{"a":${json}}`),
      cuts,
    });
    fc.assert(
      fc.property(turn, ({ reasoning, content, args, cuts: at }) => {
        const call = (piece: string, first: boolean) => ({
          tool_calls: [
            { index: 0, ...(first && { id: 'a' }), function: { ...(first && { name: 'f' }), arguments: piece } },
          ],
        });
        const deltas = [
          ...pieces(reasoning, at).map((piece) => ({ reasoning_content: piece })),
          ...pieces(content, at).map((piece) => ({ content: piece })),
          ...pieces(args, at).map((piece, index) => call(piece, index === 0)),
        ];
        const { choices: _choices, usage, ...rest } = answer({});
        const decoder = chat.decodeStream(head(), environment());
        const events: ChatEvent[] = [];
        const emit = (event: ChatEvent) => void events.push(event);
        for (const delta of deltas)
          decoder.decode({ data: JSON.stringify({ ...rest, choices: [{ index: 0, delta }] }) }, emit);
        decoder.decode(
          { data: JSON.stringify({ ...rest, usage, choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }) },
          emit,
        );
        decoder.end(emit);
        checkGrammar(events);
        const fold = foldChat();
        for (const event of events) fold.add(event);
        const whole = {
          reasoning_content: reasoning,
          content,
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: args } }],
        };
        const { native: _native, ...expected } = decode(answer(whole, 'tool_calls'));
        const { native: _other, ...folded } = fold.response();
        expect(folded).toEqual(expected);
      }),
      { seed: 11, numRuns: size(200, 10_000) },
    );
  });
});

/** Cuts a text anywhere, inside surrogate pairs too. */
function pieces(text: string, at: readonly number[]): string[] {
  const cuts = [...new Set(at.map((one) => one % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...cuts].map((from, index) => text.slice(from, cuts[index] ?? text.length));
}
