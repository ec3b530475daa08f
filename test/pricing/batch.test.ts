import { describe, expect, it } from 'vitest';
import type { AttemptRow } from '../../src/core/ledger.ts';
import type { Tokens, Usage } from '../../src/operations/shared.ts';
import { unknownUsage, usageOf } from '../../src/operations/usage.ts';
import { costOf } from '../../src/pricing/index.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';

const where = { provider: 'openai', model: 'gpt-4o' };
const line = (tokens: Tokens, tier?: string): Usage =>
  usageOf([{ model: 'gpt-4o', role: 'main', tokens, ...(tier !== undefined && { tier }) }]);
const TOKENS = { input: 900, cacheRead: 100, output: 250 };

/** One line of a finished batch, as its poller books it. */
function rowOf(batchId: string, customId: string, usage: Usage): AttemptRow {
  const cost = costOf(usage, { ...where, tier: 'batch' });
  return {
    kind: 'attempt',
    id: `${batchId}/${customId}`,
    callId: batchId,
    number: 1,
    at: 1,
    scope: {},
    operation: 'chat',
    ...where,
    status: 'completed',
    latencyMs: 0,
    stream: false,
    input: usage.input,
    output: usage.output,
    tokens: usage.tokens,
    quality: usage.quality,
    costNanoUsd: cost.nanoUsd,
    billing: 'yes',
    winner: true,
    ...(!cost.priced && { unpriced: cost.reason }),
  };
}

describe('USE-06: what a batch costs', () => {
  it.each(['openai', 'anthropic'])('is half of the list price at %s, on the line or on the whole', (provider) => {
    const model = provider === 'openai' ? 'gpt-4o' : 'claude-sonnet-4-5';
    const of = (tier?: string) => usageOf([{ model, role: 'main', tokens: TOKENS, ...(tier && { tier }) }]);
    const full = costOf(of(), { provider, model });
    if (!full.priced) throw new Error(full.reason);
    expect(costOf(of('batch'), { provider, model }).nanoUsd).toBe(full.nanoUsd / 2n);
    expect(costOf(of(), { provider, model, tier: 'batch' }).nanoUsd).toBe(full.nanoUsd / 2n);
  });

  it('is unknown at a provider whose discount is not known, never the list price and never 0', () => {
    const usage = usageOf([{ model: 'deepseek-chat', role: 'main', tokens: TOKENS, tier: 'batch' }]);
    const cost = costOf(usage, { provider: 'deepseek', model: 'deepseek-chat' });
    expect(cost).toMatchObject({ priced: false, nanoUsd: null, reason: 'unknown-tier' });
  });

  it('is booked once by batch and line, however many poll how often, and a line without counts is not 0', async () => {
    const ledger = memoryLedger();
    const rows = [
      rowOf('batch-1', 'a', line(TOKENS)),
      rowOf('batch-1', 'failed-after-tokens', line({ input: 900 })),
      rowOf('batch-1', 'without-counts', unknownUsage('gpt-4o')),
    ];
    const poll = async (): Promise<void> => {
      for (let times = 0; times < 10; times++) await ledger.write(rows);
    };
    await Promise.all([poll(), poll(), poll()]);
    const [total] = await ledger.totals();
    const known = (rows[0]?.costNanoUsd ?? 0n) + (rows[1]?.costNanoUsd ?? 0n);
    expect(total).toMatchObject({ attempts: 3, costNanoUsd: known });
    expect(rows.map(({ costNanoUsd }) => costNanoUsd === null)).toEqual([false, false, true]);
    expect(rows[1]?.costNanoUsd).toBeGreaterThan(0n);
  });
});
