import type { Clock } from './clock.ts';

/** How a target did lately: failures and successes that count half as much after each half-life. */
export interface OutcomeAverages {
  add(id: string, ok: boolean): void;
  /** At least half of what came lately failed, and it is not long ago. */
  failing(id: string): boolean;
}

interface Average {
  failures: number;
  successes: number;
  atMs: number;
}

/** What is left of one failure after two half-lives: then the target gets another chance. */
const FORGOTTEN = 0.25;

/** Remembers outcomes a target, at most `keysMax` of them. */
export function outcomeAverages(options: {
  readonly halfLifeMs: number;
  readonly keysMax: number;
  readonly clock: Clock;
}): OutcomeAverages {
  const { halfLifeMs, keysMax, clock } = options;
  const averages = new Map<string, Average>();
  const now = (average: Average): Average => {
    const at = clock.monotonic();
    const factor = 0.5 ** ((at - average.atMs) / halfLifeMs);
    return { failures: average.failures * factor, successes: average.successes * factor, atMs: at };
  };
  return {
    add(id, ok) {
      const known = averages.get(id);
      if (known === undefined && averages.size >= keysMax) averages.delete(averages.keys().next().value as string);
      const average = known === undefined ? { failures: 0, successes: 0, atMs: clock.monotonic() } : now(known);
      if (ok) average.successes += 1;
      else average.failures += 1;
      averages.set(id, average);
    },
    failing(id) {
      const known = averages.get(id);
      if (known === undefined) return false;
      const { failures, successes } = now(known);
      return failures > FORGOTTEN && failures >= successes;
    },
  };
}
