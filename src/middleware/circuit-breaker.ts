import { Breaker, type BreakerSettings } from '../core/breaker.ts';
import type { Call } from '../core/call.ts';
import { candidateKeys } from '../core/candidate-keys.ts';
import type { Circuit, CircuitState } from '../core/circuit.ts';
import type { Clock } from '../core/clock.ts';
import type { Health } from '../core/health.ts';
import { LIMITS } from '../core/limits.ts';
import { defineMiddleware, type Middleware } from '../core/middleware.ts';
import { aBoolean, anObject, checkOptions, fraction, milliseconds, wholeNumber } from '../core/options.ts';
import { sharedBenches } from '../core/shared-benches.ts';
import type { Store } from '../core/store.ts';

export interface CircuitBreakerOptions {
  /** Over how long outcomes are counted, in milliseconds. @defaultValue 30_000 */
  readonly windowMs?: number;
  /** Outcomes in the window before a circuit may open. @defaultValue 20 */
  readonly callsMin?: number;
  /** Share of failures that opens. @defaultValue 0.5 */
  readonly failureRatio?: number;
  /** Share of overloads (503, 529) that opens. @defaultValue 0.3 */
  readonly overloadRatio?: number;
  /** How long a circuit stays open the first time, in milliseconds; it doubles while probes fail. @defaultValue 5_000 */
  readonly coolDownMs?: number;
  /** Longest time open, in milliseconds. @defaultValue 60_000 */
  readonly coolDownMsMax?: number;
  /** How long a key is left alone that was refused or has no credit, in milliseconds; `0` never. @defaultValue 60_000 */
  readonly credentialMs?: number;
  /** Longest rest after a rate limit, whatever the provider asks, in milliseconds. @defaultValue 3_600_000 */
  readonly rateLimitMsMax?: number;
  /**
   * Lets a call pass that has nothing else to try, so that it hears its provider's own error instead of `circuit-open`.
   * Meanwhile the circuit, and whoever has another target, goes on as if it had not been there.
   *
   * @defaultValue false; true in `standard()`
   */
  readonly lastResort?: boolean;
  /**
   * Shares what is benched with other processes, at most 200 ms late. A store that is down or slow (50 ms) is left out.
   *
   * @defaultValue none: every process learns for itself
   */
  readonly store?: Store;
}

/** What a circuit breaker knows about a target. */
export interface CircuitReport {
  readonly state: CircuitState;
  /** Milliseconds until something may pass; 0 if it may now. */
  readonly waitMs: number;
}
/** Why something is left alone, and for how long. */
export interface BenchReport {
  /** `circuit-open`, `rate-limited`, or `credential:` and a code. */
  readonly reason: string;
  readonly waitMs: number;
}
export type CircuitBreaker = Middleware & {
  /** The circuit of every target this process has asked, by its id. */
  states(): ReadonlyMap<string, CircuitReport>;
  /** What is left alone now, whoever found out: targets (`mock/small`), one with its key (`mock/small#k1`), keys (`mock#k1`). */
  benches(): ReadonlyMap<string, BenchReport>;
};

const FRESH_MS = 200;
const STORE_WAIT_MS = 50;

/**
 * Leaves a target alone that keeps failing, and lets one call try whether it is back. Rate limits are no failures: the
 * target rests for as long as it asked. A refused key rests, not its target. Aborts never count.
 *
 * Its place in the list does not matter: it is asked before every attempt.
 *
 * @throws GatewayError `circuit-open`, before anything is sent: `retryAfterMs` says when to come back.
 * @example
 * createGateway({ providers, use: [retry(), route(), circuitBreaker(), timeout()] })
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  checkOptions('circuitBreaker', options, {
    windowMs: milliseconds,
    callsMin: wholeNumber(1),
    failureRatio: fraction,
    overloadRatio: fraction,
    coolDownMs: milliseconds,
    coolDownMsMax: milliseconds,
    credentialMs: milliseconds,
    rateLimitMsMax: milliseconds,
    lastResort: aBoolean,
    store: anObject,
  });
  const settings: BreakerSettings = {
    windowMs: options.windowMs ?? 30_000,
    callsMin: options.callsMin ?? 20,
    failureRatio: options.failureRatio ?? 0.5,
    overloadRatio: options.overloadRatio ?? 0.3,
    coolDownMs: options.coolDownMs ?? 5_000,
    coolDownMsMax: options.coolDownMsMax ?? 60_000,
    credentialMs: options.credentialMs ?? 60_000,
    rateLimitMsMax: options.rateLimitMsMax ?? 3_600_000,
    lastResort: options.lastResort ?? false,
  };
  const { store } = options;
  let breaker: Breaker | undefined;
  let clock: Clock | undefined;
  let health: Health | undefined;
  const layer = defineMiddleware(
    {
      name: 'circuitBreaker',
      start(host) {
        clock = host.clock;
        health = host.health;
        const keysMax = LIMITS.healthTargetsMax;
        const shared = store && sharedBenches({ store, clock, freshMs: FRESH_MS, waitMs: STORE_WAIT_MS, keysMax });
        breaker = new Breaker(host, settings, shared);
      },
      attempt: (call) => breaker?.admit(call),
      explain: (call) => ({ summary: explained(call, breaker?.circuits, clock?.monotonic() ?? 0) }),
    },
    (call, next) => next(call),
  );
  const states = (): ReadonlyMap<string, CircuitReport> => {
    const now = clock?.monotonic() ?? 0;
    return new Map(
      [...(breaker?.circuits ?? [])].map(
        ([id, { state, untilMs }]) => [id, { state, waitMs: Math.max(0, untilMs - now) }] as const,
      ),
    );
  };
  const benches = (): ReadonlyMap<string, BenchReport> => {
    const now = clock?.monotonic() ?? 0;
    return new Map(
      (health?.all() ?? []).map(([id, { reason, notBefore }]) => [id, { reason, waitMs: notBefore - now }] as const),
    );
  };
  return Object.defineProperties(layer, {
    states: { value: states },
    benches: { value: benches },
  }) as CircuitBreaker;
}

function explained({ plan }: Call, circuits: ReadonlyMap<string, Circuit> | undefined, now: number): string {
  const found = plan.candidates.map((candidate) => circuits?.get(candidateKeys(candidate).target));
  const away = found.filter((circuit) => circuit !== undefined && circuit.untilMs > now).length;
  if (away > 0) return `${away} of ${found.length} targets are left alone`;
  const probing = found.some((circuit) => circuit !== undefined && circuit.state !== 'closed');
  return probing ? 'the next call is a probe' : 'every circuit is closed';
}
