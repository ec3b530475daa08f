/**
 * Evidence that one of two streams of outcomes is worse, as bets against "they are equal". A bet's wealth is at most 1
 * on average as long as they are equal, at any moment one looks, so it reaches `1 / risk` with a chance of at most
 * `risk`, however long the trial runs (Ville's inequality). Looking often costs nothing.
 */
export interface Evidence {
  /** An outcome of the stable variant. */
  stable(value: number): void;
  /** An outcome of the canary. */
  canary(value: number): void;
  /** How many times the stake the bets have won. */
  readonly wealth: number;
}

/** Stable outcomes set beside one of the canary, and kept for later ones. */
const BESIDE = 20;
const KEPT_MAX = 2_000;
/** A new run of bets begins at these many canary outcomes and each doubling, so that a canary that breaks late is seen. */
const RESTART = 64;

/** Share of the stake on a canary that is worse from its first call. */
const FIRST = 0.9;

/** Runs of bets that began at different times, each with several guesses, by weight, of how much worse the canary is. */
function createBets(weights: readonly number[]): { add(logFactors: readonly number[]): void; readonly wealth: number } {
  const runs: { readonly stake: number; readonly logs: number[] }[] = [];
  let added = 0;
  let nextStart = 0;
  return {
    add(logFactors) {
      if (added === nextStart) {
        const stake = runs.length === 0 ? FIRST : (1 - FIRST) * 0.5 ** runs.length;
        runs.push({ stake, logs: weights.map(() => 0) });
        nextStart = nextStart === 0 ? RESTART : nextStart * 2;
      }
      added++;
      for (const { logs } of runs) {
        for (let index = 0; index < logs.length; index++)
          logs[index] = (logs[index] as number) + (logFactors[index] as number);
      }
    },
    get wealth() {
      let wealth = 0;
      let staked = 0;
      for (const { stake, logs } of runs) {
        staked += stake;
        for (const [index, log] of logs.entries())
          wealth += stake * (weights[index] as number) * Math.exp(Math.min(log, 700));
      }
      // What no run has staked yet is still there.
      return wealth + 1 - staked;
    },
  };
}

/**
 * How much of the good outcomes turn bad, guess by guess, and the weight of each. A guess well below what is meant to be
 * found soon finds it soonest: it loses little on the good outcomes between.
 */
const WORSE_BY = [
  { share: 0.04, weight: 0.2 },
  { share: 0.1, weight: 0.6 },
  { share: 0.4, weight: 0.2 },
] as const;

/** For outcomes that are 1 (bad) or 0. Turner, Ly and Grünwald's bets on two proportions. */
export function rateEvidence(): Evidence {
  const bets = createBets(WORSE_BY.map(({ weight }) => weight));
  const waiting: number[] = [];
  // A first guess of the stable rate: 2 %, worth 25 outcomes.
  let bad = 0.5;
  let seen = 25;
  return {
    stable(value) {
      waiting.push(value);
      if (waiting.length <= KEPT_MAX) return;
      bad += waiting.shift() as number;
      seen++;
    },
    canary(value) {
      const beside = waiting.splice(0, BESIDE);
      if (beside.length === 0) return;
      const failures = beside.reduce((sum, one) => sum + one, 0);
      // Only outcomes from before this block, else the bet would know its own answer.
      const stableRate = Math.min(0.98, bad / seen);
      bets.add(
        WORSE_BY.map(({ share }) => {
          const canaryRate = stableRate + share * (1 - stableRate);
          const both = (beside.length * stableRate + canaryRate) / (beside.length + 1);
          const good = beside.length - failures;
          const canaryLog = value === 1 ? Math.log(canaryRate / both) : Math.log((1 - canaryRate) / (1 - both));
          return failures * Math.log(stableRate / both) + good * Math.log((1 - stableRate) / (1 - both)) + canaryLog;
        }),
      );
      bad += failures;
      seen += beside.length;
    },
    get wealth() {
      return bets.wealth;
    },
  };
}

/** By how many standard deviations the canary's outcomes are shifted, guess by guess. */
const SHIFTS = [0.4, 1, 1.8] as const;

/**
 * For amounts such as milliseconds or dollars, whatever their distribution: the rank of each canary outcome among
 * stable ones used only once is uniform while both are equal. `tolerance` is how much worse is still taken as equal.
 */
export function amountEvidence(tolerance: number, random: () => number): Evidence {
  const bets = createBets(SHIFTS.map(() => 1 / SHIFTS.length));
  const waiting: number[] = [];
  return {
    stable(value) {
      waiting.push(value);
      if (waiting.length > KEPT_MAX) waiting.shift();
    },
    canary(value) {
      const beside = waiting.splice(0, BESIDE);
      if (beside.length === 0) return;
      const compared = value / (1 + tolerance);
      let above = 0;
      let equal = 1;
      for (const one of beside) {
        if (one > compared) above++;
        else if (one === compared) equal++;
      }
      const rank = (above + random() * equal) / (beside.length + 1);
      const z = -normalQuantile(Math.min(1 - 1e-9, Math.max(1e-9, rank)));
      bets.add(SHIFTS.map((shift) => shift * z - (shift * shift) / 2));
    },
    get wealth() {
      return bets.wealth;
    },
  };
}

/** The standard normal value below which a share lies (Acklam's approximation, error below 1.2e-9). */
function normalQuantile(share: number): number {
  if (share > 0.5) return -normalQuantile(1 - share);
  if (share < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(share));
    return polynomial(TAIL_ABOVE, q) / (polynomial(TAIL_BELOW, q) * q + 1);
  }
  const q = share - 0.5;
  const r = q * q;
  return (polynomial(MIDDLE_ABOVE, r) * q) / (polynomial(MIDDLE_BELOW, r) * r + 1);
}
const TAIL_ABOVE = [
  -7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_BELOW = [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
const MIDDLE_ABOVE = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
];
const MIDDLE_BELOW = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
