import { byScore } from '../by-score.ts';
import type { Strategy } from '../node.ts';

/** By chance, in proportion to the weights; so are those that follow. A weight of 0 comes last. */
export const weighted: Strategy = {
  name: 'weighted',
  options: {},
  order({ members }, _call, { random }) {
    // The shortest of exponential waiting times: a draw without replacement in one pass.
    return byScore(
      members,
      members.map(({ weight }) => -Math.log(1 - random()) / weight),
    );
  },
};
