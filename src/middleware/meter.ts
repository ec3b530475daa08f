import type { Usage, Target } from '../operations/shared.ts';
import type { CachedFacts, Call, Scope } from '../core/call.ts';
import { toGatewayError, type ErrorCode } from '../core/errors.ts';
import { type AttemptOutcome, defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import { aFunction, checkOptions } from '../core/options.ts';
import { settle } from '../core/reply.ts';

interface RowBase {
  /** Wall time when it ended, milliseconds since the epoch. */
  readonly at: number;
  readonly callId: string;
  readonly parentId?: string;
  readonly purpose?: string;
  readonly operation: string;
  readonly scope: Scope;
  readonly status: 'completed' | 'failed' | 'cancelled' | 'refused';
  readonly durationMs: number;
  readonly error?: ErrorCode;
}
/** One exchange with one target. Usage stands here, once. */
export interface AttemptRow extends RowBase {
  readonly kind: 'attempt';
  readonly attemptId: string;
  readonly number: number;
  readonly target: Target;
  /** The model that answered, as the provider reports it. */
  readonly model?: string;
  readonly usage?: Usage;
  readonly billing: AttemptOutcome['billing'];
  readonly firstContentMs?: number;
  readonly finish?: string;
  readonly stream: boolean;
}
/** One call. It refers to its attempts and is in no sum. */
export interface CallRow extends RowBase {
  readonly kind: 'call';
  readonly model: string;
  readonly target?: Target;
  readonly attempts: readonly string[];
  readonly cached?: CachedFacts;
}
export type MeterRow = AttemptRow | CallRow;

export interface MeterOptions {
  /**
   * Gets every row, once: an attempt's when it ends, a call's after its attempts. A sink that throws or rejects harms
   * no call; it becomes a `problem` event.
   *
   * @defaultValue none: usage still stands on `response.usage` and on events
   */
  readonly sink?: (row: MeterRow) => void | Promise<void>;
}

/**
 * Counts what every attempt and every call used: completed, failed or cancelled, retried, hedged or in the shadow.
 *
 * Stands outermost; its attempt face sees all attempts wherever it stands.
 *
 * @example
 * createGateway({ providers, use: [meter({ sink: (row) => rows.push(row) }), retry(), route()] })
 */
export function meter(options: MeterOptions = {}): Middleware {
  checkOptions('meter', options, { sink: aFunction });
  const { sink } = options;
  let host: Host | undefined;
  const write = (row: MeterRow): void => {
    if (sink === undefined) return;
    try {
      const done = sink(row);
      if (done instanceof Promise) host?.waitUntil(done);
    } catch (thrown) {
      const error = toGatewayError(thrown, 'meter.sink');
      host?.emit('problem', { stage: 'meter.sink', code: error.code, error });
    }
  };
  return defineMiddleware(
    {
      name: 'meter',
      start: (given) => {
        host = given;
      },
      attempt: (call) => (sink === undefined ? undefined : { end: (outcome) => write(attemptRow(call, outcome)) }),
    },
    async function meter(call, next) {
      if (sink === undefined) return next(call);
      const { clock } = call.context;
      const began = clock.monotonic();
      return settle(next(call), call.operation, (outcome) => {
        const durationMs = clock.monotonic() - began;
        const error = outcome.status === 'failed' ? outcome.error : undefined;
        write({
          ...rowBase(call, durationMs),
          kind: 'call',
          status: outcome.status,
          model: call.request.model,
          attempts: call.context.attempts.map((attempt) => attempt.id),
          ...(outcome.target !== undefined && { target: outcome.target }),
          ...(error !== undefined && { error: error.code }),
        });
      });
    },
  );
}

function rowBase(call: Call, durationMs: number): Omit<RowBase, 'status'> {
  return {
    at: call.context.clock.now(),
    callId: call.id,
    operation: call.operation,
    scope: call.scope,
    durationMs,
    ...(call.parentId !== undefined && { parentId: call.parentId }),
    ...(call.purpose !== undefined && { purpose: call.purpose }),
  };
}

function attemptRow(call: Call, outcome: AttemptOutcome): AttemptRow {
  const { provider, model, region, credential } = call.target ?? { provider: '', model: '' };
  return {
    ...rowBase(call, outcome.durationMs),
    kind: 'attempt',
    attemptId: call.attempt?.id ?? call.id,
    number: call.attempt?.number ?? 1,
    status: outcome.status,
    target: {
      provider,
      model,
      ...(region !== undefined && { region }),
      ...(credential !== undefined && { credential }),
    },
    billing: outcome.billing,
    stream: call.stream,
    ...(outcome.model !== undefined && { model: outcome.model }),
    ...(outcome.usage !== undefined && { usage: outcome.usage }),
    ...(outcome.firstContentMs !== undefined && { firstContentMs: outcome.firstContentMs }),
    ...(outcome.finish !== undefined && { finish: outcome.finish }),
    ...(outcome.error !== undefined && { error: outcome.error.code }),
  };
}
