import type { Call, Candidate, Plan } from './call.ts';
import { candidateKeys, withoutKey } from './candidate-keys.ts';
import { type AttemptRecord, type ErrorCode, GatewayError } from './errors.ts';
import type { Health, TargetHealth } from './health.ts';
import { isLastResort } from './last-resort.ts';
import { outdatedKey } from './standby.ts';
import { placeOf } from './trail.ts';

/** How a candidate stands within one call. */
export type Standing =
  | { readonly state: 'free' }
  | { readonly state: 'failed' }
  | { readonly state: 'in-flight' }
  /** It asked this call to wait, or is benched for all calls. */
  | { readonly state: 'waiting'; readonly waitMs: number; readonly reason: string };

const FREE: Standing = { state: 'free' };
/** Benches that no short wait ends: who finds only these is told at once. */
const CLOSED = /^(circuit|credential)/;

/** Reads the attempts of the call and the health of the target, nothing else. */
export function standingOf(call: Call, target: Candidate, health: Health | undefined): Standing {
  const { attempts, clock, startedAt } = call.context;
  const last = attempts.findLast((attempt) => attempt.targetId === target.id);
  if (last?.outcome === 'running' || isAskedWithOtherKey(call, target)) return { state: 'in-flight' };
  if (last?.outcome === 'failed' && last.retryable === false && !isOutdated(call, last)) return { state: 'failed' };
  const now = clock.monotonic();
  const bench = benchOf(call, target, health);
  const benched = bench === undefined ? 0 : bench.notBefore - now;
  const asked =
    last?.retryAfterMs === undefined
      ? 0
      : startedAt + last.startedMs + (last.durationMs ?? 0) + last.retryAfterMs - now;
  const waitMs = Math.max(benched, asked);
  if (waitMs <= 0) return FREE;
  const reason = benched >= asked ? (bench?.reason ?? 'benched') : 'rate-limited';
  return { state: 'waiting', waitMs, reason };
}

/** A request that was too long may be short enough by now. */
function isOutdated({ context }: Call, attempt: AttemptRecord): boolean {
  return attempt.fault === 'request' && context.attempts.indexOf(attempt) < context.get(outdatedKey);
}

/** A second runner goes to another target, not to the same one with its other key. */
function isAskedWithOtherKey(call: Call, { id, credential }: Candidate): boolean {
  if (credential === undefined) return false;
  const { attempts } = call.context;
  return attempts.some(
    ({ outcome, targetId, target }) =>
      outcome === 'running' && withoutKey(targetId, target.credential) === withoutKey(id, credential),
  );
}

/** The longest bench that holds for a candidate in this call: its own, its target's or its key's. */
function benchOf(call: Call, target: Candidate, health: Health | undefined): TargetHealth | undefined {
  if (health === undefined || health.size === 0) return undefined;
  const keys = candidateKeys(target);
  let longest: TargetHealth | undefined;
  for (const key of [target.id, keys.target, keys.credential]) {
    const bench = health.get(key);
    if (bench === undefined || (longest !== undefined && bench.notBefore <= longest.notBefore)) continue;
    if (bench.soft !== true || !isLastResort(call, key)) longest = bench;
  }
  return longest;
}

/** One error for a whole walk: worth retrying if one target is, after the shortest wait any of them asks for. */
export function walkFailure(
  call: Call,
  candidates: readonly Candidate[],
  failures: readonly GatewayError[],
  health: Health | undefined,
): GatewayError {
  const attempts = [...call.context.attempts];
  // What our own house refused says less than what a provider said.
  const last = failures.findLast((error) => !isRefusal(error)) ?? failures.at(-1);
  if (last === undefined) return nothingTried(call, candidates, health);
  const targets = new Set(attempts.flatMap(({ outcome, targetId }) => (outcome === 'running' ? [] : [targetId])));
  if (targets.size <= 1 && candidates.length <= 1) return last.with({ attempts });
  const { retryable, waitMs } = outlook(call, candidates, failures, health);
  const wait = waitMs > 0 ? { retryAfterMs: Math.ceil(waitMs) } : {};
  if (!retryable && areKeysOfOne(candidates) && failures.every(({ fault }) => fault === 'credential')) {
    return keysExhausted(call, attempts, last);
  }
  if (targets.size <= 1) return last.with({ attempts, retryable: retryable || last.retryable, ...wait });
  const said = lastWords(attempts);
  return new GatewayError('all-targets-failed', `All targets of ${call.request.model} failed: ${said}.`, {
    attempts,
    cause: last,
    fault: last.fault,
    retryable,
    ambiguous: failures.some((error) => error.ambiguous),
    ...(last.target !== undefined && { target: last.target }),
    ...(last.status !== undefined && { status: last.status }),
    ...wait,
  });
}

/** What each target said last, with the name of its key where it has several. */
function lastWords(attempts: readonly AttemptRecord[]): string {
  const lasts = new Map<string, string>();
  for (const { targetId, target, outcome, code } of attempts) {
    if (outcome === 'failed') lasts.set(targetId, `${placeOf(target)} ${code}`);
  }
  return [...lasts.values()].join(', ');
}

function areKeysOfOne(candidates: readonly Candidate[]): boolean {
  const provider = candidates[0]?.provider;
  return candidates.length > 1 && candidates.every((one) => one.provider === provider && one.credential !== undefined);
}

/** One key that is refused is its own error; all of them are one for whoever looks after the keys. */
function keysExhausted(call: Call, attempts: readonly AttemptRecord[], last: GatewayError): GatewayError {
  const message = `All keys of ${call.request.model} were refused or are at rest: ${lastWords(attempts)}. Renew one of them.`;
  return new GatewayError('authentication', message, {
    attempts,
    cause: last,
    source: last.source,
    ...(last.target !== undefined && { target: last.target }),
    ...(last.status !== undefined && { status: last.status }),
    ...(last.requestId !== undefined && { requestId: last.requestId }),
  });
}

function isRefusal(error: GatewayError): boolean {
  return error.code === 'circuit-open' || error.stage === 'retry-budget' || error.stage === 'queue';
}

/** Whether walking again can help, and after how long at the soonest. */
function outlook(
  call: Call,
  candidates: readonly Candidate[],
  failures: readonly GatewayError[],
  health: Health | undefined,
): { retryable: boolean; waitMs: number } {
  if (failures.every(isRefusal)) return { retryable: false, waitMs: 0 };
  let waitMs = Number.POSITIVE_INFINITY;
  for (const target of candidates) {
    const standing = standingOf(call, target, health);
    if (standing.state === 'free') waitMs = 0;
    if (standing.state === 'waiting' && !CLOSED.test(standing.reason)) waitMs = Math.min(waitMs, standing.waitMs);
  }
  return { retryable: waitMs !== Number.POSITIVE_INFINITY, waitMs: waitMs === Number.POSITIVE_INFINITY ? 0 : waitMs };
}

function nothingTried(call: Call, candidates: readonly Candidate[], health: Health | undefined): GatewayError {
  const attempts = [...call.context.attempts];
  const waiting = candidates.flatMap((target) => {
    const standing = standingOf(call, target, health);
    return standing.state === 'waiting' ? [standing] : [];
  });
  const soon = waiting.filter(({ reason }) => !CLOSED.test(reason));
  const waits = (soon.length > 0 ? soon : waiting).map(({ waitMs }) => waitMs);
  const code = codeOf(waiting.map(({ reason }) => reason));
  const why = whyNothing(call.plan, waiting);
  return new GatewayError(code, `No target of ${call.request.model} can be tried now: ${why}.`, {
    attempts,
    retryable: soon.length > 0,
    fallbackable: waiting.length > 0,
    ...(waits.length > 0 && { retryAfterMs: Math.ceil(Math.min(...waits)) }),
  });
}

function whyNothing({ candidates, losers }: Plan, waiting: readonly { readonly reason: string }[]): string {
  if (candidates.length === 0 && losers.length > 0) {
    return losers.map(({ target, reason }) => `${target} (${reason})`).join('; ');
  }
  if (waiting.length === 0) return 'all of them failed for good in this call or are being tried';
  return `all of them are benched (${[...new Set(waiting.map(({ reason }) => reason))].join(', ')})`;
}

/** What keeps all of them away, if it is one thing. */
function codeOf(reasons: readonly string[]): ErrorCode {
  if (reasons.length > 0 && reasons.every((reason) => reason.startsWith('circuit'))) return 'circuit-open';
  if (reasons.length > 0 && reasons.every((reason) => reason.startsWith('credential'))) return 'authentication';
  if (reasons.length > 0 && reasons.every((reason) => reason === 'rate-limited')) return 'rate-limited';
  return 'no-target';
}
