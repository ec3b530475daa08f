import type { Finding } from './types.ts';

/** A stretch of text that goes as one: the union of findings that overlap. */
export interface Cover {
  readonly start: number;
  end: number;
  /** The findings in it, in order of start. */
  readonly findings: Finding[];
}

/** Joins overlapping findings (in order of start) so that every unit of every finding is covered exactly once. */
export function coverOf(findings: readonly Finding[]): Cover[] {
  const covers: Cover[] = [];
  let last: Cover | undefined;
  for (const finding of findings) {
    if (last !== undefined && finding.start < last.end) {
      last.findings.push(finding);
      if (finding.end > last.end) last.end = finding.end;
    } else {
      last = { start: finding.start, end: finding.end, findings: [finding] };
      covers.push(last);
    }
  }
  return covers;
}

/** The surest finding, then the longest, then the first. */
export function surest(findings: readonly Finding[]): Finding {
  if (findings.length === 1) return findings[0] as Finding;
  return findings.reduce((best, finding) => {
    if (finding.score !== best.score) return finding.score > best.score ? finding : best;
    return finding.end - finding.start > best.end - best.start ? finding : best;
  });
}
