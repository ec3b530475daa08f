import type { ChatEvent } from '../operations/chat-events.ts';
import type { ChatResponse, Finish } from '../operations/chat.ts';
import type { Target, Usage } from '../operations/shared.ts';
import type { CachedFacts, Reply, StreamReply } from './call.ts';
import { type GatewayError, isOurEnd, toGatewayError } from './errors.ts';
import type { Ending } from './event-stream.ts';

/** How a call ended, without any content: all that books, traces and logs need. */
export interface CallFacts {
  readonly status: 'completed' | 'failed' | 'cancelled';
  readonly error?: GatewayError;
  /** The target that served it, or at which it failed last. */
  readonly target?: Target;
  readonly cached?: CachedFacts;
  readonly usage?: Usage;
  /** The model that answered, as the provider names it. */
  readonly model?: string;
  readonly responseId?: string;
  readonly finish?: Finish['reason'];
  readonly tier?: string;
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
    observer.end({ ...endOf(error), ...(error.target !== undefined && { target: error.target }) });
    throw thrown;
  }
  const { target, cached } = settled;
  const base = { target, ...(cached !== undefined && { cached }) };
  if (settled.stream) {
    (settled as unknown as StreamReply<'chat'>).events.append(factsLayer(base, observer));
    return settled;
  }
  const response = settled.response as Partial<ChatResponse>;
  observer.end({ status: 'completed', ...base, ...responseFacts(response) });
  return settled;
}

function endOf(error: GatewayError): { status: 'failed' | 'cancelled'; error: GatewayError } {
  return { status: isOurEnd(error) ? 'cancelled' : 'failed', error };
}

function responseFacts({ usage, model, id, finish, tier }: Partial<ChatResponse>): Partial<CallFacts> {
  return {
    ...(usage !== undefined && { usage }),
    ...(model !== undefined && { model }),
    ...(id !== undefined && { responseId: id }),
    ...(finish !== undefined && { finish: finish.reason }),
    ...(tier !== undefined && { tier }),
  };
}

function factsLayer(base: Partial<CallFacts>, observer: FactsObserver) {
  const seen: { -readonly [K in keyof ChatResponse]?: ChatResponse[K] } = {};
  return {
    observes: true as const,
    event(event: ChatEvent, emit: (event: ChatEvent) => void): void {
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
          observer.terminal?.({ status: 'completed', ...base, ...responseFacts(seen) });
          break;
        default:
          break;
      }
      emit(event);
    },
    close(ending: Ending): void {
      const end =
        ending.status === 'failed' ? endOf(toGatewayError(ending.error, 'The stream')) : { status: ending.status };
      observer.end({ ...base, ...responseFacts(seen), ...end });
    },
  };
}
