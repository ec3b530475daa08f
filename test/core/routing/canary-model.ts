import { expect } from 'vitest';
import type { History, Tried } from './history.ts';
import { note, type StrategyModel } from './strategy-models.ts';

const SHARE = 0.25;
const RISK = 0.5;
const CALLS_MIN = 2;
/** What the bets begin with, as in `evidence.ts`: how much worse a guess is, and its weight. */
const GUESSES = [
  [0.04, 0.2],
  [0.1, 0.6],
  [0.4, 0.2],
] as const;

/**
 * Callers keep their variant, a canary comes before its stable variant, and none comes after the bet that it is worse
 * has won; the bet is played again from all outcomes, as plain products, for every order.
 */
export function canaryModel(): StrategyModel {
  const variants = new Map<string, boolean>();
  return {
    configure: (members) => ({
      strategy: 'canary',
      stable: 'q/stable',
      canary: members[0]?.id as string,
      share: SHARE,
      key: 'scope.session',
      rollback: { latency: false, risk: RISK, callsMin: CALLS_MIN },
    }),
    check(order, { session }, members, history, tally) {
      const tried = members[0]?.id as string;
      const isBack = rolledBack(history, tried);
      if (isBack) expect(order).toEqual(['q/stable']);
      else expect([[tried, 'q/stable'], ['q/stable']]).toContainEqual(order);
      if (isBack) return;
      if (session === undefined) return note(tally, SHARE, order.length === 2);
      // The same for every canary: who is one is decided by the place in the configuration and the trial's name.
      expect(variants.get(session) ?? order.length === 2).toBe(order.length === 2);
      variants.set(session, order.length === 2);
    },
  };
}

/** Whether the bet on errors had won at any canary outcome since the minimum. */
function rolledBack(history: History, canary: string): boolean {
  const verdicts = outcomesOf(history, canary);
  return verdicts.some(
    (verdict, index) =>
      verdict.canary &&
      verdicts.slice(0, index + 1).filter((one) => one.canary).length >= CALLS_MIN &&
      wealth(verdicts.slice(0, index + 1)) >= 1 / RISK,
  );
}

interface Verdict {
  readonly canary: boolean;
  readonly bad: number;
}

/** Outcomes that speak for or against a variant, while this canary was the one in the configuration. */
function outcomesOf(history: History, canary: string): readonly Verdict[] {
  return history.ended.flatMap((tried: Tried) => {
    const status = tried.end?.outcome.status;
    if (tried.beside !== canary || (status !== 'completed' && status !== 'failed')) return [];
    return [{ canary: tried.id === canary, bad: status === 'failed' ? 1 : 0 }];
  });
}

/** The stake a bet against "both are equal" has become: the likelihood of a worse canary over that of an equal one. */
function wealth(verdicts: readonly Verdict[]): number {
  const waiting: number[] = [];
  const used: number[] = [];
  let products = GUESSES.map(() => 1);
  for (const { canary, bad } of verdicts) {
    if (!canary) {
      waiting.push(bad);
      continue;
    }
    const beside = waiting.splice(0, 20);
    if (beside.length === 0) continue;
    const sum = (list: readonly number[]): number => list.reduce((total, one) => total + one, 0);
    const stable = Math.min(0.98, (0.5 + sum(used)) / (25 + used.length));
    const likelihood = (rate: number, outcome: number): number => (outcome === 1 ? rate : 1 - rate);
    products = products.map((product, guess) => {
      const worse = stable + (GUESSES[guess]?.[0] as number) * (1 - stable);
      const equal = (beside.length * stable + worse) / (beside.length + 1);
      const ratio = (rate: number, outcome: number): number => likelihood(rate, outcome) / likelihood(equal, outcome);
      return beside.reduce((factor, outcome) => factor * ratio(stable, outcome), product * ratio(worse, bad));
    });
    used.push(...beside);
  }
  // The first of the runs has nine tenths of the stake; a later one begins only at the 65th canary outcome.
  return 0.9 * products.reduce((total, product, guess) => total + product * (GUESSES[guess]?.[1] as number), 0) + 0.1;
}
