import type { StreamReply } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import type { StreamEncoder } from '../core/dialect.ts';
import { type GatewayError, toGatewayError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { ChatEvent } from '../operations/chat-events.ts';
import type { Protocol } from '../operations/shared.ts';

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
  /** Hears of a failure after the headers are out. */
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
  const chunks = chunksOf(options);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(error);
        }
      },
      cancel(reason) {
        options.abort(reason);
        // Not awaited: a generator that waits for its provider settles when the abort gets there.
        chunks.return(undefined).catch(() => undefined);
      },
    },
    // Nothing is read ahead of the application.
    { highWaterMark: 0 },
  );
}

async function* chunksOf(options: StreamBodyOptions): AsyncGenerator<Uint8Array, undefined> {
  const { signal } = options;
  let encoder: StreamEncoder<ChatEvent> | undefined;
  try {
    const reply = yield* awaited(options, Promise.resolve(options.reply));
    const { wire } = reply;
    if (wire !== undefined && wire.protocol === options.protocol && typeof wire.body !== 'string') {
      yield* wire.body;
      return;
    }
    encoder = options.encoder();
    yield* encodedChunks(options, reply, encoder);
  } catch (thrown) {
    // The same as a fetch whose signal aborted: the SDK ends its iteration quietly.
    if (signal.aborted) throw signal.reason;
    const error = toGatewayError(thrown, 'A stream');
    options.onFailure(error);
    if (encoder === undefined && isToldUpstream(error)) {
      if (error.fault === 'network') throw error.cause ?? error;
      return;
    }
    // Passed-on bytes may have stopped inside an event; an empty line ends it.
    if (encoder === undefined) yield ENCODER.encode('\n\n');
    yield* failureChunk(encoder ?? options.encoder(), error);
  }
}

/** A failure the passed-on bytes have shown already: the body ends as it ended upstream. */
function isToldUpstream(error: GatewayError): boolean {
  return error.code === 'stream-interrupted' || (error.source === 'provider' && error.code !== 'timeout');
}

async function* encodedChunks(
  options: StreamBodyOptions,
  reply: StreamReply<'chat'>,
  encoder: StreamEncoder<ChatEvent>,
): AsyncGenerator<Uint8Array> {
  let text = '';
  const write = (piece: string): void => {
    text += piece;
  };
  for (;;) {
    const { done, value } = yield* awaited(options, reply.events.next());
    if (done === true) return;
    encoder.encode(value, write);
    if (text === '') continue;
    yield ENCODER.encode(text);
    text = '';
  }
}

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
