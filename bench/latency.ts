/**
 * How long single calls take: p50 and p99 of one-shot calls, one at a time, by the wall clock. A call during which the
 * operating system gave the processor to somebody else says nothing about us: it is left out of the figures and counted.
 * Collecting garbage is in them. The upstream's share is the median of raw `fetch`, measured in turns in the same run.
 */
import type { Subject } from './subjects.ts';

const CALLS = 4_000;
const WARM = 2_000;
/** DESIGN.md 10 and issue 5: the full stack, p99, in process. */
const BUDGET_US = 300;
const MEASURED = [
  'raw fetch',
  'postern, plain fetch, bare',
  'postern, plain fetch, standard',
  'postern, plain fetch, eight',
  'openai SDK',
];

export interface Latency {
  readonly name: string;
  readonly p50: number;
  readonly p99: number;
  /** Share of calls that were interrupted from outside. */
  readonly disturbed: number;
}

/** Every subject in turns, so that a slow moment hits all of them. */
export async function latencies(all: readonly Subject[]): Promise<Latency[]> {
  const subjects = MEASURED.flatMap((name) => all.filter((subject) => subject.name === name));
  const times = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  for (let call = 0; call < WARM + CALLS; call++) {
    for (const { name, call: run } of subjects) {
      const switches = process.resourceUsage().involuntaryContextSwitches;
      const before = performance.now();
      await run();
      const us = (performance.now() - before) * 1_000;
      const alone = process.resourceUsage().involuntaryContextSwitches === switches;
      if (call >= WARM && alone) times.get(name)?.push(us);
    }
  }
  return subjects.map(({ name }) => {
    const sorted = (times.get(name) ?? []).toSorted((one, other) => one - other);
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
    return { name, p50: at(0.5), p99: at(0.99), disturbed: 1 - sorted.length / CALLS };
  });
}

/** Prints the table and whether the full stack keeps its budget. */
export async function printLatencies(all: readonly Subject[]): Promise<void> {
  const rows = await latencies(all);
  const floor = rows[0];
  console.log(`\nLatency of one-shot calls, us, one at a time (over: less the p50 of ${floor?.name})`);
  for (const { name, p50, p99, disturbed } of rows) {
    const over = (us: number): string => (us - (floor?.p50 ?? 0)).toFixed(0).padStart(6);
    console.log(
      `  ${name.padEnd(34)} p50 ${p50.toFixed(0).padStart(5)} p99 ${p99.toFixed(0).padStart(6)}   over: p50 ${over(p50)} p99 ${over(p99)}   (${(disturbed * 100).toFixed(1)} % left out)`,
    );
  }
  const eight = rows.find(({ name }) => name.endsWith('eight'));
  if (eight === undefined || floor === undefined) return;
  const p99 = eight.p99 - floor.p50;
  console.log(
    `  the eight over the upstream: p99 ${p99.toFixed(0)} us (budget ${BUDGET_US}: ${p99 <= BUDGET_US ? 'kept' : 'exceeded'})`,
  );
}

if (import.meta.main) {
  const { subjects } = await import('./subjects.ts');
  await printLatencies(await subjects());
  process.exit(0);
}
