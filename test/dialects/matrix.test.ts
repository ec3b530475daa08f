import { Anthropic } from '@anthropic-ai/sdk';
import { OpenAI } from 'openai';
import { describe, expect, it } from 'vitest';
import type { Dialect, DoorDialect, DoorEnvironment } from '../../src/core/dialect.ts';
import { SseParser } from '../../src/core/sse.ts';
import { anthropicMessagesDoor } from '../../src/dialects/anthropic-messages/door.ts';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/index.ts';
import { openaiChatDoor } from '../../src/dialects/openai-chat/door.ts';
import { openaiChat } from '../../src/dialects/openai-chat/index.ts';
import { openaiResponsesDoor } from '../../src/dialects/openai-responses/door.ts';
import { openaiResponses } from '../../src/dialects/openai-responses/index.ts';
import type { ChatEvent } from '../../src/operations/chat-events.ts';
import { replayChat } from '../../src/operations/chat-replay.ts';
import type { ChatResponse } from '../../src/operations/chat.ts';
import { usageOf } from '../../src/operations/usage.ts';
import { checkGrammar } from '../operations/grammar.ts';

/** One turn with everything that streams: reasoning, text, two tool calls, 7 tokens in and 9 out. */
const TURN: ChatResponse = {
  id: 'id',
  model: 'm',
  createdAt: '2026-11-22T00:00:00.000Z',
  message: {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: 'Think first.', form: 'summary' },
      { type: 'text', text: 'Two look-ups, 東京 👍.' },
      { type: 'tool-call', id: 'call_a', name: 'find', args: { q: 'a"b' }, argsText: '{"q":"a\\"b"}' },
      { type: 'tool-call', id: 'call_b', name: 'find', args: { q: 2 }, argsText: '{"q":2}' },
    ],
  },
  finish: { reason: 'tool-calls' },
  usage: usageOf([{ model: 'm', role: 'main', tokens: { input: 7, output: 9 } }]),
  warnings: [],
};

const DOORS: Readonly<Record<string, { door: DoorDialect; dialect: Dialect; body: object }>> = {
  'openai-chat': {
    door: openaiChatDoor,
    dialect: openaiChat,
    body: {
      model: 'm',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'x' }],
    },
  },
  'openai-responses': {
    door: openaiResponsesDoor,
    dialect: openaiResponses,
    body: { model: 'm', stream: true, input: 'x' },
  },
  'anthropic-messages': {
    door: anthropicMessagesDoor,
    dialect: anthropicMessages,
    body: { model: 'm', stream: true, max_tokens: 100, messages: [{ role: 'user', content: 'x' }] },
  },
};

/** Canonical events as the wire text of a protocol. */
function encode(protocol: string, events: Iterable<ChatEvent>): string {
  const { door, body } = DOORS[protocol] as (typeof DOORS)[string];
  const headers = { 'anthropic-version': '2026-10-21' };
  const decoded = door.chat?.decodeRequest(body, headers);
  const environment: DoorEnvironment = { facts: decoded?.facts ?? {}, request: decoded?.request, headers, nowMs: 0 };
  const encoder = door.chat?.encodeStream(environment);
  let text = '';
  for (const event of events) encoder?.encode(event, (piece) => (text += piece));
  return text;
}

/** Wire text of a protocol as canonical events. */
function decode(protocol: string, text: string): ChatEvent[] {
  const { dialect } = DOORS[protocol] as (typeof DOORS)[string];
  const head = { status: 200, headers: { 'content-type': 'text/event-stream' } };
  const decoder = dialect.chat?.decodeStream(head, { target: { provider: 'p', model: 'm' }, stream: true, nowMs: 0 });
  const events: ChatEvent[] = [];
  const emit = (event: ChatEvent): number => events.push(event);
  const parser = new SseParser();
  parser.push(new TextEncoder().encode(text), (frame) => decoder?.decode(frame, emit));
  parser.end((frame) => decoder?.decode(frame, emit));
  decoder?.end(emit);
  return events;
}

interface Seen {
  readonly text: string;
  readonly calls: readonly (readonly [name: string, args: unknown])[];
  readonly tokens: readonly [input: number, output: number];
}

/** What the official SDK's own accumulator makes of the wire text. */
async function accumulate(protocol: string, wire: string): Promise<Seen> {
  const fetch = async () => new Response(wire, { headers: { 'content-type': 'text/event-stream' } });
  if (protocol === 'anthropic-messages') {
    const client = new Anthropic({ apiKey: 'k', fetch });
    const message = await client.messages
      .stream({ model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'x' }] })
      .finalMessage();
    return {
      text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      calls: message.content.flatMap((block) =>
        block.type === 'tool_use' ? [[block.name, block.input] as const] : [],
      ),
      tokens: [message.usage.input_tokens, message.usage.output_tokens],
    };
  }
  const client = new OpenAI({ apiKey: 'k', fetch });
  if (protocol === 'openai-responses') {
    const response = await client.responses.stream({ model: 'm', input: 'x' }).finalResponse();
    return {
      text: response.output_text,
      calls: response.output.flatMap((item) =>
        item.type === 'function_call' ? [[item.name, JSON.parse(item.arguments)] as const] : [],
      ),
      tokens: [response.usage?.input_tokens ?? -1, response.usage?.output_tokens ?? -1],
    };
  }
  const stream = client.chat.completions.stream({
    model: 'm',
    messages: [{ role: 'user', content: 'x' }],
    stream_options: { include_usage: true },
  });
  const completion = await stream.finalChatCompletion();
  const message = completion.choices[0]?.message;
  return {
    text: message?.content ?? '',
    calls: (message?.tool_calls ?? []).flatMap((call) =>
      'function' in call ? [[call.function.name, JSON.parse(call.function.arguments)] as const] : [],
    ),
    tokens: [completion.usage?.prompt_tokens ?? -1, completion.usage?.completion_tokens ?? -1],
  };
}

const expected: Seen = {
  text: 'Two look-ups, 東京 👍.',
  calls: [
    ['find', { q: 'a"b' }],
    ['find', { q: 2 }],
  ],
  tokens: [7, 9],
};

describe('S03: one turn through every pair of protocols, read by the official SDKs', () => {
  for (const source of Object.keys(DOORS)) {
    for (const target of Object.keys(DOORS)) {
      it(`${source} -> canonical -> ${target}`, async () => {
        const events = decode(source, encode(source, replayChat(TURN)));
        checkGrammar(events);
        expect(await accumulate(target, encode(target, events))).toEqual(expected);
      });
    }
  }
});
