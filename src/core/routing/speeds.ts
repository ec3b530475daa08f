import type { Clock } from '../clock.ts';
import type { AttemptOutcome } from '../middleware.ts';

/** Moving averages of one target. */
export interface Speed {
  /** Milliseconds to the first content of a stream, or to a plain answer; `undefined` before the first. */
  readonly streamMs: number | undefined;
  readonly plainMs: number | undefined;
  readonly tokensPerSecond: number | undefined;
  readonly outputTokens: number | undefined;
  /** Calls in flight when the measured attempts began, themselves excluded. */
  readonly usualLoad: number;
  /** Monotonic milliseconds of the last measurement. */
  readonly measuredAt: number;
}

/** How fast targets are. Learns from attempts; bounded. */
export interface Speeds {
  get(id: string): Speed | undefined;
  /** The first content of an attempt came. */
  first(id: string, stream: boolean, ms: number, load: number): void;
  /** An attempt ended that began with so many others in flight. */
  end(id: string, stream: boolean, outcome: AttemptOutcome, load: number): void;
}

/** What one new measurement counts for. */
const NEW_SHARE = 0.2;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function createSpeeds(clock: Clock, keysMax: number): Speeds {
  const known = new Map<string, Mutable<Speed>>();
  const of = (id: string): Mutable<Speed> => {
    let speed = known.get(id);
    if (speed === undefined) {
      if (known.size >= keysMax) known.delete(known.keys().next().value as string);
      speed = {
        streamMs: undefined,
        plainMs: undefined,
        tokensPerSecond: undefined,
        outputTokens: undefined,
        usualLoad: 0,
        measuredAt: clock.monotonic(),
      };
      known.set(id, speed);
    }
    return speed;
  };
  const addMs = (id: string, stream: boolean, ms: number, load: number): void => {
    const speed = of(id);
    const first = speed.streamMs === undefined && speed.plainMs === undefined;
    speed.usualLoad = first ? load : moved(speed.usualLoad, load);
    if (stream) speed.streamMs = moved(speed.streamMs, ms);
    else speed.plainMs = moved(speed.plainMs, ms);
    speed.measuredAt = clock.monotonic();
  };
  return {
    get: (id) => known.get(id),
    first: addMs,
    end(id, stream, { status, error, durationMs, firstContentMs, usage }, load) {
      // Who makes us wait and then fails is slow, too; a fast failure says nothing about speed.
      if (status === 'failed' && firstContentMs === undefined && error?.code === 'timeout') {
        addMs(id, stream, durationMs, load);
      }
      if (status !== 'completed' || usage === undefined || usage.output <= 0) return;
      const speed = of(id);
      speed.outputTokens = moved(speed.outputTokens, usage.output);
      const writingMs = stream ? durationMs - (firstContentMs ?? 0) : durationMs;
      if (writingMs > 0) speed.tokensPerSecond = moved(speed.tokensPerSecond, (usage.output * 1000) / writingMs);
    },
  };
}

function moved(average: number | undefined, value: number): number {
  return average === undefined ? value : average + NEW_SHARE * (value - average);
}
