import type { Candidate, Plan } from './call.ts';
import { leavesOf, type RouteNode } from './routing/node.ts';

/** The candidates of a tree in configured order, each once; the tree itself only if there is something to choose. */
export function withTree(node: RouteNode | undefined): Pick<Plan, 'candidates' | 'strategy'> {
  const byId = new Map<string, Candidate>();
  for (const { candidate } of node === undefined ? [] : leavesOf(node)) {
    if (!byId.has(candidate.id)) byId.set(candidate.id, candidate);
  }
  const candidates = [...byId.values()];
  return { candidates, ...(node?.kind === 'group' && chooses(node) && { strategy: node }) };
}

function chooses(node: RouteNode): boolean {
  return node.kind === 'group' && (node.strategy.name !== 'ordered' || node.members.some(chooses));
}
