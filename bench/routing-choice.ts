/**
 * What one choice among 50 targets costs, strategy by strategy. CPU time, interleaved.
 *
 *   npm run bench                                                    prints it with everything else
 *   node --conditions=postern-source bench/routing-choice.ts         alone
 */
import type { Call } from '../src/core/call.ts';
import { createHealth } from '../src/core/health.ts';
import { compileRegistry, type ModelsConfiguration } from '../src/core/registry.ts';
import { createRouting } from '../src/core/routing/state.ts';
import { usageOf } from '../src/operations/usage.ts';
import { seededRandom } from '../src/testing/script/random.ts';
import { unasked as provider } from './unasked-provider.ts';

const BUDGET_US = 5;
const TARGETS = 50;
const CHOICES = 20_000;

const targets = Array.from({ length: TARGETS }, (_, index) => ({
  target: `p/${index}`,
  price: { input: 1 + (index % 7), output: 4, cacheRead: 0.1 },
}));
const key = 'scope.session';
const half = { strategy: 'weighted', targets };
/** Every strategy, and a tree of them. */
const groups: Readonly<Record<string, object>> = {
  ordered: { strategy: 'ordered', targets },
  weighted: { strategy: 'weighted', targets },
  'round-robin': { strategy: 'round-robin', targets },
  'least-busy': { strategy: 'least-busy', targets },
  latency: { strategy: 'latency', targets },
  throughput: { strategy: 'throughput', targets },
  cheapest: { strategy: 'cheapest', targets },
  'cheapest, warm': { strategy: 'cheapest', warmKey: key, targets },
  sticky: { strategy: 'sticky', key, targets },
  'spill-over': { strategy: 'spill-over', targets },
  rules: { strategy: 'rules', rules: [{ when: { 'scope.session': 's2' }, use: 'p/1' }], otherwise: half },
  canary: { strategy: 'canary', key, share: 0.1, stable: half, canary: 'p/new' },
  custom: { strategy: 'custom', targets, choose: (candidates: readonly unknown[]) => candidates },
};

/** Routing in which every target has answered once, and a call to choose for. */
function chooser(group: object): () => unknown {
  const clock = { now: () => 0, monotonic: () => performance.now(), after: () => ({ cancel: () => undefined }) };
  const random = seededRandom(1);
  const emit = (): void => undefined;
  const health = createHealth(clock, emit);
  const routing = createRouting({ clock, random, health, emit });
  const registry = compileRegistry({ x: group } as unknown as ModelsConfiguration, new Map([['p', provider]]), 1);
  const plan = registry.resolve('x', 'chat');
  const call = {
    operation: 'chat',
    request: { model: 'x', messages: [] },
    stream: true,
    plan,
    scope: { session: 's1' },
  } as unknown as Call;
  const usage = usageOf([{ model: 'm', role: 'main', tokens: { input: 10, output: 100 } }], { quality: 'reported' });
  for (const target of plan.candidates) {
    const observer = routing.observe({ ...call, target });
    const firstContentMs = 300 + 1_000 * random();
    observer?.commit?.({ firstContentMs });
    const durationMs = firstContentMs + 1_000;
    observer?.end({ status: 'completed', durationMs, firstContentMs, committed: true, billing: 'yes', usage });
  }
  return () => routing.order(call);
}

export interface ChoiceTime {
  readonly name: string;
  readonly us: number;
}

/** CPU microseconds of one choice, the median of the rounds. Every strategy runs in every round. */
export function choiceTimes(rounds = 9): readonly ChoiceTime[] {
  const all = Object.entries(groups).map(([name, group]) => ({ name, choose: chooser(group), times: [] as number[] }));
  for (let round = -3; round < rounds; round++) {
    for (const { choose, times } of all) {
      const start = process.cpuUsage();
      for (let choice = 0; choice < CHOICES; choice++) choose();
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) times.push((user + system) / CHOICES);
    }
  }
  return all.map(({ name, times }) => ({
    name,
    us: times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] as number,
  }));
}

/** Prints the times beside the budget. */
export function printChoices(): void {
  console.log(`\nOne choice among ${TARGETS} targets, CPU us (budget ${BUDGET_US})`);
  for (const { name, us } of choiceTimes()) {
    console.log(`  ${name.padEnd(34)} ${us.toFixed(2).padStart(8)} us  ${us <= BUDGET_US ? 'kept' : 'exceeded'}`);
  }
}

if (import.meta.main) printChoices();
