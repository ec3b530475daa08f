import assert from 'node:assert/strict';
import type { AnthropicCases } from './subject.ts';
import { all, assertClass, settled, thrownBy } from './subject.ts';
import { json, message } from './upstream.ts';

const ASK = { model: 'claude-test', max_tokens: 64, messages: [{ role: 'user' as const, content: 'Name a river.' }] };
const answered = () => json(message('Rhine'));
const CLASSES = {
  400: 'BadRequestError',
  401: 'AuthenticationError',
  403: 'PermissionDeniedError',
  404: 'NotFoundError',
  429: 'RateLimitError',
  500: 'InternalServerError',
  529: 'InternalServerError',
} as const;
const refused = (status: number) => () =>
  json({ type: 'error', error: { type: 'some_error', message: 'No.' }, request_id: 'req_1' }, { status });
const textOf = (content: readonly { type: string }[]): unknown => (content[0] as { text?: string } | undefined)?.text;

/** Plain calls and failures. */
export const anthropicCalls: AnthropicCases = {
  async 'is an instance of its class'(setup) {
    const { client, original, Class } = setup(answered);
    assert.ok(client instanceof Class);
    assert.equal(client.constructor, original.constructor);
    assert.equal(client.messages, client.messages);
  },

  async 'gives the value of a call, and the request id beside it'(setup) {
    const { client, seen } = setup(answered);
    const result = await client.messages.create(ASK);
    assert.equal(textOf(result.content), 'Rhine');
    assert.equal(result._request_id, 'req_1');
    assert.equal(seen[0]?.body, JSON.stringify(ASK));
  },

  async 'answers with a promise of the SDK, sent before anybody awaits it'(setup) {
    const { client, seen } = setup(answered);
    const promise = client.messages.create(ASK);
    assert.ok(promise instanceof Promise);
    for (let turn = 0; turn < 100 && seen.length === 0; turn++) await settled();
    assert.equal(seen.length, 1);
    await promise;
    assert.equal(seen.length, 1);
  },

  async 'withResponse gives the value and the response'(setup) {
    const { client } = setup(answered);
    const { data, response, request_id: id } = await client.messages.create(ASK).withResponse();
    assert.equal(textOf(data.content), 'Rhine');
    assert.equal(response.status, 200);
    assert.equal(id, 'req_1');
  },

  async 'asResponse gives a response whose body is unread'(setup) {
    const { client } = setup(answered);
    const response = await client.messages.create(ASK).asResponse();
    assert.equal(response.bodyUsed, false);
    assert.equal(await response.text(), JSON.stringify(message('Rhine'), null, 1));
  },

  async 'sends unknown parameters, headers of a call and the version'(setup) {
    const { client, seen } = setup(answered);
    await client.messages.create({ ...ASK, x_unknown: { a: [1] } } as never, { headers: { 'anthropic-beta': 'x-1' } });
    assert.equal(seen[0]?.body, JSON.stringify({ ...ASK, x_unknown: { a: [1] } }));
    assert.equal(seen[0]?.headers.get('anthropic-beta'), 'x-1');
    assert.match(seen[0]?.headers.get('anthropic-version') ?? '', /^20/);
  },

  async 'withOptions gives a client of the class that works alike'(setup) {
    const { client, Class, seen } = setup(answered);
    const clone = client.withOptions({ defaultHeaders: { 'x-clone': 'yes' } });
    assert.ok(clone instanceof Class);
    assert.equal(textOf((await clone.messages.create(ASK)).content), 'Rhine');
    assert.equal(seen[0]?.headers.get('x-clone'), 'yes');
  },

  async 'a path nobody knows passes word for word'(setup) {
    const { client, seen } = setup(() => json({ input_tokens: 3 }));
    const { model, messages } = ASK;
    assert.equal((await client.messages.countTokens({ model, messages })).input_tokens, 3);
    assert.equal(seen[0]?.body, JSON.stringify({ model, messages }));
    assert.deepEqual(await client.post('/v1/x/unknown', { body: { z: 1 } }), { input_tokens: 3 });
  },

  async 'pages are followed'(setup) {
    const page = (id: string, more: boolean) => ({
      data: [{ id, type: 'model' }],
      has_more: more,
      last_id: id,
      first_id: id,
    });
    const { client, seen } = setup((_request, number) => json(page(`model-${number}`, number < 3)));
    const models = await all(client.models.list());
    assert.deepEqual(
      models.map(({ id }) => id),
      ['model-1', 'model-2', 'model-3'],
    );
    assert.equal(seen.length, 3);
  },

  async 'parse gives the parsed value'(setup) {
    const { client } = setup(() => json(message('{"city":"Bonn"}')));
    const schema = { type: 'object', properties: { city: { type: 'string' } } };
    const format = { type: 'json_schema' as const, schema, parse: (text: string) => JSON.parse(text) as object };
    const result = await client.messages.parse({ ...ASK, output_config: { format } } as never);
    assert.deepEqual(Reflect.get(result, 'parsed_output'), { city: 'Bonn' });
  },

  async 'beta messages work'(setup) {
    const { client, seen } = setup(answered);
    assert.equal(textOf((await client.beta.messages.create({ ...ASK, betas: ['x-1'] })).content), 'Rhine');
    assert.match(seen[0]?.url ?? '', /\/v1\/messages(\?beta=true)?$/);
    assert.equal(seen[0]?.headers.get('anthropic-beta'), 'x-1');
  },

  async 'the tool runner runs a tool and goes on'(setup) {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'double', input: { n: 21 } };
    const { client, seen } = setup((_request, number) =>
      json(number === 1 ? message('', [call]) : message('It is 42.')),
    );
    const tool = {
      name: 'double',
      description: 'doubles',
      input_schema: { type: 'object' as const, properties: { n: { type: 'number' } } },
      run: ({ n }: { n: number }) => String(n * 2),
      parse: (input: unknown) => input as { n: number },
    };
    const result = await client.beta.messages.toolRunner({ ...ASK, tools: [tool] } as never);
    assert.equal(textOf((result as unknown as { content: { type: string }[] }).content), 'It is 42.');
    assert.match(seen[1]?.body ?? '', /"tool_use_id":"toolu_1","content":"42"/);
  },

  async 'each status is its class, with body, headers and request id'(setup) {
    for (const [status, name] of Object.entries(CLASSES)) {
      const { client, Class, seen } = setup(refused(Number(status)));
      const error = await thrownBy(() => client.messages.create(ASK));
      assertClass(error, Class, name);
      assert.equal(error['status'], Number(status));
      assert.equal(error['requestID'], 'req_1');
      assert.equal((error['headers'] as Headers).get('request-id'), 'req_1');
      assert.equal((error['error'] as { error: { message: string } }).error.message, 'No.');
      assert.equal(seen.length, 1);
    }
  },

  async 'a call is aborted by its signal'(setup) {
    const { client, Class, seen } = setup(() => new Promise<Response>(() => undefined));
    const controller = new AbortController();
    const pending = client.messages.create(ASK, { signal: controller.signal });
    pending.catch(() => undefined);
    for (let turn = 0; turn < 100 && seen.length === 0; turn++) await settled();
    controller.abort();
    assertClass(await thrownBy(() => pending), Class, 'APIUserAbortError');
    assert.equal(seen[0]?.signal?.aborted, true);
  },

  async 'timeouts of a call and of the client are their class'(setup) {
    const hang = () => new Promise<Response>(() => undefined);
    const one = setup(hang);
    const thrown = await thrownBy(() => one.client.messages.create(ASK, { timeout: 30 }));
    assertClass(thrown, one.Class, 'APIConnectionTimeoutError');
    const whole = setup(hang, { timeout: 30 });
    assertClass(await thrownBy(() => whole.client.messages.create(ASK)), whole.Class, 'APIConnectionTimeoutError');
    assert.equal(whole.seen.length, 1);
  },

  async 'a broken connection is its class, with its cause'(setup) {
    const broken = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    const { client, Class, seen } = setup(() => Promise.reject(broken));
    const error = await thrownBy(() => client.messages.create(ASK));
    assertClass(error, Class, 'APIConnectionError');
    assert.equal(error.cause, broken);
    assert.equal(seen.length, 1);
  },
};
