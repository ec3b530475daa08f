import type { CacheHint, CacheTtl } from '../../operations/shared.ts';
import { recordOf } from '../../core/wire-json.ts';
import type { Encoding, Wire } from './encoding.ts';

/** Most breakpoints one request may have (API reference, 2026-11-22). */
const BREAKPOINTS_MAX = 4;

/** The nearest of the two lifetimes this API has. */
export function ttlOf(ttl: CacheTtl): '5m' | '1h' {
  return ttl === '5m' || ttl === '30m' ? '5m' : '1h';
}

export function cacheControl(hint: CacheHint): Wire {
  const ttl = hint === true ? undefined : hint.ttl;
  return { type: 'ephemeral', ...(ttl !== undefined && { ttl: ttlOf(ttl) }) };
}

/**
 * Writes `cache_control` on the blocks that asked for it: the last four, because those cover the most, and no longer
 * lifetime after a shorter one, which the API refuses. `ttl` is for those that name no lifetime.
 */
export function placeBreakpoints(encoding: Encoding, reserved: number, ttl?: CacheTtl): void {
  const all = encoding.breakpoints;
  const room = Math.max(0, BREAKPOINTS_MAX - reserved);
  const dropped = all.slice(0, Math.max(0, all.length - room));
  for (const { path } of dropped) {
    encoding.lose(
      'unsupported',
      'cache',
      path,
      `only ${BREAKPOINTS_MAX} cache breakpoints fit; the last ones are kept`,
    );
  }
  let shortSeen = false;
  for (const { block, hint, path } of all.slice(dropped.length)) {
    const asked = hint === true ? ttl : (hint.ttl ?? ttl);
    const control = cacheControl(asked === undefined ? true : { ttl: asked });
    if (asked !== undefined && asked !== control['ttl']) {
      encoding.lose('clamped', 'cache', path, `a cache lifetime of ${asked} becomes ${String(control['ttl'])}`);
    }
    if (shortSeen && control['ttl'] === '1h') {
      control['ttl'] = '5m';
      encoding.lose('clamped', 'cache', path, 'a cache lifetime of 1h cannot follow one of 5m; it becomes 5m');
    }
    if (control['ttl'] !== '1h') shortSeen = true;
    block['cache_control'] = control;
  }
}

/** A wire `cache_control` as a hint. Anything else than the two known shapes is no hint. */
export function hintOf(value: unknown): CacheHint | undefined {
  const control = recordOf(value);
  if (control === undefined) return undefined;
  const ttl = control['ttl'];
  return ttl === '5m' || ttl === '1h' ? { ttl } : true;
}
