import type { PassedOver } from '../../core/attempt-record.ts';
import { isOfKey } from '../../core/attempts-owed.ts';
import type { Call, Candidate } from '../../core/call.ts';
import { candidateKeys, withoutKey } from '../../core/candidate-keys.ts';
import type { AttemptRecord, ErrorCode, GatewayError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { AttemptObserver, AttemptOutcome, Host } from '../../core/middleware.ts';
import { placeOf } from '../../core/trail.ts';

/** A target that is better not asked for now, and the codes that say why, the most exact first. */
export interface Rest extends PassedOver {
  readonly code: string;
}

interface Entry {
  untilMs: number;
  readonly code: ErrorCode;
  /** The call that asks whether it is back. The others keep away until `untilMs`. */
  probe: string | undefined;
}

/** Longest rest, whatever a provider asks for. */
const ASKED_MS_MAX = 3_600_000;

/**
 * Targets that lately failed a whole call for a reason that repeats, for as long as nobody has had an answer of them.
 * Benches of other middleware, like an open circuit, count as well.
 */
export class RestingTargets {
  readonly #entries = new Map<string, Entry>();
  /** When each target last gave content. */
  readonly #signs = new Map<string, number>();
  readonly #host: Host;
  readonly #restMs: number;

  constructor(host: Host, restMs: number) {
    this.#host = host;
    this.#restMs = restMs;
  }

  /** Why every one of them should be left alone; `undefined` if one of them may be asked. */
  restsOf(candidates: readonly Candidate[]): readonly Rest[] | undefined {
    if ((this.#entries.size === 0 && this.#host.health.size === 0) || candidates.length === 0) return undefined;
    const rests: Rest[] = [];
    for (const candidate of candidates) {
      const rest = this.#restOf(candidate);
      if (rest === undefined) return undefined;
      rests.push(rest);
    }
    return rests;
  }

  /** A whole call failed: lets its targets rest unless somebody else had an answer of them meanwhile. */
  failed({ plan, context }: Call): void {
    if (this.#restMs === 0) return;
    for (const { id, credential } of plan.candidates) {
      const own = context.attempts.filter(({ targetId }) => targetId === id);
      const last = own.at(-1);
      if (last?.outcome !== 'failed' || last.code === undefined || !repeats(last)) continue;
      const sign = this.#signs.get(withoutKey(id, credential));
      if (sign !== undefined && sign > context.startedAt + (own[0]?.startedMs ?? 0)) continue;
      const key = isOfKey(last as Pick<GatewayError, 'fault' | 'code'>) ? id : withoutKey(id, credential);
      this.#rest(key, last as Failure);
    }
  }

  /** Follows an attempt. The first after a rest is the probe, of which `onProbe` hears. */
  observe({ id: callId }: Call, { id, credential }: Candidate, onProbe: () => void): AttemptObserver {
    const shared = withoutKey(id, credential);
    const { clock } = this.#host;
    const probed = this.#entries.size === 0 ? undefined : this.#due([id, shared]);
    if (probed !== undefined) {
      probed.entry.probe = callId;
      probed.entry.untilMs = clock.monotonic() + this.#restMs;
      onProbe();
    }
    return {
      commit: () => {
        if (this.#signs.size >= LIMITS.healthTargetsMax && !this.#signs.has(shared)) forgetOldest(this.#signs);
        this.#signs.set(shared, clock.monotonic());
        if (this.#entries.size === 0) return;
        this.#entries.delete(shared);
        this.#entries.delete(id);
      },
      end: (outcome) => {
        if (probed !== undefined) this.#probed(probed.key, probed.entry, outcome);
      },
    };
  }

  #probed(key: string, entry: Entry, { status, error }: AttemptOutcome): void {
    if (this.#entries.get(key) !== entry) return;
    if (status === 'failed' && error !== undefined && repeats(error)) this.#rest(key, error);
    // It said nothing about the target: the place of the probe is free again.
    else entry.untilMs = this.#host.clock.monotonic();
  }

  #rest(key: string, { code, retryAfterMs }: Failure): void {
    const asked = Math.min(retryAfterMs ?? 0, ASKED_MS_MAX);
    const ms = code === 'rate-limited' && asked > 0 ? asked : Math.max(this.#restMs, asked);
    if (this.#entries.size >= LIMITS.healthTargetsMax && !this.#entries.has(key)) forgetOldest(this.#entries);
    this.#entries.set(key, { untilMs: this.#host.clock.monotonic() + ms, code, probe: undefined });
  }

  #restOf(candidate: Candidate): Rest | undefined {
    const { clock, health } = this.#host;
    const keys = candidateKeys(candidate);
    const target = placeOf(candidate);
    for (const key of [candidate.id, keys.target]) {
      const entry = this.#entries.get(key);
      const waitMs = entry === undefined ? 0 : entry.untilMs - clock.monotonic();
      if (entry !== undefined && waitMs > 0) return { target, waitMs, reason: entry.code, code: entry.code };
    }
    if (health.size === 0) return undefined;
    for (const key of [candidate.id, keys.target, keys.credential]) {
      const bench = health.get(key);
      if (bench === undefined) continue;
      return { target, waitMs: bench.notBefore - clock.monotonic(), reason: bench.reason, code: codeOf(bench.reason) };
    }
    return undefined;
  }

  #due(keys: readonly string[]): { readonly key: string; readonly entry: Entry } | undefined {
    for (const key of keys) {
      const entry = this.#entries.get(key);
      if (entry !== undefined && entry.untilMs <= this.#host.clock.monotonic()) return { key, entry };
    }
    return undefined;
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  map.delete(map.keys().next().value as string);
}

type Failure = Pick<GatewayError, 'code'> & { readonly retryAfterMs?: number };

/** Whether the next call would hear the same: the target's doing, the network's or the key's, not this request's. */
function repeats({ fault, status }: Pick<AttemptRecord, 'fault' | 'status'>): boolean {
  return (fault === 'target' || fault === 'network' || fault === 'credential') && status !== 409;
}

/** Reasons of benches are codes, those of keys with a word before. */
function codeOf(reason: string): string {
  const code = reason.replace(/^credential: /, '');
  return code === 'circuit-open' || code === 'rate-limited' || code !== reason ? code : 'no-target';
}
