import type { Call, Candidate, Plan } from './call.ts';
import { withoutKey } from './candidate-keys.ts';
import type { Context } from './context.ts';
import type { GatewayError } from './errors.ts';

/** Attempts a call may make: as many as were asked for, or one a target if there are more; keys are no targets. */
export function attemptsOwed(candidates: readonly Candidate[], asked: number): number {
  // Nearly every call: nothing needs to be counted.
  return candidates.length <= asked ? asked : Math.max(asked, targetsIn(candidates));
}

/** Makes sure that each target of a plan can be tried once more. */
export function oweAttempts({ ledger }: Context, { candidates }: Plan): void {
  ledger.maximum = Math.max(ledger.maximum, ledger.records.length + Math.max(1, targetsIn(candidates)));
}

/** Different targets, whatever their keys. */
function targetsIn(candidates: readonly Candidate[]): number {
  if (candidates.every(({ credential }) => credential === undefined)) return candidates.length;
  return new Set(candidates.map(({ id, credential }) => withoutKey(id, credential))).size;
}

/**
 * Adds one attempt for the next key of a target, after a failure that was one key's own: once a key and call, so that
 * the keys of one target neither use up the attempts of the others nor add retries to it.
 */
export function oweNextKey(
  { context }: Call,
  target: Candidate,
  error: GatewayError,
  candidates: readonly Candidate[],
): void {
  if (target.credential === undefined || !isOfKey(error)) return;
  const { attempts, ledger } = context;
  if (attempts.filter(({ targetId }) => targetId === target.id).length !== 1) return;
  const shared = withoutKey(target.id, target.credential);
  const another = candidates.some(
    ({ id, credential }) => withoutKey(id, credential) === shared && !attempts.some(({ targetId }) => targetId === id),
  );
  if (another) ledger.maximum++;
}

/** What another key of the same target need not say: a rate limit, a refused key. */
export function isOfKey({ fault, code }: Pick<GatewayError, 'fault' | 'code'>): boolean {
  return fault === 'credential' || code === 'rate-limited';
}
