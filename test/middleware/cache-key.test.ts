import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callKey, inputKeys, type KeyRing, ownKey, partitionKey } from '../../src/core/cache-key.ts';
import type { Call, Candidate } from '../../src/core/call.ts';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { canonicalRequest } from '../../src/core/canonical-request.ts';
import type { UserMessage } from '../../src/operations/chat-parts.ts';
import type { ChatRequest } from '../../src/operations/chat.ts';
import { size } from '../size.ts';

const RING: KeyRing = { kind: 'cache', scope: [] };
const RUNS = { seed: 7, numRuns: size(300, 20_000) };
const TARGET: Candidate = { provider: 'p', model: 'm', id: 'p/m' };

function callOf(request: object, more: object = {}): Call<'chat'> {
  const plan = { candidates: [TARGET], losers: [], revision: 1 };
  return { id: 'c', operation: 'chat', stream: false, scope: {}, plan, request, ...more } as unknown as Call<'chat'>;
}
const keyOf = (request: object, more?: object, ring = RING): string => callKey(ring, callOf(request, more));

/** Every field of a chat request, with what is not in the key left out. */
const FULL: ChatRequest = {
  model: 'fast',
  system: [{ type: 'text', text: 'Be brief.' }],
  messages: [
    {
      role: 'user',
      name: 'ann',
      content: [
        { type: 'text', text: 'Hi' },
        { type: 'image', source: { kind: 'url', url: 'https://x/y' }, detail: 'low' },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'hm', form: 'full', sealed: { kind: 'signature', value: 'sig' } },
        { type: 'tool-call', id: 'call_1', name: 'look', args: { at: { deep: [1, 'two', null] } } },
      ],
      origin: { protocol: 'openai-chat', provider: 'p', model: 'm' },
    },
    {
      role: 'tool',
      content: [{ type: 'tool-result', callId: 'call_1', content: [{ type: 'text', text: 'seen' }], isError: false }],
    },
    { role: 'user', content: [{ type: 'text', text: 'And now?', native: { 'openai-chat': { note: 1 } } }] },
  ],
  tools: [
    {
      type: 'function',
      name: 'look',
      description: 'Looks.',
      input: { type: 'object', properties: { at: {} } },
      strict: true,
    },
  ],
  toolChoice: { allow: ['look'], mode: 'auto' },
  parallelToolCalls: false,
  maxToolCalls: 2,
  output: { type: 'schema', name: 'o', schema: { type: 'object' }, strict: true },
  reasoning: { effort: 'low', budgetTokens: 9 },
  verbosity: 'low',
  maxTokens: 100,
  temperature: 0.5,
  topP: 0.9,
  topK: 4,
  minP: 0.1,
  presencePenalty: 0.1,
  frequencyPenalty: 0.2,
  repetitionPenalty: 1.1,
  logitBias: { '50256': -100 },
  stop: ['END'],
  seed: 1,
  n: 2,
  logprobs: 3,
  modalities: ['text', 'audio'],
  audio: { voice: 'alto', format: 'wav' },
  prediction: 'maybe',
  tier: 'flex',
  conversation: { previousResponseId: 'resp_1', store: false },
  background: false,
  truncation: 'auto',
  native: { 'openai-chat': { later: { field: true } } },
};

type Path = readonly (string | number)[];

/** Paths to everything in a value, leaves and branches alike. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inside = Object.entries(value).flatMap(([name, item]) =>
    pathsIn(item, [...path, Array.isArray(value) ? Number(name) : name]),
  );
  return path.length === 0 ? inside : [path, ...inside];
}

/** The value with what stands at a path replaced; `undefined` removes it. */
function withAt(value: unknown, path: Path, change: (old: unknown) => unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  const next = withAt(copy[step], rest, change);
  if (next === undefined && Array.isArray(copy)) copy.splice(Number(step), 1);
  else if (next === undefined) delete copy[step];
  else copy[step] = next;
  return copy;
}

const changed = (old: unknown): unknown => {
  if (typeof old === 'number') return old + 1;
  if (typeof old === 'boolean') return !old;
  return typeof old === 'string' ? `${old}!` : 'something else';
};

describe('the key of a call (CACHE-02, invariant 9)', () => {
  it('changes with every leaf and every branch of a request, known or unknown', () => {
    const whole = keyOf(FULL);
    const paths = pathsIn(FULL);
    expect(paths.length).toBeGreaterThan(100);
    const keys = new Set([whole]);
    for (const path of paths) {
      const at = path.join('.');
      const removed = keyOf(withAt(FULL, path, () => undefined) as object);
      const edited = keyOf(withAt(FULL, path, changed) as object);
      expect(removed, `${at} removed`).not.toBe(whole);
      expect(edited, `${at} changed`).not.toBe(whole);
      keys.add(edited);
    }
    expect(keys.size).toBe(paths.length + 1);
    expect(keyOf({ ...FULL, fieldOfTomorrow: 1 })).not.toBe(whole);
  });

  it('changes with where it may go, in which order and with which overrides', () => {
    const plan = (...candidates: Candidate[]) => ({ plan: { candidates, losers: [], revision: 1 } });
    const other = { ...TARGET, id: 'p/other' };
    const plans = [
      plan(TARGET),
      plan(other),
      plan(TARGET, other),
      plan(other, TARGET),
      plan({ ...TARGET, overrides: { request: { temperature: 0 } } }),
      plan({ ...TARGET, overrides: { request: { temperature: 1 } } }),
    ];
    expect(new Set(plans.map((each) => keyOf(FULL, each))).size).toBe(plans.length);
  });

  it('changes with strictness, with headers that steer upstream, and with the credentials of a wrapped client', () => {
    const wire = (headers: object) => ({ wire: { headers } });
    const calls = [
      {},
      { strict: true },
      { headers: { 'anthropic-beta': 'a' } },
      { headers: { 'anthropic-beta': 'b' } },
      { headers: { 'x-route-to': 'eu' } },
      wire({ authorization: 'Bearer one' }),
      wire({ authorization: 'Bearer two' }),
      wire({ 'openai-organization': 'org' }),
    ];
    expect(new Set(calls.map((each) => keyOf(FULL, each))).size).toBe(calls.length);
    const same = [
      { traceparent: '00-1' },
      { 'x-stainless-retry-count': '1' },
      { 'idempotency-key': 'x' },
      { 'user-agent': 'y' },
    ];
    const plain = keyOf(FULL, wire({}));
    for (const headers of same) expect(keyOf(FULL, wire(headers)), JSON.stringify(headers)).toBe(plain);
  });

  it('changes with the operation, also where the caller names the key', () => {
    const calls = ['chat', 'embed'].map((operation) => callOf({ model: 'm', input: ['a'] }, { operation }));
    expect(new Set(calls.map((each) => callKey(RING, each))).size).toBe(2);
    expect(new Set(calls.map((each) => ownKey(RING, each, 'mine'))).size).toBe(2);
  });

  it('does not change with what the deny-list names: prompt-cache hints, user and metadata', () => {
    const whole = keyOf(FULL);
    expect(keyOf({ ...FULL, cache: { key: 'k', ttl: '1h' }, user: 'u', metadata: { a: 'b' } })).toBe(whole);
    for (const path of [
      ['system', 0, 'cache'],
      ['messages', 0, 'cache'],
      ['messages', 0, 'content', 0, 'cache'],
      ['tools', 0, 'cache'],
    ]) {
      expect(keyOf(withAt(FULL, path, () => ({ ttl: '5m' })) as object), path.join('.')).toBe(whole);
    }
    // But what is called so inside free JSON is content.
    const args = withAt(FULL, ['messages', 1, 'content', 1, 'args', 'cache'], () => true) as object;
    expect(keyOf(args)).not.toBe(whole);
    expect(
      keyOf({ ...FULL, output: { type: 'schema', name: 'o', schema: { type: 'object', cache: 1 }, strict: true } }),
    ).not.toBe(whole);
  });

  it('is the same whatever the order of keys, and with fields that are there but undefined', () => {
    const shuffled = (value: unknown): unknown => {
      if (typeof value !== 'object' || value === null) return value;
      if (Array.isArray(value)) return value.map(shuffled);
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, item]) => [name, shuffled(item)]),
      );
    };
    expect(keyOf(shuffled(FULL) as object)).toBe(keyOf(FULL));
    const undefinedToo = withAt(FULL, ['messages', 3, 'content', 0, 'native'], () => undefined) as ChatRequest;
    const absent = keyOf(undefinedToo);
    const [, , , last] = undefinedToo.messages;
    const part = { ...(last as UserMessage).content[0], native: undefined };
    const messages = [...undefinedToo.messages.slice(0, 3), { role: 'user', name: undefined, content: [part] }];
    expect(keyOf({ ...undefinedToo, messages, verbosityOfTomorrow: undefined })).toBe(absent);
  });

  it('is made of a text that says where each value ends, so that none can pass for others', () => {
    const user = (...texts: string[]) => ({ role: 'user', content: texts.map((text) => ({ type: 'text', text })) });
    const requests = [
      [user('a', 'b')],
      [user('a,=1:b')],
      [user('a'), user('b')],
      [user('a],U[=1:b')],
      [{ role: 'user', content: [], native: 'U[=1:a]' }],
      [{ role: 'user', content: ['=1:a'] }],
      [{ role: 'U', content: [{ type: 'text', text: 'a' }] }],
      [{ ...user('a'), role: '{4:role=4:user,}' }],
      [{ role: 'user', content: 'a' }],
      ['a'],
      [1, 2],
      [12],
    ];
    const texts = requests.map((messages) => canonicalRequest('chat', { model: 'm', messages }));
    expect(new Set(texts).size).toBe(requests.length);
  });

  it('tells halves of surrogate pairs apart, in texts, inputs, tenants and keys of a caller (CACHE-12)', () => {
    const halves = ['\ud800', '\ud801', '\udc00', '\ufffd'];
    const say = (text: string) => ({ model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text }] }] });
    const input = { ...callOf({ model: 'e', input: halves }), operation: 'embed' } as unknown as Call<'embed'>;
    for (const keys of [
      halves.map((text) => keyOf(say(text))),
      halves.map((tenant) => keyOf(FULL, { scope: { tenant } })),
      halves.map((key) => ownKey(RING, callOf(FULL), key)),
      inputKeys(RING, input),
    ]) {
      expect(new Set(keys).size).toBe(halves.length);
    }
  });

  it('differs whenever two requests differ', () => {
    const part = fc.record(
      {
        type: fc.constantFrom('text', 'file'),
        text: fc.string(),
        extra: fc.option(fc.jsonValue(), { nil: undefined }),
      },
      { requiredKeys: ['type', 'text'] },
    );
    const message = fc.record({
      role: fc.constantFrom('user', 'assistant'),
      content: fc.array(part, { maxLength: 3 }),
    });
    const request = fc.record(
      {
        model: fc.string(),
        messages: fc.array(message, { maxLength: 4 }),
        temperature: fc.double({ noNaN: true, noDefaultInfinity: true }),
        native: fc.dictionary(fc.string(), fc.jsonValue()),
      },
      { requiredKeys: ['model', 'messages'] },
    );
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(request, (value) => {
        const plain = canonicalJson(value);
        const key = keyOf(value);
        expect(seen.get(key) ?? plain).toBe(plain);
        seen.set(key, plain);
      }),
      RUNS,
    );
  });

  it('gives no two inputs of an embedding call one key, and every other field its say', () => {
    const request = {
      model: 'e',
      input: ['a', 'b'],
      dimensions: 8,
      purpose: 'query',
      encoding: 'float',
      native: { x: { y: 1 } },
    };
    const embed = (changes: object, scope = {}) =>
      inputKeys(RING, { ...callOf({ ...request, ...changes }), operation: 'embed', scope } as unknown as Call<'embed'>);
    const keys = [
      ...embed({}),
      ...[{ model: 'f' }, { dimensions: 9 }, { purpose: 'document' }, { encoding: 'base64' }, { native: {} }].flatMap(
        (changes) => embed(changes),
      ),
      ...embed({}, { tenant: 'acme' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(embed({ input: ['b', 'c'] })[0]).toBe(embed({})[1]);
    const byUser = ['ann', 'bob'].map((user) =>
      inputKeys({ kind: 'cache', scope: ['user'] }, {
        ...callOf(request, { scope: { user } }),
        operation: 'embed',
      } as unknown as Call<'embed'>),
    );
    expect(new Set(byUser.flat()).size).toBe(4);
    expect(embed({ user: 'u' })).toEqual(embed({}));
  });
});

describe('the partition (CACHE-01, CACHE-09, CACHE-12, SEC-02)', () => {
  it('never meets another: any two tenants, absent, empty-looking and strange ones included', () => {
    const tenant = fc.option(
      fc.oneof(
        fc.string({ minLength: 1 }),
        fc.constantFrom('absent', 'is', 'null', 'undefined', '0', '4:acme', 'a\u0000b'),
      ),
      { nil: undefined },
    );
    fc.assert(
      fc.property(tenant, tenant, (one, two) => {
        const scopes = [one, two].map((each) => (each === undefined ? {} : { tenant: each }));
        const [first, second] = scopes.map((scope) => keyOf(FULL, { scope }));
        expect(first === second).toBe(one === two);
        const [firstWall, secondWall] = [one, two].map((each) => partitionKey(RING, each));
        expect(first?.startsWith(firstWall as string)).toBe(true);
        expect(first?.startsWith(secondWall as string)).toBe(one === two);
        const [firstOwn, secondOwn] = scopes.map((scope) => ownKey(RING, callOf(FULL, { scope }), 'mine'));
        expect(firstOwn === secondOwn).toBe(one === two);
      }),
      { seed: 11, numRuns: size(300, 10_000) },
    );
  });

  it('divides by every scope field that is named, and by none that is not', () => {
    const ring: KeyRing = { kind: 'cache', scope: ['user', 'tags'] };
    const scopes = [{}, { user: 'a' }, { user: 'b' }, { user: 'absent' }, { tags: { user: 'a' } }, { tags: {} }];
    expect(new Set(scopes.map((scope) => keyOf(FULL, { scope }, ring))).size).toBe(scopes.length);
    expect(new Set(scopes.map((scope) => keyOf(FULL, { scope }))).size).toBe(1);
    const session = [{ user: 'a', session: 's' }, { user: 'a' }].map((scope) => keyOf(FULL, { scope }, ring));
    expect(session[0]).toBe(session[1]);
  });

  it('shows whole digests only, which nobody can guess without the secret', () => {
    const key = keyOf(FULL, { scope: { tenant: 'acme' } });
    expect(key).toMatch(/^5:cache64:[0-9a-f]{64}64:[0-9a-f]{64}$/);
    const secret = keyOf(FULL, { scope: { tenant: 'acme' } }, { ...RING, secret: 'a secret of sixteen' });
    expect(secret.slice(10, 74)).not.toBe(key.slice(10, 74));
    expect(secret.slice(-64)).not.toBe(key.slice(-64));
  });
});
