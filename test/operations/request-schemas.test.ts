import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ZodType } from 'zod';
import { z } from 'zod';
import { normaliseChat } from '../../src/operations/chat-normalise.ts';
import { normaliseEmbed } from '../../src/operations/embed-normalise.ts';
import { RequestProblem } from '../../src/operations/problem.ts';
import { size } from '../size.ts';
import { chatSchema, embedSchema } from './request-schemas.ts';

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47);
const hint = { cache: { ttl: '1h' }, native: { 'openai-chat': { a: 1 } } };
const image = { type: 'image', source: { kind: 'base64', data: 'aGk=' }, mediaType: 'image/png', detail: 'low' };
const anything: readonly unknown[] = [
  { ...{ type: 'text', text: 'x', citations: [{ source: { kind: 'url', url: 'u' } }], phase: 'final' }, ...hint },
  image,
  { type: 'image', source: { kind: 'url', url: 'https://a.example/b.png' } },
  { type: 'image', source: PNG },
  { type: 'audio', source: 'data:audio/wav;base64,aGk=', transcript: 't', id: 'a' },
  { type: 'video', source: 'https://a.example/v.mp4', startMs: 0, endMs: 5, fps: 1.5 },
  { type: 'file', source: { kind: 'file', id: 'f' }, filename: 'a', title: 'b', context: 'c', cite: true },
  { type: 'native', protocol: 'openai-chat', value: { x: 1 }, fallbackText: 'x' },
];
/** Requests with every field there is, in each of the ways it may be written. */
const CHATS: readonly Record<string, unknown>[] = [
  {
    prompt: 'hi',
    model: 'fast',
    system: 'be brief',
    stop: 'END',
    reasoning: 'low',
    output: 'json',
    toolChoice: 'auto',
  },
  { prompt: anything, system: [{ type: 'text', text: 'x' }], stop: ['a', 'b'], reasoning: false, logprobs: 3 },
  { prompt: 'x', reasoning: { effort: 'high', budgetTokens: 10, show: 'summary' }, toolChoice: { tool: 'find' } },
  { prompt: 'x', output: z.object({ a: z.string() }), toolChoice: { allow: ['find'], mode: 'required' } },
  { prompt: 'x', output: { type: 'object', properties: {} } },
  { prompt: 'x', output: { type: 'schema', schema: {}, name: 'n', description: 'd', strict: true, via: 'tool' } },
  { prompt: 'x', output: { type: 'choice', options: ['a', 'b'] } },
  { prompt: 'x', output: { type: 'regex', pattern: 'a+' } },
  { prompt: 'x', output: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' } },
  {
    ...{ prompt: 'x', parallelToolCalls: true, maxToolCalls: 2, verbosity: 'low', maxTokens: 10, temperature: 1 },
    ...{ topP: 0.5, topK: 4, minP: 0.1, presencePenalty: -2, frequencyPenalty: 2, repetitionPenalty: 1.1, seed: -4 },
    ...{
      logitBias: { 5: -1.5 },
      n: 2,
      logprobs: true,
      modalities: ['text', 'audio'],
      audio: { voice: 'v', format: 'f' },
    },
    ...{ prediction: 'p', cache: { key: 'k', ttl: '5m', mode: 'off' }, tier: 'flex', user: 'u', metadata: { a: 'b' } },
    ...{ conversation: { previousResponseId: 'r', id: 'c', store: false }, background: false, truncation: 'auto' },
    native: { 'openai-chat': { x: 1 } },
  },
  {
    prompt: 'x',
    tools: [
      { name: 'find', description: 'd', input: { type: 'object' }, strict: true, examples: [{ q: 1 }], defer: false },
      { type: 'function', name: 'zod', input: z.object({ q: z.string() }), output: { type: 'object' }, ...hint },
      { type: 'freeform', name: 'sql', grammar: { syntax: 'regex', definition: 'a' }, description: 'd' },
      {
        ...{ type: 'hosted', tool: 'web_search', maxUses: 2, allowedDomains: ['a'], blockedDomains: [], name: 'w' },
        ...{ location: { city: 'Oslo' }, storeIds: ['s'] },
      },
      {
        ...{ type: 'mcp', server: 's', url: 'https://m.example', headers: { a: 'b' }, allow: ['x'] },
        approval: { never: ['a'], always: [] },
      },
      { type: 'mcp', server: 't', approval: 'always', connectorId: 'c', authorization: 'a' },
    ],
  },
  {
    messages: [
      { role: 'system', content: 'x', name: 'n' },
      { role: 'developer', content: [{ type: 'text', text: 'x' }], ...hint },
      { role: 'user', content: anything },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: '', form: 'redacted', sealed: { kind: 'signature', value: 's' }, id: 'r' },
          { type: 'refusal', text: 'no', category: 'c' },
          { type: 'tool-call', id: 'c1', name: 'f', args: { q: 1 }, argsText: '{"q":1}', executor: 'client' },
          { type: 'tool-call', id: 'c2', name: 'f', args: null, invalid: { message: 'm' }, server: 's', callerId: 'x' },
          { type: 'approval-request', id: 'a1', name: 'f', args: {}, server: 's' },
          image,
        ],
        origin: { protocol: 'p', provider: 'q', model: 'm' },
        prefix: true,
      },
      {
        role: 'tool',
        content: [
          { type: 'tool-result', callId: 'c1', content: 'ok', isError: true, executor: 'client', structured: 1 },
          { type: 'tool-result', callId: 'c2', name: 'f', content: [{ type: 'json', value: 1 }, image] },
        ],
      },
      { role: 'user', content: [{ type: 'approval-response', requestId: 'a1', approved: true, reason: 'r' }] },
    ],
  },
];
const EMBEDS: readonly Record<string, unknown>[] = [
  { input: 'x' },
  { model: 'm', input: ['a', ''], purpose: 'query', dimensions: 3, encoding: 'int8', user: 'u', native: { x: {} } },
];

/** Values that are wrong in most places, and right in some. */
const ODD = [
  undefined,
  null,
  true,
  false,
  0,
  1,
  -1,
  0.5,
  2.5,
  1e300,
  Number.NaN,
  '',
  'x',
  'text',
  'auto',
  'tool',
  'json',
  'https://a.example',
  [],
  [null],
  ['x'],
  [1],
  {},
  { type: 'text' },
  { type: 'json' },
  { type: 'object' },
  { type: 'image' },
  { kind: 'url' },
  { ttl: '2h' },
  { x: 1 },
  { x: {} },
  () => undefined,
] as const; // prettier-ignore

type Path = readonly (string | number)[];
/** Every place in a plain value, the value itself aside. Schemas and bytes are leaves. */
function placesOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || '~standard' in value || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const path = [...at, Array.isArray(value) ? Number(key) : key];
    return [path, ...placesOf(item, path)];
  });
}
function changed(
  value: unknown,
  [key, ...rest]: Path,
  change: (parent: object, key: string | number) => void,
): unknown {
  const copy: object = Array.isArray(value) ? [...value] : { ...(value as object) };
  if (rest.length === 0) change(copy, key as string);
  else Reflect.set(copy, key as string, changed(Reflect.get(copy, key as string), rest, change));
  return copy;
}
interface Mutation {
  readonly request: unknown;
  readonly what: string;
}
const mutation = (valid: readonly Record<string, unknown>[]): fc.Arbitrary<Mutation> =>
  fc.constantFrom(...valid).chain((request) => {
    const places = placesOf(request);
    return fc
      .record({
        path: fc.constantFrom(...places),
        kind: fc.constantFrom('replace', 'replace', 'remove', 'misspell', 'add'),
        odd: fc.constantFrom(...ODD),
      })
      .map(({ path, kind, odd }) => ({
        what: `${kind} ${path.join('.')} ${JSON.stringify(odd)}`,
        request: changed(request, path, (parent, key) => {
          const old: unknown = Reflect.get(parent, key);
          if (kind === 'replace') Reflect.set(parent, key, odd);
          else if (kind === 'add') Reflect.set(parent, Array.isArray(parent) ? parent.length : 'stranger', odd);
          else if (Array.isArray(parent)) parent.splice(Number(key), 1);
          else {
            Reflect.deleteProperty(parent, key);
            if (kind === 'misspell') Reflect.set(parent, `${key}s`, old);
          }
        }),
      }));
  });

/** What only code can say: a result follows its call, names and ids are unique, a schema has a JSON form. */
const BEYOND_A_SCHEMA =
  /no earlier tool-call part has this id|two tool calls have the same id|there are two tools named|cannot express this schema/;

function compare(check: (request: never) => unknown, schema: ZodType, valid: readonly Record<string, unknown>[]): void {
  let refused = 0;
  fc.assert(
    fc.property(mutation(valid), ({ request, what }) => {
      let problem: string | undefined;
      try {
        check(request as never);
      } catch (error) {
        // Never a TypeError: whatever was written, the answer names the field.
        expect(error, what).toBeInstanceOf(RequestProblem);
        problem = (error as RequestProblem).message;
        expect((error as RequestProblem).field, what).not.toBe('');
      }
      if (problem !== undefined && BEYOND_A_SCHEMA.test(problem)) return;
      const verdict = schema.safeParse(request);
      expect(problem === undefined ? 'accepted' : 'refused', `${what}: ${problem ?? verdict.error?.message}`).toBe(
        verdict.success ? 'accepted' : 'refused',
      );
      if (problem !== undefined) refused++;
    }),
    { seed: 7, numRuns: size(4_000, 50_000) },
  );
  // The odd values do their work: a good part of the requests is refused, and not all.
  expect(refused).toBeGreaterThan(size(4_000, 50_000) * 0.3);
}

describe('the hand-written checks agree with schemas of zod', () => {
  it('on requests that are right', () => {
    for (const request of CHATS) {
      expect(chatSchema.safeParse(request).error).toBeUndefined();
      expect(() => normaliseChat(request as never)).not.toThrow();
    }
    for (const request of EMBEDS) {
      expect(embedSchema.safeParse(request).error).toBeUndefined();
      expect(() => normaliseEmbed(request as never)).not.toThrow();
    }
  });
  it('on chat requests with something wrong', () => compare(normaliseChat as never, chatSchema, CHATS));
  it('on embedding requests with something wrong', () => compare(normaliseEmbed as never, embedSchema, EMBEDS));
  it('on names that JavaScript knows', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const chat = JSON.parse(`{"prompt":"x","${name}":1}`);
      expect(() => normaliseChat(chat)).toThrow(RequestProblem);
      expect(() => normaliseEmbed(JSON.parse(`{"input":"x","${name}":1}`))).toThrow(RequestProblem);
      expect(() => normaliseChat({ messages: [{ role: name, content: 'x' }] } as never)).toThrow(RequestProblem);
      expect(() => normaliseChat({ prompt: [{ type: name }] } as never)).toThrow(RequestProblem);
      expect(() => normaliseChat({ prompt: 'x', tools: [{ type: name, name: 'x' }] } as never)).toThrow(RequestProblem);
    }
  });
});
