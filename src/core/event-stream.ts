/// <reference lib="esnext.disposable" preserve="true" />
import type { Timer } from './clock.ts';
import { abortedError, GatewayError, isGatewayError, toGatewayError } from './errors.ts';
import type { Ending, EventSource, EventStreamOptions, Transform } from './event-source.ts';
import { closeLayer, closeSource } from './event-source.ts';
import { EventQueue } from './event-queue.ts';
import { LIMITS } from './limits.ts';
import { unread, watchProgress } from './watch-progress.ts';

export { iterableSource } from './event-source.ts';
export type { Ending, EventSource, EventStreamOptions, Transform };

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
  readonly #queue = new EventQueue<E>();
  #layerError: unknown;
  #state: 'open' | 'ended' | 'failed' = 'open';
  #failure: GatewayError | undefined;
  /** Whether a `next` is on its way, the last one of them, and how many wait behind it for their turn. */
  #waits = false;
  #turn: Promise<IteratorResult<E, undefined>> | undefined;
  #behind = 0;
  #interrupt: ((error: unknown) => void) | undefined;
  #idle: Timer | undefined;
  #pulls = 0;
  #consumerMs = 0;
  #givenAt: number;
  readonly #onAbort = (): void => this.#stop(abortedError(this.#options.signal?.reason), 'failed');

  constructor(source: EventSource<E>, options: EventStreamOptions) {
    this.#source = source;
    this.#options = options;
    this.#givenAt = options.clock.monotonic();
    if (options.signal?.aborted) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Milliseconds the consumer has taken for itself so far: time that is not upstream's silence. */
  get consumerMs(): number {
    return this.#consumerMs + (this.#waits ? 0 : this.#options.clock.monotonic() - this.#givenAt);
  }

  /** Appends a layer. Only before the first pull. */
  append(layer: Transform<E>): this {
    if (this.#chain !== undefined)
      throw new GatewayError('internal', 'A stream that is being read takes no more layers.');
    const ending: Ending =
      this.#failure === undefined ? { status: 'cancelled' } : { status: 'failed', error: this.#failure };
    if (this.#state !== 'open') closeLayer(layer, ending, this.#options.onProblem);
    else this.#layers.push(layer);
    return this;
  }

  /**
   * Waits for the first content, so that a failure before it fails the call and not the iteration. Resolves also at the
   * end of a stream without content, and when the bound of held bytes is reached. Says whether there was content.
   */
  async commit(isContent: (event: E) => boolean): Promise<boolean> {
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
    return found;
  }

  next(): Promise<IteratorResult<E, undefined>> {
    this.#pulls++;
    if (!this.#waits) return (this.#turn = this.#step());
    // Calls of `next` that overlap take their turns, in order.
    this.#behind++;
    const turn = (): Promise<IteratorResult<E, undefined>> => {
      this.#behind--;
      return this.#step();
    };
    return (this.#turn = (this.#turn as Promise<unknown>).then(turn, turn));
  }

  #step(): Promise<IteratorResult<E, undefined>> {
    if (this.#queue.isEmpty && this.#state === 'open') {
      this.#waits = true;
      return this.#advance();
    }
    this.#waits = this.#behind > 0;
    if (!this.#queue.isEmpty) return Promise.resolve({ done: false, value: this.#queue.take() });
    return this.#state === 'failed' ? Promise.reject(this.#failure) : Promise.resolve({ done: true, value: undefined });
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
  }

  async #advance(): Promise<IteratorResult<E, undefined>> {
    this.#consumerMs += this.#options.clock.monotonic() - this.#givenAt;
    try {
      this.#watchConsumer();
      const chain = (this.#chain ??= this.#build());
      while (this.#queue.isEmpty && this.#state === 'open') {
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
    this.#givenAt = this.#options.clock.monotonic();
    this.#waits = this.#behind > 0;
    // What the layers made before a failure is delivered before it.
    if (!this.#queue.isEmpty) return { done: false, value: this.#queue.take() };
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
    let emit: Emit<E> = (event) => this.#queue.push(event);
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

  /** Ends well for a reader of the bytes that stops after the protocol's own end, as OpenAI's client does. */
  #concluded(): boolean {
    const rest = this.#sourceEnded ? undefined : this.#source.conclude?.();
    if (rest === undefined) return false;
    this.#held
      .splice(0)
      .concat(rest)
      .forEach(this.#chain ?? this.#build());
    if (this.#layerError !== undefined) return false;
    this.#sourceEnded = true;
    this.#queue.clear();
    void this.#finish().catch((thrown: unknown) => this.#stop(thrown, 'failed'));
    closeSource(this.#source, undefined, this.#options.onProblem);
    return true;
  }

  #stop(error: unknown, status: 'failed' | 'cancelled'): void {
    if (this.#state !== 'open') return;
    const failure = isGatewayError(error) ? error : toGatewayError(error, 'A stream source');
    if ((status === 'cancelled' || failure.code === 'aborted') && this.#concluded()) return;
    if (status === 'failed') this.#failure = failure;
    this.#held = [];
    if (status === 'cancelled' || failure.code === 'aborted') this.#queue.clear();
    const upstreamOpen = !this.#sourceEnded;
    this.#sourceEnded = true;
    this.#close(status === 'failed' ? { status, error: failure } : { status });
    if (upstreamOpen) closeSource(this.#source, failure, this.#options.onProblem);
    this.#interrupt?.(failure);
  }

  #close(ending: Ending): void {
    this.#state = ending.status === 'failed' ? 'failed' : 'ended';
    this.#idle?.cancel();
    this.#idle = undefined;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    for (const layer of this.#layers) closeLayer(layer, ending, this.#options.onProblem);
  }

  #watchConsumer(): void {
    const idleMs = this.#options.consumerIdleMs ?? LIMITS.consumerIdleMs;
    if (idleMs === 0 || this.#idle !== undefined || this.#state !== 'open') return;
    const progress = (): number => (this.#waits ? Number.NaN : this.#pulls);
    this.#idle = watchProgress(this.#options.clock, idleMs, progress, () => this.#stop(unread(idleMs), 'failed'));
  }
}
