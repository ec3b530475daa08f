import type { AttemptOutcome } from '../../../src/core/middleware.ts';

/** One attempt of a history. */
export interface Tried {
  readonly id: string;
  readonly stream: boolean;
  readonly session: string | undefined;
  readonly beganAt: number;
  /** Others in flight at the target when it began. */
  readonly load: number;
  /** The first member of the configuration it began under. */
  readonly beside: string | undefined;
  firstMs?: number;
  end?: { readonly at: number; readonly outcome: AttemptOutcome };
}

/**
 * Everything that happened to the targets, in its order. What a strategy should know is read from all of it, anew each
 * time: slow, and nothing to get out of step.
 */
export class History {
  now = 0;
  readonly tried: Tried[] = [];
  /** In the order of the measurements, which is not that of the beginnings. */
  readonly measured: { readonly tried: Tried; readonly ms: number; readonly at: number }[] = [];
  readonly ended: Tried[] = [];
  readonly benches: { readonly id: string; readonly until: number }[] = [];

  begin(id: string, stream: boolean, session: string | undefined, beside?: string): Tried {
    const tried = { id, stream, session, beganAt: this.now, load: this.load(id), beside };
    this.tried.push(tried);
    return tried;
  }
  first(tried: Tried): void {
    tried.firstMs = this.now - tried.beganAt;
    this.measured.push({ tried, ms: tried.firstMs, at: this.now });
  }
  end(tried: Tried, outcome: AttemptOutcome): void {
    tried.end = { at: this.now, outcome };
    this.ended.push(tried);
    const timedOut = outcome.status === 'failed' && outcome.error?.code === 'timeout' && tried.firstMs === undefined;
    if (timedOut) this.measured.push({ tried, ms: outcome.durationMs, at: this.now });
  }

  load(id: string): number {
    return this.tried.filter((one) => one.id === id && one.end === undefined).length;
  }
  benched(id: string): boolean {
    return this.benches.some((bench) => bench.id === id && bench.until > this.now);
  }
  measurements(id: string) {
    return this.measured.filter(({ tried }) => tried.id === id);
  }
  measuredAt(id: string): number {
    return this.measurements(id).at(-1)?.at ?? 0;
  }
  /** Milliseconds to first content that one more call would meet. */
  expectedMs(id: string, stream: boolean): number {
    const all = this.measurements(id);
    const load = this.load(id);
    if (all.length === 0) return load * 1_000;
    const alike = all.filter(({ tried }) => tried.stream === stream);
    const ms = average((alike.length > 0 ? alike : all).map((one) => one.ms));
    const usual = average(all.map(({ tried }) => tried.load));
    return ms * (1 + Math.max(0, load - usual) / (usual + 1));
  }
  private answers(id: string) {
    return this.ended.flatMap(({ id: at, stream, firstMs, end }) => {
      const output = end?.outcome.status === 'completed' ? (end.outcome.usage?.output ?? 0) : 0;
      if (at !== id || output === 0) return [];
      return [{ output, ms: (end?.outcome.durationMs ?? 0) - (stream ? (firstMs ?? 0) : 0) }];
    });
  }
  tokensPerSecond(id: string): number | undefined {
    const speeds = this.answers(id).flatMap(({ output, ms }) => (ms > 0 ? [(output * 1_000) / ms] : []));
    return speeds.length === 0 ? undefined : average(speeds);
  }
  outputTokens(id: string): number {
    const outputs = this.answers(id).map(({ output }) => output);
    return outputs.length === 0 ? 500 : average(outputs);
  }
  /** The target whose prompt cache still holds a session, and how much of it. */
  warm(session: string | undefined, warmMs: number): { readonly id: string; readonly tokens: number } | undefined {
    const last = this.ended.findLast(
      (one) => session !== undefined && one.session === session && one.end?.outcome.status === 'completed',
    );
    if (last?.end === undefined || this.now - last.end.at >= warmMs) return undefined;
    return { id: last.id, tokens: last.end.outcome.usage?.input ?? 0 };
  }
  /** Mostly failed lately: outcomes count half after each half-life. */
  failing(id: string, halfLifeMs: number): boolean {
    const left = (status: AttemptOutcome['status']): number =>
      this.ended
        .filter((one) => one.id === id && one.end?.outcome.status === status)
        .reduce((sum, one) => sum + 0.5 ** ((this.now - (one.end?.at ?? 0)) / halfLifeMs), 0);
    return left('failed') > 0.25 && left('failed') >= left('completed') - 1e-12;
  }
}

/** A moving average in which the newest counts a fifth: written out, term by term. */
function average(values: readonly number[]): number {
  const last = values.length - 1;
  return values.reduce((sum, value, index) => sum + value * (index === 0 ? 1 : 0.2) * 0.8 ** (last - index), 0);
}
