import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createGateway, type GatewayOptions, type Middleware } from '../../src/index.ts';
import { circuitBreaker, fallback, hedge, retry, route } from '../../src/middleware/index.ts';
import type { Provider } from '../../src/core/provider.ts';
import type { TargetChoices } from '../../src/core/target-transport.ts';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { openaiCompatible } from '../../src/providers/openai-compatible/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { type FakeClock, fakeClock, mockProvider } from '../../src/testing/index.ts';
import { failureOf, trailOf } from '../middleware/support.ts';

type Keys = TargetChoices['credentials'];
interface Hit {
  readonly key: string;
  readonly url: string;
}
type Answer = (hit: Hit) => Response;

const MAIN = 'sk-main-0123456789abcdef';
const SPARE = 'sk-spare-0123456789abcdef';
const TWO = { main: MAIN, spare: SPARE };
const COMPLETION = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};
const MESSAGE = {
  id: 'm1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
};
const FACES = ['openai', 'anthropic', 'openaiCompatible'].flatMap((name) =>
  (['fetch', 'sdk'] as const).map((transport) => [name, transport] as const),
);

function providerOf(
  name: string,
  transport: 'fetch' | 'sdk',
  answer: Answer,
  choices: TargetChoices,
): [Provider, Hit[]] {
  const hits: Hit[] = [];
  const fetch = async (url: unknown, init?: { headers?: unknown }): Promise<Response> => {
    const headers = new Headers(init?.headers as HeadersInit);
    const key = headers.get('x-api-key') ?? (headers.get('authorization') ?? '').replace('Bearer ', '');
    const hit = { key, url: String(url) };
    hits.push(hit);
    return answer(hit);
  };
  const common = { name: 'p', transport, fetch: fetch as never, ...choices };
  if (name === 'openai') return [openai({ ...common, api: 'chat' }), hits];
  if (name === 'anthropic') return [anthropic(common), hits];
  return [openaiCompatible({ ...common, baseURL: 'http://127.0.0.1:1/v1' }), hits];
}

const ok = (name: string): Response => Response.json(name === 'anthropic' ? MESSAGE : COMPLETION);
const refusal = (status: number, headers: Record<string, string> = {}): Response =>
  Response.json({ type: 'error', error: { type: 'e', code: 'e', message: 'no' } }, { status, headers });

interface Setup {
  readonly gateway: ReturnType<typeof createGateway>;
  readonly hits: Hit[];
  readonly clock: FakeClock;
}
function setUp(name: string, transport: 'fetch' | 'sdk', answer: Answer, more: Partial<Extra> = {}): Setup {
  const clock = fakeClock();
  const { credentials = TWO, use, models, ...choices } = more;
  const [provider, hits] = providerOf(name, transport, answer, { credentials, ...choices });
  const gateway = createGateway({
    providers: [provider],
    models: models ?? { default: 'p/m' },
    clock,
    random: () => 0.5,
    use: use ?? [retry(), route(), circuitBreaker()],
  });
  return { gateway, hits, clock };
}
interface Extra extends TargetChoices {
  readonly use: readonly Middleware[];
  readonly models: NonNullable<Parameters<typeof createGateway>[0]>['models'] & object;
}

describe.each(FACES)('several keys of one provider: %s over %s', (name, transport) => {
  it.each([401, 402, 403])('RET-23, RET-04: a key refused with %i rests, and the next one answers', async (status) => {
    const { gateway, hits, clock } = setUp(name, transport, ({ key }) => (key === MAIN ? refusal(status) : ok(name)));
    const first = await gateway.chat('x');
    expect(first.target).toEqual({ provider: 'p', model: 'm', credential: 'spare' });
    expect(trailOf(first)).toEqual(['p/m#main failed', 'p/m#spare completed']);
    await gateway.chat('x');
    expect(hits.map(({ key }) => key)).toEqual([MAIN, SPARE, SPARE]);
    await clock.advance(60_000);
    await gateway.chat('x');
    expect(hits.at(-2)?.key).toBe(MAIN);
  });

  it('a rate limit holds for one key: the next is asked at once, and the first again in its time', async () => {
    const limited = refusal(429, { 'retry-after': '20' });
    const { gateway, hits, clock } = setUp(name, transport, ({ key }) => (key === MAIN ? limited.clone() : ok(name)));
    const began = clock.monotonic();
    expect((await gateway.chat('x')).target.credential).toBe('spare');
    await gateway.chat('x');
    expect(clock.monotonic()).toBe(began);
    expect(hits.map(({ key }) => key)).toEqual([MAIN, SPARE, SPARE]);
    await clock.advance(20_000);
    await gateway.chat('x');
    expect(hits[3]?.key).toBe(MAIN);
  });

  it('RET-23: all keys dead is one authentication error with its attempts, and no key in it', async () => {
    const { gateway, hits } = setUp(name, transport, ({ key }) =>
      Response.json({ error: { type: 'e', message: `Incorrect API key provided: ${key}` } }, { status: 401 }),
    );
    const error = await failureOf(gateway.chat('x'));
    expect(error).toMatchObject({ code: 'authentication', status: 401, retryable: false });
    expect(trailOf(error)).toEqual(['p/m#main failed', 'p/m#spare failed']);
    expect(error.message).toContain('p/m#spare authentication');
    const again = await failureOf(gateway.chat('x'));
    expect(again.code).toBe('authentication');
    expect(hits).toHaveLength(2);
    const said = [error, again].flatMap((one) => [String(one), one.stack, JSON.stringify(one), inspect(one)]).join();
    expect(`${said}${gateway.explain('x')}${inspect(gateway)}`).not.toMatch(/0123456789abcdef/);
  });

  it('a target may name its key; streams and one-shot calls go with it', async () => {
    const models = { default: { target: 'p/m', credential: 'spare' } };
    const { gateway, hits } = setUp(name, transport, () => refusal(401), { models });
    expect((await failureOf(gateway.chat('x'))).code).toBe('authentication');
    await failureOf(gateway.stream('x').response);
    expect(new Set(hits.map(({ key }) => key))).toEqual(new Set([SPARE]));
  });

  it('round-robin takes the keys in turn, over all models', async () => {
    const rotation = 'round-robin' as const;
    const { gateway, hits } = setUp(name, transport, () => ok(name), { rotation });
    for (const model of ['p/a', 'p/b', 'p/a', 'p/b']) await gateway.chat({ model, prompt: 'x' });
    expect(hits.map(({ key }) => key)).toEqual([MAIN, SPARE, MAIN, SPARE]);
  });

  it('a region chooses the address, a function gives the key in force, and a missing key is passed over', async () => {
    let turn = 0;
    const credentials: Keys = { missing: undefined, rotating: () => `key-${++turn}` };
    const regions = { eu: 'http://127.0.0.1:2/eu' };
    const models = { default: { target: 'p/m', region: 'eu' } };
    const { gateway, hits } = setUp(name, transport, () => ok(name), { credentials, regions, models });
    const reply = await gateway.chat('x');
    await gateway.chat('x');
    expect(reply.target).toEqual({ provider: 'p', model: 'm', region: 'eu', credential: 'rotating' });
    expect(trailOf(reply)).toEqual(['p/m@eu#missing failed', 'p/m@eu#rotating completed']);
    expect(hits.every(({ url }) => url.startsWith('http://127.0.0.1:2/eu/'))).toBe(true);
    expect(hits.map(({ key }) => key)).toEqual(['key-1', 'key-2']);
  });
});

describe('candidates over keys', () => {
  it('a target that is down is not asked again with its other key', async () => {
    const b = mockProvider({ name: 'b' });
    b.reply('b');
    const [provider, hits] = providerOf('openai', 'fetch', () => refusal(500), { credentials: TWO });
    const models = { default: ['p/m', 'b/x'] };
    const gateway = createGateway({ providers: [provider, b], models, use: [retry(), route()], clock: fakeClock() });
    expect((await gateway.chat('x')).text).toBe('b');
    expect(hits).toHaveLength(1);
  });

  it('RET-24: two keys are no second retry budget of a target that is down', async () => {
    const { gateway, hits, clock } = setUp('openai', 'fetch', () => refusal(500), { use: [retry(), route()] });
    for (let made = 0; made < 300; made++) await clock.settled(failureOf(gateway.chat('x')));
    expect(hits.length).toBeLessThanOrEqual(300 * 1.1 + 10);
  });

  const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index + 1}`);
  const overKeys = (count: number, options: GatewayOptions = {}) => {
    const clock = fakeClock();
    const a = mockProvider({ name: 'a', credentials: keys(count) });
    const b = mockProvider({ name: 'b' });
    const models = { default: ['a/one', 'b/two'], single: 'a/one', spare: ['b/three', 'b/four'] };
    const use = [retry(), route()];
    const gateway = createGateway({ providers: [a, b], models, clock, random: () => 0.5, use, ...options });
    return { clock, a, b, gateway };
  };

  it('invariant 6: ten keys are no ten attempts at a target that is down', async () => {
    const { clock, a, gateway } = overKeys(10);
    a.otherwise.fail(500);
    const error = await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'x' })));
    expect(error.attempts).toHaveLength(3);
    expect(a.calls).toHaveLength(3);
  });

  it.each([401, 402, 429])(
    'after %i another key comes on top of attemptsMax, so the other targets keep theirs',
    async (status) => {
      const { clock, a, b, gateway } = overKeys(4, { attemptsMax: 2 });
      a.otherwise.fail(status, { retryAfter: 60 });
      b.otherwise.fail(500).times(1).then.reply('b');
      const error = await clock.settled(failureOf(gateway.chat('x')));
      const ofA = keys(4).map((key) => `a/one#${key} failed`);
      // Two in all: one at each target; three more for the other keys.
      expect(trailOf(error)).toEqual([...ofA, 'b/two failed']);
    },
  );

  it('each key comes on top once a call: rate limits without end are bounded', async () => {
    const { clock, a, gateway } = overKeys(3);
    a.otherwise.fail(429, { retryAfter: 1 });
    const error = await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'x' })));
    expect(error.attempts).toHaveLength(5);
    expect(a.calls).toHaveLength(5);
  });

  it('a fallback model is owed an attempt for each of its targets', async () => {
    const { clock, a, b, gateway } = overKeys(1, { use: [fallback({ any: 'spare' }), retry(), route()] });
    a.otherwise.fail(500);
    b.on({ model: 'two' }).fail(500);
    b.on({ model: 'three' }).fail(500);
    b.on({ model: 'four' }).reply('four');
    expect((await clock.settled(gateway.chat('x'))).text).toBe('four');
  });

  it('fallback sees why the last key was refused', async () => {
    const { gateway } = setUp('openai', 'fetch', ({ key }) => (key === 'other' ? ok('openai') : refusal(402)), {
      credentials: { ...TWO, other: 'other' },
      models: {
        default: [
          { target: 'p/m', credential: 'main' },
          { target: 'p/m', credential: 'spare' },
        ],
        last: { target: 'p/m', credential: 'other' },
      },
      use: [fallback({ 'quota-exceeded': 'last' }), retry(), route()],
    });
    expect((await gateway.chat('x')).target.credential).toBe('other');
  });

  it('an alias counts them as one member: weights and order stay', async () => {
    const [provider] = providerOf('openai', 'fetch', () => ok('openai'), { credentials: TWO });
    const models = { default: ['p/m', 'p/n'], single: 'p/m' };
    const gateway = createGateway({ providers: [provider], models, clock: fakeClock() });
    const ids = (model: string): string[] => gateway.explain({ model, prompt: 'x' }).candidates.map(({ id }) => id);
    expect(ids('default')).toEqual(['p/m#main', 'p/m#spare', 'p/n#main', 'p/n#spare']);
    expect(ids('single')).toEqual(['p/m#main', 'p/m#spare']);
    expect(ids('p/other')).toEqual(['p/other#main', 'p/other#spare']);
    expect(`${gateway.explain('x')}`).toContain('p/m with key spare');
  });

  it('a hedge goes to another target, not to the same one with its other key', async () => {
    const clock = fakeClock();
    const a = mockProvider({ name: 'a', credentials: ['main', 'spare'] });
    const b = mockProvider({ name: 'b' });
    const gateway = createGateway({
      providers: [a, b],
      models: { default: ['a/one', 'b/two'] },
      clock,
      random: () => 0.5,
      use: [hedge({ callsMin: 1, delayMsMin: 10, loadRatio: 1 }), route()],
    });
    a.on('warm').reply('warm');
    a.reply('slow').delay(60_000);
    b.reply('quick');
    await clock.settled(gateway.chat('warm'));
    const { text, attempts } = await clock.settled(gateway.chat('x'));
    expect([text, attempts.map(({ targetId }) => targetId)]).toEqual(['quick', ['a/one#main', 'b/two']]);
  });

  it('a model is listed once, whatever the number of keys', async () => {
    const [provider] = providerOf('openai', 'fetch', () => ok('openai'), { credentials: TWO });
    const gateway = createGateway({ providers: [provider], models: { default: 'p/m', other: 'p/m' } });
    expect((await gateway.models()).map(({ provider: by, model }) => `${by}/${model}`)).toEqual(['p/m']);
  });

  it('a mock takes the names of keys, too', async () => {
    const mock = mockProvider({ credentials: ['main', 'spare'] });
    mock.on({ credential: 'main' }).fail(401);
    mock.on({ credential: 'spare' }).reply('spare');
    const gateway = createGateway({ providers: [mock], models: { default: 'mock/m' }, use: [route()] });
    expect((await gateway.chat('x')).text).toBe('spare');
    expect(mock.last.credential).toBe('spare');
  });

  const target = (more: object): object => ({ models: { default: { target: 'openai/m', ...more } } });
  it.each<[object, object, string]>([
    [{}, target({ credential: 'main' }), 'models.default.credential'],
    [{ credentials: TWO }, target({ credential: 'other' }), 'models.default.credential'],
    [{}, target({ region: 'eu' }), 'models.default.region'],
    [{ regions: { us: 'https://us.example' } }, target({ region: 'eu' }), 'models.default.region'],
    [{ credentials: TWO, apiKey: 'k' }, {}, 'openai.apiKey'],
    [{ credentials: TWO, client: {} }, {}, 'openai.client'],
    [{ credentials: {} }, {}, 'openai.credentials'],
    [{ credentials: { 'a#b': 'k' } }, {}, 'openai.credentials.a#b'],
    [{ credentials: { a: { key: 'k' } } }, {}, 'openai.credentials.a'],
    [{ rotation: 'round-robin' }, {}, 'openai.rotation'],
    [{ credentials: TWO, rotation: 'sometimes' }, {}, 'openai.rotation'],
    [{ regions: { eu: 'eu.example' } }, {}, 'openai.regions.eu'],
    [{ regions: {} }, {}, 'openai.regions'],
  ])('openai(%j) with %j is refused by name', (options, configuration, field) => {
    const make = (): unknown => createGateway({ providers: [openai(options as never)], ...configuration });
    expect(make).toThrow(expect.objectContaining({ code: 'invalid-options', field }));
  });

  it('a region is a label where the address is your own', () => {
    const providers = [openai({ baseURL: 'https://eu.example/v1', apiKey: 'k' })];
    const gateway = createGateway({ providers, models: { default: { target: 'openai/m', region: 'eu' } } });
    expect(gateway.explain({ prompt: 'x', region: 'eu' }).candidates).toHaveLength(1);
  });
});
