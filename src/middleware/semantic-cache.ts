import type { KeyRing } from '../core/cache-key.ts';
import type { Scope } from '../core/call.ts';
import { invalidOptions, invalidRequest } from '../core/errors.ts';
import { GUARD_NAMES, type GuardName } from '../core/lexical-guards.ts';
import { defineMiddleware, type Middleware, only } from '../core/middleware.ts';
import { aBoolean, aList, anything, checkOptions, milliseconds, type OptionRule } from '../core/options.ts';
import { SemanticLookup, type SemanticCacheControl, type ShadowOptions } from '../core/semantic-lookup.ts';
import type { Comparison, Embedder, Judge } from '../core/semantic-models.ts';
import type { SemanticReport, ThresholdReport } from '../core/semantic-report.ts';
import type { Store } from '../core/store.ts';
import { memoryVectorIndex, type VectorIndex } from '../core/vector-index.ts';
import { memoryStore } from '../stores/memory.ts';

export { memoryVectorIndex };
export type {
  Comparison,
  Embedder,
  GuardName,
  Judge,
  SemanticCacheControl,
  SemanticReport,
  ShadowOptions,
  ThresholdReport,
  VectorIndex,
};

export interface SemanticCacheOptions {
  /** What turns questions into vectors: `provider/model` or an alias, or an embedder in this process. */
  readonly embed: string | Embedder;
  /** Lowest cosine of two questions that may share an answer. One call may only raise it. @defaultValue 0.95 */
  readonly threshold?: number;
  /** What may object to a match. `false`: nothing. @defaultValue all: numbers, names, negation, words, order */
  readonly guards?: readonly GuardName[] | false;
  /** Asked last, about the two questions: a model, or a function. @defaultValue nobody */
  readonly verify?: Judge;
  /** Answers live always and measures what it would have done. See `report()`. @defaultValue false */
  readonly shadow?: boolean | ShadowOptions;
  /** How long an answer is fresh, in milliseconds. @defaultValue 3_600_000 (an hour) */
  readonly ttlMs?: number;
  /** Also where turns came before the question; they must be the same to the letter. @defaultValue false */
  readonly multiTurn?: boolean;
  /** Scope fields that divide entries, beside the tenant, which always does. @defaultValue [] */
  readonly scope?: readonly (keyof Scope)[];
  /** Makes the digests in keys HMACs. @defaultValue none: SHA-256 */
  readonly secret?: string | Uint8Array;
  /** Where answers live. @defaultValue a `memoryStore()` of its own */
  readonly store?: Store;
  /** Where vectors live. @defaultValue `memoryVectorIndex()`: an exact scan over at most 10,000 */
  readonly index?: VectorIndex;
}

/** The middleware, with a handle on what it keeps and measures. */
export type SemanticCache = Middleware & {
  /** What the shadow mode has measured. */
  report(): SemanticReport;
  /** Removes everything of a tenant; `null` for calls without one. */
  invalidate(what: { readonly tenant: string | null }): Promise<void>;
};

const share: OptionRule = (value) =>
  typeof value === 'number' && value > 0 && value <= 1 ? undefined : 'expected a number above 0 and at most 1';

/**
 * Answers a question that was asked before in other words. Off unless added; it looks only among calls that are the
 * same in everything but the last user text, and lexical guards object to what vectors cannot tell apart. Never for
 * tools and agents. Start with `shadow: true` and read `report()` before you trust it.
 *
 * Place it inside `redact` and `cache`, outside `retry` and `route`.
 *
 * @throws GatewayError `invalid-options` naming the field.
 * @example
 * const semantic = semanticCache({ embed: 'openai/text-embedding-3-small', shadow: true });
 * createGateway({ providers, use: [cache(), semantic, retry(), route()] });
 */
export function semanticCache(options: SemanticCacheOptions): SemanticCache {
  check(options);
  const { embed, threshold = 0.95, ttlMs = 3_600_000, multiTurn = false, verify, shadow = false } = options;
  const { scope = [], secret } = options;
  const ring: KeyRing = { kind: 'semantic', scope, ...(secret !== undefined && { secret }) };
  const lookup = new SemanticLookup({
    ring,
    embed,
    threshold,
    ttlMs,
    multiTurn,
    guards: new Set(options.guards === false ? [] : (options.guards ?? GUARD_NAMES)),
    index: options.index ?? memoryVectorIndex(),
    openStore: (call) => options.store ?? memoryStore(call && { clock: call.context.clock }),
    ...(verify !== undefined && { verify }),
    ...(shadow !== false && { shadow: shadow === true ? {} : shadow }),
  });
  const layer = defineMiddleware(
    {
      name: 'semanticCache',
      content: { stores: true, reads: true },
      control: (value) => checkControl(value, threshold),
      explain: () => ({ summary: `${shadow === false ? 'answers' : 'only measures'} from a cosine of ${threshold}` }),
    },
    only('chat', async function semanticCache(call, next) {
      return lookup.around(call, next);
    }),
  );
  return Object.assign(layer, {
    report: () => lookup.report(),
    invalidate: ({ tenant }: { readonly tenant: string | null }) => lookup.invalidate(tenant),
  });
}

function check(options: SemanticCacheOptions): void {
  const embed: unknown = options?.embed;
  const isEmbedder = typeof (embed as Embedder | null)?.embed === 'function';
  if (!(typeof embed === 'string' && embed !== '') && !isEmbedder) {
    throw invalidOptions('semanticCache.embed', 'expected "provider/model" or { id, embed(texts) }.');
  }
  const judge: OptionRule = (value) =>
    typeof value === 'function' || (typeof value === 'string' && value !== '')
      ? undefined
      : 'expected a model or a function';
  const rules: Readonly<Record<string, OptionRule>> = {
    embed: anything,
    threshold: share,
    guards: (value) =>
      value === false || (Array.isArray(value) && value.every((name) => GUARD_NAMES.includes(name as GuardName)))
        ? undefined
        : `expected false or a list of ${GUARD_NAMES.join(', ')}`,
    verify: judge,
    shadow: (value) => (typeof value === 'object' && value !== null ? undefined : aBoolean(value)),
    ttlMs: (value) => milliseconds(value) ?? (value === 0 ? 'expected milliseconds above 0' : undefined),
    multiTurn: aBoolean,
    scope: aList,
    secret: anything,
    store: anything,
    index: anything,
  };
  checkOptions('semanticCache', options, rules);
  if (typeof options.shadow === 'object') {
    checkOptions('semanticCache.shadow', options.shadow, { judge, falseHitRateMax: share });
  }
}

function checkControl(value: unknown, lowest: number): void {
  if (typeof value !== 'object' || value === null)
    throw invalidRequest('controls.semanticCache', 'expected an object.');
  for (const name of Object.keys(value)) {
    if (name !== 'mode' && name !== 'threshold') throw invalidRequest(`controls.semanticCache.${name}`, 'is unknown.');
  }
  const { mode, threshold } = value as { [F in keyof SemanticCacheControl]: unknown };
  if (mode !== undefined && mode !== 'use' && mode !== 'off') {
    throw invalidRequest('controls.semanticCache.mode', 'expected use or off.');
  }
  if (threshold !== undefined && !(typeof threshold === 'number' && threshold >= lowest && threshold <= 1)) {
    throw invalidRequest('controls.semanticCache.threshold', `one call may only raise it: from ${lowest} to 1.`);
  }
}
