/**
 * Postern beside the bare SDKs, the AI SDK and LangChain, interleaved in one process, as ratios.
 * `npm run bench` builds first; `BENCH_ROUNDS=21` for calmer medians. See README.md in this folder.
 */
import { benchCaches } from './cache.ts';
import { bundleSize, importTimes } from './cold.ts';
import { printLatencies } from './latency.ts';
import { benchStreamsMemory } from './streams-memory.ts';
import { printDecisions } from './limits.ts';
import { benchMetering } from './metering.ts';
import { printChoices } from './routing-choice.ts';
import { type Subject, subjects } from './subjects.ts';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 9);
const all = await subjects();

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const cpuUs = async (work: () => Promise<unknown>, times: number): Promise<number> => {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
};

interface Row {
  readonly name: string;
  readonly us: number;
  readonly ratio: number;
}

/** Runs every subject in each round, so that a slow moment of the machine hits all of them. */
async function measure(list: readonly Subject[], run: (subject: Subject) => Promise<number>): Promise<Row[]> {
  for (const subject of list) for (let warm = 0; warm < 3; warm++) await run(subject);
  const times = new Map<string, number[]>();
  const ratios = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    let floor = 0;
    for (const subject of list) {
      const us = await run(subject);
      if (subject === list[0]) floor = us;
      times.set(subject.name, [...(times.get(subject.name) ?? []), us]);
      ratios.set(subject.name, [...(ratios.get(subject.name) ?? []), us / floor]);
    }
  }
  return list.map(({ name }) => ({ name, us: median(times.get(name) ?? []), ratio: median(ratios.get(name) ?? []) }));
}

function print(title: string, unit: string, rows: readonly Row[]): void {
  console.log(`\n${title}`);
  const floor = rows[0]?.us ?? 0;
  for (const { name, us, ratio } of rows) {
    const over = us - floor;
    console.log(
      `  ${name.padEnd(34)} ${us.toFixed(1).padStart(8)} ${unit}  ${ratio.toFixed(2).padStart(6)} x raw  ${over >= 0 ? '+' : ''}${over.toFixed(1)}`,
    );
  }
}

/** The lines of DESIGN.md's budget that are over the bare client, not over raw fetch. */
function printOverClient(rows: readonly Row[], unit: string, name: string, budgetUs: number): void {
  const bare = rows.find((row) => row.name === 'openai SDK');
  const row = rows.find((one) => one.name === name);
  if (bare === undefined || row === undefined) return;
  const over = row.us - bare.us;
  const verdict = over <= budgetUs ? 'kept' : 'exceeded';
  console.log(
    `  ${name}, over the bare client: ${(row.us / bare.us).toFixed(2)} x, ${over >= 0 ? '+' : ''}${over.toFixed(1)} ${unit} (budget +${budgetUs}: ${verdict})`,
  );
}
const WRAPPED = 'openai SDK, wrapped by postern';
const EIGHT = 'postern, SDK, eight';

/** Long enough for compiled code to stay compiled: short slices measure the compiler. */
const CALLS = 2_000;
const streams = all.filter((subject) => subject.stream !== undefined);

console.log(
  `Node ${process.versions.node}, ${ROUNDS} rounds; CPU time of this process, medians; ratios inside each round.`,
);
const oneShot = await measure(all, (subject) =>
  cpuUs(async () => {
    for (let index = 0; index < CALLS; index++) await subject.call();
  }, CALLS),
);
print('One-shot, one at a time', 'us/call', oneShot);
printOverClient(oneShot, 'us/call', WRAPPED, 30);
printOverClient(oneShot, 'us/call', EIGHT, 25);
print(
  'One-shot, 64 at a time',
  'us/call',
  await measure(all, (subject) =>
    cpuUs(
      async () => {
        for (let wave = 0; wave < CALLS / 64; wave++)
          await Promise.all(Array.from({ length: 64 }, () => subject.call()));
      },
      Math.ceil(CALLS / 64) * 64,
    ),
  ),
);
const streamed = await measure(streams, (subject) =>
  cpuUs(async () => {
    for (let index = 0; index < 6; index++) {
      const pieces = await subject.stream?.();
      if (pieces === undefined || pieces < 400) throw new Error(`${subject.name} delivered ${pieces} pieces`);
    }
  }, 6 * 500),
);
print('Streamed, 500 deltas', 'us/event', streamed);
printOverClient(streamed, 'us/event', WRAPPED, 1.5);
printOverClient(streamed, 'us/event', EIGHT, 1.5);
await benchCaches(ROUNDS);
benchStreamsMemory();
printDecisions();
printChoices();
await benchMetering(ROUNDS);
await printLatencies(all);
console.log('\nImport, a fresh process each, wall ms over an empty script');
for (const { name, ms } of await importTimes()) console.log(`  ${name.padEnd(34)} ${ms.toFixed(0).padStart(8)} ms`);
console.log('\nBundle of createGateway + openai over plain fetch, minified, static closure');
console.log(`  ${JSON.stringify(await bundleSize())}`);
process.exit(0);
