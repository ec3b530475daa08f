import type { StoreProblem } from '../../core/store.ts';

/** Key ids come from records, so from strangers: more than a few are one. */
const KEYS_MAX = 16;

/** How many records no present key can read, by the key they name. */
export class Unreadable {
  #counts = new Map<string, number>();
  #counted = false;

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Counts one that was met by reading. Says whether its key is new here. */
  met(keyId: string): boolean {
    const name = nameIn(this.#counts, keyId);
    const known = this.#counts.get(name) ?? 0;
    // After a walk the number is how many there are, not how often they were asked for.
    if (!this.#counted || known === 0) this.#counts.set(name, known + 1);
    return known === 0;
  }

  /** What a walk over all records found takes the place of what was met. */
  found(counts: ReadonlyMap<string, number>): void {
    this.#counts = new Map();
    for (const [keyId, count] of counts) {
      const name = nameIn(this.#counts, keyId);
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
    }
    this.#counted = true;
  }

  problems(): StoreProblem[] {
    return [...this.#counts].map(([keyId, count]) => ({
      code: 'unreadable',
      message: `Records under key ${keyId} cannot be read: the key is missing or they were changed.`,
      count,
    }));
  }
}

function nameIn(counts: ReadonlyMap<string, number>, keyId: string): string {
  return counts.has(keyId) || counts.size < KEYS_MAX ? keyId : 'others';
}
