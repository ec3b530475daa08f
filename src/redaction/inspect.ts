import { Collector } from './collector.ts';
import { compile } from './compile.ts';
import { invalidOptions } from '../core/errors.ts';
import { defaultDetectors } from './packs/index.ts';
import { scan } from './scan.ts';
import type { Detector, Finding } from './types.ts';

export interface InspectOptions {
  /** What to look for: packs laid together, `[...global, ...us]`, and detectors of your own. @defaultValue global, US and secrets */
  readonly detectors?: readonly Detector[];
  /** Least score to report, 0 to 1. @defaultValue 0: everything, weak guesses too */
  readonly scoreMin?: number;
  /** Only these entities. `undefined` means all. */
  readonly entities?: readonly string[];
  /** Copied into every finding, to say which text it came from. */
  readonly path?: string;
}

/**
 * Finds personal data and secrets in a text. Findings may overlap: a number can be several things. Never throws on text.
 *
 * @example
 * inspect('Call +44 20 7946 0958') // [{ entity: 'PHONE_NUMBER', start: 5, end: 21, score: 0.8 }]
 */
export function inspect(text: string, options: InspectOptions = {}): Finding[] {
  const { detectors = defaultDetectors, scoreMin = 0, entities, path } = options;
  if (!(scoreMin >= 0 && scoreMin <= 1)) throw invalidOptions('scoreMin', 'scoreMin must be a number from 0 to 1.');
  const findings = find(text, detectors, scoreMin);
  const wanted = entities ? findings.filter(({ entity }) => entities.includes(entity)) : findings;
  return path === undefined ? wanted : wanted.map((finding) => ({ ...finding, path }));
}

/** Findings this far back may still hold a later one. */
const NESTED_MAX = 24;

/**
 * Every finding in order of start, longer first, surer first. One inside another of the same entity is the same number
 * read twice and left out.
 */
export function find(text: string, detectors: readonly Detector[], scoreMin: number): Finding[] {
  const plan = compile(detectors);
  const collector = new Collector(text, scoreMin, plan.context);
  scan(text, plan, collector);
  const { findings } = collector;
  if (findings.length < 2) return findings;
  putInOrder(findings);
  return withoutNested(findings);
}

function inOrder(a: Finding, b: Finding): number {
  return a.start - b.start || b.end - a.end || b.score - a.score || (a.entity < b.entity ? -1 : 1);
}

/** How many places findings may move, each, before the whole list is sorted. */
const MOVES_MAX = 8;

/** The scan goes forward, so most are in order as they come, and the others a few places from theirs. */
function putInOrder(findings: Finding[]): void {
  let moves = findings.length * MOVES_MAX;
  for (let index = 1; index < findings.length; index++) {
    const finding = findings[index] as Finding;
    let at = index;
    while (at > 0 && inOrder(findings[at - 1] as Finding, finding) > 0 && moves-- > 0) {
      findings[at] = findings[at - 1] as Finding;
      at--;
    }
    if (at < index) findings[at] = finding;
    if (moves < 0) {
      findings.sort(inOrder);
      return;
    }
  }
}

function withoutNested(findings: Finding[]): Finding[] {
  let kept: Finding[] | undefined;
  let reach = -1;
  for (let index = 0; index < findings.length; index++) {
    const finding = findings[index] as Finding;
    // What ends behind all before it is inside none.
    if (finding.end <= reach && isNested(findings, index)) kept ??= findings.slice(0, index);
    else kept?.push(finding);
    if (finding.end > reach) reach = finding.end;
  }
  return kept ?? findings;
}

function isNested(findings: readonly Finding[], index: number): boolean {
  const { entity, end } = findings[index] as Finding;
  for (let at = index - 1; at >= 0 && at >= index - NESTED_MAX; at--) {
    const earlier = findings[at] as Finding;
    if (earlier.entity === entity && earlier.end >= end) return true;
  }
  return false;
}
