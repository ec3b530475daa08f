import assert from 'node:assert/strict';
import { type ErrorCode, isGatewayError } from '../../core/errors.ts';
import type { Provider } from '../../core/provider.ts';
import { createGateway } from '../../gateway.ts';
import type { Gateway } from '../../gateway-types.ts';
import { type FakeClock, fakeClock } from '../fake-clock.ts';
import { type MockProvider, mockProvider } from '../mock-provider.ts';
import type { ContractCase } from '../store-contract.ts';

export interface ProviderContractOptions {
  /** A new provider whose network is `fetch`. `key` is the credential it has to use. */
  create(fetch: typeof globalThis.fetch, key: string): Provider | Promise<Provider>;
  /** Whether it embeds. @defaultValue false */
  readonly embeds?: boolean;
  /** Whether its wire carries reasoning text. @defaultValue false */
  readonly reasons?: boolean;
}

interface Subject {
  readonly mock: MockProvider;
  readonly gateway: Gateway;
  readonly clock: FakeClock;
  run<T>(work: PromiseLike<T>): Promise<T>;
}
type Make = () => Promise<Subject>;

const KEY = 'sk-contract-0123456789abcdef';
const TEXT = 'Grüße aus Köln 👩‍👩‍👧, \u2028 naïve 日本語 "quoted" \\ back';

/**
 * What every provider of the OpenAI or Anthropic protocols must do, over whatever transport. It talks to a scripted
 * network, so no key and no network are needed.
 *
 * @example
 * const cases = providerContract({ create: (fetch, apiKey) => openai({ fetch, apiKey, transport: 'fetch' }) });
 * for (const { name, run } of cases) it(name, run);
 */
export function providerContract(options: ProviderContractOptions): readonly ContractCase[] {
  const make: Make = async () => {
    const clock = fakeClock();
    const mock = mockProvider({ clock });
    const provider = await options.create(mock.fetch, KEY);
    const gateway = createGateway({ providers: [provider], models: { default: `${provider.name}/m` }, use: [], clock });
    // Whatever the provider loads at its first call must not race the clock.
    mock.on('warm up').reply('ok').once();
    await gateway.chat('warm up');
    mock.reset();
    return { mock, gateway, clock, run: (work) => clock.settled(work) };
  };
  const cases: Record<string, (make: Make) => Promise<void>> = { ...CASES };
  if (options.embeds === true) Object.assign(cases, EMBEDS);
  if (options.reasons === true) Object.assign(cases, REASONS);
  return Object.entries(cases).map(([name, check]) => ({ name, run: () => check(make) }));
}

async function failed({ gateway, run }: Subject, code: ErrorCode, stream: boolean): Promise<void> {
  const call = stream ? gateway.stream('x').response : gateway.chat('x');
  await assert.rejects(run(call), (error) => {
    assert.ok(
      isGatewayError(error, code),
      `expected ${code}, got ${String(error)} (${String(Reflect.get(error as object, 'code'))})`,
    );
    assert.ok(error.target !== undefined, 'the error names no target');
    assert.ok(!JSON.stringify(error).includes(KEY) && !String(error.stack).includes(KEY), 'the error shows the key');
    return true;
  });
}

const CASES: Readonly<Record<string, (make: Make) => Promise<void>>> = {
  async 'answers a plain call'(make) {
    const { gateway, mock, run } = await make();
    mock.on('x').reply(TEXT);
    const response = await run(gateway.chat({ prompt: 'x', system: 'Be kind.', temperature: 0.5, maxTokens: 99 }));
    assert.equal(response.text, TEXT);
    assert.equal(response.finish.reason, 'stop');
    assert.equal(response.usage.quality, 'reported');
    assert.ok(response.usage.input > 0 && response.usage.output > 0);
    assert.match(mock.last.system, /Be kind/);
  },
  async 'streams the same, at any chunking of the bytes'(make) {
    const { gateway, mock, run } = await make();
    for (const bytes of [1, 2, 3, 7, 64, 4_096]) {
      mock.reset();
      mock.reply(TEXT).fault({ kind: 'drip', bytes });
      const response = await run(gateway.stream('x').response);
      assert.equal(response.text, TEXT, `at ${bytes} bytes a read`);
      assert.equal(response.finish.reason, 'stop');
      assert.equal(response.usage.quality, 'reported');
    }
  },
  async 'gives tool calls, several at once, plain and streamed, and takes their results'(make) {
    const { gateway, mock, run } = await make();
    mock
      .on('x')
      .callTool('find', { query: 'a' })
      .callTool('find', { query: 'b' })
      .then.callTool('find', { query: 'c' });
    const tools = [{ name: 'find', input: { type: 'object', properties: { query: { type: 'string' } } } }];
    const plain = await run(gateway.chat({ prompt: 'x', tools }));
    assert.deepEqual(
      plain.toolCalls.map(({ args }) => args),
      [{ query: 'a' }, { query: 'b' }],
    );
    assert.equal(plain.finish.reason, 'tool-calls');
    assert.deepEqual(mock.last.tools, ['find']);
    const streamed = await run(gateway.stream({ prompt: 'x', tools }).response);
    assert.deepEqual(
      streamed.toolCalls.map(({ name, args }) => [name, args]),
      [['find', { query: 'c' }]],
    );
    const results = plain.toolCalls.map(({ id }) => ({ type: 'tool-result' as const, callId: id, content: 'found' }));
    await run(
      gateway.chat({
        messages: [{ role: 'user', content: 'x' }, plain.message, { role: 'tool', content: results }],
        tools,
      }),
    );
    assert.deepEqual(mock.last.toolResults, ['find', 'find']);
  },
  async 'asks for structured output and parses it'(make) {
    const { gateway, mock, run } = await make();
    const output = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    };
    mock.on('x').output({ city: 'Oslo' });
    const response = await run(gateway.chat({ prompt: 'x', output }));
    assert.deepEqual(response.output, { city: 'Oslo' });
  },
  async 'tells failures apart by status and body'(make) {
    const codes: readonly ErrorCode[] = [
      'authentication',
      'permission',
      'not-found',
      'request-too-large',
      'rate-limited',
      'overloaded',
      'unavailable',
      'timeout',
    ];
    for (const code of codes) {
      for (const stream of [false, true]) {
        const subject = await make();
        subject.mock.otherwise.fail(code);
        await failed(subject, code, stream);
        assert.equal(subject.mock.calls.length, 1, 'a provider must not try again by itself');
      }
    }
  },
  async 'reads Retry-After'(make) {
    const { gateway, mock, run } = await make();
    mock.otherwise.fail(429, { retryAfter: 7 });
    await assert.rejects(run(gateway.chat('x')), (error) => isGatewayError(error) && error.retryAfterMs === 7_000);
  },
  async 'shows no key that a server echoes'(make) {
    for (const stream of [false, true]) {
      const subject = await make();
      const said = { message: `Incorrect API key provided: ${KEY}`, type: 'authentication_error' };
      subject.mock.otherwise.fail(401, { body: { type: 'error', error: said } });
      await failed(subject, 'authentication', stream);
    }
  },
  async 'takes an error inside a 200 for what it is'(make) {
    for (const stream of [false, true]) {
      const subject = await make();
      subject.mock.reply('one two').fault({ kind: 'error', code: 'overloaded', at: 'after-start' });
      await failed(subject, 'overloaded', stream);
    }
  },
  async 'never takes a broken stream for a whole one'(make) {
    for (const kind of ['cut', 'reset', 'junk'] as const) {
      for (const at of ['after-start', { content: 1 }, { content: 2 }, 'before-terminal'] as const) {
        const subject = await make();
        subject.mock.reply('one two three').fault({ kind, at });
        await failed(subject, 'stream-interrupted', true);
      }
    }
  },
  async 'never takes a broken body or a web page for an answer'(make) {
    for (const kind of ['cut', 'junk', 'wrong-type', 'redirect', 'empty'] as const) {
      const subject = await make();
      subject.mock.reply('one two three').fault({ kind });
      await failed(subject, 'bad-response', false);
    }
  },
  async 'does not mind a socket that breaks after the last word'(make) {
    const { gateway, mock, run } = await make();
    for (const kind of ['reset', 'hang'] as const) {
      mock.reset();
      mock.reply('whole').fault({ kind, at: 'after-terminal' });
      assert.equal((await run(gateway.stream('x').response)).text, 'whole');
    }
  },
  async 'names what failed below HTTP'(make) {
    for (const word of ['dns', 'refused', 'tls', 'reset'] as const) {
      const subject = await make();
      subject.mock.otherwise.fail(word);
      await failed(subject, 'connection', false);
    }
  },
  async 'stops when its caller does'(make) {
    for (const at of ['before-headers', 'after-headers', { content: 1 }] as const) {
      const { gateway, mock, clock } = await make();
      mock.reply('one two').fault({ kind: 'hang', at });
      const controller = new AbortController();
      const waiting = gateway.stream('x', { signal: controller.signal }).response;
      waiting.catch(() => undefined);
      await clock.advance(0);
      controller.abort();
      await assert.rejects(clock.settled(waiting, { limitMs: 0 }), (error) => isGatewayError(error, 'aborted'));
    }
  },
};

const EMBEDS: typeof CASES = {
  async 'embeds in order, in the dimensions asked for'(make) {
    const { gateway, run } = await make();
    const { vectors, usage } = await run(gateway.embed({ input: ['a cat', 'tax law', 'a cat'], dimensions: 16 }));
    assert.deepEqual(
      vectors.map(({ length }) => length),
      [16, 16, 16],
    );
    assert.deepEqual(vectors[0], vectors[2]);
    assert.notDeepEqual(vectors[0], vectors[1]);
    assert.ok(usage.input > 0);
  },
};

const REASONS: typeof CASES = {
  async 'keeps reasoning apart from the answer'(make) {
    const { gateway, mock, run } = await make();
    mock.otherwise.think('Easy.').reply('Paris');
    for (const stream of [false, true]) {
      const response = await run(stream ? gateway.stream('x').response : gateway.chat('x'));
      assert.equal(response.text, 'Paris');
      assert.ok(response.message.content.some((part) => part.type === 'reasoning' && part.text === 'Easy.'));
    }
  },
};
