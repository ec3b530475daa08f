import type { Clock, Timer } from './clock.ts';
import { abortedError, GatewayError, isGatewayError, toGatewayError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** Where events come from. */
export interface EventSource<E> {
  /** Reads once from upstream and emits what that gave, none to many. Resolves `false` after the last. */
  read(emit: (event: E) => void): Promise<boolean>;
  /** Stops upstream. Called at most once, and not after the source ended by itself. */
  cancel(reason: unknown): void;
  /** Bytes read so far, where the source knows. Bounds what is held before the first content. */
  readonly bytes?: number;
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

type Emit<E> = (event: E) => void;

/**
 * A stream of events: one source and the layers over it, pulled by the consumer through one loop. All events of one
 * network read are delivered without going back to the reader.
 */
export class EventStream<E> implements AsyncIterableIterator<E> {
  readonly #source: EventSource<E>;
  readonly #options: EventStreamOptions;
  readonly #layers: Transform<E>[] = [];
  /** Events of the source from before the first pull, not yet through the layers. */
  #held: E[] = [];
  #sourceEnded = false;
  #chain: Emit<E> | undefined;
  #queue: E[] = [];
  #taken = 0;
  #layerError: unknown;
  #state: 'open' | 'ended' | 'failed' = 'open';
  #failure: GatewayError | undefined;
  #busy: Promise<unknown> | undefined;
  #interrupt: ((error: unknown) => void) | undefined;
  #idle: Timer | undefined;
  #pulls = 0;
  readonly #free = (): void => {
    this.#busy = undefined;
  };
  readonly #onAbort = (): void => this.#stop(abortedError(this.#options.signal?.reason), 'failed');

  constructor(source: EventSource<E>, options: EventStreamOptions) {
    this.#source = source;
    this.#options = options;
    if (options.signal?.aborted) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Appends a layer. Only before the first pull. */
  append(layer: Transform<E>): this {
    if (this.#chain !== undefined)
      throw new GatewayError('internal', 'A stream that is being read takes no more layers.');
    if (this.#state !== 'open') closeLayer(layer, this.#ending(), this.#options.onProblem);
    else this.#layers.push(layer);
    return this;
  }

  /**
   * Waits for the first content, so that a failure before it fails the call and not the iteration. Resolves also at the
   * end of a stream without content, and when the bound of held bytes is reached.
   */
  async commit(isContent: (event: E) => boolean): Promise<void> {
    let found = this.#held.some(isContent);
    const hold: Emit<E> = (event) => {
      this.#held.push(event);
      found ||= isContent(event);
    };
    while (!found && !this.#sourceEnded) {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        this.#sourceEnded = !(await this.#read(hold));
      } catch (error) {
        this.#stop(error, 'failed');
        throw this.#failure;
      }
      if ((this.#source.bytes ?? 0) > LIMITS.heldBytesMax || this.#held.length > LIMITS.queuedEventsMax) break;
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#watchConsumer();
  }

  next(): Promise<IteratorResult<E, undefined>> {
    this.#pulls++;
    if (this.#taken < this.#queue.length) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#state === 'ended') return Promise.resolve({ done: true, value: undefined });
    if (this.#state === 'failed') return Promise.reject(this.#failure);
    // Two `next` calls at once take their turns.
    if (this.#busy !== undefined)
      return this.#busy.then(
        () => this.next(),
        () => this.next(),
      );
    const turn = this.#advance();
    this.#busy = turn;
    // Registered before the consumer's own reaction, so it runs before it.
    turn.then(this.#free, this.#free);
    return turn;
  }

  /** Stops the stream: upstream is closed, the layers hear `cancelled`. */
  return(): Promise<IteratorResult<E, undefined>> {
    this.cancel();
    return Promise.resolve({ done: true, value: undefined });
  }

  cancel(reason?: unknown): void {
    if (this.#state !== 'open') return;
    this.#stop(reason ?? new GatewayError('aborted', 'The stream was closed by its consumer.'), 'cancelled');
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    return Promise.resolve();
  }

  #take(): E {
    const event = this.#queue[this.#taken++] as E;
    if (this.#taken === this.#queue.length) {
      this.#queue = [];
      this.#taken = 0;
    }
    return event;
  }

  async #advance(): Promise<IteratorResult<E, undefined>> {
    try {
      this.#watchConsumer();
      const chain = (this.#chain ??= this.#build());
      while (this.#queue.length === 0 && this.#state === 'open') {
        if (this.#held.length > 0) {
          const held = this.#held;
          this.#held = [];
          for (const event of held) chain(event);
        } else if (this.#sourceEnded) {
          await this.#finish();
        } else {
          this.#sourceEnded = !(await this.#read(chain));
        }
        if (this.#layerError !== undefined) throw this.#layerError;
      }
    } catch (error) {
      this.#stop(error, 'failed');
    }
    // What the layers made before a failure is delivered before it.
    if (this.#queue.length > 0) return { done: false, value: this.#take() };
    if (this.#state === 'failed') throw this.#failure;
    return { done: true, value: undefined };
  }

  /** One read, which an abort interrupts even when the source does not listen. */
  #read(emit: Emit<E>): Promise<boolean> {
    return new Promise<boolean>((resolve, reject) => {
      this.#interrupt = reject;
      this.#source.read(emit).then(resolve, reject);
    });
  }

  #build(): Emit<E> {
    let emit: Emit<E> = (event) => {
      if (this.#queue.length - this.#taken >= LIMITS.queuedEventsMax) {
        throw new GatewayError('limit-exceeded', 'The stream made more events at once than may be queued.', {
          limit: { name: 'queuedEventsMax', maximum: LIMITS.queuedEventsMax },
        });
      }
      this.#queue.push(event);
    };
    this.#emits = [];
    for (let index = this.#layers.length - 1; index >= 0; index--) {
      const layer = this.#layers[index] as Transform<E>;
      const below = emit;
      this.#emits[index] = below;
      if (layer.event !== undefined) emit = (event) => layer.event?.(event, below);
    }
    const top = emit;
    return (event) => {
      if (this.#layerError !== undefined) return;
      try {
        top(event);
      } catch (error) {
        this.#layerError = toGatewayError(error, 'A stream layer');
      }
    };
  }
  /** What each layer emits into. */
  #emits: Emit<E>[] = [];

  async #finish(): Promise<void> {
    for (const [index, layer] of this.#layers.entries()) {
      if (layer.end === undefined) continue;
      try {
        const work = layer.end(this.#emits[index] as Emit<E>);
        if (work !== undefined) await work;
      } catch (error) {
        throw toGatewayError(error, 'A stream layer');
      }
      if (this.#state !== 'open') return;
    }
    if (this.#state === 'open') this.#close({ status: 'completed' });
  }

  #stop(error: unknown, status: 'failed' | 'cancelled'): void {
    if (this.#state !== 'open') return;
    const failure = isGatewayError(error) ? error : toGatewayError(error, 'A stream source');
    if (status === 'failed') this.#failure = failure;
    this.#held = [];
    if (status === 'cancelled' || failure.code === 'aborted') {
      this.#queue = [];
      this.#taken = 0;
    }
    const upstreamOpen = !this.#sourceEnded;
    this.#sourceEnded = true;
    this.#close(status === 'failed' ? { status, error: failure } : { status });
    if (upstreamOpen) {
      try {
        this.#source.cancel(failure);
      } catch (problem) {
        this.#options.onProblem?.(toGatewayError(problem, 'Closing a stream'));
      }
    }
    this.#interrupt?.(failure);
  }

  #close(ending: Ending): void {
    this.#state = ending.status === 'failed' ? 'failed' : 'ended';
    this.#idle?.cancel();
    this.#idle = undefined;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    for (const layer of this.#layers) closeLayer(layer, ending, this.#options.onProblem);
  }

  #ending(): Ending {
    if (this.#state === 'failed') return { status: 'failed', error: this.#failure };
    return { status: 'cancelled' };
  }

  /** Fires after one to two idle times without a pull, unless the consumer is the one who waits. */
  #watchConsumer(): void {
    const idleMs = this.#options.consumerIdleMs ?? LIMITS.consumerIdleMs;
    if (idleMs === 0 || this.#idle !== undefined || this.#state !== 'open') return;
    let seen = this.#pulls;
    const check = (): void => {
      if (this.#state !== 'open') return;
      if (this.#busy === undefined && seen === this.#pulls) {
        const message = `Nobody read the stream for ${idleMs} ms, so it was closed.`;
        this.#stop(
          new GatewayError('limit-exceeded', message, {
            stage: 'consumer',
            limit: { name: 'consumerIdleMs', maximum: idleMs },
          }),
          'failed',
        );
        return;
      }
      seen = this.#pulls;
      this.#idle = this.#options.clock.after(idleMs, check);
    };
    this.#idle = this.#options.clock.after(idleMs, check);
  }
}

function closeLayer<E>(layer: Transform<E>, ending: Ending, onProblem?: (error: GatewayError) => void): void {
  try {
    layer.close?.(ending);
  } catch (error) {
    onProblem?.(toGatewayError(error, 'Closing a stream layer'));
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
