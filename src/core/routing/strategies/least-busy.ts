import { byScore } from '../by-score.ts';
import { type Strategy, sumOf } from '../node.ts';

/** The one with the fewest calls in flight for its weight; among equals by chance. */
export const leastBusy: Strategy = {
  name: 'least-busy',
  options: {},
  order({ members }, _call, { load, random }) {
    const first = Math.floor(random() * members.length);
    const turned = first === 0 ? members : [...members.slice(first), ...members.slice(0, first)];
    return byScore(
      turned,
      // Waiting calls count beside the one that is about to come, so that an idle small target is not a large one.
      turned.map((member) => (sumOf(member, ({ candidate }) => load(candidate.id)) + 1) / member.weight),
    );
  },
};
