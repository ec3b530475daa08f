/** What would another configuration have done to the last hour? Made again on a fake clock, no provider is asked. */
import type { ModelsConfiguration } from 'postern';
import { type PolicyOutcome, replayPolicy } from 'postern/testing';

// A log as a ledger has it; here one is made up: `first` fails a third of its calls in the second half of the hour.
const log: PolicyOutcome[] = [];
for (let second = 0; second < 3_600; second += 6) {
  const down = second > 1_800 && second % 18 === 0;
  const row = { at: 1_767_225_600_000 + second * 1_000, input: 900, output: 150 };
  log.push({
    ...row,
    provider: 'first',
    model: 'm',
    latencyMs: down ? 9_000 : 700 + (second % 7) * 40,
    costNanoUsd: 400_000n,
    ...(down ? { status: 'failed', errorCode: 'overloaded' } : { status: 'completed' }),
  });
  // What the other one did meanwhile, in calls of somebody else's: number 2, so that no call is made of it.
  const other = { provider: 'second', model: 'm', status: 'completed', costNanoUsd: 900_000n, number: 2 } as const;
  log.push({ ...row, ...other, latencyMs: 1_100 });
}

const policies: Record<string, ModelsConfiguration> = {
  'first only': { default: 'first/m' },
  'first, then second': { default: ['first/m', 'second/m'] },
  'by latency': { default: { strategy: 'latency', targets: ['first/m', 'second/m'] } },
  'half and half': { default: { strategy: 'weighted', targets: ['first/m', 'second/m'] } },
};
console.log('policy              answered      p50      p95        $');
for (const { policy, availability, p50Ms, p95Ms, usd } of await replayPolicy({ log, policies })) {
  const answered = `${(100 * availability).toFixed(2)} %`;
  const cells = [answered, `${Math.round(p50Ms)} ms`, `${Math.round(p95Ms)} ms`, usd.toFixed(3)];
  console.log(policy.padEnd(18), ...cells.map((cell) => cell.padStart(8)));
}
