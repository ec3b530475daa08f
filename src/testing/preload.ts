import { loadPrices } from '../pricing/load.ts';

let loading: Promise<unknown> | undefined;

/**
 * Loads what a gateway loads when it is first needed: the price list of `meter`, the API of `telemetry`. A fake clock
 * does so before it moves, because a disk takes real time in which no fake time may pass.
 */
export async function preload(): Promise<void> {
  loading ??= Promise.allSettled([loadPrices(), import('@opentelemetry/api')]);
  await loading;
}
