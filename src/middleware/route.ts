import type { Call, Candidate } from '../core/call.ts';
import { GatewayError, isGatewayError } from '../core/errors.ts';
import type { Health } from '../core/health.ts';
import { defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import { aFunction, checkOptions } from '../core/options.ts';

export interface RouteOptions {
  /**
   * Puts the candidates into the order they are tried in. Leaving one out keeps it from being tried.
   *
   * @defaultValue the order of the alias
   */
  readonly order?: (candidates: readonly Candidate[], call: Call) => readonly Candidate[];
}

/**
 * Walks the candidates of a call until one answers: past those that failed for good or are benched.
 *
 * Place it inside `retry`, which waits and walks again.
 *
 * @throws GatewayError of the one target that was tried, or `all-targets-failed` with every attempt.
 * @example
 * createGateway({ providers, models: { fast: ['openai/gpt-5-mini', 'anthropic/claude-haiku-4-5'] }, use: [retry(), route()] })
 */
export function route(options: RouteOptions = {}): Middleware {
  checkOptions('route', options, { order: aFunction });
  let host: Host | undefined;
  return defineMiddleware(
    {
      name: 'route',
      start: (given) => {
        host = given;
      },
      explain: (call) => ({
        summary: `tries ${candidatesOf(call, options)
          .map(({ provider, model }) => `${provider}/${model}`)
          .join(', then ')}`,
      }),
    },
    async function route(call, next) {
      const failures: GatewayError[] = [];
      const candidates = candidatesOf(call, options);
      for (const target of candidates) {
        if (call.context.attemptsLeft() === 0) break;
        if (failedForGood(call, target) || (host?.health.waitMs(target.id) ?? 0) > 0) continue;
        try {
          return await next({ ...call, target });
        } catch (error) {
          if (!isGatewayError(error) || !error.fallbackable || error.committed || call.signal.aborted) throw error;
          failures.push(error);
          noteNext(call, candidates.at(-1) === target ? undefined : 'next target');
        }
      }
      throw summary(call, candidates, failures, host?.health);
    },
  );
}

function candidatesOf(call: Call, options: RouteOptions): readonly Candidate[] {
  const { candidates } = call.plan;
  return options.order === undefined ? candidates : options.order(candidates, call);
}

/** A target whose last failure in this call was not worth repeating. */
function failedForGood(call: Call, target: Candidate): boolean {
  const last = call.context.attempts.findLast((attempt) => attempt.targetId === target.id);
  return last?.outcome === 'failed' && last.retryable === false;
}

function noteNext(call: Call, next: string | undefined): void {
  const last = call.context.attempts.at(-1);
  if (last !== undefined && next !== undefined) call.context.ledger.update(last.id, { next });
}

/** One error for the whole walk: worth retrying if one target is, after the shortest wait any of them asks for. */
function summary(
  call: Call,
  candidates: readonly Candidate[],
  failures: readonly GatewayError[],
  health: Health | undefined,
): GatewayError {
  const attempts = [...call.context.attempts];
  const waits = candidates.map((target) => health?.waitMs(target.id) ?? 0).filter((wait) => wait > 0);
  const asked = failures.flatMap((error) =>
    error.retryable && error.retryAfterMs !== undefined ? [error.retryAfterMs] : [],
  );
  const retryAfterMs = asked.length + waits.length > 0 ? Math.min(...asked, ...waits) : undefined;
  const last = failures.at(-1);
  if (last === undefined) {
    const benched = waits.length > 0;
    const why = benched ? 'all of them are benched after failures' : 'all of them failed for good in this call';
    return new GatewayError('no-target', `No target of ${call.request.model} can be tried now: ${why}.`, {
      attempts,
      retryable: benched,
      ...(retryAfterMs !== undefined && { retryAfterMs: Math.ceil(retryAfterMs) }),
    });
  }
  const targets = new Set(attempts.map((attempt) => attempt.targetId));
  if (targets.size <= 1) return last.with({ attempts });
  const said = failures.map((error) => `${error.target?.provider}/${error.target?.model} ${error.code}`).join(', ');
  return new GatewayError('all-targets-failed', `All targets of ${call.request.model} failed: ${said}.`, {
    attempts,
    cause: last,
    fault: last.fault,
    retryable: failures.some((error) => error.retryable),
    ambiguous: failures.some((error) => error.ambiguous),
    ...(last.target !== undefined && { target: last.target }),
    ...(last.status !== undefined && { status: last.status }),
    ...(retryAfterMs !== undefined && { retryAfterMs: Math.ceil(retryAfterMs) }),
  });
}
