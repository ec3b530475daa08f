import type { Candidate } from './call.ts';
import type { AttemptRecord } from './errors.ts';
import { LIMITS } from './limits.ts';

/** Whose state it is, beside the candidate's own id: of the target with any key, and of the key with any model. */
export interface CandidateKeys {
  readonly target: string;
  readonly credential: string;
}

/** Keys made lately, by candidate: every attempt asks for them again. */
const made = new Map<string, CandidateKeys>();

/** Keys under which health is kept of what candidates share. */
export function candidateKeys({ id, model, credential }: Candidate): CandidateKeys {
  let keys = made.get(id);
  if (keys === undefined) {
    const identity = id.slice(0, Math.max(0, id.indexOf(`/${model}`)));
    keys = { target: withoutKey(id, credential), credential: `${identity}#${credential ?? ''}` };
    if (made.size >= LIMITS.healthTargetsMax) made.clear();
    made.set(id, keys);
  }
  return keys;
}

/**
 * Whether a call has asked this target before, with any of its keys. What concerned only another key, a refusal or a
 * rate limit, does not count.
 */
export function wasTried(attempts: readonly AttemptRecord[], candidate: Candidate): boolean {
  const { id, credential } = candidate;
  return attempts.some((attempt) => {
    if (attempt.targetId === id) return true;
    if (credential === undefined || attempt.fault === 'credential' || attempt.code === 'rate-limited') return false;
    return withoutKey(attempt.targetId, attempt.target.credential) === withoutKey(id, credential);
  });
}

/** The id of a target, whatever its key. */
export function withoutKey(id: string, credential: string | undefined): string {
  if (credential === undefined) return id;
  const at = id.lastIndexOf(`#${credential}`);
  return at === -1 ? id : id.slice(0, at) + id.slice(at + credential.length + 1);
}
