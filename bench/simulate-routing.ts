/**
 * Every strategy on the same traffic, in simulated time: latency, cost, prompt-cache hits; latency routing beside an
 * oracle that knows each target's true speed. What a choice costs: `routing-choice.ts`.
 * `node --conditions=postern-source bench/simulate-routing.ts [calls]`
 */
import { createContext } from '../src/core/context.ts';
import type { Call } from '../src/core/call.ts';
import { createHealth } from '../src/core/health.ts';
import type { AttemptOutcome } from '../src/core/middleware.ts';
import { compileRegistry, type ModelsConfiguration } from '../src/core/registry.ts';
import { createRouting } from '../src/core/routing/state.ts';
import { usageOf } from '../src/operations/usage.ts';
import { seededRandom } from '../src/testing/script/random.ts';
import { unasked as provider } from './unasked-provider.ts';

const CALLS = Number(process.argv[2] ?? 4_000);

/** One simulated target: its first content comes after `baseMs`, more with load, spread by chance. */
interface Server {
  readonly name: string;
  baseMs(atMs: number): number;
  /** Milliseconds that each call already in flight adds. */
  readonly loadMs: number;
  readonly tokensPerSecond: number;
  readonly price: { readonly input: number; readonly output: number; readonly cacheRead: number };
}
interface Scenario {
  readonly name: string;
  readonly servers: readonly Server[];
  readonly callsPerSecond: number;
  /** From which call on the mean is taken. */
  readonly from?: (calls: number) => number;
}
interface Numbers {
  readonly meanMs: number;
  readonly p95Ms: number;
  readonly usd: number;
  readonly warm: number;
}

const INPUT = 4_000;
const OUTPUT = 200;
const WARM_MS = 300_000;

/** Plays the traffic of a scenario against a configuration, or against an oracle. Events run in order of time. */
function simulate(scenario: Scenario, group: object | 'oracle', seed: number): Numbers {
  let nowMs = 0;
  const events: { atMs: number; run: () => void }[] = [];
  const later = (atMs: number, run: () => void): void => {
    let index = events.length;
    while (index > 0 && (events[index - 1] as { atMs: number }).atMs > atMs) index--;
    events.splice(index, 0, { atMs, run });
  };
  const clock = { now: () => nowMs, monotonic: () => nowMs, after: () => ({ cancel: () => undefined }) };
  const random = seededRandom(seed);
  const traffic = seededRandom(seed + 1);
  const emit = (): void => undefined;
  const health = createHealth(clock, emit);
  const routing = createRouting({ clock, random, health, emit });
  const targets = scenario.servers.map(({ name, price }) => ({ target: `p/${name}`, price }));
  const models = {
    x: { ...(group === 'oracle' ? { strategy: 'ordered' } : group), targets },
  } as unknown as ModelsConfiguration;
  const registry = compileRegistry(models, new Map([['p', provider]]), 1);
  const plan = registry.resolve('x', 'chat');
  const signal = new AbortController().signal;
  const base = {
    callId: 'c',
    clock,
    random,
    attemptsMax: 3,
    emit,
    faces: [],
    waitUntil: emit,
    resolve: registry.resolve,
  };
  const context = createContext(base);
  const warm = new Map<string, number>();
  const took: number[] = [];
  let usd = 0;
  let hits = 0;
  let repeats = 0;
  const expected = (server: Server): number => server.baseMs(nowMs) + server.loadMs * health.load(`p/${server.name}`);
  const arrive = (index: number): void => {
    if (index + 1 < CALLS)
      later(nowMs + (-Math.log(1 - traffic()) * 1_000) / scenario.callsPerSecond, () => arrive(index + 1));
    const session = `s${Math.floor(traffic() * 400)}`;
    const call = {
      id: 'c',
      operation: 'chat',
      request: { model: 'x', messages: [] },
      stream: true,
      plan,
      scope: { session },
      signal,
      priority: 'normal',
      context,
    } as unknown as Call;
    const id =
      group === 'oracle'
        ? `p/${scenario.servers.reduce((best, one) => (expected(one) < expected(best) ? one : best)).name}`
        : (routing.order(call)[0]?.id as string);
    const server = scenario.servers.find(({ name }) => `p/${name}` === id) as Server;
    const spread = 0.8 + 0.4 * traffic();
    const firstMs = expected(server) * spread;
    const target = plan.candidates.find((candidate) => candidate.id === id);
    const observer = target && routing.observe({ ...call, target });
    const leave = health.enter(id);
    const key = `${session} ${id}`;
    const isWarm = nowMs - (warm.get(key) ?? Number.NEGATIVE_INFINITY) < WARM_MS;
    if ([...scenario.servers].some(({ name }) => warm.has(`${session} p/${name}`))) repeats++;
    if (isWarm) hits++;
    warm.set(key, nowMs);
    usd += (INPUT * (isWarm ? server.price.cacheRead : server.price.input) + OUTPUT * server.price.output) / 1e6;
    const durationMs = firstMs + (OUTPUT / server.tokensPerSecond) * 1_000;
    took[index] = firstMs;
    later(nowMs + firstMs, () => observer?.commit?.({ firstContentMs: firstMs }));
    later(nowMs + durationMs, () => {
      leave();
      const usage = usageOf([{ model: 'm', role: 'main', tokens: { input: INPUT, output: OUTPUT } }], {
        quality: 'reported',
      });
      const outcome: AttemptOutcome = {
        status: 'completed',
        durationMs,
        firstContentMs: firstMs,
        committed: true,
        billing: 'yes',
        usage,
      };
      observer?.end(outcome);
    });
  };
  later(0, () => arrive(0));
  for (let event = events.shift(); event !== undefined; event = events.shift()) {
    nowMs = event.atMs;
    event.run();
  }
  const counted = took.slice(scenario.from?.(CALLS) ?? 0);
  const sorted = counted.toSorted((one, other) => one - other);
  return {
    meanMs: counted.reduce((sum, ms) => sum + ms, 0) / counted.length,
    p95Ms: sorted[Math.floor(sorted.length * 0.95)] as number,
    usd: (usd / CALLS) * 1_000,
    warm: hits / Math.max(1, repeats),
  };
}

const price = (input: number, output: number) => ({ input, output, cacheRead: input / 10 });
const server = (name: string, baseMs: number, loadMs: number, usd: number, tokensPerSecond = 80): Server => ({
  name,
  baseMs: () => baseMs,
  loadMs,
  tokensPerSecond,
  price: price(usd, usd * 4),
});
const SLOW_AT_MS = 60_000;
const slowing = (name: string, baseMs: number): Server => ({
  ...server(name, baseMs, 0, 1),
  baseMs: (atMs) => (atMs < SLOW_AT_MS ? baseMs : baseMs * 5),
});
const mixed: Scenario = {
  name: 'mixed',
  callsPerSecond: 10,
  servers: [
    server('a', 400, 10, 1, 60),
    server('b', 600, 5, 0.5, 120),
    server('c', 900, 2, 0.2, 40),
    server('d', 500, 20, 3, 90),
  ],
};
const scenarios: Scenario[] = [
  {
    name: 'unequal, no load effect',
    callsPerSecond: 10,
    servers: [server('a', 400, 0, 1), server('b', 600, 0, 1), server('c', 1_000, 0, 1)],
  },
  {
    name: 'equal, slower under load',
    callsPerSecond: 20,
    servers: ['a', 'b', 'c', 'd'].map((name) => server(name, 400, 15, 1)),
  },
  {
    name: 'one slows five-fold, from 200 calls later',
    callsPerSecond: 20,
    from: () => (SLOW_AT_MS / 1_000) * 20 + 200,
    servers: [slowing('a', 400), server('b', 600, 0, 1), server('c', 1_000, 0, 1)],
  },
];
const groups: Record<string, object> = {
  ordered: { strategy: 'ordered' },
  weighted: { strategy: 'weighted' },
  'round-robin': { strategy: 'round-robin' },
  'least-busy': { strategy: 'least-busy' },
  latency: { strategy: 'latency' },
  throughput: { strategy: 'throughput' },
  cheapest: { strategy: 'cheapest' },
  'cheapest, warm': { strategy: 'cheapest', warmKey: 'scope.session' },
  'sticky by session': { strategy: 'sticky', key: 'scope.session' },
  'spill-over at 10': { strategy: 'spill-over' },
};

console.log(`${CALLS} streamed calls of 400 sessions on four unequal targets, simulated\n`);
console.log('strategy              mean first   p95 first   $ per 1000   prompt-cache hits');
for (const [name, group] of [...Object.entries(groups), ['oracle (latency)', 'oracle'] as const]) {
  const { meanMs, p95Ms, usd, warm } = simulate(mixed, group, 7);
  console.log(
    `${name.padEnd(20)} ${meanMs.toFixed(0).padStart(8)} ms ${p95Ms.toFixed(0).padStart(8)} ms ${usd.toFixed(2).padStart(12)} ${(100 * warm).toFixed(1).padStart(15)} %`,
  );
}
console.log('\nlatency routing beside an oracle            latency      oracle   over');
for (const scenario of scenarios) {
  const runs = [1, 2, 3, 4, 5].map((seed) => ({
    own: simulate(scenario, groups['latency'] as object, seed * 100).meanMs,
    best: simulate(scenario, 'oracle', seed * 100).meanMs,
  }));
  const mean = (pick: (run: { own: number; best: number }) => number): number =>
    runs.reduce((sum, run) => sum + pick(run), 0) / runs.length;
  const [own, best] = [mean((run) => run.own), mean((run) => run.best)];
  console.log(
    `${scenario.name.padEnd(42)} ${own.toFixed(0).padStart(6)} ms ${best.toFixed(0).padStart(8)} ms  ${((own / best - 1) * 100).toFixed(1).padStart(5)} %`,
  );
}
