import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createGateway, GatewayError } from '../../src/index.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { absent, answer, read, type Recording, recordings } from './recordings.ts';
import { upstream } from './upstream.ts';

const KEY = 'sk-test-0123456789abcdef';
const QUESTION = { role: 'user' as const, content: 'And then?' };
const good = (endpoint: string, stream: boolean): readonly Recording[] =>
  recordings(endpoint).filter(
    (one) =>
      one.stream === stream && one.status === 200 && !one.tags.some((tag) => /error|several|mcp|web-|code-/.test(tag)),
  );

/** Gateways whose only model answers with a recording, over each protocol. */
function answering(recording: Recording) {
  const { fetch, seen } = upstream(() => answer(recording));
  const over = { apiKey: KEY, transport: 'fetch', fetch: fetch as never } as const;
  const providers = [
    openai({ ...over, api: recording.endpoint === 'responses' ? 'responses' : 'chat' }),
    anthropic(over),
  ];
  const target = recording.endpoint === 'messages' ? 'anthropic/claude-test' : 'openai/gpt-test';
  return { gateway: createGateway({ providers, models: { other: target, default: target }, use: [] }), seen };
}

/** What an answer comes to, whoever tells it. */
interface Told {
  text: string;
  calls: { name: string; args: unknown }[];
}
const parsed = (text: string): unknown => (text === '' ? {} : JSON.parse(text));
const ofCompletion = ({ choices: [choice] }: OpenAI.ChatCompletion): Told => ({
  text: choice?.message.content ?? '',
  calls: (choice?.message.tool_calls ?? []).flatMap((call) =>
    call.type === 'function' ? [{ name: call.function.name, args: parsed(call.function.arguments) }] : [],
  ),
});
/** The text of a tool that takes no JSON travels as one field. */
const freeform = (input: unknown): unknown =>
  Object.keys(input as object).join() === 'value' ? (input as { value: unknown }).value : input;
const ofMessage = ({ content }: Anthropic.Message): Told => ({
  text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
  calls: content.flatMap((block) =>
    block.type === 'tool_use' ? [{ name: block.name, args: freeform(block.input) }] : [],
  ),
});
const ofResponse = (response: OpenAI.Responses.Response): Told => ({
  text: response.output_text,
  calls: response.output.flatMap((item) =>
    item.type === 'function_call' ? [{ name: item.name, args: parsed(item.arguments) }] : [],
  ),
});

/** The gateway's own reading of the recording: what every door has to tell too. */
async function reference(recording: Recording): Promise<(Told & { input: number; output: number }) | undefined> {
  const { gateway } = answering(recording);
  try {
    const stream = recording.stream ? gateway.stream('x') : undefined;
    const reply = await (stream === undefined ? gateway.chat('x') : stream.response);
    const refusals = reply.message.content.map((part) => (part.type === 'refusal' ? part.text : '')).join('');
    // What a provider does not report cannot be compared.
    if (reply.usage.quality === 'unknown') return undefined;
    if (refusals !== '' || reply.toolCalls.some((call) => call.invalid !== undefined)) return undefined;
    const calls = reply.toolCalls.map(({ name, args }) => ({ name, args }));
    return { text: reply.text, calls, input: reply.usage.input, output: reply.usage.output };
  } catch {
    return undefined;
  }
}

/** Whether Anthropic would take this conversation: roles alternate, and every call is answered at once. */
function checkMessages(body: string): void {
  const { messages, max_tokens: max } = JSON.parse(body) as Anthropic.MessageCreateParams;
  expect(max).toBeGreaterThan(0);
  expect(messages[0]?.role).toBe('user');
  let open: string[] = [];
  for (const [index, { role, content }] of messages.entries()) {
    if (index > 0) expect(role, body.slice(0, 3000)).not.toBe(messages[index - 1]?.role);
    const blocks = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
    expect(blocks.length).toBeGreaterThan(0);
    const results = blocks.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []));
    expect(results.toSorted()).toEqual(open.toSorted());
    open = blocks.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
    for (const id of open) expect(id).toMatch(/^[A-Za-z0-9_-]+$/);
    for (const block of blocks) if (block.type === 'text') expect(block.text).not.toBe('');
  }
  expect(open).toEqual([]);
}

/** Whether OpenAI would: every call is answered by the messages right behind it. */
function checkChat(body: string): void {
  const { messages } = JSON.parse(body) as OpenAI.ChatCompletionCreateParams;
  let open: string[] = [];
  for (const message of messages) {
    if (message.role === 'tool') {
      expect(open).toContain(message.tool_call_id);
      open = open.filter((id) => id !== message.tool_call_id);
      continue;
    }
    expect(open).toEqual([]);
    if (message.role === 'assistant') open = (message.tool_calls ?? []).map(({ id }) => id);
  }
  expect(open).toEqual([]);
}

beforeEach(() => void vi.spyOn(console, 'warn').mockReturnValue());

describe.skipIf(absent)('conversations over providers (fixtures are beside the repository)', () => {
  const openAi = (gateway: ReturnType<typeof createGateway>) =>
    new OpenAI({ apiKey: 'unused', fetch: gateway.fetch, maxRetries: 0 });
  const claude = (gateway: ReturnType<typeof createGateway>) =>
    new Anthropic({ apiKey: 'unused', fetch: gateway.fetch, maxRetries: 0 });

  for (const stream of [false, true]) {
    const mode = stream ? 'streamed' : 'plain';

    it(`an app of OpenAI chat hears a ${mode} Anthropic answer whole, and its next turn is accepted`, async () => {
      let heard = 0;
      for (const recording of good('messages', stream)) {
        const whole = await reference(recording);
        if (whole === undefined) continue;
        const { gateway, seen } = answering(recording);
        const body = { model: 'other', messages: [QUESTION] };
        const result = stream
          ? await openAi(gateway)
              .chat.completions.stream({ ...body, stream_options: { include_usage: true } })
              .finalChatCompletion()
          : await openAi(gateway).chat.completions.create(body);
        expect(ofCompletion(result), recording.name).toEqual({ text: whole.text, calls: whole.calls });
        expect(result.usage, recording.name).toMatchObject({
          prompt_tokens: whole.input,
          completion_tokens: whole.output,
        });
        const turn = result.choices[0]?.message as OpenAI.ChatCompletionMessage;
        // A turn with nothing to say again is no turn to Anthropic.
        if (whole.text === '' && whole.calls.length === 0) continue;
        const answers = (turn.tool_calls ?? []).map(({ id }) => ({
          role: 'tool' as const,
          tool_call_id: id,
          content: 'ok',
        }));
        await openAi(gateway)
          .chat.completions.create({ ...body, messages: [QUESTION, turn, ...answers, QUESTION], stream } as never)
          .asResponse();
        checkMessages(seen.at(-1)?.body ?? '');
        heard++;
      }
      expect(heard).toBeGreaterThan(10);
    });

    it(`an app of OpenAI responses hears a ${mode} Anthropic answer whole, and its next turn is accepted`, async () => {
      let heard = 0;
      for (const recording of good('messages', stream)) {
        const whole = await reference(recording);
        if (whole === undefined) continue;
        const { gateway, seen } = answering(recording);
        const body = { model: 'other', input: [QUESTION] };
        const result = stream
          ? await openAi(gateway).responses.stream(body).finalResponse()
          : await openAi(gateway).responses.create(body);
        expect(ofResponse(result), recording.name).toEqual({ text: whole.text, calls: whole.calls });
        expect(result.usage).toMatchObject({ input_tokens: whole.input, output_tokens: whole.output });
        if (whole.text === '' && whole.calls.length === 0) continue;
        const answers = result.output.flatMap((item) =>
          item.type === 'function_call'
            ? [{ type: 'function_call_output' as const, call_id: item.call_id, output: 'ok' }]
            : [],
        );
        const input = [QUESTION, ...result.output, ...answers, QUESTION] as OpenAI.Responses.ResponseInput;
        await openAi(gateway)
          .responses.create({ ...body, input, stream } as never)
          .asResponse();
        checkMessages(seen.at(-1)?.body ?? '');
        heard++;
      }
      expect(heard).toBeGreaterThan(10);
    });

    it(`an app of Anthropic hears a ${mode} OpenAI answer whole, and its next turn is accepted`, async () => {
      let heard = 0;
      for (const recording of [...good('chat-completions', stream), ...good('responses', stream)]) {
        const whole = await reference(recording);
        if (whole === undefined) continue;
        const { gateway, seen } = answering(recording);
        const body = { model: 'other', max_tokens: 64, messages: [QUESTION] };
        const result = stream
          ? await claude(gateway).messages.stream(body).finalMessage()
          : await claude(gateway).messages.create(body);
        expect(ofMessage(result), recording.name).toEqual({ text: whole.text, calls: whole.calls });
        const { usage } = result;
        const input =
          usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
        expect([input, usage.output_tokens], recording.name).toEqual([whole.input, whole.output]);
        if (result.content.length === 0) continue;
        const answers = result.content.flatMap((block) =>
          block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'ok' }] : [],
        );
        const next = { role: 'user' as const, content: [...answers, { type: 'text' as const, text: 'And then?' }] };
        const messages = [QUESTION, { role: 'assistant' as const, content: result.content }, next];
        await claude(gateway)
          .messages.create({ ...body, messages, stream } as never)
          .asResponse();
        if (recording.endpoint === 'chat-completions') checkChat(seen.at(-1)?.body ?? '');
        heard++;
      }
      expect(heard).toBeGreaterThan(20);
    });
  }

  it('recorded requests of one provider are taken by the other, or refused with the reason', async () => {
    const [claudeAnswer] = good('messages', false);
    const [chatAnswer] = good('chat-completions', false);
    const refused = new Set<string>();
    let taken = 0;
    for (const endpoint of ['chat-completions', 'responses', 'messages']) {
      const foreign = (endpoint === 'messages' ? chatAnswer : claudeAnswer) as Recording;
      for (const recording of recordings(endpoint)) {
        if (recording.files.request === undefined || recording.stream) continue;
        const { gateway, seen } = answering(foreign);
        const body = {
          ...(JSON.parse(read(recording.files.request)) as object),
          model: 'other',
          stream: false,
        } as never;
        try {
          if (endpoint === 'messages') await claude(gateway).messages.create(body);
          else if (endpoint === 'responses') await openAi(gateway).responses.create(body);
          else await openAi(gateway).chat.completions.create(body);
          taken++;
          if (endpoint === 'messages') checkChat(seen[0]?.body ?? '');
        } catch (error) {
          const ours = GatewayError.from(error);
          expect(ours?.code, `${recording.name}: ${String(error)}`).toMatch(
            /^(unsupported|invalid-request|no-target)$/,
          );
          refused.add(recording.name);
        }
      }
    }
    expect(taken).toBeGreaterThan(100);
    expect(refused.size).toBeLessThan(taken / 4);
  });
});
