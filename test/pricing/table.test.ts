import { describe, expect, it } from 'vitest';
import { isGatewayError } from '../../src/core/errors.ts';
import { usageOf } from '../../src/operations/usage.ts';
import type { PriceCatalogue } from '../../src/pricing/catalogue.ts';
import { bundledCatalogue } from '../../src/pricing/default-table.ts';
import { findModel } from '../../src/pricing/find-model.ts';
import { costOf, createPriceTable, formatUsd, limitsOf, priceOf } from '../../src/pricing/index.ts';
import { checkCatalogue } from '../../src/pricing/validate.ts';

const small: PriceCatalogue = {
  format: 'postern-prices-1',
  currency: 'USD',
  source: { name: 'test', date: '2026-11-22' },
  providers: { openai: { models: { 'gpt-test': { prices: [{ tokens: { input: '9', output: '9' } }] } } } },
};
const usage = usageOf([{ model: 'gpt-4o-mini', role: 'main', tokens: { input: 1_000_000 } }]);

describe('finding a model', () => {
  const found = (provider: string, model: string): string | undefined =>
    findModel(bundledCatalogue(), provider, model)?.model;

  it('finds exact names, dated names and names behind a path', () => {
    expect(found('openai', 'gpt-4o-mini')).toBe('gpt-4o-mini');
    expect(found('openai', 'gpt-4o-mini-2024-07-18')).toBe('gpt-4o-mini');
    expect(found('anthropic', 'claude-sonnet-4-5-20250929')).toBe('claude-sonnet-4-5');
    expect(found('Gemini', 'GEMINI-2.5-pro')).toBe('gemini-2.5-pro');
    expect(found('bedrock', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0')).toContain('claude-sonnet-4-5');
  });

  it('never takes one generation, size or kind for another', () => {
    for (const [provider, model] of [
      ['anthropic', 'claude-sonnet-5-9'],
      ['anthropic', 'claude-sonnet-4-55'],
      ['openai', 'gpt-4o-nano'],
      ['openai', 'gpt-4o-turbo-2024-07-18'],
      ['google', 'gemini-2.5-pro-ultra'],
      ['deepseek', 'deepseek-r1-distill-llama-70b'],
      ['openai', `gpt-4o-mini${'-2024-07-18'.repeat(100)}`],
      ['openai', '__proto__'],
      ['__proto__', 'gpt-4o'],
      ['nobody', 'gpt-4o'],
    ] as const) {
      expect(found(provider, model), model).toBeUndefined();
    }
  });
});

describe('the bundled list', () => {
  it('passes its own check and names its source, version, licence and date', () => {
    const { source } = checkCatalogue(bundledCatalogue());
    expect(source).toMatchObject({ name: '@pydantic/genai-prices', licence: 'MIT' });
    expect(source.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(source.date).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  it('answers priceOf, limitsOf and costOf', () => {
    expect(priceOf('openai/gpt-4o-mini')).toMatchObject({ from: 'list', prices: { tokens: { input: '0.15' } } });
    expect(priceOf({ provider: 'openai', model: 'no-such-model' })).toBeNull();
    expect(limitsOf('anthropic/claude-sonnet-4-5')).toEqual({ context: 200_000 });
    expect(costOf(usage, { provider: 'openai', model: 'gpt-4o-mini' }).nanoUsd).toBe(150_000_000n);
    expect(formatUsd(150_000_000n)).toBe('0.15');
    expect(() => priceOf('gpt-4o')).toThrow(/provider\/model/);
  });
});

describe('createPriceTable', () => {
  it('knows your names for providers and your prices', () => {
    const table = createPriceTable({
      sameAs: { 'openai-eu': 'openai' },
      overrides: { 'openai-eu/gpt-4o': { tokens: { input: '1', output: '2' } } },
    });
    expect(table.costOf(usage, { provider: 'openai-eu', model: 'gpt-4o-mini' }).nanoUsd).toBe(150_000_000n);
    expect(table.priceOf('openai-eu/gpt-4o')).toMatchObject({ from: 'override', prices: { tokens: { input: '1' } } });
    expect(table.priceOf('openai/gpt-4o')?.from).toBe('list');
  });

  it('refuses a bad price at once and names it', () => {
    const overrides = { 'openai/x': { tokens: { input: '-1' } } };
    expect(() => createPriceTable({ overrides })).toThrow(/openai\/x\.tokens\.input/);
    expect(() => createPriceTable({ overrides: { x: { tokens: {} } } })).toThrow(/provider\/model/);
  });
});

describe('update', () => {
  it('takes a new list from an object, a function or an address', async () => {
    const table = createPriceTable();
    await table.update(small);
    expect(table.priceOf('openai/gpt-test')).not.toBeNull();
    expect(table.priceOf('openai/gpt-4o-mini')).toBeNull();
    await table.update(() => [
      { id: 'openai', models: [{ id: 'm', match: { equals: 'm' }, prices: { input_mtok: 0.1 } }] },
    ]);
    expect(table.priceOf('openai/m')?.prices.tokens).toEqual({ input: '0.1' });
    const fetch = async (): Promise<Response> => new Response(JSON.stringify(small));
    await table.update('https://prices.example/list.json', { fetch });
    expect(table.priceOf('openai/gpt-test')).not.toBeNull();
  });

  it('USE-07: a broken list is refused whole and the old one stays', async () => {
    const table = createPriceTable();
    const broken = (change: object): unknown => ({ ...small, ...change });
    for (const bad of [
      null,
      {},
      broken({ providers: {} }),
      broken({ currency: 'EUR' }),
      broken({ providers: { openai: { models: { m: { prices: [{ tokens: { input: 0 } }] } } } } }),
      broken({ providers: { openai: { models: { m: { prices: [{ tokens: { input: '1e-6' } }] } } } } }),
      broken({ providers: { openai: { models: { m: { prices: [] } } } } }),
      [{ id: 'openai' }],
    ]) {
      await expect(table.update(() => bad)).rejects.toThrow();
    }
    const refused = await table.update('http://prices.example/list.json').catch((error: unknown) => error);
    expect(isGatewayError(refused, 'invalid-options')).toBe(true);
    const fetch = async (): Promise<Response> => new Response('not found', { status: 404 });
    await expect(table.update('https://prices.example/', { fetch })).rejects.toThrow(/404/);
    expect(table.costOf(usage, { provider: 'openai', model: 'gpt-4o-mini' }).nanoUsd).toBe(150_000_000n);
  });
});
