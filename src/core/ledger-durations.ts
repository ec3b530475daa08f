import { type PercentileQuery, type Percentiles, percentilesOf } from './ledger.ts';

/** Collects how often each step of a duration occurred, by group. */
export class Durations {
  readonly #groups = new Map<
    string,
    { readonly key: readonly (string | null)[]; readonly counts: Map<number, number> }
  >();

  add(key: readonly (string | null)[], step: number, count: number): void {
    const id = JSON.stringify(key);
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = { key, counts: new Map() };
      this.#groups.set(id, group);
    }
    group.counts.set(step, (group.counts.get(step) ?? 0) + count);
  }

  /** The percentiles of every group, the group with most rows first. */
  list(query: PercentileQuery): Percentiles[] {
    const names = query.groupBy ?? [];
    return [...this.#groups.values()]
      .map(({ key, counts }) => ({
        key: Object.fromEntries(names.map((name, index) => [name, key[index] ?? null])),
        count: [...counts.values()].reduce((sum, count) => sum + count, 0),
        values: percentilesOf(counts, query.shares ?? [0.5, 0.95, 0.99]),
      }))
      .sort((left, right) => right.count - left.count);
  }
}
