import type { Call } from '../../call.ts';
import { fraction } from '../../options.ts';
import { byScore, firstOf } from '../by-score.ts';
import { lowestOf, type RouteNode, type RouteView, type Strategy, type TargetNode } from '../node.ts';

interface Settings {
  readonly band: number;
  readonly explore: number;
}

/**
 * The soonest first content: of two taken by chance among those within the band of the best, the better one. Load
 * beyond what the averages were measured under counts against a target before it shows in them. A few calls go to the
 * target that was measured longest ago, so that one that recovered is found again.
 */
export const latency: Strategy = {
  name: 'latency',
  options: { band: fraction, explore: fraction },
  settings: ({ band, explore }): Settings => ({
    band: (band as number | undefined) ?? 0.2,
    explore: (explore as number | undefined) ?? 0.02,
  }),
  order({ members, settings }, call, view) {
    const { band, explore } = settings as Settings;
    const scores = members.map((member) => lowestOf(member, (target) => expectedMs(target, call, view)));
    const draw = view.random();
    if (draw < explore) {
      const stale = longestUnmeasured(members, scores, band, view);
      if (stale !== undefined) return firstOf(byScore(members, scores), byScore(members, scores).indexOf(stale));
    }
    const ranked = byScore(members, scores);
    const near = within(scores, band);
    if (near.length < 2) return ranked;
    // What is left of the draw is a number between 0 and 1 again.
    const rest = explore < 1 ? (draw - explore) / (1 - explore) : draw;
    const one = Math.floor(Math.max(0, rest) * near.length);
    const other = (one + 1 + Math.floor(view.random() * (near.length - 1))) % near.length;
    const [left, right] = [near[one] as number, near[other] as number];
    const better = (scores[left] as number) <= (scores[right] as number) ? left : right;
    return firstOf(ranked, ranked.indexOf(members[better] as RouteNode));
  },
};

/** Milliseconds to the first content if one more call went there. 0 for a target nobody has tried yet. */
function expectedMs({ candidate }: TargetNode, call: Call, view: RouteView): number {
  const speed = view.speed(candidate.id);
  const load = view.load(candidate.id);
  const ms = call.stream ? (speed?.streamMs ?? speed?.plainMs) : (speed?.plainMs ?? speed?.streamMs);
  // The first answer is awaited before more is sent there.
  if (speed === undefined || ms === undefined) return load === 0 ? 0 : UNKNOWN_MS * load;
  return ms * (1 + Math.max(0, load - speed.usualLoad) / (speed.usualLoad + 1));
}
/** What a target is thought to take until it has answered once. */
const UNKNOWN_MS = 1_000;

function within(scores: readonly number[], band: number): number[] {
  let best = Number.POSITIVE_INFINITY;
  for (const score of scores) if (score < best) best = score;
  const limit = best * (1 + band);
  const near: number[] = [];
  for (let index = 0; index < scores.length; index++) if ((scores[index] as number) <= limit) near.push(index);
  return near;
}

/** Outside the band, where ordinary traffic measures nothing. */
function longestUnmeasured(
  members: readonly RouteNode[],
  scores: readonly number[],
  band: number,
  view: RouteView,
): RouteNode | undefined {
  const near = new Set(within(scores, band));
  let found: RouteNode | undefined;
  let oldest = Number.POSITIVE_INFINITY;
  for (const [index, member] of members.entries()) {
    if (near.has(index)) continue;
    const at = lowestOf(member, ({ candidate }) => view.speed(candidate.id)?.measuredAt ?? 0);
    if (at < oldest) [found, oldest] = [member, at];
  }
  return found;
}
