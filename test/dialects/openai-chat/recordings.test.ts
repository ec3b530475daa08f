import OpenAI from 'openai';
import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';
import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/core/errors.ts';
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts';
import { openaiChatDoor } from '../../../src/dialects/openai-chat/door.ts';
import type { ChatEvent } from '../../../src/operations/chat-events.ts';
import { foldChat } from '../../../src/operations/chat-fold.ts';
import { type ChatResponse, textOf, toolCallsOf } from '../../../src/operations/chat.ts';
import { absent, environment, head, read, readLines, type Recording, recordings } from './fixtures.ts';
import { checkGrammar } from './grammar.ts';

const chat = openaiChat.chat!;
const all = recordings('chat-completions');
const title = (one: Recording) => `${one.provider}/${one.name}`;
const because = absent ? ' (skipped: no fixtures beside the repository)' : '';

/** What an application reads of an answer. */
interface Seen {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly text: string }[];
  readonly finish: string;
  readonly input: number;
  readonly output: number;
}

function seenByUs(response: ChatResponse): Seen {
  return {
    text: textOf(response.message),
    calls: toolCallsOf(response.message).map((call) => ({ name: call.name, text: call.argsText ?? '' })),
    finish: response.finish.raw ?? '',
    input: response.usage.input,
    output: response.usage.output,
  };
}

/** The same by OpenAI's SDK, whose content may be Mistral's chunks. */
function seenBySdk(completion: Pick<ChatCompletion, 'choices' | 'usage'>): Seen {
  const choice = completion.choices[0] as ChatCompletion.Choice;
  const { content, tool_calls: calls, function_call: legacy } = choice.message;
  const functions = (calls ?? []).flatMap((call) => (call.type === 'custom' ? [] : [call.function]));
  if (legacy?.name) functions.push(legacy);
  return {
    text: typeof content === 'string' ? content : textOfChunks(content),
    calls: functions.map((fn) => ({ name: fn.name, text: fn.arguments ?? '' })),
    finish: choice.finish_reason,
    input: completion.usage?.prompt_tokens ?? 0,
    output: completion.usage?.completion_tokens ?? 0,
  };
}

function textOfChunks(content: unknown): string {
  if (!Array.isArray(content)) return '';
  return content.map((chunk: { type: string; text?: string }) => (chunk.type === 'text' ? chunk.text : '')).join('');
}

/** Servers that count reasoning beside the completion: ours is the sum, the SDK shows one half. */
const REASONING_APART = new Set(['xai']);

function compare(ours: Seen, theirs: Seen, one: Recording): void {
  if (REASONING_APART.has(one.provider)) {
    expect(ours.output).toBeGreaterThan(theirs.output);
    expect({ ...ours, output: 0 }).toEqual({ ...theirs, output: 0 });
  } else expect(ours).toEqual(theirs);
}

describe.skipIf(absent)(`recorded answers${because}`, () => {
  const answers = all.filter((one) => !one.stream && one.status === 200);
  it('are all here', () => expect(answers.length).toBeGreaterThanOrEqual(160));

  it.each(answers.map((one) => [title(one), one] as const))('%s reads as the SDK reads it', (_title, one) => {
    const body = JSON.parse(read(one.files.response as string));
    if (openaiChat.isError(body)) {
      expect(isGatewayError(openaiChat.decodeError(body, head(), environment()))).toBe(true);
      return;
    }
    const response = chat.decodeResponse(body, head(), environment());
    compare(seenByUs(response), seenBySdk(body), one);
    expect(response.usage.total).toBe(response.usage.input + response.usage.output);
  });
});

describe.skipIf(absent)(`recorded streams${because}`, () => {
  const streams = all.filter((one) => one.stream && one.status === 200);
  it('are all here', () => expect(streams.length).toBeGreaterThanOrEqual(42));

  it.each(streams.map((one) => [title(one), one] as const))('%s reads as the SDK reads it', async (name, one) => {
    const lines = readLines(one.files.events as string);
    const events: ChatEvent[] = [];
    const failure = decodeAll(lines, events);
    const exception = STREAM_EXCEPTIONS[name];
    if (exception !== undefined) {
      expect(failure?.code).toBe(exception.fails);
      return;
    }
    expect(failure).toBeUndefined();
    checkGrammar(events);
    const fold = foldChat();
    for (const event of events) fold.add(event);
    const theirs = seenBySdk(await accumulate(lines));
    if (TWO_ANSWERS.has(name)) {
      // The SDK leaves telling calls apart to its user, who goes by index and gets `{}{}`.
      expect(theirs.calls.map((call) => call.text)).toEqual(['{}{}']);
      expect(seenByUs(fold.response()).calls.map((call) => call.text)).toEqual(['{}', '{}']);
      return;
    }
    compare(seenByUs(fold.response()), theirs, one);
  });

  it('has no more exceptions than these', () => {
    const names = new Set(streams.map(title));
    for (const name of Object.keys(STREAM_EXCEPTIONS)) expect(names).toContain(name);
    expect(Object.keys(STREAM_EXCEPTIONS)).toHaveLength(2);
  });
});

/** Streams that are not a whole answer, and what they must fail with. */
const STREAM_EXCEPTIONS: Readonly<Record<string, { readonly fails: string; readonly why: string }>> = {
  'groq/groq.tool_use_failed_error_streaming_with_text.1': {
    fails: 'invalid-request',
    why: 'an error event inside the stream',
  },
  'openrouter/openrouter.openrouter_stream_error': {
    fails: 'invalid-request',
    why: 'an error event after the finish',
  },
};

/** Two answers written into one recording: two calls of one index, and two usages. */
const TWO_ANSWERS = new Set(['cerebras/cererebras-structured-output-tools.1']);

function decodeAll(lines: readonly string[], events: ChatEvent[]) {
  const decoder = chat.decodeStream(head(), environment({ stream: true }));
  const emit = (event: ChatEvent) => void events.push(event);
  try {
    for (const data of lines) decoder.decode({ data }, emit);
    // The recordings leave the end marker out.
    decoder.decode({ data: '[DONE]' }, emit);
    decoder.end(emit);
  } catch (error) {
    if (isGatewayError(error)) return error;
    throw error;
  }
  return undefined;
}

/** OpenAI's SDK over a fetch that plays the lines, its deltas put together the way its documentation says. */
async function accumulate(lines: readonly string[]): Promise<Pick<ChatCompletion, 'choices' | 'usage'>> {
  const sse = `${lines.map((line) => `data: ${line}\n\n`).join('')}data: [DONE]\n\n`;
  const client = new OpenAI({
    apiKey: 'test',
    maxRetries: 0,
    fetch: async () => new Response(sse, { headers: { 'content-type': 'text/event-stream' } }),
  });
  let content = '';
  let finish = '';
  let usage: ChatCompletionChunk['usage'];
  const calls: { name: string; arguments: string }[] = [];
  for await (const chunk of await client.chat.completions.create({ model: 'm', messages: [], stream: true })) {
    const loose = chunk as ChatCompletionChunk & { x_groq?: { usage?: ChatCompletionChunk['usage'] } };
    const choice = chunk.choices?.[0] as
      | (ChatCompletionChunk.Choice & { usage?: ChatCompletionChunk['usage'] })
      | undefined;
    usage = chunk.usage ?? loose.x_groq?.usage ?? choice?.usage ?? usage;
    const delta = choice?.delta;
    content += typeof delta?.content === 'string' ? delta.content : textOfChunks(delta?.content);
    finish = choice?.finish_reason ?? finish;
    for (const piece of delta?.tool_calls ?? []) {
      const call = (calls[piece.index ?? 0] ??= { name: '', arguments: '' });
      call.name ||= piece.function?.name ?? '';
      call.arguments += piece.function?.arguments ?? '';
    }
  }
  const message = { content, tool_calls: calls.map((call) => ({ type: 'function', id: '', function: call })) };
  const choice = { message, finish_reason: finish } as unknown as ChatCompletion.Choice;
  return { choices: [choice], ...(usage && { usage }) };
}

describe.skipIf(absent)(`recorded requests${because}`, () => {
  const requests = all.filter((one) => one.files.request !== undefined);
  it('are all here', () => expect(requests.length).toBeGreaterThanOrEqual(170));

  it.each(requests.map((one) => [title(one), one] as const))('%s is written again word for word', (_title, one) => {
    const body = JSON.parse(read(one.files.request as string));
    const decoded = openaiChatDoor.chat!.decodeRequest(body, {});
    const target = { provider: 'test', model: body.model };
    const encoded = chat.encodeRequest(
      JSON.parse(JSON.stringify(decoded.request)),
      environment({ target, stream: decoded.stream, facts: decoded.facts }),
    );
    const expected = { ...body };
    // The one addition: usage is always asked for.
    if (decoded.stream) expected.stream_options = { ...body.stream_options, include_usage: true };
    expect(encoded.body).toEqual(expected);
  });
});
