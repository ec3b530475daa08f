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
  findings.sort((a, b) => a.start - b.start || b.end - a.end || b.score - a.score || (a.entity < b.entity ? -1 : 1));
  return findings.filter((finding, index) => {
    for (let at = index - 1; at >= 0 && at >= index - NESTED_MAX; at--) {
      const earlier = findings[at] as Finding;
      if (earlier.entity === finding.entity && earlier.end >= finding.end) return false;
    }
    return true;
  });
}
