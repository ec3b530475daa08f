import fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { DoorEnvironment } from '../../../src/core/dialect.ts';
import { GatewayError } from '../../../src/core/errors.ts';
import { SseParser } from '../../../src/core/sse.ts';
import { openaiResponsesDoor } from '../../../src/dialects/openai-responses/door.ts';
import type { ChatEvent } from '../../../src/operations/chat-events.ts';
import type { OutputPart } from '../../../src/operations/chat-parts.ts';
import { replayChat } from '../../../src/operations/chat-replay.ts';
import { type ChatResponse, textOf } from '../../../src/operations/chat.ts';
import { usageOf } from '../../../src/operations/usage.ts';
import { size } from '../../size.ts';
import {
  checkGrammar,
  decodeAll,
  decodeBody,
  eventsOf,
  fold,
  frames,
  present,
  recordings,
  text as readText,
  why,
} from './recordings.ts';

const door: DoorEnvironment = {
  facts: {},
  request: { model: 'fast', input: 'hi', include: ['reasoning.encrypted_content'] },
  headers: {},
  nowMs: 1_700_000_000_000,
};

function encode(events: Iterable<ChatEvent>, environment = door): string {
  const encoder = openaiResponsesDoor.chat!.encodeStream(environment);
  let wire = '';
  for (const event of events) encoder.encode(event, (text) => (wire += text));
  return wire;
}

function parse(wire: string): any[] {
  const parser = new SseParser();
  const events: any[] = [];
  parser.push(new TextEncoder().encode(wire), (frame) => {
    const data = JSON.parse(frame.data);
    expect(frame.event).toBe(data.type);
    events.push(data);
  });
  return events;
}

async function accumulate(wire: string): Promise<any> {
  const fetch = async (): Promise<Response> => new Response(wire, { headers: { 'content-type': 'text/event-stream' } });
  const client = new OpenAI({ apiKey: 'test', fetch, maxRetries: 0 });
  return client.responses.stream({ model: 'x', input: 'x' }).finalResponse();
}

function response(
  content: readonly OutputPart[],
  over: Partial<ChatResponse> = {},
  protocol = 'anthropic-messages',
): ChatResponse {
  return {
    id: 'msg_1',
    model: 'model-1',
    createdAt: '2026-11-22T00:00:00.000Z',
    message: { role: 'assistant', content, origin: { protocol, provider: 'p', model: 'model-1', responseId: 'msg_1' } },
    finish: { reason: 'stop', raw: 'end_turn' },
    usage: usageOf([{ model: 'model-1', role: 'main', tokens: { input: 7, output: 9 } }]),
    warnings: [],
    ...over,
  };
}

/** What the wire can say of a part: ids of ours and stamps aside. */
function meaning(part: OutputPart): unknown {
  const { native: _native, stamp: _stamp, ...rest } = part as any;
  if (part.type === 'reasoning') return { type: part.type, text: part.text };
  return rest;
}

describe('openai-responses encodeStream', () => {
  it.skipIf(!present)(
    `tells every recorded stream again so that the official SDK folds it the same, STR-20 (skipped where ${why})`,
    async () => {
      let count = 0;
      for (const row of recordings) {
        if (!row.stream) continue;
        const recorded = eventsOf(row);
        if (recorded.at(-1)?.type === 'response.failed') continue;
        count++;
        const events = decodeAll(frames(recorded));
        const wire = encode(events);
        const final = await accumulate(wire);
        const first = fold(events);
        const again = fold(decodeAll(frames(parse(wire))));
        expect(final.output_text, row.name).toBe(textOf(first.message));
        expect(final.usage.total_tokens, row.name).toBe(first.usage.total);
        expect(again.message.content.map(meaning), row.name).toEqual(first.message.content.map(meaning));
        expect(again.finish, row.name).toEqual(first.finish);
        // The helper adds a `parsed` field of its own.
        expect(final.output, row.name).toMatchObject(parse(wire).at(-1).response.output);
      }
      expect(count).toBe(36);
    },
  );

  it.skipIf(!present)(
    `writes every recorded plain answer so that it decodes to the same (skipped where ${why})`,
    () => {
      let count = 0;
      let unknown = 0;
      for (const row of recordings) {
        if (row.stream || row.status >= 300 || row.name === 'openai-error.1') continue;
        count++;
        const body = JSON.parse(readText(row.files.response as string));
        const decoded = decodeBody(body);
        const { body: again } = openaiResponsesDoor.chat!.encodeResponse(decoded, door);
        const {
          usage: _usage,
          tier: _tier,
          conversation: _conversation,
          createdAt: _created,
          ...rest
        } = decodeBody(again);
        expect(rest, row.name).toMatchObject({ message: decoded.message, id: decoded.id });
        if (decoded.finish.raw !== 'complete') expect(rest.finish, row.name).toEqual(decoded.finish);
        else unknown++;
      }
      // One source wrote the status "complete", which the protocol does not know; we write the word it does.
      expect([count, unknown]).toEqual([79, 1]);
    },
  );

  it('sends created and in_progress first, announces every part and counts up', async () => {
    const content: OutputPart[] = [
      { type: 'reasoning', text: 'hm', form: 'summary', sealed: { kind: 'signature', value: 'sig' } },
      { type: 'text', text: 'Hello 🌍' },
      { type: 'tool-call', id: 'call_1', name: 'f', args: { a: 1 }, argsText: '{"a":1}', executor: 'client' },
    ];
    const events = parse(encode(replayChat(response(content))));
    expect(events.map((event) => event.type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    expect(events.at(-1).response.output).toHaveLength(3);
    expect(events.at(-1).response.output[0].encrypted_content).toMatch(/^ptn1\.anthropic-messages\./);
    const final = await accumulate(encode(replayChat(response(content))));
    expect([final.output_text, final.usage.input_tokens, final.status]).toEqual(['Hello 🌍', 7, 'completed']);
  });

  it('never shows calls that another provider ran itself', () => {
    const content: OutputPart[] = [
      { type: 'tool-call', id: 'srv', name: 'web_search', args: {}, argsText: '{}', executor: 'provider' },
      { type: 'tool-result', callId: 'srv', content: 'x', executor: 'provider' },
      { type: 'native', protocol: 'anthropic-messages', value: { type: 'container_upload' } },
      { type: 'text', text: 'done' },
    ];
    const events = parse(encode(replayChat(response(content))));
    expect(events.at(-1).response.output.map((item: any) => item.type)).toEqual(['message']);
    const { body } = openaiResponsesDoor.chat!.encodeResponse(response(content), door);
    expect((body['output'] as any[]).map((item) => item.type)).toEqual(['message']);
  });

  it.each([
    ['length', 'incomplete', 'max_output_tokens'],
    ['content-filter', 'incomplete', 'content_filter'],
    ['context-length', 'incomplete', 'max_output_tokens'],
    ['stop', 'completed', undefined],
  ] as const)('says finish %s as %s', async (reason, status, details) => {
    const final = await accumulate(encode(replayChat(response([{ type: 'text', text: 'x' }], { finish: { reason } }))));
    expect([final.status, final.incomplete_details?.reason]).toEqual([status, details]);
  });

  it('fails as an error event for the network and as a failed response for the model', async () => {
    const broken = (code: 'stream-interrupted' | 'overloaded', started: boolean): string => {
      const encoder = openaiResponsesDoor.chat!.encodeStream(door);
      let wire = '';
      const write = (text: string): void => void (wire += text);
      const [start, open] = [...replayChat(response([{ type: 'text', text: 'x' }]))];
      if (started) for (const event of [start, open]) encoder.encode(event as ChatEvent, write);
      encoder.fail(new GatewayError(code, 'It broke.'), write);
      return wire;
    };
    await expect(accumulate(broken('stream-interrupted', true))).rejects.toThrow(/It broke/);
    await expect(accumulate(broken('overloaded', false))).rejects.toThrow(/It broke/);
    const failed = await accumulate(broken('overloaded', true));
    expect([failed.status, failed.error.code]).toEqual(['failed', 'slow_down']);
  });

  it('closes what it had opened when an answer starts anew, STR-06', async () => {
    const events = [...replayChat(response([{ type: 'text', text: 'second' }]))];
    const [start, ...rest] = events as [ChatEvent, ...ChatEvent[]];
    const lost: ChatEvent[] = [
      { type: 'text-start', index: 0 },
      { type: 'text-delta', text: 'first', index: 0 },
      { type: 'reset', reason: 'retry' },
    ];
    const final = await accumulate(encode([start, ...lost, ...rest]));
    expect([final.status, final.output_text]).toEqual(['completed', 'second']);
  });

  it('decodes to what was encoded, for any answer of this protocol', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    const part: fc.Arbitrary<OutputPart> = fc.oneof(
      fc.record({ type: fc.constant('text' as const), text }),
      fc.record({ type: fc.constant('refusal' as const), text }),
      fc.record({
        type: fc.constant('reasoning' as const),
        text,
        form: fc.constantFrom('summary' as const, 'full' as const),
      }),
      fc.tuple(fc.uuid(), fc.dictionary(fc.string(), fc.jsonValue() as any)).map(([id, args]) => {
        const argsText = JSON.stringify(args);
        return {
          type: 'tool-call' as const,
          id: `call_${id}`,
          name: 'f',
          args: JSON.parse(argsText),
          argsText,
          executor: 'client' as const,
        };
      }),
      fc.tuple(fc.uuid(), text).map(([id, input]) => {
        return {
          type: 'tool-call' as const,
          id: `call_${id}`,
          name: 'g',
          args: input,
          argsText: input,
          executor: 'client' as const,
        };
      }),
    );
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('openai-responses', 'openai-chat'),
        (content, protocol) => {
          const wire = encode(replayChat(response(content, {}, protocol)));
          const events = decodeAll(frames(parse(wire)));
          checkGrammar(events);
          const again = fold(events);
          expect(again.message.content.map(meaning)).toEqual(content.map(meaning));
          expect([again.usage.input, again.usage.output, again.model]).toEqual([7, 9, 'model-1']);
          const plain = openaiResponsesDoor.chat!.encodeResponse(response(content, {}, protocol), door);
          expect(decodeBody(plain.body).message.content.map(meaning)).toEqual(content.map(meaning));
        },
      ),
      { numRuns: size(150, 5000), seed: 20261122 },
    );
  });
});
