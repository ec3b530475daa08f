import { aFunction } from '../../options.ts';
import { invalidOptions } from '../../errors.ts';
import type { Call, Candidate } from '../../call.ts';
import { leavesOf, type RouteNode, type RouteView, type Strategy } from '../node.ts';

/** Puts candidates in order yourself. Those left out are not tried. */
export type Choose = (
  candidates: readonly Candidate[],
  call: Call,
  view: Pick<RouteView, 'load' | 'speed' | 'facts' | 'random' | 'clock'>,
) => readonly Candidate[];

/** A function of yours, for configuration that stands in code. */
export const custom: Strategy = {
  name: 'custom',
  options: { choose: aFunction },
  settings({ choose }, path) {
    if (choose === undefined)
      throw invalidOptions(`${path}.choose`, 'custom needs choose: (candidates, call, view) => candidates.');
    return choose;
  },
  order(group, call, view) {
    const leaves = group.members.flatMap(leavesOf);
    const byCandidate = new Map<Candidate, RouteNode>(leaves.map((leaf) => [leaf.candidate, leaf]));
    const chosen = (group.settings as Choose)([...byCandidate.keys()], call, view);
    return chosen.flatMap((candidate) => byCandidate.get(candidate) ?? []);
  },
};
