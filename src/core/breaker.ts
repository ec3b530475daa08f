import { type Call, type Candidate, plainTarget } from './call.ts';
import { type CandidateKeys, candidateKeys } from './candidate-keys.ts';
import { Circuit, type CircuitOutcome, type CircuitSettings, type CircuitState, type Ticket } from './circuit.ts';
import { GatewayError } from './errors.ts';
import { isLastResort } from './last-resort.ts';
import { LIMITS } from './limits.ts';
import type { AttemptObserver, AttemptOutcome, Host } from './middleware.ts';
import type { SharedBenches } from './shared-benches.ts';

export interface BreakerSettings extends CircuitSettings {
  /** How long a refused key rests, in milliseconds. */
  readonly credentialMs: number;
  /** Longest rest after a rate limit, in milliseconds. */
  readonly rateLimitMsMax: number;
  /** Lets a call pass that has nothing else to try. */
  readonly lastResort: boolean;
}

/** Of an attempt that passes an open circuit: how it ends is no probe, and counts for nothing. */
const NO_TICKET: Ticket = { generation: -1, probe: false };

/** The circuits of a gateway: admits attempts, hears how they end, and benches what should be left alone. */
export class Breaker {
  readonly #circuits = new Map<string, Circuit>();
  readonly #host: Host;
  readonly #settings: BreakerSettings;
  readonly #shared: SharedBenches | undefined;

  constructor(host: Host, settings: BreakerSettings, shared?: SharedBenches) {
    this.#host = host;
    this.#settings = settings;
    this.#shared = shared;
  }

  get circuits(): ReadonlyMap<string, Circuit> {
    return this.#circuits;
  }

  /** Lets an attempt pass and follows it. @throws GatewayError `circuit-open` */
  admit(call: Call): AttemptObserver | undefined | Promise<AttemptObserver> {
    const { target } = call;
    if (target === undefined) return undefined;
    const keys = candidateKeys(target);
    return this.#shared === undefined ? this.#pass(call, target, keys) : this.#learn(call, target, keys, this.#shared);
  }

  /** First asks what other processes know. */
  async #learn(call: Call, target: Candidate, keys: CandidateKeys, shared: SharedBenches): Promise<AttemptObserver> {
    const { health } = this.#host;
    let waitMs = 0;
    for (const key of new Set([keys.target, keys.credential, target.id])) {
      const told = await shared.read(key);
      if (told !== undefined) health.bench(key, told.ms, told.reason, { soft: this.#settings.lastResort });
      if (!this.#letsPass(call, key)) waitMs = Math.max(waitMs, health.waitMs(key));
    }
    if (waitMs > 0) throw circuitOpen(target, waitMs);
    return this.#pass(call, target, keys);
  }

  #letsPass(call: Call, key: string): boolean {
    return this.#settings.lastResort && isLastResort(call, key);
  }

  #pass(call: Call, target: Candidate, keys: CandidateKeys): AttemptObserver {
    const { clock, health } = this.#host;
    const circuit = this.#circuitOf(keys.target);
    const entry = circuit.enter(clock.monotonic());
    if ('waitMs' in entry) {
      if (!this.#letsPass(call, keys.target)) throw circuitOpen(target, entry.waitMs);
      return { end: (outcome) => this.#ended(target, keys, circuit, NO_TICKET, outcome) };
    }
    if (entry.ticket.probe) {
      // The others stay away until the probe is back, or its lease is over.
      const soft = this.#settings.lastResort;
      health.bench(keys.target, circuit.untilMs - clock.monotonic(), 'circuit-open', { soft });
      this.#announce(keys.target, circuit);
    }
    return { end: (outcome) => this.#ended(target, keys, circuit, entry.ticket, outcome) };
  }

  #ended(target: Candidate, keys: CandidateKeys, circuit: Circuit, ticket: Ticket, outcome: AttemptOutcome): void {
    const { credentialMs, rateLimitMsMax, coolDownMs } = this.#settings;
    const { health, clock } = this.#host;
    const { error } = outcome;
    if (outcome.status === 'failed' && error?.code === 'rate-limited' && error.source === 'provider') {
      this.#bench(target.id, Math.min(error.retryAfterMs ?? 0, rateLimitMsMax), 'rate-limited');
    }
    if (outcome.status === 'failed' && error?.fault === 'credential' && credentialMs > 0) {
      // What a key may not do at one model it may do at another; a refused key is refused everywhere.
      const key = error.code === 'permission' ? target.id : keys.credential;
      this.#bench(key, Math.max(credentialMs, error.retryAfterMs ?? 0), `credential: ${error.code}`);
    }
    const change = circuit.settle(ticket, verdictOf(outcome), clock.monotonic());
    if (change === undefined) return;
    if (change === 'limited') {
      this.#bench(keys.target, coolDownMs, 'rate-limited');
      return;
    }
    if (change === 'open') this.#bench(keys.target, circuit.untilMs - clock.monotonic(), 'circuit-open');
    else health.clear(keys.target);
    if (change === 'closed' && this.#shared !== undefined) this.#host.waitUntil(this.#shared.withdraw(keys.target));
    this.#announce(keys.target, circuit);
  }

  #circuitOf(key: string): Circuit {
    let circuit = this.#circuits.get(key);
    if (circuit === undefined) {
      if (this.#circuits.size >= LIMITS.healthTargetsMax) {
        this.#circuits.delete(this.#circuits.keys().next().value as string);
      }
      this.#circuits.set(key, (circuit = new Circuit(this.#settings, this.#host.random)));
    }
    return circuit;
  }

  #bench(key: string, ms: number, reason: string): void {
    if (ms <= 0) return;
    this.#host.health.bench(key, ms, reason, { soft: this.#settings.lastResort });
    if (this.#shared !== undefined) this.#host.waitUntil(this.#shared.publish(key, { ms, reason }));
  }

  #announce(target: string, { state, untilMs }: { state: CircuitState; untilMs: number }): void {
    const { clock, emit } = this.#host;
    const waitMs = untilMs - clock.monotonic();
    emit('circuit', { target, state, ...(waitMs > 0 && { untilMs: clock.now() + waitMs }) });
  }
}

/** What an outcome says about the target itself. */
function verdictOf({ status, error }: AttemptOutcome): CircuitOutcome {
  if (status === 'completed') return 'success';
  if (status !== 'failed' || error === undefined) return 'neutral';
  if (error.code === 'overloaded') return 'overload';
  if (error.code === 'rate-limited') return error.source === 'provider' ? 'limited' : 'neutral';
  if (error.fault === 'target' || error.fault === 'network') return 'failure';
  // It answered, with a no: it is there.
  return error.source === 'provider' && error.fault !== 'gateway' ? 'success' : 'neutral';
}

function circuitOpen(target: Candidate, waitMs: number): GatewayError {
  const retryAfterMs = Math.ceil(waitMs);
  const message = `${target.provider}/${target.model} is left alone for ${retryAfterMs} ms, because it kept failing.`;
  return new GatewayError('circuit-open', message, { target: plainTarget(target), retryAfterMs });
}
