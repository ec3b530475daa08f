import { type Call, plainTarget, type Reply } from '../../core/call.ts';
import { EventStream } from '../../core/event-stream.ts';
import { defineMiddleware, type Middleware } from '../../core/middleware.ts';
import { defineProvider, type Provider } from '../../core/provider.ts';
import { createGateway } from '../../gateway.ts';
import type { Gateway } from '../../gateway-types.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import { replayChat } from '../../operations/chat-replay.ts';
import type { ChatResponse } from '../../operations/chat.ts';
import { usageOf } from '../../operations/usage.ts';
import { fakeClock, type FakeClock } from '../fake-clock.ts';

/** A provider that counts what is done to it, and a gateway with one middleware in front of it. */
export interface Probe {
  readonly gateway: Gateway;
  readonly clock: FakeClock;
  readonly calls: Call[];
  /** Times a source of events was closed. */
  readonly closed: () => number;
  /** Settles work on the probe's clock. */
  run<T>(work: PromiseLike<T>): Promise<T>;
}

export interface ProbeOptions {
  /** Answers a call; the text of it, or something thrown. @defaultValue 'one two three' */
  readonly answer?: (call: Call<'chat'>) => string | Promise<string>;
  /** After so many events the source fails with what `failure` gives. */
  readonly failAfter?: number;
  readonly failure?: () => unknown;
  /** The source falls silent after so many events. */
  readonly hangAfter?: number;
}

export function chatResponse(text: string, call: Call<'chat'>): ChatResponse {
  const model = call.target?.model ?? call.request.model;
  return {
    id: 'probe_1',
    model,
    createdAt: '2026-01-01T00:00:00.000Z',
    message: {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'Let me think.', form: 'full' },
        { type: 'text', text },
        {
          type: 'tool-call',
          id: 'call_1',
          name: 'find',
          args: { query: text },
          argsText: JSON.stringify({ query: text }),
        },
      ],
      origin: { protocol: 'mock', provider: 'probe', model, responseId: 'probe_1' },
    },
    finish: { reason: 'tool-calls' },
    usage: usageOf([{ model, role: 'main', tokens: { input: 10, output: 5 } }]),
    warnings: [],
  };
}

export function probe(layers: readonly Middleware[], options: ProbeOptions = {}): Probe {
  const clock = fakeClock();
  const calls: Call[] = [];
  let closed = 0;
  const provider: Provider = defineProvider({
    name: 'probe',
    protocols: [],
    handlers: {
      async chat(call): Promise<Reply<'chat'>> {
        calls.push(call);
        const text = (await options.answer?.(call)) ?? 'one two three';
        const response = chatResponse(text, call);
        const base = { operation: 'chat', target: targetOf(call), attempts: call.context.attempts } as const;
        if (!call.stream) return { ...base, stream: false, response };
        const source = countingSource(response, options, () => void closed++);
        return { ...base, stream: true, events: new EventStream(source, { clock, signal: call.signal }) };
      },
      async embed(call) {
        calls.push(call);
        return {
          operation: 'embed',
          stream: false,
          target: targetOf(call),
          attempts: call.context.attempts,
          response: {
            id: 'probe_2',
            model: 'm',
            createdAt: '2026-01-01T00:00:00.000Z',
            embeddings: call.request.input.map((_text, index) => ({ index, vector: [1, index] })),
            encoding: 'float',
            dimensions: 2,
            usage: usageOf([{ model: 'm', role: 'main', tokens: { input: 3 } }]),
            warnings: [],
          },
        };
      },
    },
  });
  const gateway = createGateway({
    providers: [provider],
    models: { default: 'probe/m' },
    use: [frozen(), ...layers],
    clock,
    random: () => 0.5,
  });
  return { gateway, clock, calls, closed: () => closed, run: (work) => clock.settled(work) };
}

function targetOf(call: Call): ReturnType<typeof plainTarget> {
  return plainTarget(call.target ?? { id: 'probe/m', provider: 'probe', model: 'm' });
}

/** Whoever changes a call trips over it. */
function frozen(): Middleware {
  return defineMiddleware({ name: 'frozen' }, async (call, next) => {
    deepFreeze(call.request);
    deepFreeze(call.scope);
    return next(Object.freeze({ ...call }));
  });
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}

function countingSource(
  response: ChatResponse,
  options: ProbeOptions,
  onClose: () => void,
): ConstructorParameters<typeof EventStream<ChatEvent>>[0] {
  const events = [...replayChat(response)];
  let sent = 0;
  return {
    async read(emit) {
      if (sent === options.failAfter) throw options.failure?.();
      if (sent === options.hangAfter) await new Promise(() => undefined);
      const event = events[sent++];
      if (event === undefined) return false;
      emit(event);
      return true;
    },
    cancel: onClose,
  };
}

/** A signal that knows its listeners. */
export function countedSignal(): {
  readonly signal: AbortSignal;
  readonly controller: AbortController;
  listeners(): number;
} {
  const controller = new AbortController();
  const { signal } = controller;
  const known = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type: string, listener: never, options?: never) => {
    known.add(listener);
    add(type, listener, options);
  };
  signal.removeEventListener = (type: string, listener: never, options?: never) => {
    known.delete(listener);
    remove(type, listener, options);
  };
  return { signal, controller, listeners: () => known.size };
}
