import assert from 'node:assert/strict';
import type { OpenAiCases } from './subject.ts';
import { all, settled } from './subject.ts';
import {
  completion,
  completionChunks,
  json,
  responseEvents,
  responseObject,
  sse,
  toolCallCompletion,
} from './upstream.ts';

const CHAT = { model: 'gpt-test', messages: [{ role: 'user' as const, content: 'Name a river.' }] };
const STREAM = { ...CHAT, stream: true as const };
const streamed = () => sse(completionChunks());
const text = (chunks: readonly { choices: readonly { delta: { content?: string | null } }[] }[]) =>
  chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');

/** A response format the SDK parses by itself, as its zod helper makes it. */
function parseable<T extends object>(format: T): T {
  return Object.defineProperties(format, {
    $brand: { value: 'auto-parseable-response-format', enumerable: false },
    $parseRaw: { value: (content: string) => JSON.parse(content) as unknown, enumerable: false },
  });
}
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const format = () =>
  parseable({ type: 'json_schema' as const, json_schema: { name: 'place', strict: true, schema: SCHEMA } });
const textFormat = () => parseable({ type: 'json_schema' as const, name: 'place', strict: true, schema: SCHEMA });

/** Streams and the helpers on top of plain and streamed calls. */
export const openAiStreams: OpenAiCases = {
  async 'a stream gives its events'(setup) {
    const { client, seen } = setup(streamed);
    const chunks = await all(await client.chat.completions.create(STREAM));
    assert.equal(text(chunks), 'Rhine');
    assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, 'stop');
    assert.equal(seen.length, 1);
  },

  async 'a stream is of the SDK, with its controller'(setup) {
    const { client, original } = setup(streamed);
    const stream = await client.chat.completions.create(STREAM);
    const control = await original.chat.completions.create(STREAM);
    assert.equal(stream.constructor, control.constructor);
    assert.ok(stream.controller instanceof AbortController);
    await all(stream);
    control.controller.abort();
  },

  async 'a stream can be teed'(setup) {
    const { client } = setup(streamed);
    const [left, right] = (await client.chat.completions.create(STREAM)).tee();
    assert.equal(text(await all(left)), 'Rhine');
    assert.equal(text(await all(right)), 'Rhine');
  },

  async 'a stream becomes a readable stream of lines'(setup) {
    const { client } = setup(streamed);
    const stream = await client.chat.completions.create(STREAM);
    const lines = (await new Response(stream.toReadableStream() as BodyInit).text()).trim().split('\n');
    assert.equal(text(lines.map((line) => JSON.parse(line))), 'Rhine');
  },

  async 'withResponse works on a stream'(setup) {
    const { client } = setup(streamed);
    const { data, response } = await client.chat.completions.create(STREAM).withResponse();
    assert.equal(response.headers.get('x-request-id'), 'req_stream');
    assert.equal(text(await all(data)), 'Rhine');
  },

  async 'asResponse gives a stream byte for byte'(setup) {
    const odd = `: comment\r\n\r\n${completionChunks().replaceAll('\n', '\r\n')}event: unknown\r\ndata: {"a":1.0}\r\n\r\n`;
    const { client } = setup(() => sse(odd, 7));
    const response = await client.chat.completions.create(STREAM).asResponse();
    assert.equal(await response.text(), odd);
  },

  async 'leaving the loop stops the upstream'(setup) {
    let stopped = 0;
    const { client, seen } = setup(() => sse(completionChunks(['a', 'b']), 64, () => stopped++, true));
    for await (const chunk of await client.chat.completions.create(STREAM)) if (text([chunk]) === 'a') break;
    await settled();
    assert.ok(stopped > 0 || seen[0]?.signal?.aborted === true);
  },

  async 'aborting the controller ends the iteration and stops the upstream'(setup) {
    let stopped = 0;
    const { client, seen } = setup(() => sse(completionChunks(['a', 'b']), 64, () => stopped++, true));
    const stream = await client.chat.completions.create(STREAM);
    let read = 0;
    for await (const chunk of stream) {
      read++;
      if (text([chunk]) === 'b') stream.controller.abort();
    }
    await settled();
    assert.ok(read > 1);
    assert.ok(stopped > 0 || seen[0]?.signal?.aborted === true);
  },

  async 'the stream helper gives events, content and the final completion'(setup) {
    const { client } = setup(streamed);
    const stream = client.chat.completions.stream(CHAT);
    const deltas: string[] = [];
    stream.on('content', (delta) => deltas.push(delta));
    assert.equal((await stream.finalChatCompletion()).choices[0]?.message.content, 'Rhine');
    assert.equal(await stream.finalContent(), 'Rhine');
    assert.equal((await stream.finalMessage()).role, 'assistant');
    assert.deepEqual(deltas, ['Rhi', 'ne']);
  },

  async 'the stream helper can be aborted'(setup) {
    const { client } = setup(() => sse(completionChunks(), 64, undefined, true));
    const stream = client.chat.completions.stream(CHAT);
    let aborted = false;
    stream.on('abort', () => {
      aborted = true;
    });
    stream.on('content', () => stream.abort());
    await stream.done().catch(() => undefined);
    assert.equal(aborted, true);
  },

  async 'parse gives the parsed value'(setup) {
    const { client } = setup(() => json(completion('{"city":"Bonn"}')));
    const result = await client.chat.completions.parse({ ...CHAT, response_format: format() });
    assert.deepEqual(result.choices[0]?.message.parsed, { city: 'Bonn' });
  },

  async 'parse().withResponse() gives both'(setup) {
    const { client } = setup(() => json(completion('{"city":"Bonn"}')));
    const pending = client.chat.completions.parse({ ...CHAT, response_format: format() });
    const { data, response } = await pending.withResponse();
    assert.deepEqual(data.choices[0]?.message.parsed, { city: 'Bonn' });
    assert.equal(response.status, 200);
  },

  async 'parse honours the options of a call'(setup) {
    const { client, seen } = setup(() => json(completion('{"city":"Bonn"}')));
    const controller = new AbortController();
    controller.abort();
    const pending = client.chat.completions.parse(
      { ...CHAT, response_format: format() },
      { signal: controller.signal },
    );
    await assert.rejects(pending, { message: 'Request was aborted.' });
    assert.equal(seen.length, 0);
  },

  async 'runTools runs a tool and goes on'(setup) {
    const { client, seen } = setup((_request, number) =>
      json(number === 1 ? toolCallCompletion('double', '{"n":21}') : completion('It is 42.')),
    );
    const runner = client.chat.completions.runTools({
      ...CHAT,
      tools: [
        {
          type: 'function',
          function: {
            name: 'double',
            description: 'doubles',
            parameters: { type: 'object', properties: { n: { type: 'number' } } },
            parse: (args: string) => JSON.parse(args) as { n: number },
            function: ({ n }: { n: number }) => String(n * 2),
          },
        },
      ],
    });
    assert.equal(await runner.finalContent(), 'It is 42.');
    assert.match(seen[1]?.body ?? '', /"tool_call_id":"call_1","content":"42"/);
    assert.equal(seen.length, 2);
  },

  async 'responses.stream gives events and the final response'(setup) {
    const { client } = setup(() => sse(responseEvents()));
    const stream = client.responses.stream({ model: 'gpt-test', input: 'x' });
    const types: string[] = [];
    stream.on('event', (event) => types.push(event.type));
    assert.equal((await stream.finalResponse()).output_text, 'Rhine');
    assert.equal(types[0], 'response.created');
    assert.equal(types.at(-1), 'response.completed');
  },

  async 'responses.create streams'(setup) {
    const { client } = setup(() => sse(responseEvents()));
    const events = await all(await client.responses.create({ model: 'gpt-test', input: 'x', stream: true }));
    assert.equal(events.at(-1)?.type, 'response.completed');
  },

  async 'responses.parse gives the parsed value'(setup) {
    const { client } = setup(() => json(responseObject('{"city":"Bonn"}')));
    const result = await client.responses.parse({ model: 'gpt-test', input: 'x', text: { format: textFormat() } });
    assert.deepEqual(result.output_parsed, { city: 'Bonn' });
  },
};
