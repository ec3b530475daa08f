import { didYouMean } from '../operations/problem.ts';
import type { Call } from './call.ts';
import { invalidRequest } from './errors.ts';

/**
 * `use`: read and keep. `refresh`: ask anew, and let the answer replace all that is kept for the key. `read-only`: read,
 * keep nothing. `write-only`: ask anew and keep the answer, beside others where several are kept. `off`: neither.
 */
export type CacheMode = 'use' | 'refresh' | 'read-only' | 'write-only' | 'off';

/** What one call may ask of `cache`: `gateway.chat(request, { controls: { cache: { mode: 'refresh' } } })`. */
export interface CacheControl {
  /** @defaultValue 'use' */
  readonly mode?: CacheMode;
  /** How long the answer is fresh, in milliseconds, instead of the cache's `ttlMs`. */
  readonly ttlMs?: number;
  /** A key of your own, in place of the request: calls of one partition with the same key share an answer. */
  readonly key?: string;
  /** Names to invalidate it by. */
  readonly tags?: readonly string[];
}

const MODES: ReadonlySet<unknown> = new Set(['use', 'refresh', 'read-only', 'write-only', 'off']);
const FIELDS = new Set(['mode', 'ttlMs', 'key', 'tags']);
const NOTHING: CacheControl = {};

/** What a call asks of the cache of this name. Checked when the call was made. */
export function controlOf(call: Call, name: string): CacheControl {
  return (call.controls?.[name] as CacheControl | undefined) ?? NOTHING;
}

export function checkCacheControl(value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidRequest('controls.cache', 'expected an object like { mode: "refresh" }.');
  }
  for (const field of Object.keys(value)) {
    if (!FIELDS.has(field)) throw invalidRequest(`controls.cache.${field}`, `is unknown.${didYouMean(field, FIELDS)}`);
  }
  const { mode, ttlMs, key, tags } = value as { [F in keyof CacheControl]: unknown };
  if (mode !== undefined && !MODES.has(mode)) {
    throw invalidRequest('controls.cache.mode', `expected ${[...MODES].join(', ')}.`);
  }
  if (ttlMs !== undefined && !(typeof ttlMs === 'number' && Number.isFinite(ttlMs) && ttlMs > 0)) {
    throw invalidRequest('controls.cache.ttlMs', 'expected milliseconds above 0.');
  }
  if (key !== undefined && !isText(key)) throw invalidRequest('controls.cache.key', 'expected a text.');
  if (tags !== undefined && !(Array.isArray(tags) && tags.every(isText))) {
    throw invalidRequest('controls.cache.tags', 'expected a list of texts.');
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.isWellFormed();
}
