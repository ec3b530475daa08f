/**
 * What a decision over five nested limits costs in memory: tenant, user, app, agent and session. CPU time, interleaved.
 *
 *   npm run bench                    prints it with everything else
 *   node bench/limits.ts             alone, after a build
 */
import type {
  AttemptObserver,
  AttemptOutcome,
  Call,
  Candidate,
  CounterStore,
  Middleware,
  MiddlewareInfo,
  Scope,
} from 'postern';
import { budget } from 'postern/middleware/budget';
import { rateLimit } from 'postern/middleware/rate-limit';
import { memoryCounterStore } from 'postern/stores/memory';

const DAY_MS = 86_400_000;
const PER = ['tenant', 'user', 'app', 'agent', 'session'] as const;
const DECISIONS = 20_000;
/** Attempts that run at the same time. */
const OPEN = 100;
const target = { id: 'openai/gpt-5-mini', provider: 'openai', model: 'gpt-5-mini' } as Candidate;
const clock = { now: () => Date.now(), monotonic: () => performance.now(), after: () => ({ cancel() {} }) };
const usage = { input: 20, output: 30, total: 50, tokens: { input: 20, output: 30 }, quality: 'reported' } as const;
const lines = [{ model: target.model, role: 'main', tokens: usage.tokens }];
const outcome = { status: 'completed', usage: { ...usage, lines }, durationMs: 1, committed: true, billing: 'yes' };

const scopeOf = (number: number): Scope => ({
  tenant: 'acme',
  user: `user-${number % 50}`,
  app: 'desk',
  agent: 'helper',
  session: `session-${number % 200}`,
});
const scopes = Array.from({ length: 200 }, (_, number) => scopeOf(number));

/** A call as an attempt face sees it: a request of its own each time. */
function callOf(number: number, scope: Scope): Call {
  const request = { model: 'x', messages: [{ role: 'user', content: [{ type: 'text', text: 'How late is it?' }] }] };
  const context = { clock };
  return {
    id: `call-${number}`,
    operation: 'chat',
    request,
    stream: false,
    target,
    scope,
    deadline: 1e12,
    context,
  } as never;
}

interface Decision {
  readonly name: string;
  readonly reserve: (number: number) => unknown;
  readonly settle: (reserved: unknown) => void;
}

/** An attempt face that reserves and settles, with the same scopes again and again or new ones each time. */
function face(name: string, middleware: Middleware, fresh: boolean): Decision {
  const { attempt } = middleware.info as Required<MiddlewareInfo>;
  return {
    name,
    reserve: (number) => attempt(callOf(number, fresh ? scopeOf(number) : (scopes[number % 200] as Scope))),
    settle: (observer) => (observer as AttemptObserver).end(outcome as AttemptOutcome),
  };
}

function plainStore(store: CounterStore): Decision {
  const limits = PER.map((name) => ({
    kind: 'rate' as const,
    key: name,
    maximum: 1e12,
    periodMs: DAY_MS,
    amount: 100,
  }));
  return {
    name: 'counter store alone',
    reserve(number) {
      const id = `call-${number}`;
      const { admitted } = store.reserve({ id, limits, ttlMs: 60_000 }) as { admitted: boolean };
      if (!admitted) throw new Error('The limits are meant to be wide.');
      return id;
    },
    settle: (id) => void store.settle(id as string, { units: 50 }),
  };
}

const tokens = PER.map((per) => ({ per, tokens: 1e12, periodMs: DAY_MS }));
const cost = PER.map((per) => ({ per, costUsd: 1_000_000, every: 'day' as const }));
const floor: Decision = { name: 'loop alone', reserve: (number) => callOf(number, scopeOf(number)), settle: () => {} };
const decisions: readonly Decision[] = [
  floor,
  plainStore(memoryCounterStore()),
  face('tokens, scopes seen before', rateLimit({ limits: tokens }), false),
  face('tokens, a new scope object each', rateLimit({ limits: tokens }), true),
  face('cost, scopes seen before', budget({ limits: cost }), false),
  face('cost, a new scope object each', budget({ limits: cost }), true),
];

export interface DecisionTime {
  readonly name: string;
  readonly reserveUs: number;
  readonly settleUs: number;
}

/** CPU microseconds of each decision over five limits, medians, the loop's own taken off. 100 are open at a time. */
export function decisionTimes(rounds = 9): readonly DecisionTime[] {
  const times = decisions.map(() => ({ reserve: [] as number[], settle: [] as number[] }));
  let number = 0;
  for (let round = -3; round < rounds; round++) {
    let own: readonly number[] = [0, 0];
    for (const [index, decision] of decisions.entries()) {
      const took = [0, 0] as [number, number];
      for (let batch = 0; batch < DECISIONS / OPEN; batch++) {
        const start = process.cpuUsage();
        const open = Array.from({ length: OPEN }, () => decision.reserve(++number));
        const middle = process.cpuUsage();
        for (const reserved of open) decision.settle(reserved);
        const end = process.cpuUsage();
        took[0] += (middle.user + middle.system - start.user - start.system) / DECISIONS;
        took[1] += (end.user + end.system - middle.user - middle.system) / DECISIONS;
      }
      if (decision === floor) own = [...took];
      if (round < 0) continue;
      times[index]?.reserve.push(took[0] - (decision === floor ? 0 : (own[0] as number)));
      times[index]?.settle.push(took[1] - (decision === floor ? 0 : (own[1] as number)));
    }
  }
  return decisions.map(({ name }, index) => ({
    name,
    reserveUs: median(times[index]?.reserve ?? []),
    settleUs: median(times[index]?.settle ?? []),
  }));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

/** Prints the times beside the budget of 5 µs. */
export function printDecisions(): void {
  console.log('\nA decision over five nested limits in memory, CPU us (budget 5)      decide   settle');
  for (const { name, reserveUs, settleUs } of decisionTimes()) {
    console.log(`  ${name.padEnd(64)} ${reserveUs.toFixed(1).padStart(8)} ${settleUs.toFixed(1).padStart(8)}`);
  }
}

if (import.meta.main) printDecisions();
