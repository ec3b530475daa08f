import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TokenClass, Tokens, Usage, UsageLine } from '../../src/operations/shared.ts';
import { unknownUsage, usageOf } from '../../src/operations/usage.ts';
import type { PriceCatalogue, PriceSpan } from '../../src/pricing/catalogue.ts';
import { type Cost, type CostOptions, costWith } from '../../src/pricing/cost.ts';
import { quickNanoUsd } from '../../src/pricing/quick-cost.ts';
import { size } from '../size.ts';

function list(prices: PriceSpan | readonly PriceSpan[], provider: object = {}): PriceCatalogue {
  const spans = Array.isArray(prices) ? (prices as readonly PriceSpan[]) : [prices as PriceSpan];
  return {
    format: 'postern-prices-1',
    currency: 'USD',
    source: { name: 'test', date: '2026-11-22' },
    providers: { acme: { ...provider, models: { one: { prices: spans } } } },
  };
}
const use = (tokens: Tokens, more: Partial<UsageLine> = {}): Usage =>
  usageOf([{ model: 'one', role: 'main', tokens, ...more }]);
const cost = (prices: PriceCatalogue, usage: Usage, more: Partial<CostOptions> = {}): Cost =>
  costWith(prices, usage, { provider: 'acme', model: 'one', ...more });
const usd = (value: Cost): string => (value.priced ? value.exact.totalUsd : value.reason);

const claude = { tokens: { input: '3', cacheRead: '0.30', cacheWrite: '3.75', output: '15' } };

describe('costOf', () => {
  it('USE-03: charges cache writes and reads once', () => {
    const first = cost(list(claude), use({ input: 3, cacheWrite: 12_304, output: 550 }));
    expect(usd(first)).toBe('0.054399');
    expect(first.nanoUsd).toBe(54_399_000n);
    const opus = { tokens: { input: '5', cacheWrite: '6.25', output: '25' } };
    expect(usd(cost(list(opus), use({ input: 6, cacheWrite: 159_217, output: 2745 })))).toBe('1.06376125');
  });

  it('USE-07: an unknown price is null with its reason, never 0', () => {
    const prices = list(claude);
    const usage = use({ input: 10, output: 1 });
    const reasons = [
      cost(prices, usage, { provider: 'nobody' }),
      cost(prices, use({ input: 10 }, { model: 'two' }), { model: 'two' }),
      cost(prices, usage, { tier: 'priority' }),
      cost(prices, use({ input: 10 }, { units: { codeSession: 1 } })),
      cost(list({ tokens: { input: '1' } }), usage),
      cost(prices, unknownUsage('one')),
      cost(prices, use({ input: Number.NaN })),
      cost(prices, use({ input: -4 })),
    ].map((value) => [value.priced, value.nanoUsd, value.priced ? '' : value.reason]);
    expect(reasons).toEqual([
      [false, null, 'unknown-provider'],
      [false, null, 'unknown-model'],
      [false, null, 'unknown-tier'],
      [false, null, 'unknown-unit'],
      [false, null, 'unknown-class'],
      [false, null, 'unknown-usage'],
      [false, null, 'invalid-usage'],
      [false, null, 'invalid-usage'],
    ]);
  });

  it('tells what is known of a cost that is not', () => {
    const partly = cost(list(claude), use({ input: 1_000_000 }, { units: { codeSession: 2 } }));
    expect(partly).toMatchObject({ priced: false, detail: 'codeSession', knownNanoUsd: 3_000_000_000n });
  });

  it('takes the price of the whole input’s step, cache reads counted', () => {
    const tiered = {
      tokens: {
        input: { base: '1.25', above: [{ inputTokens: 200_000, price: '2.5' }] },
        cacheRead: '0.125',
        output: { base: '10', above: [{ inputTokens: 200_000, price: '15' }] },
      },
    };
    expect(usd(cost(list(tiered), use({ input: 200_000, output: 1000 })))).toBe('0.26');
    expect(usd(cost(list(tiered), use({ input: 150_000, cacheRead: 50_001, output: 1000 })))).toBe('0.396250125');
  });

  it('falls back from a class to its parent, and no further', () => {
    const prices = list({ tokens: { input: '1', cacheWrite: '2', cacheWrite1h: '4', output: '8' } });
    const names: TokenClass[] = ['cacheWrite5m', 'cacheWrite1h', 'cacheReadAudio', 'inputTool', 'reasoning'];
    expect(names.map((name) => usd(cost(prices, use({ [name]: 1_000_000 }))))).toEqual(['2', '4', '1', '1', '8']);
    expect(usd(cost(list({ tokens: { output: '8' } }), use({ cacheRead: 1 })))).toBe('unknown-class');
  });

  it('prices by date and by hour of the day', () => {
    const prices = list([
      { tokens: { input: '4' } },
      { effectiveFrom: '2026-09-01', tokens: { input: '2' } },
      { effectiveFrom: '2026-09-01', daily: { start: '22:00', end: '06:00' }, tokens: { input: '1' } },
    ]);
    const at = (text: string): string => usd(cost(prices, use({ input: 1_000_000 }), { at: Date.parse(text) }));
    expect([at('2026-08-31T23:59:59.999Z'), at('2026-09-01T12:00:00Z'), at('2026-09-02T05:59:59Z')]).toEqual([
      '4',
      '2',
      '1',
    ]);
    expect(at('2026-09-02T06:00:00Z')).toBe('2');
    expect(usd(cost(prices, use({ input: 1_000_000 })))).toBe('2');
  });

  it('multiplies tokens by the tier of the line, the model’s before the provider’s', () => {
    const prices = list(
      { tokens: { input: '2' }, units: { webSearch: { price: '10', per: 1000 } } },
      { multipliers: { batch: '0.5' } },
    );
    const usage = use({ input: 1_000_000 }, { tier: 'batch', units: { webSearch: 3 } });
    expect(usd(cost(prices, usage))).toBe('1.03');
    const own = list({ tokens: { input: '2' }, multipliers: { priority: '1.75' } }, { multipliers: { batch: '0.5' } });
    expect(usd(cost(own, use({ input: 1_000_000 }), { tier: 'priority' }))).toBe('3.5');
    expect(usd(cost(own, use({ input: 1_000_000 }), { tier: 'batch' }))).toBe('unknown-tier');
  });

  it('prices seconds of audio and a fee per request', () => {
    const audio = list({
      tokens: {},
      units: { audioSeconds: { price: '0.111', per: 3600 }, request: { price: '5', per: 1000 } },
    });
    const result = cost(audio, use({}, { units: { audioSeconds: 90.5 } }));
    expect(result).toMatchObject({ nanoUsd: 7_790_417n, byUnit: { audioSeconds: 2_790_417n, request: 5_000_000n } });
  });

  it('prices each line with its own model, and the main line as asked for if its own is unknown', () => {
    const two = list(claude);
    const mixed = usageOf([
      { model: 'one-of-today', role: 'main', tokens: { input: 1_000_000 } },
      { model: 'judge', role: 'advisor', tokens: { input: 1 } },
    ]);
    expect(cost(two, mixed)).toMatchObject({
      priced: false,
      reason: 'unknown-model',
      detail: 'acme/judge',
      knownNanoUsd: 3_000_000_000n,
    });
    const overrides = { 'acme/judge': { tokens: { input: '7' } } };
    expect(cost(two, mixed, { overrides }).nanoUsd).toBe(3_000_007_000n);
  });

  it('takes overrides before the list, the most specific first', () => {
    const overrides = {
      'acme/*': { tokens: { input: '0' } },
      'acme/one': { tokens: { input: '1' } },
      'acme/one@eu': { tokens: { input: '2' } },
    };
    const of = (model: string, region?: string): bigint | null =>
      cost(list(claude), use({ input: 1_000_000 }, { model }), { model, overrides, ...(region && { region }) }).nanoUsd;
    expect([of('one', 'eu'), of('one', 'us'), of('free')]).toEqual([2_000_000_000n, 1_000_000_000n, 0n]);
  });

  it('USE-11: a million small rows add up exactly', () => {
    const prices = list({ tokens: { input: '0.1', output: '0.2' } });
    const each = cost(prices, use({ input: 7, output: 3 })).nanoUsd ?? 0n;
    expect(each).toBe(1300n);
    let sum = 0n;
    for (let row = 0; row < 1_000_000; row++) sum += each;
    expect(sum).toBe(cost(prices, use({ input: 7_000_000, output: 3_000_000 })).nanoUsd);
  });
});

describe('invariant 13: cost is an integer, never negative, additive, order-free, and the sum of its parts', () => {
  const CLASSES: TokenClass[] = [
    'input',
    'inputAudio',
    'cacheRead',
    'cacheWrite5m',
    'cacheWrite1h',
    'output',
    'reasoning',
  ];
  const tokens = fc.dictionary(fc.constantFrom(...CLASSES), fc.nat({ max: 2_000_000 })) as fc.Arbitrary<Tokens>;
  const price = fc
    .tuple(fc.nat({ max: 900 }), fc.nat({ max: 999_999 }))
    .map(([whole, part]) => `${whole}.${String(part).padStart(6, '0')}`);
  const prices = fc.record({ input: price, output: price, cacheRead: price, cacheWrite: price });
  const runs = { numRuns: size(300, 5000), seed: 13 };
  const scaled = (value: Cost): bigint => {
    const [whole, part = ''] = (value.priced ? value.exact.totalUsd : '').split('.');
    return BigInt(`${whole}${part.padEnd(18, '0')}`);
  };

  it('holds for any usage at any price', () => {
    fc.assert(
      fc.property(prices, fc.array(tokens, { minLength: 1, maxLength: 6 }), (rates, parts) => {
        const table = list({ tokens: rates });
        const lines = parts.map((part) => ({ model: 'one', role: 'main', tokens: part }));
        const whole = cost(table, usageOf(lines));
        const turned = cost(table, usageOf([...lines].reverse()));
        const each = parts.map((part) => cost(table, use(part)));
        expect(turned.nanoUsd).toBe(whole.nanoUsd);
        expect(each.reduce((sum, value) => sum + scaled(value), 0n)).toBe(scaled(whole));
        for (const value of [whole, ...each]) {
          if (!value.priced) throw new Error(value.reason);
          const sum = Object.values(value.byClass).reduce((total, part) => total + part, 0n);
          expect(sum).toBe(value.nanoUsd);
          expect(value.nanoUsd >= 0n).toBe(true);
          expect((scaled(value) + 500_000_000n) / 1_000_000_000n).toBe(value.nanoUsd);
        }
      }),
      runs,
    );
  });

  it('is the same number where only that is asked, in plain integers or not', () => {
    let quick = 0;
    const counts = fc.dictionary(fc.constantFrom(...CLASSES), fc.nat({ max: 2 ** 31 })) as fc.Arbitrary<Tokens>;
    fc.assert(
      fc.property(prices, fc.oneof(tokens, counts), fc.boolean(), (rates, part, isBatch) => {
        const table = list({ tokens: rates, multipliers: { batch: '0.5' } });
        const usage = use(part, isBatch ? { tier: 'batch' } : {});
        const where = { provider: 'acme', model: 'one' };
        const found = quickNanoUsd(table, usage, where);
        if (found === undefined || found === null) return;
        quick++;
        expect(found === null ? null : BigInt(found)).toBe(cost(table, usage).nanoUsd);
        expect(isBatch).toBe(false);
      }),
      runs,
    );
    // Batches and sums beyond 2^53 take the long way; enough of the rest must be met.
    expect(quick).toBeGreaterThan(runs.numRuns / 20);
  });

  it('is unknown at once where the list has no price of the main model', () => {
    const table = list({ tokens: {} });
    const usage = use({ input: 1, output: 1 });
    for (const where of [
      { provider: 'acme', model: 'two' },
      { provider: 'nobody', model: 'one' },
    ]) {
      const named = { ...usage, lines: usage.lines.map((line) => ({ ...line, model: where.model })) };
      expect([quickNanoUsd(table, named, where), costWith(table, named, where).nanoUsd]).toEqual([null, null]);
    }
  });

  it('splits cached and fresh input exactly', () => {
    fc.assert(
      fc.property(prices, fc.nat({ max: 1e6 }), fc.nat({ max: 1e6 }), (rates, fresh, cached) => {
        const table = list({ tokens: rates });
        const both = scaled(cost(table, use({ input: fresh, cacheRead: cached })));
        expect(both).toBe(scaled(cost(table, use({ input: fresh }))) + scaled(cost(table, use({ cacheRead: cached }))));
      }),
      runs,
    );
  });
});
