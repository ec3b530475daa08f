import { describe, expect, it } from 'vitest';
import { type PolicyOutcome, replayPolicy } from '../../src/testing/index.ts';

const START = 1_767_225_600_000;
/** Two targets, an outcome of each every second: `a` fails from half-way on. */
const log: PolicyOutcome[] = Array.from({ length: 200 }, (_, index) => {
  const row = { at: START + index * 1_000, model: 'm', input: 10, output: 5 };
  return [
    {
      ...row,
      provider: 'a',
      latencyMs: 100,
      costNanoUsd: 1_000_000n,
      ...(index < 100 ? { status: 'completed' } : { status: 'failed', errorCode: 'permission' }),
    },
    { ...row, provider: 'b', latencyMs: 300, costNanoUsd: 3_000_000n, status: 'completed', number: 2 },
  ] as PolicyOutcome[];
}).flat();

describe('replayPolicy', () => {
  it('compares availability, latency and cost of configurations on the same calls', async () => {
    const [alone, both] = await replayPolicy({
      log,
      policies: { alone: { default: 'a/m' }, both: { default: ['a/m', 'b/m'] } },
    });
    expect(alone).toMatchObject({ policy: 'alone', calls: 200, p50Ms: 100, unknown: 0 });
    expect(alone?.availability).toBeGreaterThan(0.45);
    expect(alone?.availability).toBeLessThan(0.55);
    expect(both).toMatchObject({ calls: 200, availability: 1, p99Ms: expect.closeTo(300, -3) });
    expect(both?.targets['b/m']).toBeGreaterThan(80);
    expect(both?.usd).toBeGreaterThan(alone?.usd as number);
  });

  it('gives the same numbers for the same seed', async () => {
    const run = () =>
      replayPolicy({ log, policies: { x: { default: { strategy: 'weighted', targets: ['a/m', 'b/m'] } } }, seed: 5 });
    expect(await run()).toEqual(await run());
  });

  it('tells when a policy names targets the log does not know', async () => {
    const [numbers] = await replayPolicy({ log, policies: { x: { default: ['a/new', 'b/m'] } } });
    expect(numbers?.unknown).toBeGreaterThan(0);
    await expect(replayPolicy({ log: [], policies: {} })).rejects.toThrow('replayPolicy.log');
    await expect(replayPolicy({ log, policies: { x: { other: 'a/m' } } })).rejects.toThrow('default');
  });
});
