import type { Candidate, Scope } from './call.ts';
import type { CompiledRule, LimitUnit } from './limit-rule.ts';
import { type AppliedLimit, appliedLimits } from './limit-shapes.ts';

/** The limits of one scope at one target, and what must be measured for them. */
export interface LimitsAt {
  readonly applied: readonly AppliedLimit[];
  readonly units: ReadonlySet<LimitUnit>;
}

interface Known extends LimitsAt {
  readonly rules: readonly CompiledRule[];
  readonly target: Candidate;
  /** Wall times between which its windows are the ones that run. */
  readonly from: number;
  readonly until: number;
}

/** Remembers the last answer for each scope: most calls of a scope go to one target. */
export class LimitLookup {
  readonly #namespace: string;
  readonly #known = new WeakMap<Scope, Known>();

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  at(rules: readonly CompiledRule[], scope: Scope, target: Candidate, now: number): LimitsAt {
    const known = this.#known.get(scope);
    if (
      known !== undefined &&
      known.rules === rules &&
      known.target === target &&
      now >= known.from &&
      now < known.until
    )
      return known;
    const applied = appliedLimits(this.#namespace, rules, scope, target, now);
    let until = Number.POSITIVE_INFINITY;
    for (const { shape } of applied) if (shape.kind === 'window') until = Math.min(until, shape.endsAt);
    const units = new Set(applied.map(({ rule }) => rule.unit));
    const found = { applied, units, rules, target, from: now, until };
    this.#known.set(scope, found);
    return found;
  }
}
