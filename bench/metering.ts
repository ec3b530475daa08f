/**
 * What metering (with prices) and telemetry (no SDK registered) add to a call. CPU time, interleaved; the difference is
 * taken inside each round. `npm run bench` runs it; alone: `node --no-warnings bench/metering.ts` after a build.
 */
import { createGateway, defineProvider, type Gateway, type Middleware, replyWith } from 'postern';
import { meter } from 'postern/middleware/meter';
import { retry } from 'postern/middleware/retry';
import { route } from 'postern/middleware/route';
import { telemetry } from 'postern/middleware/telemetry';

const CALLS = 5_000;
const BUDGET_US = 6;
const MODEL = 'gpt-5-mini';
const tokens = { input: 20, output: 30 };
const lines = [{ model: MODEL, role: 'main' as const, tokens }];

/** A provider that answers at once, so that little but the middleware is measured. */
const instant = defineProvider({
  name: 'openai',
  protocols: [],
  models: () => [MODEL],
  handlers: {
    async chat(call) {
      const response = {
        id: call.id,
        model: MODEL,
        createdAt: '2026-11-22T00:00:00.000Z',
        message: { role: 'assistant' as const, content: [{ type: 'text' as const, text: 'Soon.' }] },
        finish: { reason: 'stop' as const },
        usage: { ...tokens, total: 50, tokens, lines, quality: 'reported' as const },
        warnings: [],
      };
      return replyWith(call, response, { provider: 'openai', model: MODEL });
    },
  },
});

const gatewayWith = (name: string, outer: readonly Middleware[]): { name: string; gateway: Gateway } => {
  const use = [...outer, retry(), route()];
  return { name, gateway: createGateway({ providers: [instant], models: { default: `openai/${MODEL}` }, use }) };
};

const subjects = [
  gatewayWith('retry, route', []),
  gatewayWith('and telemetry()', [telemetry()]),
  gatewayWith('and meter({ sink })', [meter({ sink: () => undefined })]),
  gatewayWith('and both', [telemetry(), meter({ sink: () => undefined })]),
];

/** Prints what each adds to a call, beside the budget. */
export async function benchMetering(rounds = 9): Promise<void> {
  const added = subjects.map((): number[] => []);
  for (let round = -3; round < rounds; round++) {
    let floor = 0;
    for (const [index, { gateway }] of subjects.entries()) {
      const before = process.cpuUsage();
      for (let call = 0; call < CALLS; call++) await gateway.chat('How late is it?');
      const { user, system } = process.cpuUsage(before);
      const us = (user + system) / CALLS;
      if (index === 0) floor = us;
      if (round >= 0) added[index]?.push(index === 0 ? us : us - floor);
    }
  }
  console.log(`\nMetering and telemetry without an SDK, CPU us a call (budget ${BUDGET_US} for both)`);
  for (const [index, { name }] of subjects.entries()) {
    const sorted = (added[index] as number[]).toSorted((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)] as number;
    console.log(`  ${name.padEnd(42)} ${index === 0 ? ' ' : '+'}${middle.toFixed(1)}`);
  }
}

if (import.meta.main) await benchMetering();
