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

/** Runs of bets that began at different times, each with several guesses of how much worse the canary is. */
function createBets(guesses: number): { add(logFactors: readonly number[]): void; readonly wealth: number } {
  const runs: { readonly stake: number; readonly logs: number[] }[] = [];
  let added = 0;
  let nextStart = 0;
  return {
    add(logFactors) {
      if (added === nextStart) {
        runs.push({ stake: 0.5 ** (runs.length + 1), logs: new Array<number>(guesses).fill(0) });
        nextStart = nextStart === 0 ? RESTART : nextStart * 2;
      }
      added++;
      for (const { logs } of runs) {
        for (let index = 0; index < guesses; index++)
          logs[index] = (logs[index] as number) + (logFactors[index] as number);
      }
    },
    get wealth() {
      let wealth = 0;
      let staked = 0;
      for (const { stake, logs } of runs) {
        staked += stake;
        for (const log of logs) wealth += (stake / guesses) * Math.exp(Math.min(log, 700));
      }
      // What no run has staked yet is still there.
      return wealth + 1 - staked;
    },
  };
}

/** How much of the good outcomes turn bad, guess by guess. */
const WORSE_BY = [0.03, 0.1, 0.25, 0.6] as const;

/** For outcomes that are 1 (bad) or 0. Turner, Ly and Grünwald's bets on two proportions. */
export function rateEvidence(): Evidence {
  const bets = createBets(WORSE_BY.length);
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
        WORSE_BY.map((share) => {
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

/** How strongly low ranks are expected, guess by guess. */
const POWERS = [0.15, 0.4, 0.7] as const;

/**
 * For amounts such as milliseconds or dollars, whatever their distribution: the rank of each canary outcome among
 * stable ones used only once is uniform while both are equal. `tolerance` is how much worse is still taken as equal.
 */
export function amountEvidence(tolerance: number, random: () => number): Evidence {
  const bets = createBets(POWERS.length);
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
      const rank = Math.max(Number.MIN_VALUE, (above + random() * equal) / (beside.length + 1));
      bets.add(POWERS.map((power) => Math.log(power) + (power - 1) * Math.log(rank)));
    },
    get wealth() {
      return bets.wealth;
    },
  };
}
