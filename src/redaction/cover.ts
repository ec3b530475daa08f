import type { Finding } from './types.ts';

/** A stretch of text that goes as one: the union of findings that overlap. */
export interface Cover {
  start: number;
  end: number;
  /** The findings in it, in order of start. */
  readonly findings: Finding[];
}

/** Joins overlapping findings (in order of start) so that every unit of every finding is covered exactly once. */
export function coverOf(findings: readonly Finding[]): Cover[] {
  const covers: Cover[] = [];
  for (let at = 0; at < findings.length; ) {
    const cover = emptyCover();
    at = readCover(findings, at, cover);
    covers.push(cover);
  }
  return covers;
}

export const emptyCover = (): Cover => ({ start: 0, end: 0, findings: [] });

/** Reads what begins with the finding at a place into a cover, and gives the place of the first finding behind it. */
export function readCover(findings: readonly Finding[], at: number, into: Cover): number {
  const first = findings[at] as Finding;
  into.start = first.start;
  into.end = first.end;
  into.findings[0] = first;
  let next = at + 1;
  for (let count = 1; next < findings.length; next++) {
    const finding = findings[next] as Finding;
    if (finding.start >= into.end) break;
    into.findings[count++] = finding;
    if (finding.end > into.end) into.end = finding.end;
  }
  if (into.findings.length > next - at) into.findings.length = next - at;
  return next;
}

/** The surest finding, then the longest, then the first. */
export function surest(findings: readonly Finding[]): Finding {
  if (findings.length === 1) return findings[0] as Finding;
  return findings.reduce((best, finding) => {
    if (finding.score !== best.score) return finding.score > best.score ? finding : best;
    return finding.end - finding.start > best.end - best.start ? finding : best;
  });
}
