import { fraction } from '../../options.ts';
import { byScore, firstOf } from '../by-score.ts';
import { lowestOf, type Strategy } from '../node.ts';

/** The most tokens a second. Those not yet measured come first; a few calls go elsewhere to keep the numbers fresh. */
export const throughput: Strategy = {
  name: 'throughput',
  options: { explore: fraction },
  settings: ({ explore }) => (explore as number | undefined) ?? 0.02,
  order({ members, settings }, _call, view) {
    const ranked = byScore(
      members,
      members.map((member) =>
        lowestOf(member, ({ candidate }) => {
          const speed = view.speed(candidate.id)?.tokensPerSecond;
          if (speed !== undefined) return -speed;
          // One call at a time finds out; the others do not wait for a target nobody knows.
          return view.load(candidate.id) === 0 ? Number.NEGATIVE_INFINITY : 0;
        }),
      ),
    );
    if (view.random() >= (settings as number)) return ranked;
    return firstOf(ranked, Math.floor(view.random() * ranked.length));
  },
};
