/**
 * CPU milliseconds that a megabyte of hostile text takes: pieces that make a scanner look far or twice, and every sample of
 * a detector, repeated with nothing between them. `node --conditions=postern-source bench/redaction-hostile.ts`.
 */
import { redactText, type RedactionOptions } from '../src/redaction/index.ts';
import { everyDetector } from '../src/redaction/packs/every.ts';
import { DENSE, PUMPS } from '../test/redaction/pumps.ts';
import { FILLERS, SAMPLES } from '../test/redaction/samples.ts';

const UNITS = 1_000_000;
const ROUNDS = 3;
const SHOWN = 10;
/** Issue 8: a megabyte of the worst case. */
const BUDGET_MS = 100;

const pieces = new Set([
  ...PUMPS,
  ...DENSE,
  ...SAMPLES.flatMap((sample) => ['', ' ', '\n', ', '].map((end) => sample + end)),
  ...FILLERS.flatMap((filler) => [filler, `${filler} `]),
]);
const repeated = (piece: string): string => piece.repeat(Math.ceil(UNITS / piece.length)).slice(0, UNITS);

function cpuMs(text: string, options: RedactionOptions): number {
  const before = process.cpuUsage();
  redactText(text, options);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const packs: Readonly<Record<string, RedactionOptions>> = {
  'default packs': {},
  'every pack': { detectors: everyDetector },
};
for (const [name, options] of Object.entries(packs)) {
  for (const piece of pieces) cpuMs(repeated(piece).slice(0, 20_000), options);
  const least = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const piece of pieces)
      least.set(piece, Math.min(least.get(piece) ?? Number.POSITIVE_INFINITY, cpuMs(repeated(piece), options)));
  }
  const worst = [...least].toSorted(([, one], [, other]) => other - one);
  const over = worst.filter(([, ms]) => ms > BUDGET_MS).length;
  console.log(`\n${name}: ${over} of ${worst.length} texts take more than ${BUDGET_MS} ms; the slowest:`);
  for (const [piece, ms] of worst.slice(0, SHOWN))
    console.log(`  ${ms.toFixed(0).padStart(4)} ms  ${JSON.stringify(piece)}`);
}
