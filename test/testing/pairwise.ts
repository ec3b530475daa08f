/** Four switches; over these eight lines every pair of them is seen in all four positions. */
export interface Switches {
  readonly retry: boolean;
  readonly fallback: boolean;
  readonly breaker: boolean;
  readonly hedge: boolean;
}

export const PAIRWISE: readonly Switches[] = [
  { retry: true, fallback: true, breaker: true, hedge: true },
  { retry: true, fallback: false, breaker: false, hedge: true },
  { retry: false, fallback: true, breaker: false, hedge: true },
  { retry: false, fallback: false, breaker: true, hedge: true },
  { retry: true, fallback: true, breaker: false, hedge: false },
  { retry: true, fallback: false, breaker: true, hedge: false },
  { retry: false, fallback: true, breaker: true, hedge: false },
  { retry: false, fallback: false, breaker: false, hedge: false },
];

/** In words, like `retry, no fallback, breaker, no hedge`. */
export function namesOf(switches: Switches): string {
  return Object.entries(switches)
    .map(([part, is]) => (is ? part : `no ${part}`))
    .join(', ');
}
