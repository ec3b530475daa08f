import { describe, expect, it } from 'vitest';
import { createGateway, promote, rollBack } from '../../../src/index.ts';
import { amountEvidence, rateEvidence } from '../../../src/core/routing/evidence.ts';
import { mockProvider } from '../../../src/testing/index.ts';
import { size } from '../../size.ts';
import { type Bench, bench, seeded, tokens } from './support.ts';

const canary = (share: number, more: object = {}) => ({
  x: { strategy: 'canary' as const, stable: 'p/stable', canary: 'p/new', share, ...more },
});
const user = (name: number | string) => ({ scope: { user: `u${name}` } });
const failed = { status: 'failed', error: { fault: 'target', code: 'unavailable' } as never } as const;

/** Calls by other users until the canary went back; gives the canary calls that took. */
function play(
  one: Bench,
  outcome: (tried: boolean, random: () => number) => object,
  callsMax: number,
): number | undefined {
  const random = seeded(50);
  let tried = 0;
  for (let call = 0; call < callsMax; call++) {
    const [first] = one.order(user(call)) as [string];
    if (first === 'p/new') tried++;
    one.attempt(first, outcome(first === 'p/new', random), user(call));
    if (one.routing.rollouts()[0]?.state === 'rolled-back') return tried;
  }
  return undefined;
}

describe('a canary', () => {
  it('gets its share of users within 1 % over 10^5, always the same ones (invariant 18)', () => {
    const users = size(20_000, 100_000);
    for (const share of [0.05, 0.3]) {
      const { order } = bench(canary(share));
      let tried = 0;
      for (let name = 0; name < users; name++) if (order(user(name))[0] === 'p/new') tried++;
      expect(Math.abs(tried / users - share)).toBeLessThan(0.01);
    }
    const [small, large] = [bench(canary(0.05)), bench(canary(0.2))];
    for (let name = 0; name < 500; name++) {
      if (small.order(user(name))[0] === 'p/new') expect(large.order(user(name))[0]).toBe('p/new');
    }
  });

  it('falls back to the stable variant when it fails; the stable one never falls to it', () => {
    const { order } = bench(canary(0.5));
    for (let name = 0; name < 50; name++) {
      expect([['p/new', 'p/stable'], ['p/stable']]).toContainEqual(order(user(name)));
    }
  });

  it('goes back when 20 % of its calls fail where 1 % do, and says why (invariant 18)', () => {
    const one = bench(canary(0.05));
    const calls = play(one, (tried, random) => (random() < (tried ? 0.2 : 0.01) ? failed : {}), 20_000);
    expect(calls).toBeLessThanOrEqual(50);
    const [report] = one.routing.rollouts();
    expect(report).toMatchObject({ at: 'models.x', state: 'rolled-back' });
    expect(report?.reason).toMatch(
      /^errors: [\d.]+ % of its calls fail, [\d.]+ % of the stable ones, after \d+ canary calls/,
    );
    expect(one.events.filter(({ name }) => name === 'rollout')).toHaveLength(1);
    for (let name = 0; name < 100; name++) expect(one.order(user(name))).toEqual(['p/stable']);
  });

  it('goes back within 50 calls when it takes twice as long (invariant 18)', () => {
    const one = bench(canary(0.05));
    const calls = play(one, (tried, random) => ({ durationMs: (tried ? 2 : 1) * (500 + 1_000 * random()) }), 20_000);
    expect(calls).toBeLessThanOrEqual(50);
    expect(one.routing.rollouts()[0]?.reason).toMatch(/^latency: it takes/);
  });

  it('goes back on cost and on a verdict of your own, where asked to', () => {
    const priced = (name: string, output: number) => ({ target: `p/${name}`, price: { input: 1, output } });
    const dear = bench(canary(0.1, { stable: priced('stable', 1), canary: priced('new', 4), rollback: { cost: 0.5 } }));
    expect(play(dear, () => tokens(10, 100), 20_000)).toBeDefined();
    expect(dear.routing.rollouts()[0]?.reason).toMatch(/^cost/);
    const judge = ({ finish }: { finish?: string }) => finish === 'stop';
    const judged = bench(canary(0.1, { rollback: { errors: false, latency: false, judge } }));
    expect(play(judged, (tried) => ({ finish: tried ? 'length' : 'stop' }), 20_000)).toBeLessThanOrEqual(50);
    expect(judged.routing.rollouts()[0]?.reason).toMatch(/^judge/);
  });

  it('stays where it is as good: no false alarm in trials at equal quality (invariant 18)', () => {
    const trials = size(20, 300);
    for (let trial = 0; trial < trials; trial++) {
      const one = bench(canary(0.2), trial);
      const random = seeded(1_000 + trial);
      const outcome = () => (random() < 0.02 ? failed : { durationMs: 300 + 1_500 * random() ** 3 });
      expect(play(one, outcome, 1_500)).toBeUndefined();
    }
  });

  it('ignores what a caller aborted or the gateway refused', () => {
    const one = bench(canary(0.5));
    const aborted = { status: 'cancelled', error: { fault: 'caller', code: 'aborted' } as never } as const;
    expect(play(one, (tried) => (tried ? aborted : {}), 2_000)).toBeUndefined();
  });

  it('tries another canary, or the same under another trial, anew', () => {
    const one = bench(canary(0.5));
    expect(play(one, (tried) => (tried ? failed : {}), 5_000)).toBeLessThanOrEqual(50);
    expect(one.order(user(1))).toEqual(['p/stable']);
    const again = bench(canary(1, { trial: 'second' }));
    expect(again.order(user(1))[0]).toBe('p/new');
  });

  it('is told from the stable variant by a version, and refused without one', () => {
    const models = (version?: string) =>
      canary(1, {
        stable: 'p/same',
        canary: { target: 'p/same', overrides: { temperature: 0 }, ...(version !== undefined && { version }) },
      });
    expect(() => bench(models())).toThrow(/models\.x\.canary.*give one of them a version/);
    expect(bench(models('v2')).order(user(1))).toEqual(['p/same:v2', 'p/same']);
  });
});

describe('promote and rollBack', () => {
  it('make the configuration in which the trial is decided', async () => {
    const mock = mockProvider({ name: 'p' });
    mock.reply('ok');
    const models = { default: canary(0).x, other: 'p/a' };
    const gateway = createGateway({ providers: [mock], models });
    expect((await gateway.chat('hi')).target.model).toBe('stable');
    gateway.configure({ models: promote(models, 'default') });
    expect((await gateway.chat('hi')).target.model).toBe('new');
    gateway.configure({ models: rollBack(models, 'default') });
    expect((await gateway.chat('hi')).target.model).toBe('stable');
    expect(() => promote(models, 'other')).toThrow('models.other: is no canary');
  });
});

describe('evidence', () => {
  it('wins nothing on average while both are equal, however rates and ranks fall', () => {
    const runs = size(400, 4_000);
    const random = seeded(77);
    const means = { rate: 0, amount: 0 };
    for (let run = 0; run < runs; run++) {
      const rate = rateEvidence();
      const amount = amountEvidence(0, random);
      for (let call = 0; call < 120; call++) {
        const [side, bad] = [random() < 0.2 ? 'canary' : 'stable', random() < 0.1 ? 1 : 0] as const;
        rate[side](bad);
        amount[side](Math.floor(random() * 20));
      }
      means.rate += Math.min(rate.wealth, 50) / runs;
      means.amount += Math.min(amount.wealth, 50) / runs;
    }
    // Wealth is at most 1 on average; the bound leaves room for chance.
    expect(means.rate).toBeLessThan(1.25);
    expect(means.amount).toBeLessThan(1.25);
  });

  it('sees a canary that breaks after long being good', () => {
    const rate = rateEvidence();
    const random = seeded(5);
    let calls = 0;
    while (rate.wealth < 1_000 && calls < 4_000) {
      for (let stable = 0; stable < 19; stable++) rate.stable(random() < 0.01 ? 1 : 0);
      rate.canary(random() < (calls < 1_000 ? 0.01 : 0.3) ? 1 : 0);
      calls++;
    }
    expect(calls).toBeLessThan(1_150);
  });
});
