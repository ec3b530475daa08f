import fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { openaiChatDoor } from '../../../src/dialects/openai-chat/door.ts';
import { finishWord } from '../../../src/dialects/openai-chat/finish.ts';
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts';
import type { ChatEvent } from '../../../src/operations/chat-events.ts';
import { foldChat } from '../../../src/operations/chat-fold.ts';
import type { OutputPart } from '../../../src/operations/chat-parts.ts';
import { replayChat } from '../../../src/operations/chat-replay.ts';
import type { ChatResponse, Choice, Finish } from '../../../src/operations/chat.ts';
import { usageOf } from '../../../src/operations/usage.ts';
import { size } from '../../size.ts';
import { absent, environment, head, read, recordings } from './fixtures.ts';
import { checkGrammar } from './grammar.ts';

const chat = openaiChat.chat!;
const door = openaiChatDoor.chat!;
const doorEnvironment = {
  facts: { protocol: 'openai-chat', streamOptions: { include_usage: true } },
  request: {},
  headers: {},
  nowMs: Date.UTC(2026, 0, 1),
};

/** The text a door writes for a stream of these events. */
function written(events: Iterable<ChatEvent>): string {
  const encoder = door.encodeStream(doorEnvironment);
  let text = '';
  for (const event of events) encoder.encode(event, (more) => (text += more));
  return text;
}

function decoded(sse: string): ChatEvent[] {
  const events: ChatEvent[] = [];
  const decoder = chat.decodeStream(head(), environment({ stream: true }));
  for (const frame of sse.split('\n\n')) {
    if (frame !== '') decoder.decode({ data: frame.slice('data: '.length) }, (event) => events.push(event));
  }
  decoder.end((event) => events.push(event));
  return events;
}

function folded(events: readonly ChatEvent[]): ChatResponse {
  checkGrammar(events);
  const fold = foldChat();
  for (const event of events) fold.add(event);
  return fold.response();
}

/** A response without what a second provider's answer could not have: usage as written, and our own limits. */
const essence = ({
  usage: { raw: _raw, reportedCostUsd: _cost, units: _units, ...usage },
  warnings: _warnings,
  ...rest
}: ChatResponse) => JSON.parse(JSON.stringify({ ...rest, usage: { ...usage, lines: undefined, flags: undefined } }));

describe('fold, replay, encodeStream and decodeStream', () => {
  it('are inverses on generated responses (S02, TOOL-06)', () => {
    fc.assert(
      fc.property(responses(), (response) => {
        const again = folded(decoded(written(replayChat(response))));
        expect(essence(again)).toEqual(essence(response));
      }),
      { seed: 20261122, numRuns: size(150, 5_000) },
    );
  });

  it('agree with encodeResponse and decodeResponse', () => {
    fc.assert(
      fc.property(responses(), (response) => {
        const { body } = door.encodeResponse(response, doorEnvironment);
        const again = chat.decodeResponse(JSON.parse(JSON.stringify(body)), head(), environment());
        expect(essence(again)).toEqual(essence(response));
      }),
      { seed: 20261122, numRuns: size(150, 5_000) },
    );
  });

  it('give the SDK accumulator the same answer', async () => {
    for (const response of fc.sample(responses(), { seed: 7, numRuns: size(25, 500) })) {
      const sse = written(replayChat(response));
      const client = new OpenAI({ apiKey: 'test', maxRetries: 0, fetch: async () => sseResponse(sse) });
      const messages = [{ role: 'user' as const, content: 'hi' }];
      const final = await client.chat.completions.stream({ model: 'm', messages }).finalChatCompletion();
      const plain = door.encodeResponse(response, doorEnvironment).body as unknown as OpenAI.ChatCompletion;
      expect(final.id).toBe(plain.id);
      expect(final.usage).toEqual(plain.usage);
      for (const [index, choice] of plain.choices.entries()) {
        const theirs = final.choices[index]!;
        expect(theirs.finish_reason).toBe(choice.finish_reason);
        expect(theirs.message.content ?? '').toBe(choice.message.content ?? '');
        expect(theirs.message.refusal).toBe(choice.message.refusal);
        expect((theirs.message.tool_calls ?? []).map(plainCall)).toEqual(
          (choice.message.tool_calls ?? []).map(plainCall),
        );
      }
    }
  });
});

const plainCall = (call: OpenAI.Chat.ChatCompletionMessageToolCall) =>
  call.type === 'function'
    ? [call.id, call.function.name, call.function.arguments]
    : [call.id, call.custom.name, call.custom.input];

const sseResponse = (sse: string) => new Response(sse, { headers: { 'content-type': 'text/event-stream' } });

describe.skipIf(absent)('recorded answers through the door (skipped without fixtures)', () => {
  const answers = recordings('chat-completions').filter((one) => !one.stream && one.status === 200);
  it.each(answers.map((one) => [`${one.provider}/${one.name}`, one] as const))(
    '%s streams as what it is',
    (_name, one) => {
      const body = JSON.parse(read(one.files.response as string));
      if (openaiChat.isError(body)) return;
      const response = chat.decodeResponse(body, head(), environment());
      // The one thing the door says better: an answer without a finish reason gets one.
      const refused = response.message.content.some((part) => part.type === 'refusal');
      const raw = response.finish.raw === undefined ? { raw: finishWord(response.finish, false, refused) } : {};
      const expected = essence({ ...response, finish: { ...response.finish, ...raw } });
      expect(essence(folded(decoded(written(replayChat(response)))))).toEqual(expected);
      const again = door.encodeResponse(response, doorEnvironment).body;
      expect(essence(chat.decodeResponse(again, head(), environment()))).toEqual(expected);
    },
  );
});

/** Responses as this protocol can have them: reasoning, text, refusal, calls, in that order. */
function responses(): fc.Arbitrary<ChatResponse> {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
  const args = fc.oneof(
    fc.json({ maxDepth: 2 }).filter((json) => json.startsWith('{')),
    fc.constantFrom('{}', '{"a":', ''),
  );
  const choice = fc.record({
    reasoning: fc.option(text, { nil: undefined }),
    text: fc.option(text, { nil: undefined }),
    refusal: fc.option(text, { nil: undefined, freq: 5 }),
    calls: fc.array(fc.record({ name: fc.constantFrom('find', 'get_weather', 'x-1'), args }), { maxLength: 3 }),
    cut: fc.boolean(),
  });
  return fc
    .record({
      choices: fc.array(choice, { minLength: 1, maxLength: 2 }),
      counts: fc.array(fc.nat(1000), { minLength: 5, maxLength: 5 }),
    })
    .map(({ choices, counts }) => {
      const origin = { protocol: 'openai-chat', provider: 'test', model: 'm-1', responseId: 'chatcmpl-1' };
      const built = choices.map((one, index): Choice => {
        const content: OutputPart[] = [];
        if (one.reasoning !== undefined) content.push({ type: 'reasoning', text: one.reasoning, form: 'full' });
        if (one.text !== undefined) content.push({ type: 'text', text: one.text });
        if (one.refusal !== undefined) content.push({ type: 'refusal', text: one.refusal });
        for (const [at, call] of one.calls.entries())
          content.push(callPart(`call_${index}_${at}`, call.name, call.args));
        return { index, message: { role: 'assistant', content, origin }, finish: finishFor(one, index) };
      });
      const first = built[0] as Choice;
      const [input = 0, cacheRead = 0, output = 0, reasoning = 0, cacheWrite = 0] = counts;
      const tokens = Object.fromEntries(
        Object.entries({ input, cacheRead, cacheWrite, output, reasoning }).filter(([, count]) => count > 0),
      );
      return {
        id: 'chatcmpl-1',
        model: 'm-1',
        createdAt: '2026-01-02T03:04:05.000Z',
        message: first.message,
        ...(built.length > 1 && { choices: built }),
        finish: first.finish,
        usage: usageOf([{ model: 'm-1', role: 'main', tokens }]),
        warnings: [],
        native: { 'openai-chat': { system_fingerprint: 'fp_1' } },
      };
    });
}

function callPart(id: string, name: string, argsText: string): OutputPart {
  if (argsText === '') return { type: 'tool-call', id, name, args: {}, argsText };
  try {
    return { type: 'tool-call', id, name, args: JSON.parse(argsText), argsText };
  } catch {
    return {
      type: 'tool-call',
      id,
      name,
      args: null,
      invalid: { message: 'the arguments are not valid JSON' },
      argsText,
    };
  }
}

function finishFor(one: { calls: readonly unknown[]; refusal: string | undefined }, index: number): Finish {
  const native = { 'openai-chat': { content_filter_results: { at: index } } };
  if (one.calls.length > 0) return { reason: 'tool-calls', raw: 'tool_calls', native };
  return { reason: one.refusal === undefined ? 'stop' : 'refusal', raw: 'stop', native };
}
