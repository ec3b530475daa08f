import type { Target } from '../operations/shared.ts';
import type { Clock } from './clock.ts';
import type { StreamDecoder } from './dialect.ts';
import { GatewayError, isGatewayError } from './errors.ts';
import type { EventSource, EventStream } from './event-stream.ts';
import { LIMITS } from './limits.ts';
import { SseParser } from './sse.ts';
import { networkError } from './transport.ts';

/** How long to wait for the end of the body once the protocol's own end has come. */
const TERMINAL_GRACE_MS = 1_000;

export interface SseSourceOptions<Event> {
  readonly body: ReadableStream<Uint8Array>;
  readonly decoder: StreamDecoder<Event>;
  readonly clock: Clock;
  readonly target: Target;
  readonly signal: AbortSignal;
  /** Keeps the bytes for a door that will pass them on. */
  readonly keepBytes: boolean;
  /** Last word on an error that came in the stream. */
  readonly onError: (error: GatewayError) => GatewayError;
}

/** Canonical events out of a body of server-sent events. */
export class SseSource<Event> implements EventSource<Event> {
  readonly #options: SseSourceOptions<Event>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #parser = new SseParser();
  #kept: Uint8Array[] = [];
  /** Somebody reads the bytes instead of the events. */
  #passing = false;
  #notUnderstood: GatewayError | undefined;
  bytes = 0;

  constructor(options: SseSourceOptions<Event>) {
    this.#options = options;
    this.#reader = options.body.getReader();
  }

  get keepsBytes(): boolean {
    return this.#options.keepBytes;
  }

  async read(emit: (event: Event) => void): Promise<boolean> {
    const { decoder, target, signal } = this.#options;
    let chunk: Uint8Array | undefined;
    try {
      chunk = decoder.terminated ? await this.#readInGrace() : (await this.#reader.read()).value;
    } catch (error) {
      // After the terminal marker the answer is whole, whatever becomes of the socket.
      if (!decoder.terminated) throw this.#interrupted(networkError(error, target, signal));
    }
    try {
      if (chunk === undefined) {
        this.#parser.end((frame) => decoder.decode(frame, emit));
        decoder.end(emit);
        return false;
      }
      this.bytes += chunk.byteLength;
      if (this.bytes > LIMITS.bodyBytesMax) throw this.#tooLarge();
      if (this.#options.keepBytes) this.#kept.push(chunk);
      this.#parser.push(chunk, (frame) => decoder.decode(frame, emit));
      return true;
    } catch (error) {
      this.#notUnderstood = this.#decodeError(error);
      throw this.#notUnderstood;
    }
  }

  conclude(): Event[] | undefined {
    const { decoder } = this.#options;
    const isRead = this.#passing && this.#kept.length === 0;
    if (!isRead || !decoder.terminated || this.#notUnderstood !== undefined) return undefined;
    const rest: Event[] = [];
    decoder.end((event) => void rest.push(event));
    return rest;
  }

  #decodeError(error: unknown): GatewayError {
    const { target, onError } = this.#options;
    if (isGatewayError(error)) return onError(error.target === undefined ? error.with({ target }) : error);
    const where = `${target.provider}/${target.model}`;
    return new GatewayError('stream-interrupted', `${where} sent an event that does not fit its protocol.`, {
      target,
      source: 'provider',
      cause: error,
    });
  }

  cancel(reason: unknown): void {
    // The caller reads the bytes themselves: what we could not make sense of, they may.
    if (this.#passing && reason === this.#notUnderstood) return;
    this.#reader.cancel(reason).catch(() => undefined);
  }

  /**
   * The bytes as they come, driven by the same loop as the events. What came before a failure comes before it here, and
   * events that do not fit the protocol pass on all the same: then the failure comes after the last byte.
   */
  bytesOf(events: EventStream<Event>): AsyncIterableIterator<Uint8Array> {
    let state: 'events' | 'rest' | 'closed' = 'events';
    let failure: unknown;
    const close = (): IteratorResult<Uint8Array, undefined> => {
      state = 'closed';
      events.cancel();
      if (this.#notUnderstood !== undefined) this.#reader.cancel().catch(() => undefined);
      if (failure !== undefined) throw failure;
      return { done: true, value: undefined };
    };
    // By hand, not as a generator: this runs once a chunk, and a generator's promises take longer than its work.
    const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      this.#passing = true;
      for (;;) {
        const kept = this.#kept.shift();
        if (kept !== undefined) return { done: false, value: kept };
        if (state === 'closed') return { done: true, value: undefined };
        if (state === 'rest') {
          const value = await this.#readRest().catch((error: unknown) => void (failure = error));
          return value === undefined ? close() : { done: false, value };
        }
        try {
          if ((await events.next()).done !== true) continue;
        } catch (error) {
          failure = error;
        }
        // What came before the end goes before it; the end is told again.
        if (this.#kept.length > 0) continue;
        if (failure === undefined || failure !== this.#notUnderstood) return close();
        state = 'rest';
      }
    };
    return {
      next,
      return: () => {
        // At once: whoever waits for a read would wait on.
        state = 'closed';
        events.cancel();
        this.#reader.cancel().catch(() => undefined);
        return Promise.resolve({ done: true as const, value: undefined });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async #readRest(): Promise<Uint8Array | undefined> {
    const { target, signal } = this.#options;
    let chunk: Uint8Array | undefined;
    try {
      chunk = (await this.#reader.read()).value;
    } catch (error) {
      throw this.#interrupted(networkError(error, target, signal));
    }
    if (chunk === undefined) return undefined;
    this.bytes += chunk.byteLength;
    if (this.bytes > LIMITS.bodyBytesMax) throw this.#tooLarge();
    return chunk;
  }

  #readInGrace(): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.after(TERMINAL_GRACE_MS, () => {
        this.cancel(undefined);
        resolve(undefined);
      });
      this.#reader
        .read()
        .then(({ value }) => resolve(value), reject)
        .finally(() => timer.cancel());
    });
  }

  #interrupted(error: GatewayError): GatewayError {
    if (error.code !== 'connection') return error;
    const { target } = this.#options;
    return new GatewayError(
      'stream-interrupted',
      `${target.provider}/${target.model} broke off in the middle of its answer.`,
      {
        target,
        source: 'provider',
        fault: 'network',
        cause: error.cause ?? error,
        ambiguous: true,
      },
    );
  }

  #tooLarge(): GatewayError {
    const { target } = this.#options;
    return new GatewayError(
      'limit-exceeded',
      `${target.provider}/${target.model} sent more than ${LIMITS.bodyBytesMax} bytes.`,
      {
        target,
        source: 'provider',
        fault: 'target',
        fallbackable: true,
        limit: { name: 'bodyBytesMax', maximum: LIMITS.bodyBytesMax },
      },
    );
  }
}
