import type { Call, Next, Reply } from '../core/call.ts';
import type { Timer } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import type { Transform } from '../core/event-stream.ts';
import { LIMITS } from '../core/limits.ts';
import { defineMiddleware, type Middleware } from '../core/middleware.ts';
import { checkOptions, milliseconds } from '../core/options.ts';
import { type LinkedController, linkedController } from '../core/signals.ts';
import type { OperationName } from '../operations/index.ts';
import { traitsOf } from '../operations/traits-table.ts';

export interface TimeoutOptions {
  /**
   * Longest wait for the response headers of a streamed attempt, in milliseconds; `0` is no limit. A plain answer
   * sends its headers when it is ready, so this does not bound it: see {@link TimeoutOptions.attemptMs}.
   *
   * @defaultValue 60_000
   */
  readonly connectMs?: number;
  /**
   * Longest wait for the first content of a streamed attempt, in milliseconds; `0` is no limit. Pings, roles and ids
   * are not content. Counts again for each retry.
   *
   * @defaultValue 120_000
   */
  readonly firstContentMs?: number;
  /** Longest silence between two content events of a stream, in milliseconds; `0` is no limit. @defaultValue 60_000 */
  readonly idleMs?: number;
  /** Longest time for one attempt until its reply, streamed or not, in milliseconds; `0` is no limit. @defaultValue 0 */
  readonly attemptMs?: number;
  /** Longest time for a whole stream, in milliseconds; `0` is no limit. @defaultValue 0 */
  readonly streamMs?: number;
}

type Stage = 'connect' | 'first-content' | 'idle' | 'attempt' | 'stream';

/**
 * Ends an attempt that takes too long, so that `retry` and `route` can go on.
 *
 * Place it after `route`, so that each attempt has its own clock.
 *
 * @throws GatewayError `timeout`: its `stage` says which clock ran out.
 * @example
 * createGateway({ providers, use: [retry(), route(), timeout({ firstContentMs: 10_000 })] })
 */
export function timeout(options: TimeoutOptions = {}): Middleware {
  checkOptions('timeout', options, {
    connectMs: milliseconds,
    firstContentMs: milliseconds,
    idleMs: milliseconds,
    attemptMs: milliseconds,
    streamMs: milliseconds,
  });
  const bounds: Required<TimeoutOptions> = {
    connectMs: options.connectMs ?? 60_000,
    firstContentMs: options.firstContentMs ?? LIMITS.firstContentMs,
    idleMs: options.idleMs ?? LIMITS.idleMs,
    attemptMs: options.attemptMs ?? 0,
    streamMs: options.streamMs ?? 0,
  };
  return defineMiddleware({ name: 'timeout' }, function timeout(call, next) {
    // A plain attempt has one clock only: where that is off, the deadline of the call is all there is.
    return !call.stream && bounds.attemptMs === 0 ? next(call) : bounded(call, next, bounds);
  });
}

async function bounded<K extends OperationName>(
  call: Call<K>,
  next: Next,
  bounds: Required<TimeoutOptions>,
): Promise<Reply<K>> {
  const { clock } = call.context;
  const controller = linkedController(call.signal);
  const started = clock.monotonic();
  const timers = new Map<Stage, Timer>();
  const arm = (stage: Stage, ms: number, spentMs = 0): void => {
    if (ms === 0) return;
    const left = Math.max(1, ms - spentMs);
    timers.set(
      stage,
      clock.after(left, () => controller.abort(timedOut(call as Call, stage, ms)), { holds: stage !== 'stream' }),
    );
  };
  const disarm = (stage: Stage): void => timers.get(stage)?.cancel();
  arm('attempt', bounds.attemptMs);
  if (call.stream) {
    arm('connect', bounds.connectMs);
    arm('first-content', bounds.firstContentMs);
  }
  const leave = (): void => {
    for (const timer of timers.values()) timer.cancel();
    controller.unlink();
  };
  try {
    const reply = await next({ ...call, signal: controller.signal, onHeaders: () => disarm('connect') });
    for (const timer of timers.values()) timer.cancel();
    if (!reply.stream) {
      controller.unlink();
      return reply;
    }
    arm('stream', bounds.streamMs, clock.monotonic() - started);
    reply.events.append(idleLayer(call, reply.events, bounds.idleMs, controller, leave) as never);
    return reply;
  } catch (error) {
    leave();
    throw error;
  }
}

/**
 * Aborts the attempt when no content came for too long. Pings do not count, or a stalled model would look alive; nor
 * does the time a slow consumer takes, or the model would be blamed for it.
 */
function idleLayer<K extends OperationName>(
  call: Call<K>,
  events: { readonly consumerMs: number },
  idleMs: number,
  controller: LinkedController,
  leave: () => void,
): Transform<unknown> {
  const isContent = traitsOf(call.operation as K).stream?.isContent as ((event: unknown) => boolean) | undefined;
  if (idleMs === 0 || isContent === undefined) return { observes: true, close: leave };
  const { clock } = call.context;
  // Clocks of upstream's own time: the consumer's is taken off.
  const upstreamMs = (): number => clock.monotonic() - events.consumerMs;
  let lastContent = upstreamMs();
  let timer: Timer;
  const watch = (ms: number): void => {
    timer = clock.after(ms, () => {
      const quiet = upstreamMs() - lastContent;
      if (quiet >= idleMs) controller.abort(timedOut(call as Call, 'idle', idleMs));
      else watch(idleMs - quiet);
    });
  };
  watch(idleMs);
  return {
    observes: true,
    event(event, emit) {
      if (isContent(event)) lastContent = upstreamMs();
      emit(event);
    },
    close() {
      timer.cancel();
      leave();
    },
  };
}

const SAID: Readonly<Record<Stage, (ms: number) => string>> = {
  connect: (ms) => `sent no response headers within ${ms} ms (timeout.connectMs)`,
  'first-content': (ms) => `sent no content within ${ms} ms (timeout.firstContentMs)`,
  idle: (ms) => `sent no content for ${ms} ms in the middle of its answer (timeout.idleMs)`,
  attempt: (ms) => `gave no answer within ${ms} ms (timeout.attemptMs)`,
  stream: (ms) => `was still answering after ${ms} ms (timeout.streamMs)`,
};

function timedOut(call: Call, stage: Stage, ms: number): GatewayError {
  const { provider, model } = call.target ?? call.plan.candidates[0] ?? { provider: '?', model: '?' };
  return new GatewayError('timeout', `${provider}/${model} ${SAID[stage](ms)}.`, {
    target: { provider, model },
    stage,
    // The request was sent, or may have been: nobody knows how far the provider came.
    ambiguous: true,
    limit: { name: `timeout.${stage}`, maximum: ms },
  });
}
