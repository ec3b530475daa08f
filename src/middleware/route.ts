import type { PassedOver } from '../core/attempt-record.ts';
import { isOfKey, oweNextKey } from '../core/attempts-owed.ts';
import type { Call, Candidate } from '../core/call.ts';
import { withoutKey } from '../core/candidate-keys.ts';
import { type GatewayError, isGatewayError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { type AttemptOutcome, defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import { aFunction, checkOptions, milliseconds } from '../core/options.ts';
import { type OutcomeAverages, outcomeAverages } from '../core/outcome-average.ts';
import { hasServerEffects } from '../core/side-effects.ts';
import { passOver, placeOf } from '../core/trail.ts';
import { type Standing, standingOf, walkFailure } from '../core/walk-failure.ts';

export interface RouteOptions {
  /**
   * Puts the candidates into the order they are tried in. Leaving one out keeps it from being tried.
   *
   * @defaultValue the order of the alias
   */
  readonly order?: (candidates: readonly Candidate[], call: Call) => readonly Candidate[];
  /**
   * How long a target whose calls mostly failed is tried after the others, in milliseconds; `0` never changes the
   * order. One success among few failures ends it sooner.
   *
   * @defaultValue 60_000
   */
  readonly avoidMs?: number;
}

/** Another target of the same kind would say the same; `fallback` can name one that does not. */
const SAME_EVERYWHERE = new Set(['context-too-long', 'request-too-large', 'content-filtered', 'invalid-output']);

/**
 * Walks the candidates of a call until one answers: past those that failed for good, are in flight or are benched, and
 * those that failed lately after the others.
 *
 * Place it inside `retry`, which waits and walks again.
 *
 * @throws GatewayError of the one target that was tried, or `all-targets-failed` with every attempt.
 * @example
 * createGateway({ providers, models: { fast: ['openai/gpt-5-mini', 'anthropic/claude-haiku-4-5'] }, use: [retry(), route()] })
 */
export function route(options: RouteOptions = {}): Middleware {
  checkOptions('route', options, { order: aFunction, avoidMs: milliseconds });
  const { avoidMs = 60_000 } = options;
  let host: Host | undefined;
  let averages: OutcomeAverages | undefined;
  const candidatesOf = (call: Call, dry = false): readonly Candidate[] => {
    const { candidates } = call.plan;
    const ordered =
      options.order === undefined ? (host?.routing.order(call, dry) ?? candidates) : options.order(candidates, call);
    if (ordered.length < 2 || averages === undefined) return ordered;
    const turned = failingLast(ordered, averages);
    if (turned !== ordered && !dry && call.context.attempts.length === 0) noteFailing(call, ordered, turned);
    return turned;
  };
  return defineMiddleware(
    {
      name: 'route',
      outside: ['concurrency', 'timeout'],
      start(given) {
        host = given;
        if (avoidMs === 0) return;
        // After two half-lives one failure is forgotten.
        const { clock } = given;
        averages = outcomeAverages({ halfLifeMs: avoidMs / 2, keysMax: LIMITS.healthTargetsMax, clock });
      },
      attempt(call) {
        const known = averages;
        if (known === undefined || call.target === undefined) return undefined;
        const { id } = call.target;
        return {
          end(outcome) {
            const ok = verdictOf(outcome);
            if (ok !== undefined) known.add(id, ok);
          },
        };
      },
      explain: (call) => ({
        summary: `tries ${candidatesOf(call, true).map(placeOf).join(', then ')}`,
      }),
    },
    async function route(call, next) {
      const failures: GatewayError[] = [];
      const candidates = candidatesOf(call);
      let resting: PassedOver[] | undefined;
      // Dispatch says it best when there is no attempt left.
      if (call.context.attemptsLeft() === 0) return next(call);
      for (const target of candidates) {
        if (call.context.attemptsLeft() === 0) break;
        const standing = standingOf(call, target, host?.health);
        if (!mayTry(standing, target, candidates) || failsAlike(target, failures)) {
          if (standing.state === 'waiting') (resting ??= []).push({ ...standing, target: placeOf(target) });
          continue;
        }
        if (failures.length > 0) noteMove(call, target);
        if (resting !== undefined) passOver(call as Call, resting);
        resting = undefined;
        try {
          return await next({ ...call, target });
        } catch (error) {
          if (!movesOn(call, error)) throw error;
          oweNextKey(call as Call, target, error, candidates);
          failures.push(error);
        }
      }
      throw walkFailure(call, candidates, failures, host?.health);
    },
  );
}

/** Whether an outcome speaks for or against a target; `undefined` if it says nothing about it. */
function verdictOf({ status, error }: AttemptOutcome): boolean | undefined {
  if (status === 'completed') return true;
  if (status !== 'failed' || error === undefined) return undefined;
  if (error.code === 'rate-limited') return undefined;
  return error.fault === 'target' || error.fault === 'network' || error.fault === 'credential' ? false : undefined;
}

function failingLast(candidates: readonly Candidate[], averages: OutcomeAverages): readonly Candidate[] {
  const failing = candidates.filter(({ id }) => averages.failing(id));
  if (failing.length === 0 || failing.length === candidates.length) return candidates;
  return [...candidates.filter((candidate) => !failing.includes(candidate)), ...failing];
}

/** Says why the first is not asked first. */
function noteFailing(call: Call, ordered: readonly Candidate[], [first]: readonly Candidate[]): void {
  const before = ordered.slice(0, first === undefined ? 0 : ordered.indexOf(first));
  if (before.length === 0) return;
  passOver(
    call,
    before.map((candidate) => ({ target: placeOf(candidate), reason: 'mostly failed lately, tried last', waitMs: 0 })),
  );
}

function mayTry({ state }: Standing, target: Candidate, candidates: readonly Candidate[]): boolean {
  if (state !== 'in-flight') return state === 'free';
  // Two attempts at once at the only target there is: somebody asked for that on purpose.
  const only = withoutKey(target.id, target.credential);
  return candidates.every(({ id, credential }) => withoutKey(id, credential) === only);
}

/** A target that just failed fails with its other key too; a rate limit or a dead key is one key's own. */
function failsAlike(target: Candidate, failures: readonly GatewayError[]): boolean {
  if (target.credential === undefined) return false;
  return failures.some(
    (error) =>
      (error.fault === 'target' || error.fault === 'network') &&
      !isOfKey(error) &&
      error.target?.provider === target.provider &&
      error.target.model === target.model &&
      error.target.region === target.region,
  );
}

function movesOn(call: Call, error: unknown): error is GatewayError {
  if (!isGatewayError(error) || !error.fallbackable || error.committed || call.signal.aborted) return false;
  if (SAME_EVERYWHERE.has(error.code)) return false;
  return !(error.ambiguous && hasServerEffects(call));
}

function noteMove(call: Call, target: Candidate): void {
  const last = call.context.attempts.at(-1);
  if (last === undefined || last.next !== undefined) return;
  call.context.ledger.update(last.id, { next: `next target: ${placeOf(target)}` });
}
