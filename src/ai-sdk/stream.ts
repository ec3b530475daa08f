import { isGatewayError } from '../core/errors.ts';
import type { ChatEvent } from '../operations/chat-events.ts';
import type { AssistantMessage } from '../operations/chat-parts.ts';
import type { ChatStream } from '../chat-stream.ts';
import {
  finishOf,
  metadataOf,
  partOf,
  responseMetadata,
  sourcesOf,
  UNKNOWN_USAGE,
  usageFor,
  warningsFor,
} from './answer.ts';
import type { AiStreamPart, AiWarning } from './specification.ts';

/** A chat stream as the parts the AI SDK reads. A failure is a part of its own, as it wants it. */
export function partsOf(stream: ChatStream, warnings: readonly AiWarning[]): ReadableStream<AiStreamPart> {
  const parts = generate(stream, warnings);
  return new ReadableStream<AiStreamPart>(
    {
      async pull(controller) {
        const { done, value } = await parts.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => stream.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

async function* generate(stream: ChatStream, warnings: readonly AiWarning[]): AsyncGenerator<AiStreamPart, undefined> {
  const state: State = { origin: undefined, ids: new Map(), warnings };
  try {
    for await (const event of stream) yield* partsFor(event, state);
    const response = await stream.response;
    yield {
      type: 'finish',
      finishReason: finishOf(response.finish),
      usage: usageFor(response.usage),
      providerMetadata: metadataOf(response),
    };
  } catch (error) {
    yield { type: 'error', error };
    const unified = isGatewayError(error, 'stream-interrupted') ? 'interrupted' : 'error';
    yield { type: 'finish', finishReason: { unified, raw: undefined }, usage: UNKNOWN_USAGE };
  }
}

interface State {
  /** What was lost before the gateway was asked. */
  readonly warnings: readonly AiWarning[];
  origin: AssistantMessage['origin'];
  /** Ids of calls by the index of their block. */
  readonly ids: Map<number, string>;
}

function* partsFor(event: ChatEvent, state: State): Generator<AiStreamPart> {
  // The AI SDK knows one answer a call.
  if ('choice' in event && event.choice !== undefined && event.choice !== 0) return;
  switch (event.type) {
    case 'start': {
      const { protocol, provider, model } = event;
      state.origin = { protocol, provider, model, responseId: event.id };
      yield { type: 'stream-start', warnings: [...state.warnings, ...warningsFor(event.warnings)] };
      yield { type: 'response-metadata', ...responseMetadata(event) };
      return;
    }
    case 'text-start':
    case 'refusal-start':
      yield { type: 'text-start', id: String(event.index) };
      return;
    case 'text-delta':
    case 'refusal-delta':
      yield { type: 'text-delta', id: String(event.index), delta: event.text };
      return;
    case 'refusal-end':
      yield { type: 'text-end', id: String(event.index) };
      return;
    case 'text-end':
      yield { type: 'text-end', id: String(event.index) };
      yield* sourcesOf(event.part.citations);
      return;
    case 'reasoning-start':
      yield { type: 'reasoning-start', id: String(event.index) };
      return;
    case 'reasoning-delta':
      yield { type: 'reasoning-delta', id: String(event.index), delta: event.text };
      return;
    case 'reasoning-end': {
      const [part] = partOf(event.part, state.origin);
      const metadata = part?.providerMetadata === undefined ? {} : { providerMetadata: part.providerMetadata };
      yield { type: 'reasoning-end', id: String(event.index), ...metadata };
      return;
    }
    case 'tool-call-start':
      if (event.executor === 'provider') return;
      state.ids.set(event.index, event.id);
      yield { type: 'tool-input-start', id: event.id, toolName: event.name };
      return;
    case 'tool-call-delta': {
      const id = state.ids.get(event.index);
      if (id !== undefined) yield { type: 'tool-input-delta', id, delta: event.text };
      return;
    }
    case 'tool-call-end': {
      const id = state.ids.get(event.index);
      if (id !== undefined) yield { type: 'tool-input-end', id };
      yield* partOf(event.part, state.origin) as AiStreamPart[];
      return;
    }
    case 'part':
      yield* partOf(event.part, state.origin).filter((part) => part.type === 'file');
      return;
    case 'raw':
      yield { type: 'raw', rawValue: event.event };
      return;
    default:
  }
}
