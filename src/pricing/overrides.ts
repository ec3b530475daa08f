import type { PriceSpan } from './catalogue.ts';

/**
 * Your own prices by target. Keys, most specific first: `provider/model@region`, `provider/model`, `provider/*`.
 *
 * @example
 * const overrides = { 'ollama/*': { tokens: { input: '0', output: '0' } } };
 */
export type PriceOverrides = Readonly<Record<string, PriceSpan>>;

/** The override for a target, if there is one. Names are compared as written. */
export function overridden(
  overrides: PriceOverrides | undefined,
  provider: string,
  model: string,
  region: string | undefined,
): PriceSpan | undefined {
  if (overrides === undefined) return undefined;
  const target = `${provider}/${model}`;
  const keys = region === undefined ? [target, `${provider}/*`] : [`${target}@${region}`, target, `${provider}/*`];
  for (const key of keys) if (Object.hasOwn(overrides, key)) return overrides[key];
  return undefined;
}
