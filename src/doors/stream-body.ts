import type { StreamReply } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import type { StreamEncoder } from '../core/dialect.ts';
import { type ErrorCode, type GatewayError, toGatewayError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { ChatEvent } from '../operations/chat-events.ts';
import type { Protocol } from '../operations/shared.ts';
import { carry } from './failure.ts';

export interface StreamBodyOptions {
  /** The reply, or what becomes one while the headers are out already. */
  readonly reply: StreamReply<'chat'> | Promise<StreamReply<'chat'>>;
  /** The protocol the application reads. */
  readonly protocol: Protocol;
  readonly encoder: () => StreamEncoder<ChatEvent>;
  readonly clock: Clock;
  /** The application's own abort. */
  readonly signal: AbortSignal;
  /** Stops the call and its stream. */
  readonly abort: (reason: unknown) => void;
  /** Hears of a failure after the headers are out, before the application reads of it. */
  readonly onFailure: (error: GatewayError) => void;
}

const ENCODER = new TextEncoder();
/** Clients skip comments; what stands between us and them sees that the line is alive. */
const HEARTBEAT = ENCODER.encode(': postern\n\n');

/**
 * The body of a streamed answer: the provider's bytes where nothing edited them and they are in the application's
 * protocol, else the events written in it. Reading drives the stream; a reader that stops closes it upstream.
 */
export function streamBody(options: StreamBodyOptions): ReadableStream<Uint8Array> {
  const { signal } = options;
  const chunks = new Chunks(options);
  const stop = (reason: unknown): void => {
    signal.removeEventListener('abort', onAbort);
    if (chunks.hearOut()) return;
    options.abort(reason);
    chunks.stop();
  };
  let onAbort = (): void => undefined;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        onAbort = () => {
          // The same as a fetch whose signal aborted: the SDK ends its iteration quietly.
          controller.error(signal.reason);
          stop(signal.reason);
        };
        signal.addEventListener('abort', onAbort, { once: true });
      },
      async pull(controller) {
        try {
          const chunk = await chunks.next();
          if (signal.aborted) return;
          if (chunk !== undefined) return controller.enqueue(chunk);
          controller.close();
        } catch (error) {
          if (!signal.aborted) controller.error(error);
        }
        signal.removeEventListener('abort', onAbort);
      },
      cancel: stop,
    },
    // Nothing is read ahead of the application.
    { highWaterMark: 0 },
  );
}

/** The chunks of a body, one at a time: the provider's own where they can be passed on, else what the encoder writes. */
class Chunks {
  readonly #options: StreamBodyOptions;
  readonly #written: AsyncGenerator<Uint8Array, undefined>;
  /** The provider's bytes, once they are being passed on. */
  #passed: AsyncIterator<Uint8Array> | undefined;
  /** The events, once the application has been told their end. */
  #ended: StreamReply<'chat'>['events'] | undefined;
  /** What is still to be said after the provider's bytes have failed. */
  #told: Iterator<Uint8Array> | undefined;

  constructor(options: StreamBodyOptions) {
    this.#options = options;
    this.#written = this.#write();
  }

  /** `undefined` after the last. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#told === undefined && this.#passed === undefined) {
      const { done, value } = await this.#written.next();
      if (done !== true) return value;
      if (this.#passed === undefined) return undefined;
    }
    if (this.#told === undefined && this.#passed !== undefined) {
      try {
        const { done, value } = await this.#passed.next();
        return done === true ? undefined : value;
      } catch (thrown) {
        this.#told = afterFailure(this.#options, toGatewayError(thrown, 'A stream'));
      }
    }
    const told = this.#told?.next();
    return told === undefined || told.done === true ? undefined : told.value;
  }

  /**
   * A client may stop reading at its protocol's last word, as OpenAI's does: that is no cancellation. Says whether it has
   * been told it; then what is left of the stream is read here.
   */
  hearOut(): boolean {
    const events = this.#ended;
    if (events === undefined) return false;
    const next = (): Promise<void> => events.next().then(({ done }) => (done === true ? undefined : next()));
    next().catch(() => undefined);
    return true;
  }

  stop(): void {
    // Not awaited: what waits for its provider settles when the abort gets there.
    this.#passed?.return?.()?.catch(() => undefined);
    this.#written.return(undefined).catch(() => undefined);
  }

  async *#write(): AsyncGenerator<Uint8Array, undefined> {
    const options = this.#options;
    let encoder: StreamEncoder<ChatEvent> | undefined;
    try {
      const reply = yield* awaited(options, Promise.resolve(options.reply));
      const { wire } = reply;
      if (wire !== undefined && wire.protocol === options.protocol && typeof wire.body !== 'string') {
        this.#passed = wire.body[Symbol.asyncIterator]();
        return;
      }
      encoder = options.encoder();
      yield* this.#encoded(reply, encoder);
    } catch (thrown) {
      const error = toGatewayError(thrown, 'A stream');
      options.onFailure(error);
      yield* failureChunk(encoder ?? options.encoder(), error);
    }
  }

  async *#encoded(reply: StreamReply<'chat'>, encoder: StreamEncoder<ChatEvent>): AsyncGenerator<Uint8Array> {
    let text = '';
    const write = (piece: string): void => {
      text += piece;
    };
    for (;;) {
      const { done, value } = yield* awaited(this.#options, reply.events.next());
      if (done === true) return;
      encoder.encode(value, write);
      if (value.type === 'end') this.#ended = reply.events;
      if (text === '') continue;
      yield ENCODER.encode(text);
      text = '';
    }
  }
}

/**
 * What is said after the provider's bytes have stopped early.
 *
 * @throws the network's own failure, out of which the SDK makes its class.
 */
function* afterFailure(options: StreamBodyOptions, error: GatewayError): Generator<Uint8Array, undefined> {
  options.onFailure(error);
  // A broken connection breaks here too: only that becomes what the SDK makes of one.
  if (error.fault === 'network' && error.cause instanceof Error) throw carry(error.cause, error);
  if (isToldUpstream(error)) return;
  // Passed-on bytes may have stopped inside an event; an empty line ends it.
  yield ENCODER.encode('\n\n');
  yield* failureChunk(options.encoder(), error);
}

/**
 * Whether the passed-on bytes have told of the failure themselves, in an error event of the provider's. A stream that just
 * stops has told nothing: to the SDKs it would be a whole answer.
 */
function isToldUpstream({ source, code }: GatewayError): boolean {
  return source === 'provider' && !UNTOLD.has(code);
}
const UNTOLD = new Set<ErrorCode>(['stream-interrupted', 'timeout', 'limit-exceeded', 'bad-response']);

function* failureChunk(encoder: StreamEncoder<ChatEvent>, error: GatewayError): Generator<Uint8Array> {
  let text = '';
  encoder.fail(error, (piece) => {
    text += piece;
  });
  if (text !== '') yield ENCODER.encode(text);
}

/** Waits for work; a long silence is filled with comments. */
async function* awaited<T>(options: StreamBodyOptions, work: Promise<T>): AsyncGenerator<Uint8Array, T> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  const watched = work.finally(settle);
  for (;;) {
    const silent = Promise.withResolvers<void>();
    const timer = options.clock.after(LIMITS.heartbeatMs, silent.resolve);
    try {
      await Promise.race([watched, silent.promise]);
    } finally {
      timer.cancel();
    }
    if (settled) return watched;
    yield HEARTBEAT;
  }
}
