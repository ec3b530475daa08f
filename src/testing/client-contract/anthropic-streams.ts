import assert from 'node:assert/strict';
import type { AnthropicCases } from './subject.ts';
import { all, assertClass, settled, thrownBy } from './subject.ts';
import { json, messageEvents, namedEvents, sse } from './upstream.ts';

const ASK = { model: 'claude-test', max_tokens: 64, messages: [{ role: 'user' as const, content: 'Name a river.' }] };
const STREAM = { ...ASK, stream: true as const };
const streamed = () => sse(messageEvents());

/** Streams and the helper on top of them. */
export const anthropicStreams: AnthropicCases = {
  async 'a stream gives its events, of the SDK, with its controller'(setup) {
    const { client } = setup(streamed);
    const stream = await client.messages.create(STREAM);
    assert.ok(stream.controller instanceof AbortController);
    const events = await all(stream);
    assert.equal(events[0]?.type, 'message_start');
    assert.equal(events.at(-1)?.type, 'message_stop');
  },

  async 'a stream can be teed'(setup) {
    const { client } = setup(streamed);
    const [left, right] = (await client.messages.create(STREAM)).tee();
    assert.deepEqual(await all(left), await all(right));
  },

  async 'withResponse works on a stream'(setup) {
    const { client } = setup(streamed);
    const { data, response } = await client.messages.create(STREAM).withResponse();
    assert.equal(response.headers.get('x-request-id'), 'req_stream');
    assert.equal((await all(data)).length, 7);
  },

  async 'asResponse gives a stream byte for byte'(setup) {
    const odd = `: comment\r\n\r\n${messageEvents().replaceAll('\n', '\r\n')}`;
    const { client } = setup(() => sse(odd, 7));
    assert.equal(await (await client.messages.create(STREAM).asResponse()).text(), odd);
  },

  async 'leaving the loop stops the upstream'(setup) {
    let stopped = 0;
    const { client, seen } = setup(() => sse(messageEvents(), 64, () => stopped++, true));
    for await (const event of await client.messages.create(STREAM)) if (event.type === 'content_block_delta') break;
    await settled();
    assert.ok(stopped > 0 || seen[0]?.signal?.aborted === true);
  },

  async 'the stream helper gives events, text and the final message'(setup) {
    const { client } = setup(streamed);
    const stream = client.messages.stream(ASK);
    const texts: string[] = [];
    stream.on('text', (text) => texts.push(text));
    const final = await stream.finalMessage();
    assert.equal(final.stop_reason, 'end_turn');
    assert.equal(await stream.finalText(), 'Rhine');
    assert.deepEqual(texts, ['Rhi', 'ne']);
  },

  async 'the stream helper gives its response'(setup) {
    const { client } = setup(streamed);
    const { data, response } = await client.messages.stream(ASK).withResponse();
    assert.equal(response.status, 200);
    assert.equal(await data.finalText(), 'Rhine');
  },

  async 'the stream helper becomes a readable stream of lines'(setup) {
    const { client } = setup(streamed);
    const text = await new Response(client.messages.stream(ASK).toReadableStream() as BodyInit).text();
    assert.equal(text.trim().split('\n').length, 7);
  },

  async 'the stream helper can be aborted'(setup) {
    const { client, Class } = setup(() => sse(messageEvents(), 64, undefined, true));
    const stream = client.messages.stream(ASK);
    stream.on('text', () => stream.abort());
    assertClass(await thrownBy(() => stream.done()), Class, 'APIUserAbortError');
    assert.equal(stream.aborted, true);
  },

  async 'an error event after content is an APIError of its type'(setup) {
    const half = messageEvents().slice(0, messageEvents().indexOf('event: content_block_stop'));
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const { client, Class } = setup(() => sse(half + namedEvents([error])));
    const stream = await client.messages.create(STREAM);
    const thrown = await thrownBy(() => all(stream));
    assertClass(thrown, Class, 'APIError');
    assert.match(thrown.message, /overloaded_error/);
  },

  async 'failures leave no unhandled rejection'(setup) {
    const stray: unknown[] = [];
    const listen = (reason: unknown): void => void stray.push(reason);
    process.on('unhandledRejection', listen);
    try {
      const body = { type: 'error', error: { type: 'api_error', message: 'No.' } };
      const { client } = setup(() => json(body, { status: 500 }));
      await thrownBy(() => client.messages.create(ASK));
      await thrownBy(() => client.messages.create(STREAM));
      await thrownBy(() => client.messages.stream(ASK).finalMessage());
      await settled();
    } finally {
      process.off('unhandledRejection', listen);
    }
    assert.deepEqual(stray, []);
  },
};
