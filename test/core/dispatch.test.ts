import { getEventListeners } from 'node:events';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AttemptOutcome,
  createGateway,
  defineMiddleware,
  defineProvider,
  GatewayError,
  type GatewayOptions,
  type Middleware,
  readdress,
  subcall,
} from '../../src/index.ts';
import { hedge, retry, route, timeout } from '../../src/middleware/index.ts';
import { fakeClock, mockProvider } from '../../src/testing/index.ts';
import { size } from '../size.ts';
import { failureOf, warmUp } from '../middleware/support.ts';

/** Writes down what an attempt face is told. */
function witness(name = 'witness') {
  const asked: string[] = [];
  const heard: AttemptOutcome[] = [];
  const layer = defineMiddleware(
    {
      name,
      attempt(call) {
        asked.push(call.attempt?.id ?? '?');
        return { end: (outcome) => void heard.push(outcome) };
      },
    },
    (call, next) => next(call),
  );
  return { layer, asked, heard };
}

function setUp(use: readonly Middleware[], options: GatewayOptions = {}) {
  const clock = fakeClock();
  const mock = mockProvider({ name: 'a' });
  const other = mockProvider({ name: 'b' });
  const gateway = createGateway({
    providers: [mock, other],
    models: { default: ['a/one', 'b/two'], single: 'a/one', other: 'b/two' },
    clock,
    random: () => 0.5,
    use,
    ...options,
  });
  return { clock, mock, other, gateway };
}

beforeAll(warmUp);

describe('attempt faces', () => {
  it('are asked before every attempt, whatever their place, and hear each outcome exactly once', async () => {
    const inner = witness('inner');
    const outer = witness('outer');
    const { clock, mock, other, gateway } = setUp([outer.layer, retry(), route(), timeout(), inner.layer], {
      attemptsMax: 4,
    });
    mock.otherwise.fail(500);
    other.otherwise.fail(500).then.reply('served');
    const response = await clock.settled(gateway.chat('x'));
    expect(response.text).toBe('served');
    expect(response.attempts.map(({ targetId, outcome }) => `${targetId} ${outcome}`)).toEqual([
      'a/one failed',
      'b/two failed',
      'a/one failed',
      'b/two completed',
    ]);
    for (const { asked, heard } of [outer, inner]) {
      expect(asked).toEqual(response.attempts.map(({ id }) => id));
      expect(heard.map(({ status }) => status)).toEqual(response.attempts.map(({ outcome }) => outcome));
    }
  });

  it('that refuse cost no attempt, and those asked before hear of it', async () => {
    const first = witness();
    const refuser = defineMiddleware(
      {
        name: 'refuser',
        attempt() {
          throw new GatewayError('budget-exceeded', 'No money.');
        },
      },
      (call, next) => next(call),
    );
    const last = witness('last');
    const { mock, gateway } = setUp([first.layer, refuser, last.layer]);
    const error = await failureOf(gateway.chat('x'));
    expect(error.code).toBe('budget-exceeded');
    expect(error.attempts).toEqual([]);
    expect(first.heard.map(({ status }) => status)).toEqual(['refused']);
    expect(last.asked).toEqual([]);
    expect(mock.calls).toHaveLength(0);
  });

  it('that throw something strange refuse with internal and the name of the middleware', async () => {
    const strange = defineMiddleware(
      {
        name: 'strange',
        attempt() {
          throw undefined;
        },
      },
      (call, next) => next(call),
    );
    const { gateway } = setUp([strange]);
    const error = await failureOf(gateway.chat('x'));
    expect(error).toMatchObject({ code: 'internal', stage: 'strange' });
  });

  it('LEAK-07: one that never answers ends with the deadline, and its late observer hears the refusal', async () => {
    const heard: string[] = [];
    let answer: ((observer: { end(outcome: AttemptOutcome): void }) => void) | undefined;
    const slow = defineMiddleware(
      {
        name: 'slow',
        attempt: () =>
          new Promise((resolve) => {
            answer = resolve;
          }),
      },
      (call, next) => next(call),
    );
    const before = witness();
    const { clock, mock, gateway } = setUp([before.layer, slow], { timeoutMs: 1_000 });
    const error = await clock.settled(failureOf(gateway.chat('x')));
    expect(error).toMatchObject({ code: 'timeout', stage: 'total' });
    answer?.({ end: ({ status }) => heard.push(status) });
    await clock.advance(0);
    expect(heard).toEqual(['refused']);
    expect(before.heard.map(({ status }) => status)).toEqual(['refused']);
    expect(mock.calls).toHaveLength(0);
  });

  it('whose observer throws harm nobody: it is a problem event', async () => {
    const problems: string[] = [];
    const careless = defineMiddleware(
      {
        name: 'careless',
        attempt: () => ({
          commit: () => {
            throw new Error('commit');
          },
          end: () => {
            throw new Error('end');
          },
        }),
      },
      (call, next) => next(call),
    );
    const watching = witness();
    const { mock, gateway } = setUp([careless, watching.layer]);
    gateway.on('problem', ({ stage }) => problems.push(stage));
    mock.reply('fine');
    expect((await gateway.chat('x')).text).toBe('fine');
    expect(problems).toEqual(['attempt face', 'attempt face']);
    expect(watching.heard).toHaveLength(1);
  });

  it('hear streams at their end: completed, failed in the middle, cancelled by the reader', async () => {
    const { layer, heard } = witness();
    const { clock, mock, gateway } = setUp([layer]);
    mock.on('whole').reply(['one ', 'two ', 'three']);
    mock.on('cut').reply(['one ', 'two ', 'three']).cut({ content: 2 });
    mock.on('stop').reply(['one ', 'two ', 'three']);
    await gateway.stream('whole').response;
    const cut = gateway.stream('cut');
    expect((await failureOf(clock.settled(cut.response))).code).toBe('stream-interrupted');
    for await (const _text of gateway.stream('stop').text) break;
    expect(heard.map(({ status, committed, billing }) => ({ status, committed, billing }))).toEqual([
      { status: 'completed', committed: true, billing: 'yes' },
      { status: 'failed', committed: true, billing: 'yes' },
      { status: 'cancelled', committed: true, billing: 'yes' },
    ]);
    for (const { usage } of heard) expect(usage?.output).toBeGreaterThan(0);
  });

  it('hear a failure before content with what may be on the bill', async () => {
    const { layer, heard } = witness();
    const { clock, mock, gateway } = setUp([layer]);
    const billing: Record<string, string> = {};
    mock.on('refused').fail('refused');
    mock.on('limited').fail(429);
    mock.on('gateway timeout').fail(504);
    mock.on('lost').fail('reset');
    mock.on('half').reply('something long enough').cut({ content: 1 });
    for (const text of ['refused', 'limited', 'gateway timeout', 'lost', 'half']) {
      await clock.settled(failureOf(gateway.chat(text)));
      billing[text] = heard.at(-1)?.billing ?? '';
    }
    expect(billing).toEqual({
      refused: 'no',
      limited: 'no',
      'gateway timeout': 'possible',
      lost: 'possible',
      half: 'possible',
    });
  });
});

describe('the attempt count', () => {
  it('bounds all attempts of a call together', async () => {
    const { clock, mock, other, gateway } = setUp([retry({ baseMs: 1 }), route()], { attemptsMax: 5 });
    mock.otherwise.fail(500);
    other.otherwise.fail(500);
    const error = await clock.settled(failureOf(gateway.chat('x')));
    expect(error.attempts).toHaveLength(5);
    expect(mock.calls.length + other.calls.length).toBe(5);
    expect(error.attempts.at(-1)?.next).toBe('gave up: no attempts left');
  });

  it('is at least one a candidate', async () => {
    const { clock, mock, other, gateway } = setUp([route()], { attemptsMax: 1 });
    mock.otherwise.fail(500);
    other.reply('b');
    expect((await clock.settled(gateway.chat('x'))).text).toBe('b');
  });

  it('holds for attempts in parallel, whose ids differ', async () => {
    const twice: Middleware = async (call, next) => {
      const rest = await Promise.allSettled([next(call), next(call), next(call), next(call)]);
      const first = rest.find((result) => result.status === 'fulfilled');
      expect(rest.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      return (first as PromiseFulfilledResult<Awaited<ReturnType<typeof next<typeof call.operation>>>>).value as never;
    };
    const asking = defineMiddleware({ name: 'async', attempt: async () => undefined }, (call, next) => next(call));
    const { mock, gateway } = setUp([twice, asking]);
    mock.reply('x');
    const { attempts } = await gateway.chat({ model: 'single', prompt: 'x' });
    expect(new Set(attempts.map(({ id }) => id)).size).toBe(3);
    expect(attempts.map(({ number }) => number)).toEqual([1, 2, 3]);
  });

  it('says so when a middleware asks for more', async () => {
    const greedy: Middleware = async (call, next) => {
      for (let round = 0; round < 9; round++) await next(call).catch(() => undefined);
      return next(call);
    };
    const { clock, mock, gateway } = setUp([greedy]);
    mock.otherwise.fail(500);
    const error = await clock.settled(failureOf(gateway.chat('x')));
    expect(error).toMatchObject({ code: 'limit-exceeded', limit: { name: 'attemptsMax', maximum: 3 } });
    expect(mock.calls).toHaveLength(3);
  });
});

describe('the deadline', () => {
  it('ends the whole call with its attempts, at the millisecond', async () => {
    const { clock, mock, gateway } = setUp([retry(), route()], { timeoutMs: 10_000 });
    mock.otherwise.fail(500).then.fail('hang');
    const error = await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'x' })));
    expect(error).toMatchObject({ code: 'timeout', stage: 'total' });
    expect(clock.monotonic()).toBe(10_000);
    expect(error.attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
    expect(clock.pending).toBe(0);
  });

  it('does not outlive the reply: a stream may take longer', async () => {
    const { clock, mock, gateway } = setUp([], { timeoutMs: 1_000 });
    mock.reply(['a', 'b', 'c', 'd']).pace({ pieceDelayMs: 800 });
    const { text } = await clock.settled(gateway.stream('x').response);
    expect(text).toBe('abcd');
    expect(clock.monotonic()).toBeGreaterThan(1_000);
  });
});

describe('abort', () => {
  const waits: readonly [string, (mock: ReturnType<typeof mockProvider>) => unknown, number][] = [
    ['while a face is asked', (mock) => mock.reply('x'), 0],
    ['before headers', (mock) => mock.otherwise.fail('hang'), 10],
    ['before the first content', (mock) => mock.reply('some text').hang({ content: 0 }), 10],
    ['in the back-off', (mock) => mock.otherwise.fail(429, { retryAfter: 5 }), 2_000],
    ['in the middle of the answer', (mock) => mock.reply(['one ', 'two ', 'three']).hang({ content: 2 }), 10],
    ['in a slow plain answer', (mock) => mock.reply('x').delay(5_000), 100],
  ];
  for (const [when, script, atMs] of waits) {
    for (const stream of [false, true]) {
      it(`LEAK-03, LEAK-04: ${when} (${stream ? 'stream' : 'plain'}) rejects at once with the reason, and nothing happens after`, async () => {
        const { layer, asked, heard } = witness();
        const slow = defineMiddleware(
          { name: 'slow', attempt: () => (atMs === 0 ? new Promise<undefined>(() => undefined) : undefined) },
          (call, next) => next(call),
        );
        const { clock, mock, gateway } = setUp([layer, retry(), route(), timeout(), slow]);
        script(mock);
        const controller = new AbortController();
        const options = { signal: controller.signal };
        const request = { model: 'single', prompt: 'x' };
        const work = stream ? gateway.stream(request, options).response : gateway.chat(request, options);
        const failing = failureOf(work);
        await clock.advance(atMs);
        const reason = new Error('enough');
        controller.abort(reason);
        const at = clock.monotonic();
        const error = await clock.settled(failing);
        expect(error).toMatchObject({ code: 'aborted', name: 'AbortError', cause: reason });
        expect(clock.monotonic() - at).toBe(0);
        const attempts = asked.length;
        await clock.advance(60_000);
        expect(asked).toHaveLength(attempts);
        expect(heard).toHaveLength(attempts);
        expect(['cancelled', 'refused', 'failed']).toContain(heard.at(-1)?.status);
        expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
        expect(clock.pending).toBe(0);
      });
    }
  }

  it('LEAK-02: one signal over many calls keeps no listener', async () => {
    const { clock, mock, gateway } = setUp([
      retry({ baseMs: 1 }),
      hedge({ callsMin: 1, delayMsMin: 1 }),
      route(),
      timeout(),
    ]);
    mock.on('plain').reply('x');
    mock.on('stream').reply('x');
    mock.on('fails').fail(500);
    const { signal } = new AbortController();
    for (let round = 0; round < size(50, 3_400); round++) {
      await clock.settled(gateway.chat({ model: 'single', prompt: 'plain' }, { signal }));
      await clock.settled(gateway.stream({ model: 'single', prompt: 'stream' }, { signal }).response);
      await clock.settled(failureOf(gateway.chat({ model: 'single', prompt: 'fails' }, { signal })));
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });

  it('LEAK-01: a reader that stops closes upstream and ends the attempt', async () => {
    const { layer, heard } = witness();
    const { clock, mock, gateway } = setUp([layer, retry(), route(), timeout()]);
    mock.reply(['one ', 'two ', 'three']).hang({ content: 2 });
    for await (const _text of gateway.stream({ model: 'single', prompt: 'x' }).text) break;
    await clock.advance(0);
    expect(heard.map(({ status }) => status)).toEqual(['cancelled']);
    expect(clock.pending).toBe(0);
  });

  it('LEAK-01: a stream nobody reads is closed by the consumer clock, and the target is not blamed', async () => {
    const { layer, heard } = witness();
    const { clock, mock, gateway } = setUp([layer, timeout({ idleMs: 5_000 })]);
    mock.reply(['one ', 'two ', 'three']).pace({ pieceDelayMs: 10 });
    const stream = gateway.stream({ model: 'single', prompt: 'x' });
    await clock.settled(stream.started);
    await clock.advance(200_000);
    expect(heard.map(({ status, error }) => ({ status, code: error?.code }))).toEqual([
      { status: 'failed', code: 'limit-exceeded' },
    ]);
    expect(clock.pending).toBe(0);
  });

  it('a provider that ignores the signal cannot hold the call', async () => {
    const deaf = defineProvider({
      name: 'deaf',
      protocols: [],
      handlers: { chat: () => new Promise(() => undefined) },
    });
    const gateway = createGateway({ providers: [deaf], models: { default: 'deaf/x' }, use: [] });
    const controller = new AbortController();
    const failing = failureOf(gateway.chat('x', { signal: controller.signal }));
    await Promise.resolve();
    controller.abort();
    expect((await failing).code).toBe('aborted');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});

describe('sub-calls and readdressed calls', () => {
  it('a sub-call has its own id, attempts and count, its parent`s scope and deadline, and the same faces', async () => {
    const seen: { id: string; parentId?: string; purpose?: string; tenant?: string; deadline?: number }[] = [];
    const face = defineMiddleware(
      {
        name: 'face',
        attempt(call) {
          const { id, parentId, purpose, scope, deadline } = call;
          seen.push({
            id,
            ...(parentId !== undefined && { parentId }),
            ...(purpose !== undefined && { purpose }),
            ...(scope.tenant !== undefined && { tenant: scope.tenant }),
            ...(deadline !== undefined && { deadline }),
          });
        },
      },
      (call, next) => next(call),
    );
    const embeds: Middleware = async (call, next) => {
      if (call.parentId !== undefined) throw new Error('met itself');
      await next(subcall(call, 'embed', { model: 'other', input: ['x'] } as never, { purpose: 'embedding' }));
      return next(call);
    };
    const { mock, other, gateway } = setUp([embeds, face], { timeoutMs: 9_000 });
    mock.reply('x');
    other.on({ operation: 'embed' }).vectors([1, 0]);
    const { attempts } = await gateway.chat({ model: 'single', prompt: 'x' }, { scope: { tenant: 'acme' } });
    expect(attempts).toHaveLength(1);
    const [child, parent] = seen;
    expect(child).toMatchObject({ parentId: parent?.id, purpose: 'embedding', tenant: 'acme', deadline: 9_000 });
    expect(child?.id).not.toBe(parent?.id);
  });

  it('a readdressed call has a new plan, the same attempts, and at least one more', async () => {
    const elsewhere: Middleware = async (call, next) => next(call).catch(() => next(readdress(call, 'other')));
    const { clock, mock, other, gateway } = setUp([elsewhere, retry({ baseMs: 1 }), route()], { attemptsMax: 2 });
    mock.otherwise.fail(500);
    other.reply('b');
    const { attempts, target } = await clock.settled(gateway.chat({ model: 'single', prompt: 'x' }));
    expect(target.provider).toBe('b');
    expect(attempts.map(({ targetId }) => targetId)).toEqual(['a/one', 'a/one', 'b/two']);
  });
});
