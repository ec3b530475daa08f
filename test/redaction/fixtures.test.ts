import { describe, expect, it } from 'vitest';
import {
  f1,
  type PiiRow,
  precision,
  recall,
  scoreSecrets,
  scoreSentences,
  scoreTables,
  type SecretRow,
  type SentenceRow,
  total,
} from './fixture-scores.ts';
import { fixtures, rowsOf } from './samples.ts';

describe.skipIf(fixtures === undefined)('scores on the fixtures (skipped where shared/fixtures is absent)', () => {
  it('finds 95 % of the identifier tables with 95 % precision', () => {
    const score = total(scoreTables(rowsOf<PiiRow>('pii/presidio-dev.jsonl')).values());
    expect(recall(score)).toBeGreaterThanOrEqual(0.95);
    expect(precision(score)).toBeGreaterThanOrEqual(0.95);
  });

  it('reaches F1 0.95 on the pattern entities of the sentences', () => {
    const scores = scoreSentences(rowsOf<SentenceRow>('pii/synthetic-dev.jsonl'));
    expect(f1(total(scores.values()))).toBeGreaterThanOrEqual(0.95);
  });

  it('finds 95 % of the secrets with at most 2 % false alarms', () => {
    const { byRule, negatives, alarms } = scoreSecrets(rowsOf<SecretRow>('secrets/secrets-dev.jsonl'));
    expect(recall(total(byRule.values()))).toBeGreaterThanOrEqual(0.95);
    expect(alarms / negatives).toBeLessThanOrEqual(0.02);
  });
});
