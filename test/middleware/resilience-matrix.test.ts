import { getEventListeners } from 'node:events';
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
import { setUp, warmUp } from './support.ts';

beforeAll(warmUp);

/** Every pair of switches is seen in all four positions. */
const PAIRWISE = [
  { retry: true, fallback: true, breaker: true, hedge: true },
  { retry: true, fallback: false, breaker: false, hedge: true },
  { retry: false, fallback: true, breaker: false, hedge: true },
  { retry: false, fallback: false, breaker: true, hedge: true },
  { retry: true, fallback: true, breaker: false, hedge: false },
  { retry: true, fallback: false, breaker: true, hedge: false },
  { retry: false, fallback: true, breaker: true, hedge: false },
  { retry: false, fallback: false, breaker: false, hedge: false },
] as const;

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

function stackOf(on: (typeof PAIRWISE)[number], heard: AttemptOutcome[]): Middleware[] {
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

function script(a: MockProvider, b: MockProvider, fault: Fault): void {
  a.on('warm').reply('warm');
  a.otherwise.reply(FIRST).fault(fault);
  b.reply(SECOND);
}

describe('the fault matrix', () => {
  for (const on of PAIRWISE) {
    const name = Object.entries(on).map(([part, is]) => (is ? part : `no ${part}`));
    it(`invariants 3, 4, 6, 7, 8 hold for every fault with ${name.join(', ')}`, async () => {
      for (const fault of FAULTS) {
        for (const stream of [true, false]) {
          const heard: AttemptOutcome[] = [];
          const { clock, a, b, gateway } = setUp(stackOf(on, heard), { timeoutMs: 60_000 });
          script(a, b, fault);
          if (on.hedge) await clock.settled(gateway.chat({ model: 'single', prompt: 'warm' }));
          heard.length = 0;
          const before = a.calls.length + b.calls.length;
          const what = `${JSON.stringify(fault)} ${stream ? 'stream' : 'plain'}`;
          const controller = new AbortController();
          const began = clock.monotonic();
          const told = await clock.settled(read(gateway, stream, controller.signal));

          const attempts = told.error?.attempts ?? told.attempts ?? [];
          expect(a.calls.length + b.calls.length - before, `${what}: hits are attempts`).toBe(attempts.length);
          expect(heard, `${what}: each attempt ends once`).toHaveLength(attempts.length);
          expect(attempts.length, `${what}: at most what may be`).toBeLessThanOrEqual(5);
          expect(clock.monotonic() - began, `${what}: within the deadline`).toBeLessThanOrEqual(60_000);
          expect(prefixOfOne(told.text), `${what}: ${told.text}`).toBe(true);
          if (stream)
            expect(grammar(told.types, told.error === undefined), `${what}: ${told.types.join(' ')}`).toBe(true);
          if (told.error !== undefined) {
            expect(told.error.message.length, what).toBeLessThanOrEqual(300);
            expect(told.error.committed, what).toBe(told.text !== '');
          } else {
            expect([FIRST.join(''), SECOND.join('')], what).toContain(told.text);
          }
          expect(getEventListeners(controller.signal, 'abort'), `${what}: listeners`).toHaveLength(0);
          expect(clock.pending, `${what}: timers`).toBe(0);
        }
      }
    });
  }
});

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
