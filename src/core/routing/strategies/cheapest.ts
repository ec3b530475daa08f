import { wholeNumber } from '../../options.ts';
import { byScore } from '../by-score.ts';
import { callKey, pathProblem } from '../call-value.ts';
import { expectedUsd } from '../expected-cost.ts';
import { lowestOf, type Strategy } from '../node.ts';

interface Settings {
  readonly warmKey: string | undefined;
  readonly warmMs: number;
}
interface Warm {
  readonly id: string;
  readonly tokens: number;
  readonly atMs: number;
}

/** Conversations remembered; the oldest go first. */
const WARM_MAX = 10_000;
/** How long a provider's prompt cache is taken to last, in milliseconds. */
const WARM_MS = 300_000;

/**
 * The lowest expected cost; unknown prices come last. With `warmKey`, a target whose prompt cache still holds this
 * conversation is charged its cache price, so leaving it has to be worth that.
 */
export const cheapest: Strategy = {
  name: 'cheapest',
  comparesPrices: () => true,
  options: { warmKey: pathProblem, warmMs: wholeNumber(0) },
  settings: ({ warmKey, warmMs }): Settings => ({
    warmKey: warmKey as string | undefined,
    warmMs: (warmMs as number | undefined) ?? WARM_MS,
  }),
  order({ id, members, settings }, call, view) {
    const { warmKey, warmMs } = settings as Settings;
    const key = warmKey === undefined ? undefined : callKey(call, warmKey);
    const last = key === undefined ? undefined : view.memory(`${id} warm`, newWarmth).get(key);
    const warm = last !== undefined && view.clock.monotonic() - last.atMs < warmMs ? last : undefined;
    return byScore(
      members,
      members.map((member) =>
        lowestOf(member, ({ candidate }) =>
          expectedUsd(candidate, call, view, warm?.id === candidate.id ? warm.tokens : 0),
        ),
      ),
    );
  },
  ended({ id, settings }, call, target, { status, usage }, view) {
    const { warmKey } = settings as Settings;
    const key = warmKey === undefined ? undefined : callKey(call, warmKey);
    if (key === undefined || status !== 'completed' || usage === undefined) return;
    const warmth = view.memory(`${id} warm`, newWarmth);
    warmth.delete(key);
    if (warmth.size >= WARM_MAX) warmth.delete(warmth.keys().next().value as string);
    warmth.set(key, { id: target.id, tokens: usage.input, atMs: view.clock.monotonic() });
  },
};

function newWarmth(): Map<string, Warm> {
  return new Map();
}
