import assert from 'node:assert/strict';
import type { OpenAiCases } from './subject.ts';
import { all, settled, thrownBy } from './subject.ts';
import { completion, json, responseObject } from './upstream.ts';

const CHAT = { model: 'gpt-test', messages: [{ role: 'user' as const, content: 'Name a river.' }] };
const answered = () => json(completion('Rhine'));

/** Plain calls: what a promise of the SDK gives and how it is made. */
export const openAiCalls: OpenAiCases = {
  async 'is an instance of its class'(setup) {
    const { client, original, Class } = setup(answered);
    assert.ok(client instanceof Class);
    assert.equal(client.constructor, original.constructor);
  },

  async 'keeps its resources: the same object each time'(setup) {
    const { client } = setup(answered);
    assert.equal(client.chat, client.chat);
    assert.equal(client.chat.completions, client.chat.completions);
    assert.equal(client.responses, client.responses);
  },

  async 'gives the value of a call'(setup) {
    const { client } = setup(answered);
    const result = await client.chat.completions.create(CHAT);
    assert.equal(result.choices[0]?.message.content, 'Rhine');
    assert.deepEqual(result.usage, completion().usage);
  },

  async 'gives the request id beside the value'(setup) {
    const { client } = setup(answered);
    assert.equal((await client.chat.completions.create(CHAT))._request_id, 'req_1');
  },

  async 'answers with a promise of the SDK, which is a Promise'(setup) {
    const { client, original } = setup(answered);
    const promise = client.chat.completions.create(CHAT);
    assert.ok(promise instanceof Promise);
    assert.equal(promise.constructor.name, original.chat.completions.create(CHAT).constructor.name);
    await promise;
  },

  async 'sends a request once, and before anybody awaits it'(setup) {
    const { client, seen } = setup(answered);
    const promise = client.chat.completions.create(CHAT);
    for (let turn = 0; turn < 100 && seen.length === 0; turn++) await settled();
    assert.equal(seen.length, 1);
    await promise;
    await promise;
    assert.equal(seen.length, 1);
  },

  async 'withResponse gives the value and the response'(setup) {
    const { client } = setup(answered);
    const { data, response, request_id: id } = await client.chat.completions.create(CHAT).withResponse();
    assert.equal(data.choices[0]?.message.content, 'Rhine');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-request-id'), 'req_1');
    assert.equal(id, 'req_1');
  },

  async 'asResponse gives a response whose body is unread'(setup) {
    const { client } = setup(answered);
    const response = await client.chat.completions.create(CHAT).asResponse();
    assert.equal(response.bodyUsed, false);
    assert.equal(await response.text(), JSON.stringify(completion('Rhine'), null, 1));
  },

  async 'does not change its parameters'(setup) {
    const { client } = setup(answered);
    const parameters = structuredClone(CHAT);
    await client.chat.completions.create(Object.freeze(parameters));
    assert.deepEqual(parameters, CHAT);
  },

  async 'sends unknown parameters word for word'(setup) {
    const { client, seen } = setup(answered);
    await client.chat.completions.create({ ...CHAT, x_unknown: { deep: [1, { a: null }] } } as never);
    assert.equal(seen[0]?.body, JSON.stringify({ ...CHAT, x_unknown: { deep: [1, { a: null }] } }));
  },

  async 'gives unknown fields of an answer'(setup) {
    const { client } = setup(() => json({ ...completion(), x_unknown: [1, 2] }));
    const result = await client.chat.completions.create(CHAT);
    assert.deepEqual(Reflect.get(result, 'x_unknown'), [1, 2]);
  },

  async 'sends the key, default headers and headers of one call'(setup) {
    const { client, seen } = setup(answered, { defaultHeaders: { 'x-app': 'tests' } });
    await client.chat.completions.create(CHAT, { headers: { 'x-one': '1' } });
    const headers = seen[0]?.headers;
    assert.equal(headers?.get('authorization'), 'Bearer sk-test-0123456789abcdef');
    assert.equal(headers?.get('x-app'), 'tests');
    assert.equal(headers?.get('x-one'), '1');
    assert.equal(headers?.get('x-stainless-retry-count'), '0');
  },

  async 'keeps the base URL and the query of a call'(setup) {
    const { client, seen } = setup(answered, { baseURL: 'https://models.internal/api/v1' });
    await client.chat.completions.create(CHAT, { query: { version: '7' } });
    assert.equal(seen[0]?.url, 'https://models.internal/api/v1/chat/completions?version=7');
  },

  async 'sends an idempotency key'(setup) {
    const { client, seen } = setup(answered);
    await client.chat.completions.create(CHAT, { headers: { 'Idempotency-Key': 'key-1' } });
    assert.equal(seen[0]?.headers.get('idempotency-key'), 'key-1');
  },

  async 'withOptions gives a client of the class that works alike'(setup) {
    const { client, Class, seen } = setup(answered);
    const clone = client.withOptions({ defaultHeaders: { 'x-clone': 'yes' } });
    assert.ok(clone instanceof Class);
    assert.equal((await clone.chat.completions.create(CHAT)).choices[0]?.message.content, 'Rhine');
    assert.equal(seen[0]?.headers.get('x-clone'), 'yes');
  },

  async 'a raw post works'(setup) {
    const { client, seen } = setup(answered);
    const result = await client.post<{ id: string }>('/chat/completions', { body: CHAT });
    assert.equal(result.id, 'chatcmpl-1');
    assert.equal(seen.length, 1);
  },

  async 'a path nobody knows passes word for word'(setup) {
    const { client, seen } = setup(() => json({ odd: true }));
    const result = await client.post<object>('/x/unknown?a=1', { body: { z: 1, a: [2] } });
    assert.deepEqual(result, { odd: true });
    assert.equal(seen[0]?.body, '{"z":1,"a":[2]}');
    assert.equal(new URL(seen[0]?.url ?? '').pathname, '/v1/x/unknown');
  },

  async 'pages are followed'(setup) {
    const page = (id: string, more: boolean) => json({ object: 'list', data: [{ id }], has_more: more });
    const { client, seen } = setup((_request, number) => page(`file-${number}`, number < 3));
    const files = await all(client.files.list());
    assert.deepEqual(
      files.map(({ id }) => id),
      ['file-1', 'file-2', 'file-3'],
    );
    assert.equal(seen.length, 3);
  },

  async 'an upload passes with its form'(setup) {
    const { client, seen } = setup(() => json({ id: 'file-1', object: 'file' }));
    const file = new File(['one line'], 'lines.jsonl');
    await client.files.create({ file, purpose: 'batch' });
    // The SDK may try out its fetch first.
    assert.match(seen.at(-1)?.body ?? '', /one line/);
    assert.equal(seen.at(-1)?.method, 'POST');
  },

  async 'binary content passes'(setup) {
    const bytes = Uint8Array.from([0, 255, 128, 10]);
    const { client } = setup(() => new Response(bytes, { headers: { 'content-type': 'application/octet-stream' } }));
    const response = await client.files.content('file-1');
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
  },

  async 'a delete passes'(setup) {
    const { client, seen } = setup(() => json({ id: 'file-1', deleted: true }));
    assert.equal((await client.files.delete('file-1')).deleted, true);
    assert.equal(seen[0]?.method, 'DELETE');
  },

  async 'a refused delete is the class of its status'(setup) {
    const { client } = setup(() =>
      json({ error: { message: 'none', type: 'invalid_request_error' } }, { status: 404 }),
    );
    const error = await thrownBy(() => client.files.delete('file-1'));
    assert.equal(error['status'], 404);
  },

  async 'responses.create gives output_text, and withResponse the response'(setup) {
    const { client } = setup(() => json(responseObject('Rhine')));
    const { data, response } = await client.responses.create({ model: 'gpt-test', input: 'x' }).withResponse();
    assert.equal(data.output_text, 'Rhine');
    assert.equal(response.headers.get('x-request-id'), 'req_1');
  },

  async 'embeddings give numbers, and withResponse the response'(setup) {
    const base64 = Buffer.from(Float32Array.of(0.5, -1).buffer).toString('base64');
    const usage = { prompt_tokens: 1, total_tokens: 1 };
    const embedding = (vector: unknown) => ({ object: 'embedding', index: 0, embedding: vector });
    const { client, seen } = setup(() =>
      json({ object: 'list', model: 'embed-test', data: [embedding(base64)], usage }),
    );
    const { data, response } = await client.embeddings.create({ model: 'embed-test', input: 'x' }).withResponse();
    assert.deepEqual(data.data[0]?.embedding, [0.5, -1]);
    assert.equal(response.status, 200);
    assert.match(seen[0]?.body ?? '', /"encoding_format":"base64"/);
  },
};
