import type { Clock } from './clock.ts';
import type { Emit } from './events.ts';
import { LIMITS } from './limits.ts';

export interface TargetHealth {
  /** Monotonic milliseconds before which the target should not be called. */
  readonly notBefore: number;
  readonly reason: string;
  /** It does not hold for a call that has nothing else to try. */
  readonly soft?: boolean;
}
export type BenchOptions = Pick<TargetHealth, 'soft'>;

/** What attempt faces learned about targets and `route` reads. Keyed by candidate id; survives configuration changes. */
export interface Health {
  /** Keeps calls away from a target for a while. A later bench never shortens an earlier one. */
  bench(id: string, ms: number, reason: string, options?: BenchOptions): void;
  clear(id: string): void;
  get(id: string): TargetHealth | undefined;
  /** Keys that are benched, or were until lately. */
  readonly size: number;
  /** Everything that is benched now. */
  all(): readonly (readonly [id: string, bench: TargetHealth])[];
  /** Milliseconds until the target may be called again; 0 if it may now. */
  waitMs(id: string): number;
  /** Calls in flight at the target. */
  load(id: string): number;
  /** Counts one call in flight; the returned function takes it back, once. */
  enter(id: string): () => void;
}

export function createHealth(clock: Clock, emit: Emit): Health {
  const benched = new Map<string, TargetHealth>();
  const loads = new Map<string, number>();
  const waitMs = (id: string): number => {
    const entry = benched.get(id);
    if (entry === undefined) return 0;
    const wait = entry.notBefore - clock.monotonic();
    if (wait > 0) return wait;
    benched.delete(id);
    emit('health', { target: id, state: 'ok' });
    return 0;
  };
  return {
    bench(id, ms, reason, { soft = false } = {}) {
      const notBefore = clock.monotonic() + ms;
      const earlier = benched.get(id);
      if (earlier !== undefined && earlier.notBefore >= notBefore) return;
      if (benched.size >= LIMITS.healthTargetsMax && earlier === undefined) {
        benched.delete(benched.keys().next().value as string);
      }
      benched.set(id, { notBefore, reason, soft });
      emit('health', { target: id, state: 'benched', untilMs: clock.now() + ms, reason });
    },
    clear(id) {
      if (benched.delete(id)) emit('health', { target: id, state: 'ok' });
    },
    get size() {
      return benched.size;
    },
    get: (id) => (waitMs(id) > 0 ? benched.get(id) : undefined),
    all: () => [...benched].filter(([id]) => waitMs(id) > 0),
    waitMs,
    load: (id) => loads.get(id) ?? 0,
    enter(id) {
      loads.set(id, (loads.get(id) ?? 0) + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        const load = (loads.get(id) ?? 1) - 1;
        // A place is kept for whoever was called lately: taking it away and back at each call costs more than it holds.
        if (load <= 0 && loads.size > LIMITS.healthTargetsMax) loads.delete(id);
        else loads.set(id, Math.max(0, load));
      };
    },
  };
}
