/// <reference lib="esnext.disposable" preserve="true" />
import type { Call, StreamReply } from './core/call.ts';
import { type ErrorCode, GatewayError, toGatewayError, VERDICTS } from './core/errors.ts';
import { outputOf } from './core/structured-output.ts';
import type { ChatEvent } from './operations/chat-events.ts';
import { foldChat } from './operations/chat-fold.ts';
import { parsePartialJson } from './operations/partial-json.ts';
import type { Json, Target } from './operations/shared.ts';
import { type CallCost, chatResponseOf, costKey, type GatewayChatResponse } from './response.ts';

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

interface Opened {
  readonly call: Call<'chat'>;
  readonly reply: StreamReply<'chat'>;
}

/** Makes the stream users iterate out of a call that is on its way. */
export function createChatStream<T>(opening: Promise<Opened>, abort: (reason: unknown) => void): ChatStream<T> {
  const whole = Promise.withResolvers<GatewayChatResponse<T>>();
  const started = opening.then(({ reply }) => ({ target: reply.target }));
  // Unused promises of a failing stream must not end the process.
  started.catch(() => undefined);
  whole.promise.catch(() => undefined);
  let taken = false;

  async function* events(): AsyncGenerator<ChatEvent, void, undefined> {
    if (taken)
      throw new GatewayError('invalid-request', 'A stream can be read once; keep the events, or await `response`.', {
        field: 'stream',
      });
    taken = true;
    const fold = foldChat();
    let opened: Opened | undefined;
    let committed = false;
    try {
      opened = await opening;
      const { call, reply } = opened;
      for await (const event of reply.events) {
        fold.add(event);
        if (event.type !== 'end') {
          committed = true;
          yield event;
          continue;
        }
        const response = fold.response();
        const output = await outputOf(call, response);
        const last = chatResponseOf(response, reply, costOf(call), output) as GatewayChatResponse<T>;
        whole.resolve(last);
        yield { ...event, response: last };
      }
      if (!fold.complete)
        throw new GatewayError('aborted', 'The stream was stopped before its end.', { partial: fold.response() });
    } catch (thrown) {
      const error = toGatewayError(thrown, 'The stream');
      const attempts = opened === undefined ? error.attempts : [...opened.call.context.attempts];
      const told = error.with({ committed, attempts, ...(committed && { partial: error.partial ?? fold.response() }) });
      whole.reject(told);
      throw told;
    } finally {
      opened?.reply.events.cancel();
      if (!fold.complete) {
        whole.reject(
          new GatewayError('aborted', 'The stream was stopped by its reader.', { partial: fold.response() }),
        );
      }
    }
  }

  async function* text(): AsyncGenerator<string, void, undefined> {
    for await (const event of events()) {
      // Texts cannot be taken back: whoever reads only them is never given two answers as one.
      if (event.type === 'reset') throw beganAnew(event.reason);
      if (event.type === 'text-delta' && (event.choice ?? 0) === 0) yield event.text;
    }
  }

  async function* partialOutput(): AsyncGenerator<Json, void, undefined> {
    let json = '';
    let last = '';
    for await (const event of events()) {
      if (event.type === 'reset') json = '';
      if (event.type !== 'text-delta' || (event.choice ?? 0) !== 0) continue;
      json += event.text;
      const value = parsePartialJson(json);
      const shown = value === undefined ? '' : JSON.stringify(value);
      if (value === undefined || shown === last) continue;
      last = shown;
      yield value;
    }
  }

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
      if (!taken) queueMicrotask(() => (taken ? undefined : void drain(events())));
      return whole.promise;
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

function beganAnew(reason: string): GatewayError {
  const code = reason in VERDICTS ? (reason as ErrorCode) : 'stream-interrupted';
  const message = 'The answer began anew after part of it was read. `text` cannot take that back: read the events.';
  return new GatewayError(code, message, { committed: true, retryable: false, stage: 'reset' });
}

function costOf(call: Call<'chat'>): CallCost | null {
  return call.context.get(costKey);
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _event of events);
  } catch {
    // `response` carries the failure.
  }
}

function readable(
  events: AsyncGenerator<ChatEvent, void, undefined>,
  format: 'sse' | 'ndjson',
): ReadableStream<Uint8Array> {
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
