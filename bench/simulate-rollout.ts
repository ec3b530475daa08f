/**
 * How soon a canary that is worse goes back, and how often one that is not: trials with known truth, from a seed.
 * `node --conditions=postern-source bench/simulate-rollout.ts [trials]`
 */
import { createTrial, type RollbackOptions } from '../src/core/routing/trial.ts';
import type { AttemptOutcome } from '../src/core/middleware.ts';
import { seededRandom } from '../src/testing/script/random.ts';

const TRIALS = Number(process.argv[2] ?? 400);
const CANARY_CALLS = 1_000;

interface Truth {
  readonly name: string;
  readonly share: number;
  readonly stableErrors: number;
  readonly canaryErrors: number;
  /** How many times the stable latency the canary takes. */
  readonly slower: number;
  /** Spread of the logarithm of latency: 0.5 is ordinary, 1 is wild. */
  readonly spread: number;
}

function outcome(random: () => number, errors: number, factor: number, spread: number): AttemptOutcome {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const durationMs = factor * 800 * Math.exp(spread * normal);
  const base = { durationMs, committed: true, billing: 'yes' } as const;
  return random() < errors
    ? { ...base, status: 'failed', error: { fault: 'target' } as never }
    : { ...base, status: 'completed' };
}

/** Canary calls until it went back, or `undefined` if it never did. */
function run(truth: Truth, seed: number, options: RollbackOptions = {}): number | undefined {
  const random = seededRandom(seed);
  const trial = createTrial('x', options, random);
  for (let calls = 0; calls < CANARY_CALLS; ) {
    const tried = random() < truth.share;
    const [errors, factor] = tried ? [truth.canaryErrors, truth.slower] : [truth.stableErrors, 1];
    if (tried) calls++;
    if (trial.add(tried ? 'canary' : 'stable', outcome(random, errors, factor, truth.spread), undefined) !== undefined)
      return calls;
  }
  return undefined;
}

const equal = { stableErrors: 0.01, canaryErrors: 0.01, slower: 1, spread: 0.5 };
const rows: Truth[] = [
  { ...equal, name: 'equal, 5 % share', share: 0.05 },
  { ...equal, name: 'equal, 5 % errors, wild latency', share: 0.05, stableErrors: 0.05, canaryErrors: 0.05, spread: 1 },
  { ...equal, name: 'equal, 50 % share', share: 0.5 },
  { ...equal, name: 'errors 1 -> 2 %', share: 0.05, canaryErrors: 0.02 },
  { ...equal, name: 'errors 1 -> 5 %', share: 0.05, canaryErrors: 0.05 },
  { ...equal, name: 'errors 1 -> 10 %', share: 0.05, canaryErrors: 0.1 },
  { ...equal, name: 'errors 1 -> 20 %', share: 0.05, canaryErrors: 0.2 },
  { ...equal, name: 'errors 1 -> 20 %, 50 % share', share: 0.5, canaryErrors: 0.2 },
  { ...equal, name: 'errors 1 -> 50 %', share: 0.05, canaryErrors: 0.5 },
  { ...equal, name: 'latency x 1.1 (tolerated)', share: 0.05, slower: 1.1 },
  { ...equal, name: 'latency x 1.5', share: 0.05, slower: 1.5 },
  { ...equal, name: 'latency x 2', share: 0.05, slower: 2 },
  { ...equal, name: 'latency x 2, 50 % share', share: 0.5, slower: 2 },
  { ...equal, name: 'latency x 2, wild', share: 0.05, slower: 2, spread: 1 },
  { ...equal, name: 'latency x 3', share: 0.05, slower: 3 },
];

console.log(`${TRIALS} trials each, up to ${CANARY_CALLS} canary calls; default options (risk 0.001)\n`);
console.log('truth                              rolled back   canary calls: median   90 %   within 50');
for (const [index, truth] of rows.entries()) {
  const found: number[] = [];
  for (let trial = 0; trial < TRIALS; trial++) {
    const calls = run(truth, 1_000_000 * (index + 1) + trial);
    if (calls !== undefined) found.push(calls);
  }
  found.sort((one, other) => one - other);
  const at = (share: number): string => {
    const calls = found[Math.ceil(share * TRIALS) - 1];
    return calls === undefined ? '-' : String(calls);
  };
  const within = found.filter((calls) => calls <= 50).length;
  const percent = (count: number): string => `${((100 * count) / TRIALS).toFixed(2)} %`;
  console.log(
    `${truth.name.padEnd(34)} ${percent(found.length).padStart(11)} ${at(0.5).padStart(20)} ${at(0.9).padStart(8)} ${percent(within).padStart(11)}`,
  );
}
