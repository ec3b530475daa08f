import { contextKey } from './context.ts';

/** What a call cost, in nano-dollars (10⁻⁹ US dollars), integers. `null` means that the price is not known. */
export interface CallCost {
  /** All attempts of the call and of its sub-calls. */
  readonly spentNanoUsd: bigint | null;
  /** Of that, attempts whose answer nobody used: failed, hedged, cancelled. */
  readonly wastedNanoUsd: bigint | null;
  /** What caches spared: ours, and the provider's prompt cache. */
  readonly savedNanoUsd: bigint | null;
  /** Some of it is priced from an estimate of ours: a provider reported no usage, or an attempt was cut off. */
  readonly estimated?: true;
}
/** Set by a middleware that knows prices, such as `meter`. */
export const costKey = contextKey<CallCost | null>('cost', null);
