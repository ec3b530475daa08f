export interface AdaptiveLimitSettings {
  readonly initial: number;
  readonly least: number;
  readonly most: number;
}

/** A limit of calls in flight that finds itself: it follows how much slower answers begin than they usually do. */
export interface AdaptiveLimit {
  readonly value: number;
  /**
   * An answer began after so long, while so many were in flight. Never the time of a whole answer, which grows with its
   * length: see {@link beginningOf}. Kinds of answers are compared with their own.
   */
  sample(firstContentMs: number, inFlight: number, kind?: 'stream' | 'plain'): void;
  /** The target said that it is too much: overloaded or rate limited. */
  dropped(): void;
}

/** Slower than usual by up to this factor is no reason to give way. */
const TOLERANCE = 1.5;
/** How much of a new limit counts at once. */
const SMOOTHING = 0.2;
/** Samples the usual time is made of. */
const LONG_WINDOW = 600;
const WARM_UP = 10;
const DROP_FACTOR = 0.9;

/** Writing the first token takes about as long as so many others. */
const TOKENS_TO_BEGIN = 50;

/** When an answer that came whole would have begun: its time without what its length explains. */
export function beginningOf(durationMs: number, outputTokens: number): number {
  return (durationMs * TOKENS_TO_BEGIN) / (TOKENS_TO_BEGIN + Math.max(0, outputTokens));
}

/**
 * Gradient2 of Netflix' concurrency-limits (its source read 2026-11), fed by time to first content.
 */
export function adaptiveLimit({ initial, least, most }: AdaptiveLimitSettings): AdaptiveLimit {
  let limit = initial;
  const known = { stream: { usualMs: 0, samples: 0 }, plain: { usualMs: 0, samples: 0 } };
  return {
    get value() {
      return Math.floor(limit);
    },
    sample(firstContentMs, inFlight, kind = 'stream') {
      const ms = Math.max(1, firstContentMs);
      const of = known[kind];
      of.samples++;
      // The first samples are averaged plainly, later ones exponentially.
      of.usualMs += (ms - of.usualMs) * (of.samples <= WARM_UP ? 1 / of.samples : 2 / (LONG_WINDOW + 1));
      // It became much faster: what was usual is history.
      if (of.usualMs / ms > 2) of.usualMs *= 0.95;
      // A limit that is not used says nothing about what it could be.
      if (inFlight < limit / 2) return;
      const gradient = Math.max(0.5, Math.min(1, (TOLERANCE * of.usualMs) / ms));
      const next = limit * gradient + Math.sqrt(limit);
      limit = Math.max(least, Math.min(most, limit * (1 - SMOOTHING) + next * SMOOTHING));
    },
    dropped() {
      limit = Math.max(least, limit * DROP_FACTOR);
    },
  };
}
