import type { Anthropic, OpenAI } from './sdk-types.ts';
import type { Call, Reply } from '../core/call.ts';
import { plainTarget } from '../core/call.ts';
import { type Clock, sleep } from '../core/clock.ts';
import { invalidOptions } from '../core/errors.ts';
import { EventStream } from '../core/event-stream.ts';
import { aList, anObject, aText, checkOptions, oneOf, wholeNumber } from '../core/options.ts';
import type { Provider } from '../core/provider.ts';
import type { ChatRequest } from '../operations/chat.ts';
import { differences } from './differences.ts';
import { type ClientOptions, mockAnthropic, mockFetch, mockOpenAi } from './mock-clients.ts';
import { chatOverWire, embedOverWire } from './over-wire.ts';
import type { ReplyFunction, ReplyValue } from './script/answer.ts';
import type { Chain } from './script/chain.ts';
import type { CallMatcher } from './script/match.ts';
import { chatMockCall, embedMockCall, type MockCall } from './script/mock-call.ts';
import { PiecesSource } from './script/pieces-source.ts';
import { exactPieces, piecedEvents } from './script/pieces.ts';
import { makeChatResponse, makeEmbedResponse } from './script/response.ts';
import { Script } from './script/script.ts';
import type { MockProtocol } from './wire/protocols.ts';

export interface MockProviderOptions {
  /** Name in `provider/model`. @defaultValue 'mock' */
  readonly name?: string;
  /** Models it lists, for bare model names. @defaultValue none */
  readonly models?: readonly string[];
  /** Seed of ids and of faults with a probability. @defaultValue 1 */
  readonly seed?: number;
  /** What delays wait on where no gateway brings its own: `openai()`, `anthropic()`, `fetch`. @defaultValue the system's */
  readonly clock?: Clock;
  /** Names of its keys: targets that name none are tried with each. @defaultValue none: a target may name any */
  readonly credentials?: readonly string[];
  /** The protocol in which answers with faults are written, so that the faults are real. @defaultValue 'openai-chat' */
  readonly protocol?: MockProtocol;
}

/** What a test says to a mock, and what it asks of it afterwards. */
export interface Mock {
  /** Answers calls that match: a text in the last user message, a regular expression, `{ model, tool, scope, … }`, or a function. */
  on(matcher: CallMatcher): Chain;
  /** Answers every call that nothing else does. Without a value: whatever the request asks for. */
  reply(value?: ReplyValue | ReplyFunction): Chain;
  /** Begins an answer to every call that nothing else answers, for other verbs than `reply`. */
  readonly otherwise: Chain;
  /** Every call, in order. */
  readonly calls: readonly MockCall[];
  /** The last call; fails if there was none. */
  readonly last: MockCall;
  /** Fails with a readable diff unless the last call has these fields, like `{ text: 'Hi', request: { temperature: 0 } }`. */
  expectLast(expected: ExpectedCall): void;
  /** Fails if an expectation was not used as often as it says, or a call found no answer. */
  done(): void;
  /** Forgets expectations, calls and ids. */
  reset(): void;
}

/** Any part of a {@link MockCall}; what is left out may be anything. */
export type ExpectedCall = Partial<Omit<MockCall, 'request'>> & {
  readonly request?: Readonly<Record<string, unknown>>;
};

/** A provider that plays a script. */
export interface MockProvider<Name extends string = string> extends Mock, Provider<Name> {
  /** For `gateway.with({ providers: mock.everywhere() })`: stands in for every provider there is. */
  everywhere(): (names: readonly string[]) => Provider[];
  /** A client of the openai package whose network is this mock. Its own retries are off unless you say otherwise. */
  openai(options?: ClientOptions): Promise<OpenAI>;
  /** A client of the @anthropic-ai/sdk package whose network is this mock. */
  anthropic(options?: ClientOptions): Promise<Anthropic>;
  /** A `fetch` that answers OpenAI's and Anthropic's protocols. */
  readonly fetch: typeof fetch;
}

/** Where the script of a mock is kept, for {@link mockServer}. */
const SCRIPT = Symbol('postern.script');

/** The script of a mock. */
export function scriptOf(mock: MockProvider): Script {
  const script: unknown = Reflect.get(mock, SCRIPT);
  if (script instanceof Script) return script;
  throw invalidOptions('script', 'expected a mock, like mockProvider().');
}

/**
 * A provider for tests that plays a script.
 *
 * @example
 * const mock = mockProvider();
 * mock.on('capital of France').reply('Paris');
 * mock.on(/weather/).callTool('get_weather', { city: 'Oslo' }).then.reply('It is cold.');
 * const gateway = createGateway({ providers: [mock], models: { default: 'mock/any' } });
 */
export function mockProvider<const Name extends string = 'mock'>(
  options: MockProviderOptions & { readonly name?: Name } = {},
): MockProvider<NoInfer<Name>> {
  const protocols = oneOf('openai-chat', 'openai-responses', 'anthropic-messages');
  checkOptions('mockProvider', options, {
    name: aText,
    models: aList,
    credentials: aList,
    seed: wholeNumber(0),
    protocol: protocols,
    clock: anObject,
  });
  const { name = 'mock', models, credentials, seed = 1, protocol = 'openai-chat' } = options;
  const script = new Script(name, seed);
  const face = mockFace(script);
  const fetch = mockFetch(script, models ?? [], options.clock);
  const keys = credentials !== undefined && { credentials };
  const provider = { ...providerOf(name, script, protocol, models), ...keys };
  const mock = Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(face),
      ...Object.getOwnPropertyDescriptors(provider),
      everywhere: {
        value: () => (names: readonly string[]) => names.map((each) => providerOf(each, script, protocol)),
        enumerable: true,
      },
      openai: { value: (given?: ClientOptions) => mockOpenAi(fetch, given) },
      anthropic: { value: (given?: ClientOptions) => mockAnthropic(fetch, given) },
      fetch: { value: fetch },
      [SCRIPT]: { value: script },
    },
  );
  return Object.freeze(mock) as MockProvider<Name>;
}

/** The face of a script. */
export function mockFace(script: Script): Mock {
  return {
    on: (matcher) => script.on(matcher),
    reply: (value) => script.otherwise(value),
    get otherwise() {
      return script.anything();
    },
    get calls() {
      return script.calls;
    },
    get last() {
      const last = script.calls.at(-1);
      if (last === undefined) throw new Error('The mock was not called.');
      return last;
    },
    expectLast(expected) {
      const last = script.calls.at(-1);
      if (last === undefined) throw new Error('The mock was not called.');
      const lines = differences(expected, last, { words: ['expected', 'got'], partly: true });
      if (lines.length > 0)
        throw new Error(`The last call is another:\n${lines.map((line) => `  ${line}`).join('\n')}`);
    },
    done: () => script.done(),
    reset: () => script.reset(),
  };
}

function providerOf(name: string, script: Script, protocol: MockProtocol, models?: readonly string[]): Provider {
  return {
    name,
    protocols: [],
    handlers: {
      chat: (call) => chat(script, call, protocol),
      embed: (call) => embed(script, call),
    },
    ...(models !== undefined && { models: () => models }),
  };
}

async function chat(script: Script, call: Call<'chat'>, protocol: MockProtocol): Promise<Reply<'chat'>> {
  const target = targetOf(call);
  const seen = chatMockCall(withOverrides(call), factsOf(script, call));
  const taken = await script.take(seen);
  if (taken.faults.length > 0) return chatOverWire(script, taken, seen, call, protocol);
  const { clock } = call.context;
  if (taken.delayMs > 0) await sleep(clock, taken.delayMs, call.signal);
  const response = makeChatResponse(taken.parts, seen, { newId: script.newId, nowMs: clock.now(), protocol: 'mock' });
  const base = { operation: 'chat', target, attempts: call.context.attempts } as const;
  if (!call.stream) return { ...base, stream: false, response };
  const exact = exactPieces(taken.parts);
  const { pieceLength, pieceDelayMs } = taken;
  const events = piecedEvents(response, { exact, ...(pieceLength !== undefined && { pieceLength }) });
  const source = new PiecesSource(events, { clock, pieceDelayMs });
  return { ...base, stream: true, events: new EventStream(source, { clock, signal: call.signal }) };
}

async function embed(script: Script, call: Call<'embed'>): Promise<Reply<'embed'>> {
  const seen = embedMockCall(call.request, factsOf(script, call));
  const taken = await script.take(seen);
  if (taken.faults.length > 0) return embedOverWire(script, taken, seen, call);
  const { clock } = call.context;
  if (taken.delayMs > 0) await sleep(clock, taken.delayMs, call.signal);
  const response = makeEmbedResponse(taken.parts, seen, { newId: script.newId, nowMs: clock.now(), protocol: 'mock' });
  return { operation: 'embed', stream: false, target: targetOf(call), attempts: call.context.attempts, response };
}

function targetOf(call: Call): ReturnType<typeof plainTarget> {
  return call.target === undefined ? { provider: 'mock', model: call.request.model } : plainTarget(call.target);
}

function withOverrides(call: Call<'chat'>): ChatRequest {
  const overrides = call.target?.overrides?.request;
  return overrides === undefined ? call.request : { ...call.request, ...overrides };
}

function factsOf(script: Script, call: Call): Parameters<typeof chatMockCall>[1] {
  const { provider, model, credential } = targetOf(call);
  const headers = call.headers ?? {};
  const facts = { number: script.nextNumber(), provider, model, stream: call.stream, scope: call.scope, headers };
  return credential === undefined ? facts : { ...facts, credential };
}
