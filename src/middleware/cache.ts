import { AnswerCache } from '../core/answer-cache.ts';
import { checkCacheControl, type CacheControl, type CacheMode, controlOf } from '../core/answer-control.ts';
import { ownKeyTag } from '../core/answer-keeping.ts';
import { AnswerStore } from '../core/answer-store.ts';
import { type KeyRing, partitionKey, tagKey } from '../core/cache-key.ts';
import type { Scope } from '../core/call.ts';
import { invalidRequest } from '../core/errors.ts';
import { defineMiddleware, type Middleware } from '../core/middleware.ts';
import { aBoolean, checkOptions, milliseconds, oneOf, type OptionRule, wholeNumber } from '../core/options.ts';
import type { Store } from '../core/store.ts';
import { memoryStore } from '../stores/memory.ts';

export type { CacheControl, CacheMode };

export interface CacheOptions {
  /** Where answers live. @defaultValue a `memoryStore()` of its own: 10,000 entries, 64 MiB */
  readonly store?: Store;
  /** How long an answer is fresh, in milliseconds. @defaultValue 3_600_000 (an hour) */
  readonly ttlMs?: number;
  /**
   * How long after that it is still served at once while a new one is asked for behind it, in milliseconds.
   *
   * @defaultValue 0: never
   */
  readonly staleWhileRevalidateMs?: number;
  /** How long after `ttlMs` it is served when no target can answer, in milliseconds. @defaultValue 0: never */
  readonly staleIfErrorMs?: number;
  /**
   * How long a provider's lasting refusal of a request (too long, filtered, not found) is remembered, in milliseconds.
   *
   * @defaultValue 0: no failure is ever kept
   */
  readonly failureTtlMs?: number;
  /** Different answers kept for one key; a call gets any one of them. @defaultValue 1 */
  readonly answers?: number;
  /**
   * `deterministic`: only calls with `temperature: 0` at every candidate, and embeddings.
   *
   * @defaultValue every complete answer
   */
  readonly only?: 'deterministic';
  /** Scope fields that divide entries, beside the tenant, which always does. @defaultValue [] */
  readonly scope?: readonly (keyof Scope)[];
  /** Makes the digests in keys HMACs. Give one where others can read the store. @defaultValue none: SHA-256 */
  readonly secret?: string | Uint8Array;
  /** `false`: only answers of a call's first candidate are kept and served. @defaultValue true */
  readonly acceptFallback?: boolean;
  /** How streams are played back: at once, or in the pieces and at the pace they came. @defaultValue 'at-once' */
  readonly replay?: 'at-once' | 'recorded';
  /**
   * Over all processes that share the store, one call at a time asks for a key; the others wait for its answer, at
   * most 30 seconds.
   *
   * @defaultValue false
   */
  readonly lock?: boolean;
}

/** Which entries to remove. `tenant: null` means the calls without a tenant; left out with a tag, every tenant's. */
export type CacheInvalidation =
  | { readonly key: string; readonly tenant?: string | null }
  | { readonly tag: string; readonly tenant?: string | null }
  | { readonly tenant: string | null };

/** The middleware, with a handle on what it keeps. */
export type Cache = Middleware & {
  /**
   * Removes a key (`response.cached.key`, or one that calls named themselves, then of this tenant), everything with a
   * tag, or everything of a tenant. After it resolves, nothing it names is served again, by this process at least.
   *
   * @throws GatewayError `unavailable` if the store cannot promise that now.
   */
  invalidate(what: CacheInvalidation): Promise<void>;
};

const SCOPE_FIELDS = ['tenant', 'user', 'app', 'agent', 'session', 'tags'];
const scopeFields: OptionRule = (value) =>
  Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '')
    ? undefined
    : `expected a list of scope fields, like ${SCOPE_FIELDS.join(', ')}`;
const aSecret: OptionRule = (value) =>
  (typeof value === 'string' || value instanceof Uint8Array) && value.length >= 16
    ? undefined
    : 'expected a text or bytes of at least 16';
const aStore: OptionRule = (value) =>
  typeof (value as Store | null)?.get === 'function' ? undefined : 'expected a store, like memoryStore()';

/**
 * Answers a call that was answered before without asking again. A key is everything in the request that can change the
 * answer, behind a wall between tenants; only complete answers are kept, and a stream replays as a stream.
 *
 * Place it inside `redact` and outside `retry` and `route`.
 *
 * @throws GatewayError `invalid-options` naming the field.
 * @example
 * const answers = cache({ ttlMs: 600_000 });
 * createGateway({ providers, use: [meter(), answers, retry(), route()] });
 * await answers.invalidate({ tenant: 'acme' });
 */
export function cache(options: CacheOptions = {}): Cache {
  check(options);
  const ring: KeyRing = {
    kind: 'cache',
    scope: options.scope ?? [],
    ...(options.secret !== undefined && { secret: options.secret }),
  };
  const store = new AnswerStore(options.store, (call) => memoryStore({ clock: call.context.clock }));
  const settings = {
    ring,
    ttlMs: options.ttlMs ?? 3_600_000,
    staleWhileRevalidateMs: options.staleWhileRevalidateMs ?? 0,
    staleIfErrorMs: options.staleIfErrorMs ?? 0,
    failureTtlMs: options.failureTtlMs ?? 0,
    answers: options.answers ?? 1,
    deterministicOnly: options.only === 'deterministic',
    acceptFallback: options.acceptFallback ?? true,
    recordedRhythm: options.replay === 'recorded',
    lock: options.lock ?? false,
  };
  const answers = new AnswerCache(settings, store);
  const layer = defineMiddleware(
    {
      name: 'cache',
      content: { stores: true },
      control: checkCacheControl,
      explain: (call) => ({
        summary: `${controlOf(call, 'cache').mode ?? 'use'}: answers up to ${settings.ttlMs} ms old`,
      }),
    },
    function cache(call, next) {
      return answers.around(call, next);
    },
  );
  return Object.assign(layer, {
    invalidate: (what: CacheInvalidation) => invalidate(store, ring, what, settings.answers),
  });
}

function check(options: CacheOptions): void {
  checkOptions('cache', options, {
    store: aStore,
    ttlMs: (value) => milliseconds(value) ?? (value === 0 ? 'expected milliseconds above 0' : undefined),
    staleWhileRevalidateMs: milliseconds,
    staleIfErrorMs: milliseconds,
    failureTtlMs: milliseconds,
    answers: wholeNumber(1, 100),
    only: oneOf('deterministic'),
    scope: scopeFields,
    secret: aSecret,
    acceptFallback: aBoolean,
    replay: oneOf('at-once', 'recorded'),
    lock: aBoolean,
  });
}

async function invalidate(store: AnswerStore, ring: KeyRing, what: CacheInvalidation, answers: number): Promise<void> {
  if (typeof what !== 'object' || what === null) {
    throw invalidRequest('invalidate', 'expected { key }, { tag } or { tenant }.');
  }
  if ('tag' in what) return store.invalidate([{ tag: tagKey(ring, what.tag, what.tenant) }]);
  if (!('key' in what)) return store.invalidate([{ prefix: partitionKey(ring, what.tenant) }]);
  const slots = Array.from({ length: answers }, (_, slot) => `${what.key}${slot}`);
  return store.invalidate([{ tag: tagKey(ring, ownKeyTag(what.key), what.tenant ?? null) }], slots);
}
