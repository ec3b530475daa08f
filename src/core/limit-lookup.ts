import type { Candidate, Scope } from './call.ts';
import type { CompiledRule, LimitUnit } from './limit-rule.ts';
import { type AppliedLimit, appliedLimit, matches, valueOf } from './limit-shapes.ts';

/** The limits of one scope at one target, and what must be measured for them. */
export interface LimitsAt {
  readonly applied: readonly AppliedLimit[];
  readonly units: ReadonlySet<LimitUnit>;
}

/** Counters remembered of each rule. When there are more all are forgotten, and made again when asked for. */
const COUNTERS_MAX = 10_000;

/** One value of one dimension; the last one has the counter. */
interface Node {
  readonly next: Map<string, Node>;
  limit?: AppliedLimit;
  /** Wall times between which its window is the one that runs. */
  from: number;
  until: number;
}

/** The counters of one rule, by the values of its dimensions: their keys are built once, not in every decision. */
class RuleCounters {
  readonly #namespace: string;
  readonly #rule: CompiledRule;
  #root = node();
  #size = 0;

  constructor(namespace: string, rule: CompiledRule) {
    this.#namespace = namespace;
    this.#rule = rule;
  }

  at(scope: Scope, target: Candidate, now: number): AppliedLimit | undefined {
    const rule = this.#rule;
    if (rule.where.length > 0 && !matches(rule, scope, target)) return undefined;
    let found = this.#root;
    for (const dimension of rule.dimensions) {
      const value = valueOf(dimension, scope, target);
      let next = found.next.get(value);
      if (next === undefined) {
        next = node();
        found.next.set(value, next);
      }
      found = next;
    }
    if (found.limit !== undefined && now >= found.from && now < found.until) return found.limit;
    return this.#make(found, scope, target, now);
  }

  #make(found: Node, scope: Scope, target: Candidate, now: number): AppliedLimit {
    const limit = appliedLimit(this.#namespace, this.#rule, scope, target, now);
    if (found.limit === undefined && ++this.#size > COUNTERS_MAX) {
      this.#root = node();
      this.#size = 0;
      return limit;
    }
    found.limit = limit;
    found.from = now;
    found.until = limit.shape.kind === 'window' ? limit.shape.endsAt : Number.POSITIVE_INFINITY;
    return limit;
  }
}

/** Knows the counters of scopes it has seen. */
export class LimitLookup {
  readonly #namespace: string;
  #rules: readonly CompiledRule[] | undefined;
  #counters: readonly RuleCounters[] = [];
  #units: ReadonlySet<LimitUnit> = new Set();

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  at(rules: readonly CompiledRule[], scope: Scope, target: Candidate, now: number): LimitsAt {
    if (this.#rules !== rules) {
      this.#rules = rules;
      this.#counters = rules.map((rule) => new RuleCounters(this.#namespace, rule));
      this.#units = new Set(rules.map(({ unit }) => unit));
    }
    const applied: AppliedLimit[] = [];
    for (const counters of this.#counters) {
      const limit = counters.at(scope, target, now);
      if (limit !== undefined) applied.push(limit);
    }
    const units = applied.length === rules.length ? this.#units : new Set(applied.map(({ rule }) => rule.unit));
    return { applied, units };
  }
}

function node(): Node {
  return { next: new Map(), from: 0, until: 0 };
}
