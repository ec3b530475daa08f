import type { RouteNode } from './node.ts';

/** How many of a large group are put in order: no call tries more, and the first one is what matters. */
const RANKED_MAX = 4;
const SMALL = 12;

/**
 * Members by rising score, ties in configured order. Of a large group the best four come first and the others follow
 * as configured: sorting fifty for every call would cost more than all the rest of the choice.
 */
export function byScore(members: readonly RouteNode[], scores: readonly number[]): readonly RouteNode[] {
  const order = members.map((_, index) => index);
  const ranked = members.length <= SMALL ? members.length - 1 : RANKED_MAX;
  for (let place = 0; place < ranked; place++) {
    let best = place;
    for (let index = place + 1; index < order.length; index++) {
      if ((scores[order[index] as number] as number) < (scores[order[best] as number] as number)) best = index;
    }
    if (best === place) continue;
    // Shifted, not swapped: those that stay keep their order.
    const found = order[best] as number;
    for (let index = best; index > place; index--) order[index] = order[index - 1] as number;
    order[place] = found;
  }
  return order.map((index) => members[index] as RouteNode);
}

/** The member at `index` first, the others as they are. */
export function firstOf(members: readonly RouteNode[], index: number): readonly RouteNode[] {
  if (index === 0) return members;
  return [members[index] as RouteNode, ...members.slice(0, index), ...members.slice(index + 1)];
}
