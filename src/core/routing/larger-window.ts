import type { Candidate, Plan } from '../call.ts';
import type { ModelFacts } from '../model-facts.ts';
import { without } from './eligible.ts';

/** A plan without the candidates whose context window is known to be no larger than one that was too small. */
export function withLargerWindow(
  plan: Plan,
  tooSmall: readonly Candidate[],
  factsOf: (candidate: Candidate) => ModelFacts | undefined = ({ facts }) => facts,
): Plan {
  const windowOf = (candidate: Candidate): number | undefined => factsOf(candidate)?.limits?.context;
  const largest = Math.max(0, ...tooSmall.map((candidate) => windowOf(candidate) ?? 0));
  const out = new Map<string, string>();
  for (const candidate of plan.candidates) {
    const window = windowOf(candidate);
    if (window !== undefined && window <= largest) {
      out.set(candidate.id, `its window of ${window} tokens is no larger than the ${largest} that were too few`);
    }
  }
  return without(plan, out);
}
