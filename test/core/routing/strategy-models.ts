import { expect } from 'vitest';
import type { GroupConfiguration } from '../../../src/core/routing/configuration.ts';
import type { History } from './history.ts';

export interface Member {
  readonly id: string;
  readonly weight: number;
  /** US dollars per million tokens of input and of output; of cached input a tenth. */
  readonly price: number;
}
export interface Asked {
  readonly stream: boolean;
  readonly session: string | undefined;
  readonly purpose: string;
  readonly inputTokens: number;
}
/** How often something left to chance was expected, and how often it happened. */
export interface Tally {
  expected: number;
  variance: number;
  seen: number;
}
/** What is so obviously right that it may be slow: which orders a strategy may give, from all that ever happened. */
export interface StrategyModel {
  configure(members: readonly Member[]): GroupConfiguration;
  /** Throws unless the strategy may give this order now. */
  check(order: readonly string[], asked: Asked, members: readonly Member[], history: History, tally: Tally): void;
}

const targetsOf = (members: readonly Member[]) =>
  members.map(({ id, weight, price }) => ({
    target: id,
    weight,
    price: { input: price, output: price, cacheRead: price / 10 },
  }));
const idsOf = (members: readonly Member[]): string[] => members.map(({ id }) => id);
const weightOf = (members: readonly Member[], id: string): number =>
  members.find((member) => member.id === id)?.weight as number;

function expectPermutation(order: readonly string[], members: readonly Member[]): void {
  expect(order.toSorted()).toEqual(idsOf(members).toSorted());
}
function isRising(ids: readonly string[], score: (id: string) => number): boolean {
  const scores = ids.map(score);
  return scores.every((one, index) => index === 0 || (scores[index - 1] as number) <= one + Math.abs(one) * 1e-9);
}
export function note(tally: Tally, chance: number, happened: boolean): void {
  tally.expected += chance;
  tally.variance += chance * (1 - chance);
  if (happened) tally.seen++;
}

function ordered(): StrategyModel {
  return {
    configure: (members) => ({ strategy: 'ordered', targets: targetsOf(members) }),
    check: (order, _asked, members) => expect(order).toEqual(idsOf(members)),
  };
}

/** An urn with as many balls of a target as its weight says. */
function weighted(): StrategyModel {
  return {
    configure: (members) => ({ strategy: 'weighted', targets: targetsOf(members) }),
    check(order, _asked, members, _history, tally) {
      expectPermutation(order, members);
      const balls = members.flatMap(({ id, weight }) => Array.from({ length: weight }, () => id));
      const heaviest = members.toSorted((one, other) => other.weight - one.weight)[0] as Member;
      note(tally, heaviest.weight / balls.length, order[0] === heaviest.id);
    },
  };
}

/** Each call owes every member its weight; who gets the call pays for all. The one owed most is next. */
function roundRobin(): StrategyModel {
  const turns: { readonly weights: readonly number[]; readonly chosen: number }[] = [];
  return {
    configure: (members) => ({ strategy: 'round-robin', targets: targetsOf(members) }),
    check(order, _asked, members) {
      const weights = members.map(({ weight }) => weight);
      const sum = (list: readonly number[]): number => list.reduce((total, one) => total + one, 0);
      const owed = weights.map((weight, place) =>
        turns.reduce(
          (credit, turn) => credit + (turn.weights[place] ?? 0) - (turn.chosen === place ? sum(turn.weights) : 0),
          weight,
        ),
      );
      const chosen = owed.indexOf(Math.max(...owed));
      const ids = idsOf(members);
      expect(order).toEqual([ids[chosen], ...ids.filter((_, place) => place !== chosen)]);
      turns.push({ weights, chosen });
    },
  };
}

function leastBusy(): StrategyModel {
  return {
    configure: (members) => ({ strategy: 'least-busy', targets: targetsOf(members) }),
    check(order, _asked, members, history) {
      expectPermutation(order, members);
      expect(isRising(order, (id) => (history.load(id) + 1) / weightOf(members, id))).toBe(true);
    },
  };
}

/** One in the band that is not the worst there, or now and then the one outside that was measured longest ago. */
function latency(): StrategyModel {
  return {
    configure: (members) => ({ strategy: 'latency', targets: targetsOf(members) }),
    check(order, { stream }, members, history, tally) {
      expectPermutation(order, members);
      const ms = (id: string): number => history.expectedMs(id, stream);
      const [first, ...rest] = order as [string, ...string[]];
      expect(isRising(rest, ms)).toBe(true);
      const limit = Math.min(...order.map(ms)) * 1.2 + 1e-6;
      const near = order.filter((id) => ms(id) <= limit);
      const outside = order.filter((id) => !near.includes(id));
      const oldest = Math.min(...outside.map((id) => history.measuredAt(id)));
      const explored = outside.includes(first);
      if (explored) expect(history.measuredAt(first)).toBe(oldest);
      else expect(near.length === 1 || near.some((id) => id !== first && ms(id) >= ms(first) - 1e-6)).toBe(true);
      if (outside.length > 0) note(tally, 0.02, explored);
    },
  };
}

/** The fastest writer; an unknown one first while idle. Now and then any other. */
function throughput(): StrategyModel {
  return {
    configure: (members) => ({ strategy: 'throughput', targets: targetsOf(members) }),
    check(order, _asked, members, history, tally) {
      expectPermutation(order, members);
      const score = (id: string): number => {
        const speed = history.tokensPerSecond(id);
        if (speed !== undefined) return -speed;
        return history.load(id) === 0 ? -1e12 : 0;
      };
      expect(isRising(order.slice(1), score)).toBe(true);
      const others = order.filter((id) => score(id) > Math.min(...order.map(score)) * (1 - 1e-9)).length;
      if (others > 0) note(tally, (0.02 * others) / order.length, !isRising(order, score));
    },
  };
}

function cheapest(): StrategyModel {
  const warmMs = 60_000;
  return {
    configure: (members) => ({ strategy: 'cheapest', warmKey: 'scope.session', warmMs, targets: targetsOf(members) }),
    check(order, { session, inputTokens }, members, history) {
      expectPermutation(order, members);
      const warm = history.warm(session, warmMs);
      const usd = (id: string): number => {
        const price = members.find((member) => member.id === id)?.price as number;
        const cached = warm?.id === id ? Math.min(warm.tokens, inputTokens) : 0;
        return (inputTokens - cached) * price + (cached * price) / 10 + history.outputTokens(id) * price;
      };
      expect(isRising(order, usd)).toBe(true);
    },
  };
}

/** For one key and the same weights, who stands before whom never changes, whoever else comes or goes. */
function sticky(): StrategyModel {
  const before = new Map<string, string>();
  return {
    configure: (members) => ({ strategy: 'sticky', key: 'scope.session', targets: targetsOf(members) }),
    check(order, { session }, members) {
      expectPermutation(order, members);
      if (session === undefined) return;
      const names = order.map((id) => `${id} x ${weightOf(members, id)}`);
      for (const [place, one] of names.entries()) {
        for (const other of names.slice(place + 1)) {
          const pair = `${session}: ${[one, other].toSorted().join(' and ')}`;
          expect(before.get(pair) ?? one).toBe(one);
          before.set(pair, one);
        }
      }
    },
  };
}

function spillOver(): StrategyModel {
  return {
    configure: (members) => ({ strategy: 'spill-over', inFlightMax: 2, targets: targetsOf(members) }),
    check(order, _asked, members, history) {
      const full = members.filter((member, place) => {
        return place < members.length - 1 && history.load(member.id) >= 2 * member.weight;
      });
      const room = members.filter((member) => !full.includes(member));
      expect(order).toEqual(idsOf([...room, ...full]));
    },
  };
}

/** A rule for each of the first members; the second takes what no rule names, if there are enough of them. */
function rules(): StrategyModel {
  const purposes = ['summary', 'code', 'chat', 'other'];
  return {
    configure: (members) => ({
      strategy: 'rules',
      rules: members.map(({ id }, place) => ({ when: { purpose: purposes[place] ?? 'never' }, use: id })),
      ...(members.length > 2 && { otherwise: members[1]?.id as string }),
    }),
    check(order, { purpose }, members) {
      const named = members.find((_, place) => purposes[place] === purpose);
      const found = named ?? (members.length > 2 ? members[1] : undefined);
      expect(order).toEqual(found === undefined ? [] : [found.id]);
    },
  };
}

/** A function that leaves out the busiest and turns the others round. */
function custom(): StrategyModel {
  return {
    configure: (members) => ({
      strategy: 'custom',
      targets: targetsOf(members),
      choose: (candidates, call, { load }) =>
        candidates.filter(({ id }) => load(id) < (call.stream ? 3 : 1)).toReversed(),
    }),
    check: (order, { stream }, members, history) =>
      expect(order).toEqual(
        idsOf(members)
          .filter((id) => history.load(id) < (stream ? 3 : 1))
          .toReversed(),
      ),
  };
}

/** Every strategy but the canary, by its name. */
export const STRATEGY_MODELS: Readonly<Record<string, () => StrategyModel>> = {
  ordered,
  weighted,
  'round-robin': roundRobin,
  'least-busy': leastBusy,
  latency,
  throughput,
  cheapest,
  sticky,
  'spill-over': spillOver,
  rules,
  custom,
};
