import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AttemptOutcome,
  type ChatEvent,
  defineMiddleware,
  GatewayError,
  isGatewayError,
  type Middleware,
} from '../../src/index.ts';
import { circuitBreaker, concurrency, fallback, hedge, retry, route, timeout } from '../../src/middleware/index.ts';
import type { Fault, MockProvider } from '../../src/testing/index.ts';
import { size } from '../size.ts';
import { namesOf, PAIRWISE, type Switches } from '../testing/pairwise.ts';
import { setUp, warmUp } from './support.ts';

beforeAll(warmUp);

const FAULTS: readonly Fault[] = [
  ...[400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529].map((status) => ({
    kind: 'status' as const,
    status,
  })),
  { kind: 'status', status: 429, retryAfter: 2 },
  { kind: 'status', status: 429, code: 'quota-exceeded' },
  { kind: 'status', status: 400, code: 'context-too-long' },
  { kind: 'status', status: 400, code: 'content-filtered' },
  { kind: 'status', status: 500, headers: { 'x-should-retry': 'false' } },
  { kind: 'dns' },
  { kind: 'dns', temporary: true },
  { kind: 'refused' },
  { kind: 'tls' },
  { kind: 'redirect' },
  { kind: 'wrong-type' },
  { kind: 'empty' },
  ...(
    [
      'before-headers',
      'after-headers',
      'after-start',
      { content: 0 },
      { content: 2 },
      'before-terminal',
      'after-terminal',
    ] as const
  ).flatMap((at): Fault[] => [
    { kind: 'reset', at },
    { kind: 'cut', at },
    { kind: 'hang', at },
    { kind: 'junk', at },
    { kind: 'error', code: 'overloaded', at },
  ]),
];

const FIRST = ['a1 ', 'a2 ', 'a3 '];
const SECOND = ['b1 ', 'b2 ', 'b3 '];

function stackOf(on: Switches, heard: AttemptOutcome[]): Middleware[] {
  const watch = defineMiddleware(
    { name: 'watch', attempt: () => ({ end: (outcome) => void heard.push(outcome) }) },
    (call, next) => next(call),
  );
  return [
    watch,
    ...(on.fallback ? [fallback({ 'context-too-long': 'other', any: 'b/spare' })] : []),
    ...(on.retry ? [retry({ baseMs: 50 })] : []),
    ...(on.hedge ? [hedge({ callsMin: 1, delayMsMin: 10 })] : []),
    route(),
    ...(on.breaker ? [circuitBreaker({ callsMin: 2 })] : []),
    concurrency(),
    timeout({ connectMs: 3_000, firstContentMs: 5_000, idleMs: 5_000, attemptMs: 8_000 }),
  ];
}

describe('the fault matrix', () => {
  for (const on of PAIRWISE) {
    it(`invariants 3, 4, 6, 7, 8 hold for every fault with ${namesOf(on)}`, async () => {
      for (const fault of FAULTS) {
        for (const stream of [true, false]) {
          await check(on, stream, `${JSON.stringify(fault)} ${stream ? 'stream' : 'plain'}`, (a, b) => {
            a.otherwise.reply(FIRST).fault(fault);
            b.reply(SECOND);
          });
        }
      }
    });
  }

  it('invariants 3, 4, 6, 7, 8 hold for any script of faults, any stack, and an abort at any time', async () => {
    const step = fc.option(fc.constantFrom(...FAULTS), { nil: undefined, freq: 6 });
    const steps = fc.array(step, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...PAIRWISE),
        fc.boolean(),
        steps,
        steps,
        fc.option(fc.nat(9_000)),
        async (on, stream, first, second, abortMs) => {
          const what = JSON.stringify({ stream, first, second, abortMs });
          await check(
            on,
            stream,
            what,
            (a, b) => {
              play(a, FIRST, first);
              play(b, SECOND, second);
            },
            abortMs ?? undefined,
          );
        },
      ),
      { seed: 5, numRuns: size(150, 5_000) },
    );
  });
});

/** One answer after the other, each as it should be or with its fault; the last one from then on. */
function play(mock: MockProvider, text: readonly string[], steps: readonly (Fault | undefined)[]): void {
  let chain = mock.otherwise.reply([...text]);
  for (const [index, fault] of steps.entries()) {
    if (index > 0) chain = chain.then.reply([...text]);
    if (fault !== undefined) chain = chain.fault(fault);
  }
}

/** One call under a script, and everything that must be true of it whatever the script. */
async function check(
  on: Switches,
  stream: boolean,
  what: string,
  script: (a: MockProvider, b: MockProvider) => void,
  abortMs?: number,
): Promise<void> {
  const heard: AttemptOutcome[] = [];
  const { clock, a, b, gateway } = setUp(stackOf(on, heard), { timeoutMs: DEADLINE_MS });
  a.on('warm').reply('warm');
  script(a, b);
  if (on.hedge) await clock.settled(gateway.chat({ model: 'single', prompt: 'warm' }));
  heard.length = 0;
  const before = a.calls.length + b.calls.length;
  const controller = new AbortController();
  const began = clock.monotonic();
  const aborting = abortMs === undefined ? undefined : clock.after(abortMs, () => controller.abort());
  const told = await clock.settled(read(gateway, stream, controller.signal));
  aborting?.cancel();

  const attempts = told.error?.attempts ?? told.attempts ?? [];
  expect(a.calls.length + b.calls.length - before, `${what}: hits are attempts`).toBe(attempts.length);
  // One that was refused was none, but who was asked about it hears so.
  const made = heard.filter(({ status }) => status !== 'refused');
  expect(made, `${what}: each attempt ends once`).toHaveLength(attempts.length);
  expect(attempts.length, `${what}: at most what may be`).toBeLessThanOrEqual(5);
  expect(clock.monotonic() - began, `${what}: within the deadline`).toBeLessThanOrEqual(DEADLINE_MS);
  expect(prefixOfOne(told.text), `${what}: ${told.text}`).toBe(true);
  if (stream) expect(grammar(told.types, told.error === undefined), `${what}: ${told.types.join(' ')}`).toBe(true);
  if (told.error !== undefined) {
    expect(told.error.message.length, what).toBeLessThanOrEqual(300);
    expect(told.error.committed, `${what}: ${told.error.code}`).toBe(told.text !== '');
  } else {
    expect([FIRST.join(''), SECOND.join('')], what).toContain(told.text);
  }
  expect(getEventListeners(controller.signal, 'abort'), `${what}: listeners`).toHaveLength(0);
  expect(clock.pending, `${what}: timers`).toBe(0);
}
const DEADLINE_MS = 60_000;

interface Told {
  text: string;
  readonly types: string[];
  error?: GatewayError;
  attempts?: readonly unknown[];
}

async function read(gateway: ReturnType<typeof setUp>['gateway'], stream: boolean, signal: AbortSignal): Promise<Told> {
  const told: Told = { text: '', types: [] };
  try {
    if (!stream) {
      const { text, attempts } = await gateway.chat('x', { signal });
      return { ...told, text, attempts };
    }
    const reading = gateway.stream('x', { signal });
    for await (const event of reading as AsyncIterable<ChatEvent>) {
      told.types.push(event.type);
      if (event.type === 'text-delta') told.text += event.text;
    }
    return { ...told, attempts: (await reading.response).attempts };
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    return { ...told, error };
  }
}

function prefixOfOne(text: string): boolean {
  return FIRST.join('').startsWith(text) || SECOND.join('').startsWith(text);
}

/** One start, one end and last, nothing twice; a failure has no end. */
function grammar(types: readonly string[], whole: boolean): boolean {
  const count = (type: string): number => types.filter((each) => each === type).length;
  const ends = whole ? count('end') === 1 && types.at(-1) === 'end' : count('end') === 0;
  const starts = types.length === 0 || (count('start') === 1 && types[0] === 'start');
  return ends && starts && count('reset') === 0 && count('finish') <= 1;
}
