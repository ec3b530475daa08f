import type { Call } from './call.ts';
import { candidateKeys } from './candidate-keys.ts';
import { contextKey } from './context.ts';

/** Set by whoever stands outside and leads on when every target of the call is at rest: `fallback`, read by `route`. */
export const elsewhereKey = contextKey<boolean>('elsewhere', false);

/** Whether a bench under this key would keep a call from everything it could try. */
export function isLastResort({ plan, context }: Call, key: string): boolean {
  if (context.get(elsewhereKey)) return false;
  return plan.candidates.every((candidate) => {
    if (candidate.id === key) return true;
    const keys = candidateKeys(candidate);
    return keys.target === key || keys.credential === key;
  });
}
