/**
 * What faults cost, for our defaults beside plain round-robin with the retries of the SDKs. Fake clock, seeded: the
 * same numbers in every run.
 *
 *   node --conditions=postern-source bench/simulate-resilience.ts
 *   POSTERN_SIMULATED_SECONDS=300 POSTERN_SEED=7 node --conditions=postern-source bench/simulate-resilience.ts
 */
import { circuitBreaker, hedge, meter, retry, route, timeout } from '../src/middleware/index.ts';
import { createGateway, type Middleware } from '../src/index.ts';
import { seededRandom } from '../src/testing/script/random.ts';
import { HeapClock } from '../test/heap-clock.ts';
import { type Fleet, simulatedFleet, type Weather } from './simulated-fleet.ts';

const SECONDS = Number(process.env.POSTERN_SIMULATED_SECONDS ?? 120);
const SEED = Number(process.env.POSTERN_SEED ?? 1);
const CALLS_PER_SECOND = 50;
/** How long a user waits for the first word. */
const PATIENCE_MS = 30_000;
/** Moments this near to each other share one turn of the event loop. */
const STEP_MS = 2;

interface Outcome {
  readonly name: string;
  readonly availability: number;
  readonly percentiles: readonly [number, number, number];
  readonly extraLoad: number;
  readonly cost: number;
}
type Caller = (call: number, firstContent: () => void) => Promise<void>;
type Contender = (fleet: Fleet, clock: HeapClock, random: () => number) => Caller;

const WEATHERS: readonly (readonly [name: string, weather: Weather])[] = [
  ['fair weather', {}],
  ['outage: one of three is down for a third of the time', { a: { down: 1 } }],
  ['brown-out: one fails 40 % and is three times slower', { a: { down: 0.4, slower: 3 } }],
  ['one target is ten times slower', { a: { slower: 10 } }],
  ['one target takes 5 calls a second', { a: { callsPerSecond: 5 } }],
];

function gatewayCaller(use: (random: () => number) => readonly Middleware[]): Contender {
  return (fleet, clock, random) => {
    const gateway = createGateway({
      providers: fleet.providers,
      models: { default: ['a/model', 'b/model', 'c/model'] },
      clock,
      random,
      timeoutMs: PATIENCE_MS,
      use: use(random),
    });
    return async (_call, firstContent) => {
      const stream = gateway.stream('Hello');
      await stream.started;
      firstContent();
      await stream.response;
    };
  };
}

/** In turn, so that both sides begin with the same load on each target. */
function inTurn(): Middleware {
  let turn = 0;
  return route({
    order(candidates) {
      const from = turn++ % candidates.length;
      return [...candidates.slice(from), ...candidates.slice(0, from)];
    },
  });
}

const ours = gatewayCaller(() => [meter(), retry(), hedge(), inTurn(), circuitBreaker(), timeout()]);

/** Two retries at the same target, 0.5 to 8 s with up to a quarter less, Retry-After up to a minute (SDK source, read 2026-11). */
const roundRobin: Contender = (fleet, clock, random) => async (call, firstContent) => {
  const target = fleet.names[call % fleet.names.length] as string;
  const until = clock.monotonic() + PATIENCE_MS;
  const rest = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  for (let retries = 0; ; retries++) {
    const answer = await fleet.ask(target);
    if (answer.ok && clock.monotonic() <= until) return firstContent();
    if (answer.ok) throw new Error('too late');
    const backOff = Math.min(8_000, 500 * 2 ** retries) * (1 - random() * 0.25);
    const asked = answer.retryAfterMs;
    const waitMs = asked !== undefined && asked <= 60_000 ? asked : backOff;
    if (retries === 2 || clock.monotonic() + waitMs > until) throw new Error('gave up');
    await rest(waitMs);
  }
};

async function simulate(name: string, contender: Contender, weather: Weather): Promise<Outcome> {
  const clock = new HeapClock();
  const random = seededRandom(SEED);
  const [fromMs, toMs] = [(SECONDS * 1_000) / 3, (SECONDS * 2_000) / 3];
  const fleet = simulatedFleet({ clock, random: seededRandom(SEED + 1), weather, fromMs, toMs });
  const ask = contender(fleet, clock, random);
  const firstContents: number[] = [];
  let failed = 0;
  const calls = SECONDS * CALLS_PER_SECOND;
  for (let call = 0; call < calls; call++) {
    clock.after((call * 1_000) / CALLS_PER_SECOND, () => {
      const began = clock.monotonic();
      const told = (): void => void firstContents.push(clock.monotonic() - began);
      void ask(call, told).catch(() => void failed++);
    });
  }
  await clock.runUntil(SECONDS * 1_000 + 2 * PATIENCE_MS + 60_000, STEP_MS);
  firstContents.sort((one, other) => one - other);
  const at = (share: number): number => firstContents[Math.floor(share * (firstContents.length - 1))] ?? Number.NaN;
  return {
    name,
    availability: 1 - failed / calls,
    percentiles: [at(0.5), at(0.95), at(0.99)],
    extraLoad: fleet.hits() / calls - 1,
    cost: fleet.cost() / calls,
  };
}

/** RET-24: everything is down, at 500 calls a second for a minute. */
async function storm(use: readonly Middleware[]): Promise<{ readonly calls: number; readonly hits: number }> {
  const clock = new HeapClock();
  const random = seededRandom(SEED);
  const fleet = simulatedFleet({ clock, random, weather: { a: { down: 1 } }, fromMs: 0, toMs: 1e9 });
  const gateway = createGateway({ providers: fleet.providers, models: { default: 'a/model' }, clock, random, use });
  const calls = 60 * 500;
  for (let call = 0; call < calls; call++) clock.after(call * 2, () => void gateway.chat('x').catch(() => undefined));
  await clock.runUntil(200_000, 20);
  return { calls, hits: fleet.hits() };
}

function lineOf({ name, availability, percentiles, extraLoad, cost }: Outcome): string {
  const [half, slow, slowest] = percentiles.map((ms) => `${Math.round(ms)}`.padStart(7));
  return [
    name.padEnd(26),
    `${(availability * 100).toFixed(2)} %`.padStart(9),
    half,
    slow,
    slowest,
    `${extraLoad >= 0 ? '+' : ''}${(extraLoad * 100).toFixed(1)} %`.padStart(9),
    cost.toFixed(3).padStart(7),
  ].join('  ');
}

console.log(
  `${SECONDS} s, ${CALLS_PER_SECOND} calls a second, three targets, trouble in the middle third; seed ${SEED}.\n`,
);
console.log(
  ['', 'answered', 'p50 ms', 'p95 ms', 'p99 ms', 'load', 'cost']
    .map((title, index) => (index === 0 ? title.padEnd(26) : title.padStart(index === 1 || index === 5 ? 9 : 7)))
    .join('  '),
);
for (const [title, weather] of WEATHERS) {
  console.log(title);
  console.log(lineOf(await simulate('  postern', ours, weather)));
  console.log(lineOf(await simulate('  round-robin, SDK retries', roundRobin, weather)));
}
console.log('\nTotal outage, 500 calls a second for a minute (RET-24: at most a tenth more, and a burst of 10):');
for (const [title, use] of [
  ['retry, route', [retry(), route()]],
  ['and circuitBreaker', [retry(), route(), circuitBreaker()]],
] as const) {
  const { calls, hits } = await storm(use);
  const verdict = hits <= calls * 1.1 + 10 ? 'kept' : 'BROKEN';
  console.log(
    `  ${title.padEnd(20)} ${hits} requests for ${calls} calls (${((hits / calls - 1) * 100).toFixed(1)} %): ${verdict}`,
  );
}
