/** Percentiles of durations, within 5 %, of about the last thousand. */
export interface PercentileSketch {
  add(ms: number): void;
  readonly count: number;
  /** The duration that a share of them does not exceed, in milliseconds. */
  at(share: number): number;
}

/** Each bucket is a tenth wider than the one before, so that every answer is right within 5 %. */
const GROWTH = Math.log(1.1);
/** From 1 ms to about 20 minutes. */
const BUCKETS = 148;
/** Then everything counts half, so that a target that changes is seen to. */
const COUNT_MAX = 1_000;

/** A histogram on a logarithmic scale: no sample is kept, and memory is bounded. */
export function percentileSketch(): PercentileSketch {
  const buckets = new Float32Array(BUCKETS);
  let count = 0;
  return {
    add(ms) {
      const index = Math.min(BUCKETS - 1, Math.max(0, Math.ceil(Math.log(Math.max(1, ms)) / GROWTH)));
      buckets[index] = (buckets[index] as number) + 1;
      count++;
      if (count < COUNT_MAX) return;
      for (let bucket = 0; bucket < BUCKETS; bucket++) buckets[bucket] = (buckets[bucket] as number) / 2;
      count /= 2;
    },
    get count() {
      return count;
    },
    at(share) {
      let left = count * share;
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        left -= buckets[bucket] as number;
        if (left <= 0) return Math.exp((bucket - 0.5) * GROWTH);
      }
      return Math.exp((BUCKETS - 1) * GROWTH);
    },
  };
}
