import type { ChatEvent } from '../operations/chat-events.ts';
import type { ChatRequest } from '../operations/chat.ts';
import type { Usage } from '../operations/shared.ts';
import { addUsage } from '../operations/usage.ts';
import type { Call, Next, StreamReply } from './call.ts';
import { type GatewayError, toGatewayError } from './errors.ts';
import { EventStream } from './event-stream.ts';
import { continuation, type Continuation } from './recovery-continue.ts';
import { deliveredSoFar, type Delivered } from './recovery-delivered.ts';
import { hasServerEffects } from './side-effects.ts';

/** `restart`: the answer begins anew after a `reset` event. `continue`: the model goes on where it was cut. */
export type RecoveryMode = 'restart' | 'continue';

export interface RecoveryOptions {
  readonly mode: RecoveryMode;
  /** Waits before another attempt; `false` if there should be none. */
  readonly again: (call: Call, error: GatewayError) => Promise<boolean>;
}

/** Whether an answer to this call may be taken up again after its reader has had part of it. */
export function isRecoverable(call: Call, mode: RecoveryMode): boolean {
  if ((call.operation as string) !== 'chat' || hasServerEffects(call)) return false;
  // A reader behind a vendor's SDK cannot be told to forget.
  if (mode === 'restart') return call.wire === undefined;
  const { tools, output, n } = call.request as ChatRequest;
  const free = output === undefined || output.type === 'text';
  return (tools === undefined || tools.length === 0) && free && (n === undefined || n === 1);
}

/** A streamed reply that survives its stream: read through another one when that breaks after content. */
export function recovering(
  call: Call<'chat'>,
  next: Next,
  first: StreamReply<'chat'>,
  { mode, again }: RecoveryOptions,
): StreamReply<'chat'> {
  // The deadline is for the reply, and that has been given.
  const { deadline: _deadline, ...lasting } = call as Call;
  const open = lasting as unknown as Call<'chat'>;
  const delivered = deliveredSoFar();
  const spent: Usage[] = [];
  let reply = first;
  let resumed: Continuation | undefined;
  let usageSeen = true;

  const pass = (event: ChatEvent, emit: (event: ChatEvent) => void): void => {
    for (const one of resumed === undefined ? [event] : resumed.map(event)) {
      if (one.type === 'usage') usageSeen = true;
      if (one.type === 'end' && !usageSeen) emit({ type: 'usage', usage: addUsage(spent) });
      const told = one.type === 'usage' && spent.length > 0 ? { ...one, usage: addUsage([...spent, one.usage]) } : one;
      delivered.add(told);
      emit(told);
    }
  };
  /** Opens the next stream, or throws what ends the answer. */
  const reopen = async (failure: GatewayError, emit: (event: ChatEvent) => void): Promise<void> => {
    let error = failure;
    const last = call.context.attempts.at(-1);
    if (last?.usage !== undefined) spent.push(last.usage);
    const next_ = mode === 'restart' ? open : continued(open, delivered);
    for (;;) {
      if (delivered.calledTool || next_ === undefined || !(await again(open as Call, error))) throw error;
      try {
        reply = (await next(next_)) as StreamReply<'chat'>;
        break;
      } catch (thrown) {
        error = toGatewayError(thrown, 'A middleware');
      }
    }
    usageSeen = false;
    if (mode === 'restart') {
      emit({ type: 'reset', reason: failure.code });
      delivered.clear();
    } else {
      resumed = continuation(delivered);
    }
  };

  const events = new EventStream<ChatEvent>(
    {
      async read(emit) {
        try {
          const { done, value } = await reply.events.next();
          if (done === true) return false;
          pass(value, emit);
        } catch (thrown) {
          await reopen(toGatewayError(thrown, 'The stream'), emit);
        }
        return true;
      },
      cancel: (reason) => reply.events.cancel(reason),
    },
    { clock: call.context.clock, signal: call.signal },
  );
  const { wire: _wire, target: _target, ...rest } = first;
  return Object.defineProperty({ ...rest, events }, 'target', {
    // Whoever ends the answer served it.
    get: () => reply.target,
    enumerable: true,
  }) as StreamReply<'chat'>;
}

const GO_ON =
  'Your answer was cut off by a technical failure. Go on exactly where it stops, without repeating or announcing anything.';

/** The request with what was said so far, or `undefined` if it cannot be taken up. */
function continued(call: Call<'chat'>, delivered: Delivered): Call<'chat'> | undefined {
  const text = delivered.text();
  if (text === undefined || text === '') return undefined;
  const messages = [
    ...call.request.messages,
    { role: 'assistant' as const, content: [{ type: 'text' as const, text }] },
    { role: 'user' as const, content: [{ type: 'text' as const, text: GO_ON }] },
  ];
  return { ...call, request: { ...call.request, messages } };
}
