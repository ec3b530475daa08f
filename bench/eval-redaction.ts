/**
 * Precision, recall and F1 of the detectors on the fixtures. `node bench/eval-redaction.ts [--problems] [fixtures]`;
 * the folder given holds `pii/*.jsonl` and `secrets/*.jsonl` (default: `shared/fixtures` beside the repository).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  f1,
  type PiiRow,
  precision,
  recall,
  type Report,
  type Score,
  scoreSecrets,
  scoreSentences,
  scoreTables,
  type SecretRow,
  type SentenceRow,
  total,
} from '../test/redaction/fixture-scores.ts';

const problems = process.argv.includes('--problems');
const given = process.argv.slice(2).find((argument) => !argument.startsWith('--'));
const folder = given ?? fileURLToPath(new URL('../../shared/fixtures/', import.meta.url));
if (!existsSync(folder)) {
  console.log(`No fixtures at ${folder}: nothing evaluated.`);
  process.exit(given ? 1 : 0);
}

function rowsOf<T>(kind: string, names: RegExp): T[] {
  const place = join(folder, kind);
  if (!existsSync(place)) return [];
  const files = readdirSync(place).filter((name) => names.test(name) && name.endsWith('.jsonl'));
  return files.flatMap((name) =>
    readFileSync(join(place, name), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as T),
  );
}

const percent = (value: number): string => value.toFixed(3);
const line = (name: string, score: Score): string =>
  `${name.padEnd(44)} P ${percent(precision(score))}  R ${percent(recall(score))}  F1 ${percent(f1(score))}  (${score.found} found, ${score.missed} missed, ${score.wrong} wrong)`;

function print(title: string, scores: ReadonlyMap<string, Score>): void {
  console.log(`\n${title}`);
  for (const [name, score] of [...scores].sort(([a], [b]) => (a < b ? -1 : 1))) console.log(line(name, score));
  console.log(line('all, micro-averaged', total(scores.values())));
}

const report: Report = (row, entity, problem) => {
  if (problems) console.log(`  ${entity}: ${problem}: ${JSON.stringify(row.text).slice(0, 200)}`);
};

print('Identifier tables, own entity, any score, every pack', scoreTables(rowsOf<PiiRow>('pii', /^presidio/), report));
print('Sentences, score 0.5 and more, every pack', scoreSentences(rowsOf<SentenceRow>('pii', /^synthetic/), report));
const secrets = scoreSecrets(rowsOf<SecretRow>('secrets', /./), report);
print('Secrets, score 0.5 and more, secrets pack', secrets.byRule);
const rate = (count: number): string =>
  `${count} of ${secrets.negatives} (${((100 * count) / Math.max(1, secrets.negatives)).toFixed(1)} %)`;
console.log(
  `false alarms of the row's own rule: ${rate(secrets.alarms)}; of any rule: ${rate(secrets.alarmsOfAnyRule)}`,
);
