import type { Clock } from './clock.ts';
import { type GatewayError, toGatewayError } from './errors.ts';

/** Where events come from. */
export interface EventSource<E> {
  /** Reads once from upstream and emits what that gave, none to many. Resolves `false` after the last. */
  read(emit: (event: E) => void): Promise<boolean>;
  /** Stops upstream. Called at most once, and not after the source ended by itself. */
  cancel(reason: unknown): void;
  /** Bytes read so far, where the source knows. Bounds what is held before the first content. */
  readonly bytes?: number;
  /**
   * For a reader of the bytes that stops: what is still to be said, if the protocol's own end has come and was read.
   * `undefined` before that.
   */
  conclude?(): E[] | undefined;
}

export type Ending =
  | { readonly status: 'completed' }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly error: unknown };

/** One layer over a stream's events. Synchronous; all layers of a stream run in one loop. */
export interface Transform<E> {
  /** Emits none to many events for each one. Absent: passes events on. */
  event?(event: E, emit: (event: E) => void): void;
  /** The source has ended well: flush what was held. */
  end?(emit: (event: E) => void): void | Promise<void>;
  /** Always last, exactly once, whatever happened. Inner layers first. */
  close?(ending: Ending): void;
  /** It only looks: the provider's bytes stay true. */
  readonly observes?: true;
}

export interface EventStreamOptions {
  readonly clock: Clock;
  /** Ends the stream with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Closes a stream nobody reads, in milliseconds; 0 never does. @defaultValue 60_000 */
  readonly consumerIdleMs?: number;
  /** Hears what a layer's `close` threw. */
  readonly onProblem?: (error: GatewayError) => void;
}

/** Tells a layer how its stream ended. What it throws is a problem, not a failure of the stream. */
export function closeLayer<E>(layer: Transform<E>, ending: Ending, onProblem?: (error: GatewayError) => void): void {
  try {
    layer.close?.(ending);
  } catch (error) {
    onProblem?.(toGatewayError(error, 'Closing a stream layer'));
  }
}

/** Stops upstream. What that throws is a problem, not a failure of the stream. */
export function closeSource<E>(
  source: EventSource<E>,
  reason: unknown,
  onProblem?: (error: GatewayError) => void,
): void {
  try {
    source.cancel(reason);
  } catch (problem) {
    onProblem?.(toGatewayError(problem, 'Closing a stream'));
  }
}

/** A source over anything iterable. */
export function iterableSource<E>(items: Iterable<E> | AsyncIterable<E>): EventSource<E> {
  if (Symbol.asyncIterator in items) {
    const iterator = items[Symbol.asyncIterator]();
    return {
      async read(emit) {
        const { done, value } = await iterator.next();
        if (done === true) return false;
        emit(value);
        return true;
      },
      cancel: () => void iterator.return?.()?.then(undefined, () => undefined),
    };
  }
  return {
    read(emit) {
      for (const item of items) emit(item);
      return Promise.resolve(false);
    },
    cancel: () => undefined,
  };
}
