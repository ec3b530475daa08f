import { Redis } from 'ioredis';
import { createGateway } from '../../src/gateway.ts';
import { budget } from '../../src/middleware/budget.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { createPriceTable } from '../../src/pricing/index.ts';
import { redisCounterStore } from '../../src/stores/redis.ts';
import { mockProvider } from '../../src/testing/index.ts';

/** One of several processes that call models on the same budget. */
export interface Order {
  readonly socket: string;
  readonly prefix: string;
  readonly worker: number;
  readonly calls: number;
  readonly atOnce: number;
  readonly costUsd: string;
  readonly concurrent: number;
  readonly hang: boolean;
}
export interface Report {
  readonly answered: number;
  readonly refused: number;
  readonly spent: number;
  readonly other: readonly string[];
}

process.once('message', (order: Order) => {
  void work(order).then((report) => process.send?.(report));
});
process.send?.('ready');

async function work(order: Order): Promise<Report> {
  const client = new Redis({ path: order.socket });
  const mock = mockProvider();
  const report = { answered: 0, refused: 0, spent: 0, other: [] as string[] };
  mock.otherwise
    .reply(({ text }) => ({ text: 'ok', usage: { input: 1, output: Number(text) } }))
    .delay(order.hang ? 600_000 : 2);
  const limited = budget({
    prices: createPriceTable({ overrides: { 'mock/*': { tokens: { input: '0.001', output: '0.001' } } } }),
    store: redisCounterStore({ client, prefix: order.prefix, timeoutMs: 10_000 }),
    limits: [
      { name: 'cost', costUsd: order.costUsd },
      { name: 'places', concurrent: order.concurrent },
    ],
    onExhausted: order.hang ? 'deny' : 'wait',
    graceMs: order.hang ? 100 : 30_000,
  });
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    use: [limited, retry(), route()],
  });
  gateway.on('attempt', ({ attempt }) => {
    report.spent += attempt.usage?.total ?? 0;
  });
  let next = 0;
  const runner = async (): Promise<void> => {
    while (next < order.calls) {
      const number = next++;
      const most = 1 + ((number * 7_919 + order.worker * 31) % 40);
      const output = (number * 104_729) % (most + 1);
      const request = { messages: [{ role: 'user', content: `${output}` }] as const, maxTokens: most };
      // Some give up while they wait, some while the model thinks.
      const signal = number % 11 === 0 ? AbortSignal.timeout(1) : undefined;
      const timeoutMs = order.hang ? 500 : 20_000;
      await gateway.chat(request, { timeoutMs, ...(signal !== undefined && { signal }) }).then(
        () => report.answered++,
        (error: { code: string }) => {
          if (error.code === 'budget-exceeded') report.refused++;
          else if (error.code !== 'aborted') report.other.push(error.code);
        },
      );
    }
  };
  const all = Promise.all(Array.from({ length: order.atOnce }, runner));
  if (order.hang) {
    // Dead while its attempts run: told as soon as all of them hold something.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return report;
  }
  await all;
  await gateway.close();
  client.disconnect();
  return report;
}
