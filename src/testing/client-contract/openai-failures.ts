import assert from 'node:assert/strict';
import type { OpenAiCases } from './subject.ts';
import { assertClass, settled, thrownBy } from './subject.ts';
import { completion, completionChunks, events, json, sse } from './upstream.ts';

const CHAT = { model: 'gpt-test', messages: [{ role: 'user' as const, content: 'Name a river.' }] };
const STREAM = { ...CHAT, stream: true as const };
const CLASSES = {
  400: 'BadRequestError',
  401: 'AuthenticationError',
  403: 'PermissionDeniedError',
  404: 'NotFoundError',
  409: 'ConflictError',
  422: 'UnprocessableEntityError',
  429: 'RateLimitError',
  500: 'InternalServerError',
  503: 'InternalServerError',
} as const;
const refused = (status: number) => () =>
  json({ error: { message: 'No.', type: 'some_type', param: 'p', code: 'some_code' } }, { status });

/** Failures: the SDK's own classes, with all they say. */
export const openAiFailures: OpenAiCases = {
  async 'each status is its class'(setup) {
    for (const [status, name] of Object.entries(CLASSES)) {
      const { client, Class, seen } = setup(refused(Number(status)));
      const error = await thrownBy(() => client.chat.completions.create(CHAT));
      assertClass(error, Class, name);
      assert.equal(error['status'], Number(status));
      assert.equal(seen.length, 1);
    }
  },

  async 'an error says its code, type, parameter, body, headers and request id'(setup) {
    const { client } = setup(refused(400));
    const error = await thrownBy(() => client.chat.completions.create(CHAT));
    assert.equal(error['code'], 'some_code');
    assert.equal(error['type'], 'some_type');
    assert.equal(error['param'], 'p');
    assert.equal(error['requestID'], 'req_1');
    assert.equal((error['headers'] as Headers).get('x-request-id'), 'req_1');
    assert.equal((error['error'] as { message: string }).message, 'No.');
  },

  async 'an error before a stream is its class'(setup) {
    const { client, Class } = setup(refused(429));
    assertClass(await thrownBy(() => client.chat.completions.create(STREAM)), Class, 'RateLimitError');
  },

  async 'an error event after content is an APIError'(setup) {
    const failing = completionChunks().replace('data: [DONE]\n\n', '');
    const half = failing.slice(0, failing.lastIndexOf('data: '));
    const { client, Class } = setup(() => sse(half + events([{ error: { message: 'Broke.', code: 'broken' } }])));
    const stream = await client.chat.completions.create(STREAM);
    const error = await thrownBy(async () => {
      for await (const chunk of stream) assert.ok(chunk);
    });
    assertClass(error, Class, 'APIError');
  },

  async 'a call is aborted by its signal'(setup) {
    const { client, Class, seen } = setup(() => new Promise<Response>(() => undefined));
    const controller = new AbortController();
    const pending = client.chat.completions.create(CHAT, { signal: controller.signal });
    pending.catch(() => undefined);
    for (let turn = 0; turn < 100 && seen.length === 0; turn++) await settled();
    controller.abort();
    assertClass(await thrownBy(() => pending), Class, 'APIUserAbortError');
    assert.equal(seen[0]?.signal?.aborted, true);
    assert.equal(seen.length, 1);
  },

  async 'the timeout of a call is its class'(setup) {
    const { client, Class, seen } = setup(() => new Promise<Response>(() => undefined));
    const error = await thrownBy(() => client.chat.completions.create(CHAT, { timeout: 30 }));
    assertClass(error, Class, 'APIConnectionTimeoutError');
    assert.equal(seen.length, 1);
  },

  async 'the timeout of the client is its class'(setup) {
    const { client, Class, seen } = setup(() => new Promise<Response>(() => undefined), { timeout: 30 });
    const error = await thrownBy(() => client.chat.completions.create(CHAT));
    assertClass(error, Class, 'APIConnectionTimeoutError');
    assert.equal(seen.length, 1);
  },

  async 'a broken connection is its class, with its cause'(setup) {
    const broken = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    const { client, Class, seen } = setup(() => Promise.reject(broken));
    const error = await thrownBy(() => client.chat.completions.create(CHAT));
    assertClass(error, Class, 'APIConnectionError');
    assert.equal(error.cause, broken);
    assert.equal(seen.length, 1);
  },

  async 'failures leave no unhandled rejection'(setup) {
    const stray: unknown[] = [];
    const listen = (reason: unknown): void => void stray.push(reason);
    process.on('unhandledRejection', listen);
    try {
      const { client } = setup(refused(500));
      await thrownBy(() => client.chat.completions.create(CHAT));
      await thrownBy(() => client.chat.completions.create(STREAM));
      await thrownBy(() => client.chat.completions.stream(CHAT).finalContent());
      await settled();
    } finally {
      process.off('unhandledRejection', listen);
    }
    assert.deepEqual(stray, []);
  },

  async 'the original client stays as it was'(setup) {
    const { client, original, bare } = setup(() => json(completion()));
    assert.equal(original.maxRetries, 0);
    assert.equal((await original.chat.completions.create(CHAT)).id, 'chatcmpl-1');
    if (!bare) assert.notEqual(client, original);
  },
};
