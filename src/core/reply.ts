import type { OperationName, Operations } from '../operations/index.ts';
import type { Target } from '../operations/shared.ts';
import { traitsOf } from '../operations/traits-table.ts';
import type { CachedFacts, Call, PlainReply, Reply, StreamReply } from './call.ts';
import { GatewayError, toGatewayError } from './errors.ts';
import { type Ending, EventStream, iterableSource, type Transform } from './event-stream.ts';

/** How a call or reply ended, with what was received. */
export type Outcome<K extends OperationName = OperationName> =
  | { readonly status: 'completed'; readonly response: Operations[K]['response']; readonly target: Target }
  | { readonly status: 'cancelled'; readonly response?: Operations[K]['response']; readonly target?: Target }
  | {
      readonly status: 'failed';
      readonly error: GatewayError;
      readonly response?: Operations[K]['response'];
      readonly target?: Target;
    };

/**
 * Sees the outcome of a reply exactly once: completed, cancelled with what was received, or failed. `observe` is
 * synchronous; later work goes to `context.waitUntil`.
 */
export async function settle<K extends OperationName>(
  reply: Reply<K> | Promise<Reply<K>>,
  operation: K,
  observe: (outcome: Outcome<K>) => void,
): Promise<Reply<K>> {
  let settled: Reply<K>;
  try {
    settled = await reply;
  } catch (thrown) {
    const error = toGatewayError(thrown, 'The call');
    const target = error.target === undefined ? {} : { target: error.target };
    observe(error.code === 'aborted' ? { status: 'cancelled', ...target } : { status: 'failed', error, ...target });
    throw thrown;
  }
  return observed(settled, operation, observe);
}

/** Sees the outcome of a reply that is there: {@link settle} without the wait for it. */
export function observed<K extends OperationName>(
  settled: Reply<K>,
  operation: K,
  observe: (outcome: Outcome<K>) => void,
): Reply<K> {
  if (!settled.stream) {
    const { target } = settled;
    observe({ status: 'completed', response: (settled as PlainReply<K>).response, target });
    return settled;
  }
  const fold = streamTraits(operation).fold();
  eventsOf<K>(settled).append({
    observes: true,
    event(event, emit) {
      fold.add(event);
      emit(event);
    },
    close(ending: Ending) {
      const response = fold.response();
      // Whoever ends an answer served it: a stream may be taken up by another target.
      const { target } = settled;
      if (ending.status === 'completed') observe({ status: 'completed', response, target });
      else if (ending.status === 'cancelled') observe({ status: 'cancelled', response, target });
      else {
        const error = toGatewayError(ending.error, 'The stream');
        if (error.code === 'aborted') observe({ status: 'cancelled', response, target });
        else observe({ status: 'failed', error, response, target });
      }
    },
  });
  return settled;
}

/** Appends a layer to a streamed reply; a plain one passes. A layer that edits drops the provider's bytes. */
export function transform<K extends OperationName>(
  reply: Reply<K>,
  create: () => Transform<Operations[K]['event']>,
): Reply<K> {
  if (!reply.stream) return reply;
  const layer = create();
  eventsOf<K>(reply).append(layer);
  return layer.observes === true ? reply : withoutWire(reply);
}

/** A reply whose bytes are no longer true. */
export function withoutWire<K extends OperationName>(reply: Reply<K>): Reply<K> {
  if (reply.wire === undefined) return reply;
  const { wire: _wire, ...rest } = reply;
  return rest as Reply<K>;
}

/** Another response in place of this one, with everything else of a plain reply kept. */
export function withResponse<K extends OperationName>(
  reply: PlainReply<K>,
  response: Operations[K]['response'],
): Reply<K> {
  return withoutWire({ ...reply, response } as unknown as Reply<K>);
}

/** Answers without a model, in the mode the call asked for: plain, or as the events of a stream. */
export function replyWith<K extends OperationName>(
  call: Call<K>,
  response: Operations[K]['response'],
  target: Target,
  cached?: CachedFacts,
): Reply<K> {
  const base = {
    operation: call.operation,
    target,
    attempts: call.context.attempts,
    ...(cached !== undefined && { cached }),
  };
  if (!call.stream) return { ...base, stream: false, response } as unknown as Reply<K>;
  const events = new EventStream(iterableSource(streamTraits<K>(call.operation as K).replay(response)), {
    clock: call.context.clock,
    signal: call.signal,
  });
  return { ...base, stream: true, events } as unknown as Reply<K>;
}

/** Reads a streamed reply to its end and gives the response; a plain reply gives its own. */
export async function collect<K extends OperationName>(reply: Reply<K>): Promise<Operations[K]['response']> {
  if (!reply.stream) return (reply as PlainReply<K>).response;
  const fold = streamTraits<K>(reply.operation as K).fold();
  for await (const event of eventsOf<K>(reply)) fold.add(event);
  return fold.response();
}

/** Closes a reply nobody will read, so that its connection is free. */
export function discard(reply: Reply, reason?: unknown): void {
  if (reply.stream) reply.events.cancel(reason);
}

function streamTraits<K extends OperationName>(operation: K): NonNullable<ReturnType<typeof traitsOf<K>>['stream']> {
  const traits = traitsOf<K>(operation).stream;
  if (traits === undefined) throw new GatewayError('internal', `Operation ${operation} does not stream.`);
  return traits;
}

function eventsOf<K extends OperationName>(reply: Reply<K>): StreamReply<K>['events'] {
  // `stream: true` was checked by the caller; TypeScript cannot narrow a reply of an unknown operation.
  return (reply as unknown as StreamReply<K>).events;
}
