import { firstOf } from '../by-score.ts';
import type { Strategy } from '../node.ts';

/** Each in turn, as often as its weight says, spread evenly. */
export const roundRobin: Strategy = {
  name: 'round-robin',
  options: {},
  order({ id, members }, _call, view) {
    const credits = view.memory(`${id} round-robin`, () => new Map<number, number>());
    let total = 0;
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (const [index, { weight, slot }] of members.entries()) {
      total += weight;
      const credit = (credits.get(slot) ?? 0) + weight;
      if (!view.dry) credits.set(slot, credit);
      if (credit > most) [best, most] = [index, credit];
    }
    const chosen = members[best];
    if (!view.dry && chosen !== undefined) credits.set(chosen.slot, most - total);
    return firstOf(members, best);
  },
};
