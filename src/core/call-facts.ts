import type { ChatEvent } from '../operations/chat-events.ts';
import type { ChatResponse, Finish } from '../operations/chat.ts';
import type { Target, Usage } from '../operations/shared.ts';
import type { CachedFacts, Reply, StreamReply } from './call.ts';
import { type GatewayError, isOurEnd, toGatewayError } from './errors.ts';
import type { Transform } from './event-stream.ts';

/** How a call ended, without any content: all that books, traces and logs need. */
export interface CallFacts {
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly error?: GatewayError | undefined;
  /** The target that served it, or at which it failed last. */
  readonly target?: Target | undefined;
  readonly cached?: CachedFacts | undefined;
  readonly usage?: Usage | undefined;
  /** The model that answered, as the provider names it. */
  readonly model?: string | undefined;
  readonly responseId?: string | undefined;
  readonly finish?: Finish['reason'] | undefined;
  readonly tier?: string | undefined;
}
export interface FactsObserver {
  /** The last event of a stream is on its way to the caller; `end` comes once the stream is closed. */
  terminal?(facts: CallFacts): void;
  /** Exactly once, whatever happens. */
  end(facts: CallFacts): void;
}

/** Sees how a reply ends, exactly once. Unlike `settle` it keeps no content, so a stream event costs nothing. */
export async function settleFacts<R extends Reply>(reply: Promise<R>, observer: FactsObserver): Promise<R> {
  let settled: R;
  try {
    settled = await reply;
  } catch (thrown) {
    const error = toGatewayError(thrown, 'The call');
    observer.end({ status: statusOf(error), error, target: error.target });
    throw thrown;
  }
  if (settled.stream) {
    (settled as unknown as StreamReply<'chat'>).events.append(factsLayer(settled, observer));
    return settled;
  }
  observer.end(factsOf('completed', settled, settled.response as Partial<ChatResponse>));
  return settled;
}

function factsOf(
  status: CallFacts['status'],
  { target, cached }: Reply,
  { usage, model, id, finish, tier }: Partial<ChatResponse>,
  error?: GatewayError,
): CallFacts {
  return { status, error, target, cached, usage, model, responseId: id, finish: finish?.reason, tier };
}

function statusOf(error: GatewayError): 'failed' | 'cancelled' {
  return isOurEnd(error) ? 'cancelled' : 'failed';
}

function factsLayer(reply: Reply, observer: FactsObserver): Transform<ChatEvent> {
  const seen: { -readonly [K in keyof ChatResponse]?: ChatResponse[K] } = {};
  return {
    observes: true,
    event(event, emit) {
      switch (event.type) {
        case 'start':
          seen.model = event.model;
          seen.id = event.id;
          break;
        case 'usage':
          seen.usage = event.usage;
          break;
        case 'finish':
          seen.finish ??= event.finish;
          break;
        case 'end':
          if (event.tier !== undefined) seen.tier = event.tier;
          if (event.model !== undefined) seen.model = event.model;
          if (event.id !== undefined) seen.id = event.id;
          observer.terminal?.(factsOf('completed', reply, seen));
          break;
        default:
          break;
      }
      emit(event);
    },
    close(ending) {
      const error = ending.status === 'failed' ? toGatewayError(ending.error, 'The stream') : undefined;
      const status = error === undefined ? ending.status : statusOf(error);
      observer.end(factsOf(status, reply, seen, error));
    },
  };
}
