import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/core/errors.ts';
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts';
import { replayChat } from '../../../src/operations/chat-replay.ts';
import { textOf, toolCallsOf } from '../../../src/operations/chat.ts';
import type { ChatResponse } from '../../../src/operations/chat.ts';
import {
  chat,
  checkGrammar,
  decodeFrames,
  door,
  environment,
  fold,
  framesOf,
  framesOfLines,
  haveFixtures,
  head,
  recordings,
  showResponse,
  writeStream,
} from './support.ts';

/** Streams that are not one whole message, and what becomes of each. */
const STREAM_EXCEPTIONS: Readonly<Record<string, string>> = {
  'anthropic/spliced-message-start.stream.jsonl': 'a second message begins inside the first: stream-interrupted',
};
/** Streams the official helper itself cannot read as one message. */
const SDK_EXCEPTIONS: Readonly<Record<string, string>> = {
  'anthropic/spliced-message-start.stream.jsonl': 'the helper throws on the second message_start',
  'anthropic/anthropic-tool-search-bm25.1.stream.jsonl':
    'two whole messages in one file: the helper gives the last, we the first',
};

async function official(sse: string): Promise<Anthropic.Message> {
  const client = new Anthropic({
    apiKey: 'test',
    maxRetries: 0,
    fetch: async () => new Response(sse, { headers: { 'content-type': 'text/event-stream' } }),
  });
  const params = { model: 'm', max_tokens: 1, messages: [{ role: 'user' as const, content: 'x' }] };
  return client.messages.stream(params).finalMessage();
}

function sse(lines: string): string {
  return framesOfLines(lines)
    .map(({ data }) => `event: ${(JSON.parse(data) as { type: string }).type}\ndata: ${data}\n\n`)
    .join('');
}

function compare(ours: ChatResponse, theirs: Anthropic.Message, counts = ours.usage.lines[0]?.tokens ?? {}): void {
  const blocks = theirs.content;
  expect(textOf(ours.message)).toBe(blocks.map((block) => (block.type === 'text' ? block.text : '')).join(''));
  const reasoning = ours.message.content.filter((part) => part.type === 'reasoning');
  const thinking = blocks.filter((block) => block.type === 'thinking' || block.type === 'redacted_thinking');
  expect(reasoning.map((part) => [part.text, part.sealed?.value ?? ''])).toEqual(
    thinking.map((block) => (block.type === 'thinking' ? [block.thinking, block.signature] : ['', block.data])),
  );
  expect(toolCallsOf(ours.message).map(({ id, name, args }) => ({ id, name, args }))).toEqual(
    blocks.flatMap((block) =>
      block.type === 'tool_use' ? [{ id: block.id, name: block.name, args: block.input }] : [],
    ),
  );
  expect(ours.message.content.length).toBe(blocks.length);
  expect(ours.finish.raw ?? null).toBe(theirs.stop_reason);
  expect(counts.input).toBe(theirs.usage.input_tokens);
  expect((counts.output ?? 0) + (counts.reasoning ?? 0)).toBe(theirs.usage.output_tokens);
  expect(counts.cacheRead ?? 0).toBe(theirs.usage.cache_read_input_tokens ?? 0);
}

describe.skipIf(!haveFixtures)('recorded answers (skipped where the fixtures are absent)', () => {
  it('decodes every whole answer or names its error', () => {
    let answers = 0;
    let errors = 0;
    for (const { name, text } of recordings('.response.json')) {
      const body: unknown = JSON.parse(text);
      if (anthropicMessages.isError(body)) {
        errors++;
        expect(anthropicMessages.decodeError(body, { ...head, status: 404 }, environment()).code, name).toBe(
          'not-found',
        );
        continue;
      }
      answers++;
      const response = chat.decodeResponse(body, head, environment());
      const content = (body as { content: unknown[] }).content;
      expect(response.message.content.length, name).toBe(content.length);
      expect(response.finish.reason, name).not.toBe('other');
      checkGrammar([...replayChat(response)]);
    }
    expect({ answers, errors }).toEqual({ answers: 57, errors: 1 });
  });

  it('shows a whole answer to the application as it was', () => {
    let same = 0;
    for (const { name, text } of recordings('.response.json')) {
      const body = JSON.parse(text) as Record<string, unknown>;
      if (body['type'] !== 'message') continue;
      const shown = showResponse(chat.decodeResponse(body, head, environment()), {}).body;
      // Counts are ours: they say more than a body without them did, and no iterations.
      const plain = (value: unknown) => withoutEmpty({ ...(value as object), usage: undefined });
      expect(plain(shown), name).toEqual(plain(body));
      same++;
    }
    expect(same).toBe(56);
  });

  it('agrees with the official helper on every stream', async () => {
    let compared = 0;
    for (const { name, text } of recordings('.stream.jsonl')) {
      if (name in STREAM_EXCEPTIONS) continue;
      const response = fold(decodeFrames(framesOfLines(text)));
      if (name in SDK_EXCEPTIONS) continue;
      compare(response, await official(sse(text)));
      compared++;
    }
    expect({ compared, exceptions: Object.keys(SDK_EXCEPTIONS).length }).toEqual({ compared: 32, exceptions: 2 });
  });

  it('writes every stream so that the official helper reads the same message', async () => {
    let compared = 0;
    for (const { name, text } of recordings('.stream.jsonl')) {
      if (name in STREAM_EXCEPTIONS) continue;
      const events = decodeFrames(framesOfLines(text));
      const message = await official(writeStream(events));
      const kept = fold(events);
      const content = kept.message.content.filter((part) => part.type !== 'text' || part.text !== '');
      // What other models did inside the call (advisors) is summed for the application.
      compare({ ...kept, message: { ...kept.message, content } }, message, kept.usage.tokens);
      compared++;
    }
    expect(compared).toBe(33);
  });

  it('never splices two messages into one (STR-05, STR-06)', () => {
    for (const { name, text } of recordings('.stream.jsonl')) {
      if (!(name in STREAM_EXCEPTIONS)) continue;
      expect(() => decodeFrames(framesOfLines(text))).toThrow(expect.objectContaining({ code: 'stream-interrupted' }));
    }
  });

  it('gives the same from a stream as from its bytes', () => {
    let compared = 0;
    for (const { name, text } of recordings('.stream.sse')) {
      const lines = recordings(`${name.split('/')[1]?.replace('.sse', '.jsonl')}`)[0];
      if (lines === undefined || lines.name in STREAM_EXCEPTIONS) continue;
      expect(decodeFrames(framesOf(text.replaceAll('\r\n', '\n'))), name).toEqual(
        decodeFrames(framesOfLines(lines.text)),
      );
      compared++;
    }
    expect(compared).toBe(18);
  });

  it('fails at every cut and never calls it a stop (STR-01, S05)', () => {
    for (const { name, text } of recordings('.stream.jsonl')) {
      const frames = framesOfLines(text);
      const stop = frames.findIndex(({ data }) => data.includes('"message_stop"'));
      for (const cut of new Set([0, 1, 2, Math.floor(stop / 2), stop - 1, stop])) {
        try {
          decodeFrames(frames.slice(0, cut));
          expect.unreachable(`${name} cut at ${cut} ended well`);
        } catch (error) {
          expect(isGatewayError(error, 'stream-interrupted'), `${name} cut at ${cut}: ${String(error)}`).toBe(true);
        }
      }
    }
  });
});

describe.skipIf(!haveFixtures)('recorded requests (skipped where the fixtures are absent)', () => {
  /** Warnings a recorded request gives when it goes back out, with the number of requests that have one. */
  const WARNINGS: Readonly<Record<string, number>> = {};

  it('writes every request back as it came, up to the documented changes', () => {
    const warnings: Record<string, number> = {};
    let requests = 0;
    for (const { name, text } of recordings('.request.json')) {
      const body = JSON.parse(text) as Record<string, unknown>;
      const { request, facts, stream } = door.decodeRequest(body, {});
      const encoded = chat.encodeRequest(request, environment(request.model, { stream, facts }));
      expect(normal(encoded.body), name).toEqual(normal(body));
      expect(encoded.headers?.['anthropic-version'], name).toBe('temperature' in body ? '2023-06-01' : undefined);
      for (const warning of encoded.warnings) warnings[warning.message] = (warnings[warning.message] ?? 0) + 1;
      requests++;
    }
    expect(requests).toBe(57);
    expect(warnings).toEqual(WARNINGS);
  });
});

/** The documented changes: text as a block, no `stream: false`, no nulls and empty lists. */
function normal(body: unknown): unknown {
  const wire = structuredClone(body) as Record<string, unknown> & { messages: { content: unknown }[] };
  if (wire['stream'] === false) delete wire['stream'];
  if (typeof wire['system'] === 'string') wire['system'] = [{ type: 'text', text: wire['system'] }];
  for (const message of wire.messages) {
    if (typeof message.content === 'string') message.content = [{ type: 'text', text: message.content }];
  }
  return wire;
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty).filter((item) => !isEmptyText(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  return Object.fromEntries(entries.map(([name, field]) => [name, withoutEmpty(field)]));
}

function isEmptyText(value: unknown): boolean {
  return JSON.stringify(value) === '{"type":"text","text":""}';
}
