import type { Scope } from './call.ts';
import type { LimitState } from './counter-store.ts';
import type { AppliedLimit } from './limit-shapes.ts';

/** Counters whose warnings are remembered; the oldest is forgotten first, and may then warn once more. */
const COUNTERS_MAX = 100_000;

type Warn = (limit: AppliedLimit, state: LimitState, threshold: number, scope: Scope) => void;

/** Says once when a part of a limit is reached, and again only after use has fallen below it. */
export class LimitThresholds {
  readonly #reached = new Map<string, number>();
  readonly #warn: Warn;

  constructor(warn: Warn) {
    this.#warn = warn;
  }

  /** Looks at limits after a decision; `states` are in the order of `applied`, or empty. */
  note(applied: readonly AppliedLimit[], states: readonly LimitState[], scope: Scope): void {
    if (states.length !== applied.length) return;
    for (let index = 0; index < applied.length; index++) {
      const limit = applied[index] as AppliedLimit;
      if (limit.rule.warnAt.length > 0) this.#look(limit, states[index] as LimitState, scope);
    }
  }

  #look(limit: AppliedLimit, state: LimitState, scope: Scope): void {
    const { shape, rule } = limit;
    const key = shape.kind === 'window' ? `${shape.window} ${shape.key}` : shape.key;
    // Of places only those taken count; of amounts what is spent, not what may come back.
    const used = rule.kind === 'concurrency' ? state.held : state.used;
    const passed = rule.warnAt.filter((part) => used >= part * state.maximum);
    const before = this.#reached.get(key) ?? 0;
    if (passed.length === before) return;
    this.#reached.delete(key);
    if (passed.length > 0) this.#reached.set(key, passed.length);
    if (this.#reached.size > COUNTERS_MAX) this.#reached.delete(this.#reached.keys().next().value as string);
    for (const threshold of passed.slice(before)) this.#warn(limit, state, threshold, scope);
  }
}
