import type { Candidate } from './call.ts';

/** Whose state it is, beside the candidate's own id: of the target with any key, and of the key with any model. */
export interface CandidateKeys {
  readonly target: string;
  readonly credential: string;
}

/** Keys under which health is kept of what candidates share. */
export function candidateKeys({ id, model, credential }: Candidate): CandidateKeys {
  const identity = id.slice(0, Math.max(0, id.indexOf(`/${model}`)));
  return {
    target: credential === undefined ? id : id.replace(`#${credential}`, ''),
    credential: `${identity}#${credential ?? ''}`,
  };
}
