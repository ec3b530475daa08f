/// <reference lib="esnext.disposable" preserve="true" />
import { type Answer, ChatReading, type Opened } from './chat-reading.ts';
import { type ErrorCode, GatewayError, toGatewayError, VERDICTS } from './core/errors.ts';
import type { ChatEvent } from './operations/chat-events.ts';
import { parsePartialJson } from './operations/partial-json.ts';
import type { Json, Target } from './operations/shared.ts';
import type { GatewayChatResponse } from './response.ts';

export interface StreamStart {
  readonly target: Target;
}

/**
 * A chat answer as it arrives. Iterate it once: whole events, or only `text`, or only `partialOutput`; or just await
 * `response`. A failure is thrown where you read, with what was received as `partial`.
 */
export interface ChatStream<T = unknown> extends AsyncIterable<ChatEvent>, AsyncDisposable {
  /** The visible text, piece by piece. */
  readonly text: AsyncIterable<string>;
  /** Structured output as far as it has come, each time it grows. Unchecked until `response`. */
  readonly partialOutput: AsyncIterable<Json>;
  /** Resolves with the first content; rejects if the call fails before it. */
  readonly started: Promise<StreamStart>;
  /** The whole answer. Awaiting it reads the stream if nobody else does. */
  readonly response: Promise<GatewayChatResponse<T>>;
  /** The events as bytes for an HTTP response: server-sent events, or one JSON a line. */
  toReadableStream(options?: { readonly format?: 'sse' | 'ndjson' }): ReadableStream<Uint8Array>;
  /** Stops the answer; upstream is closed. */
  cancel(reason?: unknown): void;
}

/** Makes the stream users iterate out of a call that is on its way. */
export function createChatStream<T>(opening: Promise<Opened>, abort: (reason: unknown) => void): ChatStream<T> {
  const answer: Answer = { opening, whole: Promise.withResolvers(), reading: undefined };
  // The schema of the call says what its output is.
  const whole = answer.whole.promise as Promise<GatewayChatResponse<T>>;
  const started = opening.then(({ reply }) => ({ target: reply.target }));
  // Unused promises of a failing stream must not end the process.
  started.catch(() => undefined);
  whole.catch(() => undefined);
  const events = (): ChatReading<ChatEvent> => new ChatReading(answer, (event) => event);
  const text = (): ChatReading<string> => new ChatReading(answer, textOf);
  const partialOutput = (): ChatReading<Json> => new ChatReading(answer, growingOutput());
  return {
    [Symbol.asyncIterator]: events,
    get text() {
      return { [Symbol.asyncIterator]: text };
    },
    get partialOutput() {
      return { [Symbol.asyncIterator]: partialOutput };
    },
    started,
    get response() {
      // Not at once: who asks for `response` first may still read the events in the same turn.
      if (answer.reading === undefined)
        queueMicrotask(() => (answer.reading === undefined ? void drain(events()) : undefined));
      return whole;
    },
    toReadableStream: (options) => readable(events(), options?.format ?? 'sse'),
    cancel(reason) {
      abort(reason ?? new GatewayError('aborted', 'The stream was cancelled.'));
    },
    async [Symbol.asyncDispose]() {
      abort(new GatewayError('aborted', 'The stream was disposed of.'));
    },
  };
}

function textOf(event: ChatEvent): string | undefined {
  // Texts cannot be taken back: whoever reads only them is never given two answers as one.
  if (event.type === 'reset') throw beganAnew(event.reason);
  return event.type === 'text-delta' && (event.choice ?? 0) === 0 ? event.text : undefined;
}

/** The output as far as it has come, when it has grown. */
function growingOutput(): (event: ChatEvent) => Json | undefined {
  let json = '';
  let last = '';
  return (event) => {
    if (event.type === 'reset') json = '';
    if (event.type !== 'text-delta' || (event.choice ?? 0) !== 0) return undefined;
    json += event.text;
    const value = parsePartialJson(json);
    if (value === undefined) return undefined;
    const shown = JSON.stringify(value);
    if (shown === last) return undefined;
    last = shown;
    return value;
  };
}

function beganAnew(reason: string): GatewayError {
  const code = reason in VERDICTS ? (reason as ErrorCode) : 'stream-interrupted';
  const message = 'The answer began anew after part of it was read. `text` cannot take that back: read the events.';
  return new GatewayError(code, message, { committed: true, retryable: false, stage: 'reset' });
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _event of events);
  } catch {
    // `response` carries the failure.
  }
}

function readable(events: ChatReading<ChatEvent>, format: 'sse' | 'ndjson'): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const lineOf = (event: object): Uint8Array =>
    encoder.encode(format === 'sse' ? `data: ${json(event)}\n\n` : `${json(event)}\n`);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await events.next();
        if (done === true) controller.close();
        else controller.enqueue(lineOf(value));
      } catch (error) {
        // The reader of an HTTP body cannot catch: the failure is the last event.
        controller.enqueue(lineOf({ type: 'error', error: toGatewayError(error, 'The stream').toJSON() }));
        controller.close();
      }
    },
    async cancel() {
      await events.return();
    },
  });
}

/** JSON with money as text: bigint has no JSON form. */
function json(value: object): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
}
