/** How far estimates of one target were off. */
export interface EstimateError {
  /** The candidate's identity, like `openai/gpt-5-mini`. */
  readonly target: string;
  /** Attempts that were compared. */
  readonly count: number;
  /** Mean of `estimate / reported - 1`: above 0, estimates are too high. */
  readonly mean: number;
  /** Mean distance, whatever its sign. */
  readonly meanAbsolute: number;
}

interface Entry {
  seen: number;
  count: number;
  mean: number;
  meanAbsolute: number;
}

const TARGETS_MAX = 1_000;
/** Every one of the first attempts, later one in so many: an estimate reads the whole prompt. */
const FIRST = 16;
const EVERY = 64;

/** Compares estimates of input tokens with what providers report, by target. */
export class EstimateErrors {
  readonly #targets = new Map<string, Entry>();

  /** Whether this attempt is one to compare. */
  due(target: string): boolean {
    let entry = this.#targets.get(target);
    if (entry === undefined) {
      if (this.#targets.size >= TARGETS_MAX) return false;
      entry = { seen: 0, count: 0, mean: 0, meanAbsolute: 0 };
      this.#targets.set(target, entry);
    }
    const { seen } = entry;
    entry.seen++;
    return seen < FIRST || seen % EVERY === 0;
  }

  add(target: string, estimated: number, reported: number): void {
    const entry = this.#targets.get(target);
    if (entry === undefined || !(reported > 0)) return;
    const error = estimated / reported - 1;
    entry.count++;
    entry.mean += (error - entry.mean) / entry.count;
    entry.meanAbsolute += (Math.abs(error) - entry.meanAbsolute) / entry.count;
  }

  list(): EstimateError[] {
    return [...this.#targets].map(([target, { count, mean, meanAbsolute }]) => ({ target, count, mean, meanAbsolute }));
  }
}
