import { RollingWindow } from './rolling-window.ts';

export interface CircuitSettings {
  /** Over how long outcomes are counted, in milliseconds. */
  readonly windowMs: number;
  /** Outcomes in the window before anything is decided. */
  readonly callsMin: number;
  /** Share of failures that opens. */
  readonly failureRatio: number;
  /** Share of overloads that opens. */
  readonly overloadRatio: number;
  /** First time open, in milliseconds; doubles each time a probe fails. */
  readonly coolDownMs: number;
  readonly coolDownMsMax: number;
}

/** `limited`: alive, but asks for less. `neutral`: says nothing about the target. */
export type CircuitOutcome = 'success' | 'failure' | 'overload' | 'limited' | 'neutral';
export type CircuitState = 'closed' | 'open' | 'half-open';

/** Permission for one attempt. To be settled once; what comes after its time is ignored. */
export interface Ticket {
  readonly generation: number;
  readonly probe: boolean;
}
export type Entry = { readonly ticket: Ticket } | { readonly waitMs: number };

/** Share of rate limits without a hint from which a target is left alone for a while. */
const LIMITED_RATIO = 0.5;
/** Cool-downs are longer by up to this share, so that many processes do not probe as one. */
const JITTER = 0.2;

/** The state machine of one target. Knows no timers: whoever asks brings the time. */
export class Circuit {
  readonly #settings: CircuitSettings;
  readonly #random: () => number;
  readonly #window: RollingWindow<Exclude<CircuitOutcome, 'neutral'>>;
  #state: CircuitState = 'closed';
  /** Every change of state begins a new one; tickets of older ones no longer count. */
  #generation = 0;
  /** Monotonic milliseconds at which the cool-down, or the lease of the probe, ends. */
  #until = 0;
  #coolDownMs = 0;

  constructor(settings: CircuitSettings, random: () => number) {
    this.#settings = settings;
    this.#random = random;
    this.#window = new RollingWindow(settings.windowMs, ['success', 'failure', 'overload', 'limited']);
  }

  get state(): CircuitState {
    return this.#state;
  }
  /** Until when nothing passes, in monotonic milliseconds; in the past if something may. */
  get untilMs(): number {
    return this.#state === 'closed' ? 0 : this.#until;
  }

  /** May an attempt pass now? Half-open lets one probe through and holds the others until its lease ends. */
  enter(nowMs: number): Entry {
    if (this.#state === 'closed') return { ticket: { generation: this.#generation, probe: false } };
    if (nowMs < this.#until) return { waitMs: this.#until - nowMs };
    this.#state = 'half-open';
    this.#generation++;
    this.#until = nowMs + this.#coolDownMs;
    return { ticket: { generation: this.#generation, probe: true } };
  }

  /** Tells how an attempt ended. Says what changed: the new state, or `limited` if the target should rest. */
  settle({ generation, probe }: Ticket, outcome: CircuitOutcome, nowMs: number): CircuitState | 'limited' | undefined {
    if (generation !== this.#generation) return undefined;
    if (probe) return this.#settleProbe(outcome, nowMs);
    if (outcome === 'neutral') return undefined;
    this.#window.add(outcome, nowMs);
    if (outcome === 'success') return undefined;
    const { success, failure, overload, limited } = this.#window.counts(nowMs);
    const calls = success + failure + overload + limited;
    const { callsMin, failureRatio, overloadRatio } = this.#settings;
    if (calls < callsMin) return undefined;
    const overloaded = overload / calls >= overloadRatio && overload > 0;
    if (overloaded || (failure + overload) / calls >= failureRatio) return this.#open(nowMs, overloaded);
    return outcome === 'limited' && limited / calls > LIMITED_RATIO ? 'limited' : undefined;
  }

  #settleProbe(outcome: CircuitOutcome, nowMs: number): CircuitState {
    if (outcome === 'failure' || outcome === 'overload') return this.#open(nowMs, outcome === 'overload');
    this.#generation++;
    if (outcome === 'neutral') {
      // The place of the probe is free again, at once.
      this.#until = nowMs;
      return 'half-open';
    }
    this.#state = 'closed';
    this.#coolDownMs = 0;
    this.#window.clear();
    return 'closed';
  }

  #open(nowMs: number, overloaded: boolean): CircuitState {
    const { coolDownMs, coolDownMsMax } = this.#settings;
    // Load goes away more slowly than a fault: half-open later.
    const first = overloaded ? coolDownMs * 2 : coolDownMs;
    const base = Math.min(coolDownMsMax, this.#coolDownMs === 0 ? first : this.#coolDownMs * 2);
    this.#coolDownMs = base;
    this.#state = 'open';
    this.#generation++;
    this.#until = nowMs + Math.min(coolDownMsMax, base * (1 + this.#random() * JITTER));
    this.#window.clear();
    return 'open';
  }
}
