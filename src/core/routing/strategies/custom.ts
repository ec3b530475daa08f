import { aFunction } from '../../options.ts';
import { invalidOptions } from '../../errors.ts';
import type { Call, Candidate } from '../../call.ts';
import { type GroupNode, leavesOf, type RouteNode, type RouteView, type Strategy } from '../node.ts';

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
    const leaves = leavesIn(group);
    // A list of its own each time: a function may sort what it is given.
    const chosen = (group.settings as Choose)([...leaves.keys()], call, view);
    const nodes: RouteNode[] = [];
    for (const candidate of chosen) {
      const leaf = leaves.get(candidate);
      if (leaf !== undefined) nodes.push(leaf);
    }
    return nodes;
  },
};

const known = new WeakMap<GroupNode, ReadonlyMap<Candidate, RouteNode>>();

/** Every target below a group, found once a configuration. */
function leavesIn(group: GroupNode): ReadonlyMap<Candidate, RouteNode> {
  let leaves = known.get(group);
  if (leaves === undefined) {
    leaves = new Map(group.members.flatMap(leavesOf).map((leaf) => [leaf.candidate, leaf]));
    known.set(group, leaves);
  }
  return leaves;
}
