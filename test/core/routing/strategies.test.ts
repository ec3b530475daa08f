import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatTraits } from '../../../src/operations/chat-traits.ts';
import { size } from '../../size.ts';
import { bench, chiSquareP, seeded, tokens } from './support.ts';

const ABC = ['p/a', 'p/b', 'p/c'];
const weights = (list: readonly number[]) => list.map((weight, index) => ({ target: `p/${index}`, weight }));
const firsts = (run: () => string[], times: number): Map<string, number> => {
  const counts = new Map<string, number>();
  for (let time = 0; time < times; time++) {
    const [first] = run();
    counts.set(first as string, (counts.get(first as string) ?? 0) + 1);
  }
  return counts;
};

describe('ordered', () => {
  it('keeps the configured order and makes no plan of its own', () => {
    const { order, call } = bench({ x: { strategy: 'ordered', targets: ABC } });
    expect(order()).toEqual(ABC);
    expect(call().plan.strategy).toBeUndefined();
  });
});

describe('weighted', () => {
  it('spreads calls by weight over 10^5, chi-square p above 0.001 (invariant 17)', () => {
    const list = [5, 3, 1.5, 0.5];
    const { order } = bench({ x: { strategy: 'weighted', targets: weights(list) } });
    const times = size(20_000, 100_000);
    const counts = firsts(order, times);
    const observed = list.map((_, index) => counts.get(`p/${index}`) ?? 0);
    expect(
      chiSquareP(
        observed,
        list.map((weight) => (times * weight) / 10),
      ),
    ).toBeGreaterThan(0.001);
  });

  it('draws the second one by weight, too, like a draw without replacement', () => {
    const list = [6, 3, 1];
    const { order } = bench({ x: { strategy: 'weighted', targets: weights(list) } });
    const times = size(20_000, 100_000);
    let afterFirst = 0;
    let oneSecond = 0;
    for (let time = 0; time < times; time++) {
      const [first, second] = order();
      if (first !== 'p/0') continue;
      afterFirst++;
      if (second === 'p/1') oneSecond++;
    }
    // Reference: with 0 gone, 1 has three of the four shares that are left.
    expect(chiSquareP([oneSecond, afterFirst - oneSecond], [afterFirst * 0.75, afterFirst * 0.25])).toBeGreaterThan(
      0.001,
    );
  });

  it('leaves a weight of 0 for last', () => {
    const { order } = bench({ x: { strategy: 'weighted', targets: weights([0, 1]) } });
    for (let time = 0; time < 100; time++) expect(order()).toEqual(['p/1', 'p/0']);
  });
});

describe('round-robin', () => {
  it('agrees with a slow reference for any weights', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }), (list) => {
        const { order } = bench({ x: { strategy: 'round-robin', targets: weights(list) } });
        const total = list.reduce((sum, weight) => sum + weight, 0);
        // Reference: in each round of as many calls as the weights sum to, each is first as often as its weight.
        for (let round = 0; round < 2; round++) {
          const counts = firsts(order, total);
          expect(list.map((_, index) => counts.get(`p/${index}`) ?? 0)).toEqual(list);
        }
      }),
      { seed: 6, numRuns: size(60, 500) },
    );
  });

  it('does not move on when somebody only looks', () => {
    const { routing, call, order } = bench({ x: { strategy: 'round-robin', targets: ABC } });
    for (let time = 0; time < 5; time++) routing.order(call(), true);
    expect(order()[0]).toBe('p/a');
    expect(order()[0]).toBe('p/b');
  });
});

describe('least-busy', () => {
  it('takes the least busy for its weight, under random commands (reference: sort)', () => {
    const command = fc.tuple(fc.nat(4), fc.boolean());
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 5 }),
        fc.array(command, { maxLength: 60 }),
        (list, commands) => {
          const { order, health } = bench({ x: { strategy: 'least-busy', targets: weights(list) } });
          const leaves = list.map((): (() => void)[] => []);
          for (const [at, enter] of commands) {
            const index = at % list.length;
            if (enter) leaves[index]?.push(health.enter(`p/${index}`));
            else leaves[index]?.pop()?.();
            const score = (id: string): number => {
              const slot = Number(id.slice(2));
              return ((leaves[slot]?.length ?? 0) + 1) / (list[slot] as number);
            };
            const ordered = order().map(score);
            expect(ordered).toEqual(ordered.toSorted((one, other) => one - other));
          }
        },
      ),
      { seed: 7, numRuns: size(40, 400) },
    );
  });

  it('shares 10^5 calls that fail or abort at random 25 % +- 2 %, and every counter returns to 0 (RET-18)', () => {
    const { order, health } = bench({ x: { strategy: 'least-busy', targets: ['p/a', 'p/b', 'p/c', 'q/d'] } });
    const random = seeded(18);
    const times = size(20_000, 100_000);
    const flying: (() => void)[] = [];
    const counts = new Map<string, number>();
    for (let time = 0; time < times; time++) {
      const [first] = order() as [string];
      counts.set(first, (counts.get(first) ?? 0) + 1);
      flying.push(health.enter(first));
      while (flying.length > 0 && random() < 0.5) {
        const leave = flying.splice(Math.floor(random() * flying.length), 1)[0];
        leave?.();
        // Told twice, as an abort during a failure may: it counts once.
        if (random() < 0.2) leave?.();
        for (const id of counts.keys()) expect(health.load(id)).toBeGreaterThanOrEqual(0);
      }
    }
    for (const leave of flying) leave();
    for (const [id, count] of counts) {
      expect(Math.abs(count / times - 0.25)).toBeLessThan(0.02);
      expect(health.load(id)).toBe(0);
    }
  });
});

describe('latency', () => {
  it('tries each target once before it compares', () => {
    const { order, health } = bench({ x: { strategy: 'latency', targets: ABC } });
    const seen = new Set<string>();
    for (let time = 0; time < 3; time++) {
      const [first] = order() as [string];
      seen.add(first);
      health.enter(first);
    }
    expect([...seen].toSorted()).toEqual(ABC);
  });

  it('goes to a target in the 20 % band of the best, but for about 2 % (reference: scores by hand)', () => {
    const { order, attempt } = bench({ x: { strategy: 'latency', targets: ABC } });
    for (const [id, ms] of [
      ['p/a', 100],
      ['p/b', 115],
      ['p/c', 300],
    ] as const)
      attempt(id, { durationMs: ms });
    const times = size(5_000, 50_000);
    const counts = firsts(order, times);
    expect((counts.get('p/c') ?? 0) / times).toBeGreaterThan(0.01);
    expect((counts.get('p/c') ?? 0) / times).toBeLessThan(0.03);
    expect(counts.get('p/a') ?? 0).toBeGreaterThan(times * 0.9);
  });

  it('counts load beyond the usual before the averages show it', () => {
    const { order, attempt, health } = bench({ x: { strategy: 'latency', explore: 0, targets: ['p/a', 'p/b'] } });
    attempt('p/a', { durationMs: 100 });
    attempt('p/b', { durationMs: 130 });
    expect(order()[0]).toBe('p/a');
    health.enter('p/a');
    expect(order()[0]).toBe('p/b');
  });

  it('counts a timeout as the time it took', () => {
    const { order, attempt } = bench({ x: { strategy: 'latency', explore: 0, targets: ['p/a', 'p/b'] } });
    attempt('p/a', { durationMs: 100 });
    attempt('p/b', { durationMs: 200 });
    attempt('p/a', { status: 'failed', durationMs: 30_000, error: { code: 'timeout', fault: 'target' } as never });
    expect(order()[0]).toBe('p/b');
  });
});

describe('throughput', () => {
  it('takes the most tokens a second', () => {
    const { order, attempt } = bench({ x: { strategy: 'throughput', explore: 0, targets: ABC } });
    attempt('p/a', { durationMs: 1_000, ...tokens(10, 50) });
    attempt('p/b', { durationMs: 1_000, ...tokens(10, 90) });
    attempt('p/c', { durationMs: 1_000, ...tokens(10, 20) });
    expect(order()).toEqual(['p/b', 'p/a', 'p/c']);
  });
});

describe('cheapest', () => {
  const priced = (input: number, output: number, name: string, cacheRead?: number) => ({
    target: `p/${name}`,
    price: { input, output, ...(cacheRead !== undefined && { cacheRead }) },
  });
  it('agrees with the price computed by hand for any prices, unknown ones last', () => {
    const price = fc.record({ input: fc.integer({ min: 0, max: 30 }), output: fc.integer({ min: 0, max: 60 }) });
    fc.assert(
      fc.property(
        fc.array(price, { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 400 }),
        (prices, words) => {
          const targets = [...prices.map((one, index) => ({ target: `p/${index}`, price: one })), 'q/unknown'];
          const content = [{ type: 'text' as const, text: 'river '.repeat(words) }];
          const request = { messages: [{ role: 'user' as const, content }], maxTokens: 100 };
          const { order, call } = bench({ x: { strategy: 'cheapest', targets: targets as never } });
          const input = chatTraits.estimate(call({ request }).request as never, undefined, '').input;
          const cost = (id: string): number => {
            const one = prices[Number(id.slice(2))];
            return one === undefined ? Number.POSITIVE_INFINITY : input * one.input + 100 * one.output;
          };
          const ids = order({ request });
          expect(ids.at(-1)).toBe('q/unknown');
          expect(ids.map(cost)).toEqual(ids.map(cost).toSorted((one, other) => one - other));
        },
      ),
      { seed: 8, numRuns: size(40, 300) },
    );
  });

  it('stays with a warm conversation unless leaving is worth its cache', () => {
    const models = (input: number) => ({
      x: {
        strategy: 'cheapest' as const,
        warmKey: 'scope.session',
        targets: [priced(3, 10, 'warm', 0.3), priced(input, 10, 'cold')],
      },
    });
    const about = {
      scope: { session: 's' },
      request: {
        messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'river '.repeat(500) }] }],
        maxTokens: 10,
      },
    };
    for (const [input, expected] of [
      [2, 'p/warm'],
      [0.1, 'p/cold'],
    ] as const) {
      const { order, attempt, clock } = bench(models(input));
      expect(order(about)[0]).toBe('p/cold');
      attempt('p/warm', { ...tokens(500, 10) }, about);
      expect(order(about)[0]).toBe(expected);
      expect(order({ ...about, scope: { session: 'other' } })[0]).toBe('p/cold');
      clock.advance(300_001);
      expect(order(about)[0]).toBe('p/cold');
    }
  });
});
describe('sticky', () => {
  const key = 'scope.session';
  const at = (order: (about: { scope: { session: string } }) => string[], session: number) =>
    order({ scope: { session: `s${session}` } });

  it('moves at most 1/n + 2 % of the keys when a target is added, all of them to it (invariant 17)', () => {
    const names = ['p/a', 'p/b', 'p/c', 'p/d'];
    const before = bench({ x: { strategy: 'sticky', key, targets: names } });
    const after = bench({ x: { strategy: 'sticky', key, targets: ['p/new', ...names] } });
    const keys = size(10_000, 100_000);
    let moved = 0;
    for (let session = 0; session < keys; session++) {
      const [old] = at(before.order, session);
      const [now] = at(after.order, session);
      if (old === now) continue;
      moved++;
      expect(now).toBe('p/new');
    }
    expect(moved / keys).toBeLessThan(1 / 5 + 0.02);
    expect(moved / keys).toBeGreaterThan(1 / 5 - 0.02);
  });

  it('spreads keys by weight and falls to the same second for the same key', () => {
    const list = [4, 2, 1, 1];
    const { order } = bench({ x: { strategy: 'sticky', key, targets: weights(list) } });
    const keys = size(20_000, 100_000);
    const counts = [0, 0, 0, 0];
    for (let session = 0; session < keys; session++) {
      const ids = at(order, session);
      const first = Number(ids[0]?.slice(2));
      counts[first] = (counts[first] ?? 0) + 1;
      if (session < 50) expect(at(order, session)).toEqual(ids);
    }
    expect(
      chiSquareP(
        counts,
        list.map((weight) => (keys * weight) / 8),
      ),
    ).toBeGreaterThan(0.001);
  });

  it('spreads calls without the key', () => {
    const { order } = bench({ x: { strategy: 'sticky', key, targets: ABC } });
    expect(firsts(order, 300).size).toBe(3);
  });
});

describe('spill-over', () => {
  it('fills reserved capacity first and comes back to it (reference: count)', () => {
    const { order, health } = bench({
      x: { strategy: 'spill-over', inFlightMax: 2, targets: [{ target: 'p/a', weight: 2 }, 'p/b', 'p/c'] },
    });
    const leaves: (() => void)[] = [];
    const went: string[] = [];
    for (let time = 0; time < 9; time++) {
      const [first] = order() as [string];
      went.push(first);
      leaves.push(health.enter(first));
    }
    expect(went).toEqual(['p/a', 'p/a', 'p/a', 'p/a', 'p/b', 'p/b', 'p/c', 'p/c', 'p/c']);
    leaves[0]?.();
    expect(order()[0]).toBe('p/a');
  });
});

describe('rules', () => {
  const models = {
    small: 'p/small',
    x: {
      strategy: 'rules' as const,
      rules: [
        { when: { 'scope.tenant': 'acme', needs: { in: ['tools'] } }, use: 'p/tools' },
        { when: { any: [{ purpose: 'summary' }, { 'metadata.tier': { in: ['free', 'trial'] } }] }, use: 'small' },
        {
          when: { not: { inputTokens: { below: 1000 } } },
          use: { strategy: 'weighted' as const, targets: ['p/a', 'p/b'] },
        },
      ],
      otherwise: 'q/rest',
    },
  };
  const tool = { type: 'function' as const, name: 't', input: {} };
  it('goes where the first rule says, and only there', () => {
    const { order } = bench(models);
    expect(order({ scope: { tenant: 'acme' }, request: { tools: [tool] } })).toEqual(['p/tools']);
    expect(order({ scope: { tenant: 'acme' } })).toEqual(['q/rest']);
    expect(order({ purpose: 'summary' })).toEqual(['p/small']);
    expect(order({ request: { metadata: { tier: 'trial' } } })).toEqual(['p/small']);
    const content = [{ type: 'text' as const, text: 'river '.repeat(3000) }];
    expect(order({ request: { messages: [{ role: 'user', content }] } }).toSorted()).toEqual(['p/a', 'p/b']);
  });

  it('takes functions of the call, and has no target where no rule holds and there is no otherwise', () => {
    const { order } = bench({
      x: { strategy: 'rules', rules: [{ when: (call) => call.scope.user === 'u', use: 'p/a' }] },
    });
    expect(order({ scope: { user: 'u' } })).toEqual(['p/a']);
    expect(order()).toEqual([]);
  });
});

describe('custom and nested groups', () => {
  it('takes the order of a function', () => {
    const { order } = bench({
      x: {
        strategy: 'custom',
        targets: ABC,
        choose: (candidates) => candidates.filter(({ model }) => model !== 'b').toReversed(),
      },
    });
    expect(order()).toEqual(['p/c', 'p/a']);
  });

  it('nests: a fallback of load-balanced groups', () => {
    const { order } = bench({
      cheap: { strategy: 'round-robin', targets: ['p/a', 'p/b'] },
      x: ['cheap', { strategy: 'sticky', key: 'scope.user', targets: ['q/c', 'q/d'] }],
    });
    expect(order({ scope: { user: 'u' } }).slice(0, 2)).toEqual(['p/a', 'p/b']);
    expect(order({ scope: { user: 'u' } }).slice(0, 2)).toEqual(['p/b', 'p/a']);
    expect(
      order({ scope: { user: 'u' } })
        .slice(2)
        .toSorted(),
    ).toEqual(['q/c', 'q/d']);
  });

  it('tries a target that stands in two groups once (RET-17)', () => {
    const { order } = bench({
      x: [
        { strategy: 'weighted', targets: ['p/a', 'p/b'] },
        { strategy: 'round-robin', targets: ['p/b', 'p/c'] },
      ],
    });
    for (let time = 0; time < 20; time++) expect(order().toSorted()).toEqual(ABC);
  });
});
