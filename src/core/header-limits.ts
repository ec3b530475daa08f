import type { RateLimitWindow } from '../operations/shared.ts';
import type { Denial } from './counter-store.ts';
import { rateLimitOf } from './error-facts.ts';
import type { LimitUnit } from './limit-rule.ts';
import type { AttemptOutcome } from './middleware.ts';

/** What an attempt may need, in the units providers limit. */
export type ProviderNeed = Readonly<Partial<Record<LimitUnit, number>>>;

/** One attempt as it counts against what its provider said. */
export interface HeaderHold {
  readonly order: number;
  readonly need: ProviderNeed;
}

/** What a provider last said of one of its limits. */
interface Told {
  readonly unit: LimitUnit;
  readonly limit: number;
  readonly remaining: number;
  /** Wall time at which the limit is whole again. */
  readonly wholeAt: number;
  readonly at: number;
}

interface TargetLimits {
  readonly told: Map<LimitUnit, Told>;
  /** Attempts that the provider had not counted when it last told. */
  readonly holds: Set<HeaderHold>;
  /** After a 429: wall time before which nothing is sent. */
  notBefore: number;
}

const UNIT_OF: Readonly<Record<string, LimitUnit>> = {
  requests: 'requests',
  tokens: 'tokens',
  'input-tokens': 'inputTokens',
  'output-tokens': 'outputTokens',
};
/** Time to be whole again where the provider does not tell: limits are per minute. */
const RESET_MS = 60_000;
/** Wait after a 429 that names none. */
const REFUSED_MS = 1_000;
const TARGETS_MAX = 10_000;

/** Knows from a provider's own headers what it would refuse, so that it need not be asked. */
export class HeaderLimits {
  readonly #targets = new Map<string, TargetLimits>();
  #orders = 0;

  /** Why the provider would refuse an attempt now, with the time until it would not; `undefined` if it would take it. */
  denial(targetId: string, need: ProviderNeed, now: number): Denial | undefined {
    const target = this.#targets.get(targetId);
    if (target === undefined) return undefined;
    let worst: Denial | undefined;
    if (target.notBefore > now) worst = denialOf(targetId, 'requests', 0, 0, 0, target.notBefore - now);
    for (const told of target.told.values()) {
      const denial = this.#check(targetId, target, told, need, now);
      if (denial !== undefined && (worst?.retryAfterMs ?? 0) <= (denial.retryAfterMs ?? 0)) worst = denial;
    }
    return worst;
  }

  hold(targetId: string, need: ProviderNeed): HeaderHold {
    let target = this.#targets.get(targetId);
    if (target === undefined) {
      if (this.#targets.size >= TARGETS_MAX) this.#targets.delete(this.#targets.keys().next().value as string);
      target = { told: new Map(), holds: new Set(), notBefore: 0 };
      this.#targets.set(targetId, target);
    }
    const hold = { order: ++this.#orders, need };
    target.holds.add(hold);
    return hold;
  }

  /** Takes a hold back and learns from the outcome. Headers count from when they came, not from the stream's end. */
  end(targetId: string, hold: HeaderHold, outcome: AttemptOutcome, now: number): void {
    const target = this.#targets.get(targetId);
    if (target === undefined) return;
    target.holds.delete(hold);
    const headers = outcome.headers ?? outcome.error?.wire?.headers;
    const at = now - Math.max(0, outcome.durationMs - (outcome.firstContentMs ?? outcome.durationMs));
    const windows = outcome.rateLimit ?? (headers === undefined ? undefined : rateLimitOf(headers, at));
    if (windows !== undefined) this.#learn(target, windows, hold, at);
    const { error } = outcome;
    if (error?.code !== 'rate-limited' || error.source !== 'provider') return;
    target.notBefore = Math.max(target.notBefore, now + (error.retryAfterMs ?? REFUSED_MS));
  }

  #learn(target: TargetLimits, windows: readonly RateLimitWindow[], from: HeaderHold, at: number): void {
    for (const { scope, limit, remaining, resetMs = RESET_MS } of windows) {
      const unit = UNIT_OF[scope];
      if (unit === undefined || remaining === undefined) continue;
      if ((target.told.get(unit)?.at ?? Number.NEGATIVE_INFINITY) > at) continue;
      target.told.set(unit, { unit, limit: limit ?? remaining, remaining, wholeAt: at + resetMs, at });
    }
    // Whoever was sent before the one that brought the news is in the provider's count.
    for (const hold of target.holds) if (hold.order < from.order) target.holds.delete(hold);
  }

  #check(targetId: string, target: TargetLimits, told: Told, need: ProviderNeed, now: number): Denial | undefined {
    const { unit, limit, remaining, wholeAt, at } = told;
    // More than the whole limit is for the provider to judge: our estimate may be wrong.
    const wanted = Math.min(need[unit] ?? 0, limit);
    if (now >= wholeAt && target.holds.size === 0) return undefined;
    const perMs = (limit - remaining) / Math.max(1, wholeAt - at);
    const back = now >= wholeAt ? limit : Math.min(limit, remaining + perMs * Math.max(0, now - at));
    let held = 0;
    for (const hold of target.holds) held += hold.need[unit] ?? 0;
    const missing = wanted + held - back;
    if (missing <= 0) return undefined;
    // Limits come back evenly up to their reset; what others hold comes back with their answers.
    const wait = perMs > 0 ? Math.min(missing / perMs, Math.max(0, wholeAt - now)) : Math.max(0, wholeAt - now);
    return denialOf(targetId, unit, limit, limit - Math.floor(back), held, Math.max(1, Math.ceil(wait)));
  }
}

function denialOf(
  targetId: string,
  unit: LimitUnit,
  maximum: number,
  used: number,
  held: number,
  retryAfterMs: number,
): Denial {
  return {
    key: `provider ${targetId}`,
    name: `${unit} of provider for ${targetId}`,
    kind: 'rate',
    maximum,
    used,
    held,
    remaining: Math.max(0, maximum - used - held),
    // Held room may come back with any answer, so whoever waits looks again soon.
    blockedBy: held > 0 ? 'held' : 'used',
    retryAfterMs,
  };
}
