import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../../src/core/errors.ts';
import { openaiResponses } from '../../../src/dialects/openai-responses/index.ts';
import { textOf, toolCallsOf } from '../../../src/operations/chat.ts';
import {
  checkGrammar,
  decodeAll,
  decodeBody,
  environment,
  eventsOf,
  fold,
  frames,
  present,
  recordings,
  text,
  why,
} from './recordings.ts';

const streams = recordings.filter((row) => row.stream);
const plain = recordings.filter((row) => !row.stream);

/** Recordings whose parts of the final answer are not what was streamed: name, and what is different. */
const FOLD_EXCEPTIONS: Readonly<Record<string, string>> = {
  'openai_responses.openai_responses_model_mcp_list_tools_stream_backfills_missing_results':
    'two tool lists end in another order than they were announced; positions follow the end',
};
/** Recordings that the official SDK's own stream helper refuses: name, and why. */
const HELPER_EXCEPTIONS: Readonly<Record<string, string>> = {};

function masked(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, one) =>
    key === 'encrypted_content' || key === 'fingerprint' || (key === 'value' && typeof one === 'string')
      ? 'sealed'
      : one,
  );
}

function clientOf(events: readonly unknown[]): OpenAI {
  const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  const fetch = async (): Promise<Response> => new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  return new OpenAI({ apiKey: 'test', fetch, maxRetries: 0 });
}

describe.skipIf(!present)(`recorded Responses traffic (skipped where ${why})`, () => {
  it('decodes every recorded plain answer', () => {
    let errors = 0;
    for (const row of plain) {
      const body: any = JSON.parse(text(row.files.response as string));
      const head = { status: row.status, headers: {} };
      if (row.status >= 300 || openaiResponses.isError(body)) {
        const error = openaiResponses.decodeError(body, head, environment);
        expect(error.source, row.name).toBe('provider');
        errors++;
        continue;
      }
      const response = decodeBody(body);
      const said = (body.output as any[]).flatMap((item) => (item.type === 'message' ? item.content : []));
      expect(textOf(response.message), row.name).toBe(said.map((entry) => entry.text ?? '').join(''));
      expect(response.usage.total, row.name).toBe(body.usage.input_tokens + body.usage.output_tokens);
      expect(response.usage.flags, row.name).toBeUndefined();
    }
    expect([plain.length, errors]).toEqual([81, 2]);
  });

  it('decodes every recorded stream by the grammar, S01', () => {
    let failed = 0;
    for (const row of streams) {
      const events = eventsOf(row);
      try {
        checkGrammar(decodeAll(frames(events)));
      } catch (error) {
        if (!isGatewayError(error)) throw new Error(`${row.name}: ${String(error)}`);
        expect(error.code).toBe('quota-exceeded');
        failed++;
      }
    }
    expect([streams.length, failed]).toEqual([37, 1]);
  });

  it('folds every recorded stream into what its final answer decodes to, S02', () => {
    const differing: string[] = [];
    for (const row of streams) {
      const events = eventsOf(row);
      const last = events.at(-1) as any;
      if (last.type === 'response.failed') continue;
      // The server seals the same item anew for each event.
      const folded = masked(fold(decodeAll(frames(events))));
      try {
        expect(folded, row.name).toEqual(masked(decodeBody(last.response)));
      } catch (error) {
        if (FOLD_EXCEPTIONS[row.name] === undefined) throw error;
        differing.push(row.name);
      }
    }
    expect(differing).toEqual(Object.keys(FOLD_EXCEPTIONS));
  });

  it('agrees with the official SDK about every recorded stream', async () => {
    const refused: string[] = [];
    for (const row of streams) {
      const events = eventsOf(row);
      const last = events.at(-1) as any;
      if (last.type === 'response.failed') continue;
      const response = fold(decodeAll(frames(events)));
      let final: any;
      try {
        final = await clientOf(events).responses.stream({ model: 'x', input: 'x' }).finalResponse();
      } catch (error) {
        if (HELPER_EXCEPTIONS[row.name] === undefined) throw new Error(`${row.name}: ${String(error)}`);
        refused.push(row.name);
        for await (const event of await clientOf(events).responses.create({ model: 'x', input: 'x', stream: true })) {
          if (event.type === 'response.completed') final = { ...event.response, output_text: textOf(response.message) };
        }
      }
      expect(textOf(response.message), row.name).toBe(final.output_text);
      const calls = final.output.filter((item: any) => item.type === 'function_call');
      const ours = toolCallsOf(response.message).filter((call) => typeof call.args !== 'string');
      expect(
        ours
          .filter((call) => (call.native as any)?.['openai-responses']?.type === undefined)
          .map((call) => [call.id, call.argsText]),
        row.name,
      ).toEqual(calls.map((call: any) => [call.call_id, call.arguments]));
      const thinking = final.output
        .filter((item: any) => item.type === 'reasoning')
        .map((item: any) =>
          (item.content?.length ? item.content : item.summary).map((entry: any) => entry.text).join('\n\n'),
        );
      const reasoning = response.message.content.filter((part) => part.type === 'reasoning');
      expect(
        reasoning.map((part) => part.text),
        row.name,
      ).toEqual(thinking);
      expect(response.finish.raw, row.name).toBe(final.status);
      expect([response.usage.input, response.usage.output], row.name).toEqual([
        final.usage.input_tokens,
        final.usage.output_tokens,
      ]);
    }
    expect(refused).toEqual(Object.keys(HELPER_EXCEPTIONS));
  });

  it('never reports a stop for a recording cut anywhere, S05, STR-01', () => {
    for (const row of streams.slice(0, 12)) {
      const events = eventsOf(row);
      const step = Math.max(1, Math.floor(events.length / 25));
      for (let cut = 0; cut < events.length - 1; cut += step) {
        let code: string | undefined;
        try {
          decodeAll(frames(events.slice(0, cut)));
        } catch (error) {
          code = isGatewayError(error) ? error.code : String(error);
        }
        expect(code, `${row.name} at ${cut}`).toMatch(/stream-interrupted|quota-exceeded/);
      }
    }
  });
});
