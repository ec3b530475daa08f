/** A bounded map of token buckets that fill by work done, not by time: `ratio` tokens for each deposit. */
export interface TokenBuckets {
  deposit(id: string): void;
  /** Takes one token if there is one. */
  take(id: string): boolean;
  has(id: string): boolean;
}

export function tokenBuckets(options: {
  readonly ratio: number;
  readonly burst: number;
  readonly keysMax: number;
}): TokenBuckets {
  const { ratio, burst, keysMax } = options;
  const levels = new Map<string, number>();
  const level = (id: string): number => levels.get(id) ?? burst;
  const set = (id: string, tokens: number): void => {
    // A full bucket is the default: it need not be remembered.
    if (tokens >= burst) {
      levels.delete(id);
      return;
    }
    if (!levels.has(id) && levels.size >= keysMax) levels.delete(levels.keys().next().value as string);
    levels.set(id, tokens);
  };
  return {
    deposit: (id) => set(id, level(id) + ratio),
    take(id) {
      const tokens = level(id);
      if (tokens < 1) return false;
      set(id, tokens - 1);
      return true;
    },
    has: (id) => level(id) >= 1,
  };
}
