import { inspect } from '../../src/redaction/inspect.ts';
import { everyDetector } from '../../src/redaction/packs/every.ts';
import { secrets } from '../../src/redaction/packs/secrets.ts';
import type { Detector } from '../../src/redaction/types.ts';

/** Counts of one entity; `found` and `wrong` are hits, `missed` is expected spans without one. */
export interface Score {
  found: number;
  missed: number;
  wrong: number;
}

export interface PiiRow {
  readonly id: string;
  readonly text: string;
  readonly entity: string;
  readonly spans: readonly (readonly [number, number])[] | null;
  readonly count?: number;
}

export interface SentenceRow {
  readonly id: string;
  readonly text: string;
  readonly labels: readonly { readonly entity: string; readonly start: number; readonly end: number }[];
}

export interface SecretRow {
  readonly id: string;
  readonly text: string;
  readonly entity: string;
  readonly negative: boolean;
  readonly spans: readonly (readonly [number, number])[] | null;
}

/** Entities of the tables that need a model of language rather than a pattern. */
export const NOT_PATTERNS: ReadonlySet<string> = new Set(['PERSON']);
/** Entities of the sentences that a pattern can find. */
export const SENTENCE_PATTERNS: ReadonlySet<string> = new Set([
  'CREDIT_CARD',
  'PHONE_NUMBER',
  'DATE_TIME',
  'EMAIL_ADDRESS',
  'DOMAIN_NAME',
  'US_SSN',
  'IBAN_CODE',
  'US_DRIVER_LICENSE',
]);
/** The fixtures' name for an entity of ours. */
const ALIASES: Readonly<Record<string, string>> = { DOMAIN_NAME: 'URL' };

export type Report = (row: { readonly id: string; readonly text: string }, entity: string, problem: string) => void;

export const precision = ({ found, wrong }: Score): number => (found + wrong === 0 ? 1 : found / (found + wrong));
export const recall = ({ found, missed }: Score): number => (found + missed === 0 ? 1 : found / (found + missed));
export function f1(score: Score): number {
  const [p, r] = [precision(score), recall(score)];
  return p + r === 0 ? 0 : (2 * p * r) / (p + r);
}

export function total(scores: Iterable<Score>): Score {
  const sum = { found: 0, missed: 0, wrong: 0 };
  for (const { found, missed, wrong } of scores) {
    sum.found += found;
    sum.missed += missed;
    sum.wrong += wrong;
  }
  return sum;
}

function scoreOf(scores: Map<string, Score>, entity: string): Score {
  const score = scores.get(entity) ?? { found: 0, missed: 0, wrong: 0 };
  scores.set(entity, score);
  return score;
}

type Span = { readonly start: number; readonly end: number };

function tally(score: Score, hits: readonly Span[], spans: readonly Span[], problem: (what: string) => void): void {
  for (const span of spans) {
    if (hits.some((hit) => hit.start === span.start && hit.end === span.end)) score.found++;
    else {
      score.missed++;
      problem(`missed ${span.start}-${span.end}`);
    }
  }
  for (const hit of hits) {
    if (spans.some((span) => hit.start === span.start && hit.end === span.end)) continue;
    score.wrong++;
    problem(`wrong ${hit.start}-${hit.end}`);
  }
}

/** A row of the tables is judged for its own entity, whatever the score: most are bare values without any context. */
export function scoreTables(rows: readonly PiiRow[], report: Report = () => {}): Map<string, Score> {
  const scores = new Map<string, Score>();
  for (const row of rows) {
    if (NOT_PATTERNS.has(row.entity)) continue;
    const hits = inspect(row.text, { detectors: everyDetector, entities: [row.entity] });
    const score = scoreOf(scores, row.entity);
    if (row.spans) {
      const spans = row.spans.map(([start, end]) => ({ start, end }));
      tally(score, hits, spans, (what) => report(row, row.entity, what));
      continue;
    }
    const expected = row.count ?? 0;
    score.found += Math.min(expected, hits.length);
    score.missed += Math.max(0, expected - hits.length);
    score.wrong += Math.max(0, hits.length - expected);
    if (expected !== hits.length) report(row, row.entity, `${hits.length} hits, expected ${expected}`);
  }
  return scores;
}

/** Sentences are judged by what `redactText` would act on: scores of 0.5 and more. */
export function scoreSentences(rows: readonly SentenceRow[], report: Report = () => {}): Map<string, Score> {
  const scores = new Map<string, Score>();
  for (const row of rows) {
    const findings = inspect(row.text, { detectors: everyDetector, scoreMin: 0.5 });
    for (const entity of SENTENCE_PATTERNS) {
      const hits = findings.filter((finding) => finding.entity === (ALIASES[entity] ?? entity));
      tally(
        scoreOf(scores, entity),
        hits,
        row.labels.filter((label) => label.entity === entity),
        (what) => report(row, entity, what),
      );
    }
  }
  return scores;
}

export interface SecretScores {
  readonly byRule: Map<string, Score>;
  /** Rows that say they are no secret of their rule, and how many got a hit: by that rule, and by any. */
  readonly negatives: number;
  readonly alarms: number;
  readonly alarmsOfAnyRule: number;
}

/** A secret counts as found when a hit of any rule has its span, or overlaps the text where the fixture gives no span. */
export function scoreSecrets(
  rows: readonly SecretRow[],
  report: Report = () => {},
  detectors: readonly Detector[] = secrets,
): SecretScores {
  const byRule = new Map<string, Score>();
  let negatives = 0;
  let alarms = 0;
  let alarmsOfAnyRule = 0;
  for (const row of rows) {
    const hits = inspect(row.text, { detectors, scoreMin: 0.5 });
    const score = scoreOf(byRule, row.entity);
    if (row.negative) {
      negatives++;
      const own = hits.some(({ entity }) => entity === row.entity || row.entity === 'secret');
      if (own) alarms++;
      if (own) score.wrong++;
      if (hits.length > 0) alarmsOfAnyRule++;
      if (hits.length > 0)
        report(row, row.entity, `${own ? 'alarm' : 'alarm of another rule'} ${hits.map(({ entity }) => entity)}`);
      continue;
    }
    const spans = row.spans?.map(([start, end]) => ({ start, end }));
    const found = spans
      ? spans.every((span) => hits.some((hit) => hit.start === span.start && hit.end === span.end))
      : hits.length > 0;
    if (found) score.found++;
    else score.missed++;
    if (!found)
      report(
        row,
        row.entity,
        `missed ${hits.map((hit) => `${hit.entity} ${hit.start}-${hit.end}`)} expected ${JSON.stringify(row.spans)}`,
      );
  }
  return { byRule, negatives, alarms, alarmsOfAnyRule };
}
