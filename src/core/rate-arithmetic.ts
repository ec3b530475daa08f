/**
 * A rate in integers: `maximum` tokens drain every `periodUnits` units of `unitMs` milliseconds. Every product below
 * stays under 2^53, so nothing is ever rounded and the bound burst + rate x T holds to the token. Redis runs the same
 * arithmetic in Lua doubles.
 */
export interface RateShape {
  readonly maximum: number;
  readonly unitMs: number;
  readonly periodUnits: number;
}

/** Largest period in units: its square is below 2^53. Up to a day a unit is 1 ms, for 30 days it is 30 ms. */
const PERIOD_UNITS_MAX = 86_400_000;
/** A clock that steps back less than this is waited for; one that steps back further is believed. */
export const CLOCK_STEP_MS_MAX = 5_000;

export function rateShape(maximum: number, periodMs: number): RateShape {
  const unitMs = Math.ceil(periodMs / PERIOD_UNITS_MAX);
  return { maximum, unitMs, periodUnits: Math.ceil(periodMs / unitMs) };
}

/** What a bucket remembers: tokens not yet drained, the fraction of the next one (over `periodUnits`), and when. */
export interface RateState {
  used: number;
  fraction: number;
  /** Units since the epoch. */
  at: number;
}

/** Drains a bucket up to now. */
export function drain(state: RateState, shape: RateShape, nowMs: number): void {
  const now = Math.floor(nowMs / shape.unitMs);
  const elapsed = now - state.at;
  if (elapsed < 0) {
    if (-elapsed * shape.unitMs > CLOCK_STEP_MS_MAX) state.at = now;
    return;
  }
  if (elapsed === 0) return;
  state.at = now;
  if (state.used <= 0) return;
  const numerator = state.fraction + (elapsed % shape.periodUnits) * (shape.maximum % shape.periodUnits);
  const tokens = drainedTokens(shape, state.fraction, elapsed);
  if (tokens >= state.used) {
    state.used = 0;
    state.fraction = 0;
    return;
  }
  state.used -= tokens;
  state.fraction = numerator % shape.periodUnits;
}

/** Whole tokens that drain in `elapsed` units. */
export function drainedTokens(shape: RateShape, fraction: number, elapsed: number): number {
  const { maximum, periodUnits } = shape;
  const rest = elapsed % periodUnits;
  const periods = (elapsed - rest) / periodUnits;
  const part = maximum % periodUnits;
  const whole = (maximum - part) / periodUnits;
  const numerator = fraction + rest * part;
  return periods * maximum + rest * whole + (numerator - (numerator % periodUnits)) / periodUnits;
}

/** Fewest units after which `needed` tokens have drained. */
export function unitsToDrain(shape: RateShape, fraction: number, needed: number): number {
  if (needed <= 0) return 0;
  let units = Math.max(0, Math.ceil((needed * shape.periodUnits - fraction) / shape.maximum));
  // The estimate is a double and may be one off either way; the exact function decides.
  if (units > 2 ** 50) return units;
  while (drainedTokens(shape, fraction, units) < needed) units++;
  while (units > 0 && drainedTokens(shape, fraction, units - 1) >= needed) units--;
  return units;
}

/**
 * Takes `amount` tokens, put in at `sinceMs`, out again: what has drained since then is gone and stays gone, to the
 * fraction. Without that, a refund would open room that the rate forbids.
 */
export function refundRate(state: RateState, shape: RateShape, amount: number, sinceMs: number, nowMs: number): void {
  const units = Math.max(0, Math.floor(nowMs / shape.unitMs) - Math.floor(sinceMs / shape.unitMs));
  const gone = drainedTokens(shape, 0, units);
  if (gone >= amount) return;
  const { periodUnits } = shape;
  state.used -= amount - gone;
  state.fraction -= ((units % periodUnits) * (shape.maximum % periodUnits)) % periodUnits;
  if (state.fraction < 0) {
    state.fraction += periodUnits;
    state.used += 1;
  }
  if (state.used > 0) return;
  state.used = 0;
  state.fraction = 0;
}
