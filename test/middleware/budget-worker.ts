import { Redis } from 'ioredis';
import { createGateway } from '../../src/gateway.ts';
import { budget } from '../../src/middleware/budget.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { createPriceTable } from '../../src/pricing/index.ts';
import { redisCounterStore } from '../../src/stores/redis.ts';
import { mockProvider } from '../../src/testing/index.ts';
import type { Heard } from './decision-history.ts';
import { seededRandom } from '../../src/testing/script/random.ts';

/** One of several processes that call models on the same budget. */
export interface Order {
  readonly socket: string;
  readonly prefix: string;
  readonly worker: number;
  readonly calls: number;
  readonly atOnce: number;
  readonly costUsd: string;
  readonly concurrent: number;
  /** What a call holds is free after so long without it, in milliseconds. */
  readonly leaseMs: number;
  /** To be killed: from its half on its attempts never end. */
  readonly doomed: boolean;
}
export interface Report {
  readonly answered: number;
  readonly refused: number;
  readonly aborted: number;
  readonly spent: number;
  readonly other: readonly string[];
}
export type Message = { readonly heard: readonly Heard[] } | { readonly stuck: number } | { readonly report: Report };

process.once('message', (order: Order) => {
  void work(order).then((report) => process.send?.({ report } satisfies Message));
});
process.send?.('ready');

const HEARD_TOGETHER = 200;
/** Attempts that hold something when their process is killed. */
const STUCK = 5;

/** A client that tells the parent every answer it hears, so that a killed process has told all but the last ones. */
function telling(client: Redis) {
  let heard: Heard[] = [];
  const flush = (): void => {
    if (heard.length > 0) process.send?.({ heard } satisfies Message);
    heard = [];
  };
  const call = async (command: string, ...args: string[]): Promise<unknown> => {
    const reply = await client.call(command, ...args);
    const [operation = '', , id = ''] = args.slice(2 + Number(args[1]));
    if (command === 'evalsha') heard.push({ operation, id, reply: reply as string[] });
    if (heard.length >= HEARD_TOGETHER) flush();
    return reply;
  };
  return { client: { call }, flush };
}

async function work(order: Order): Promise<Report> {
  const redis = new Redis({ path: order.socket });
  const { client, flush } = telling(redis);
  const mock = mockProvider();
  const report = { answered: 0, refused: 0, aborted: 0, spent: 0, other: [] as string[] };
  mock.otherwise.reply(({ text }) => ({ text: 'ok', usage: { input: 1, output: Number(text) } })).delay(2);
  let stuck = 0;
  mock.on('stuck').reply(async () => {
    if (++stuck === STUCK) process.send?.({ stuck } satisfies Message);
    await new Promise(() => undefined);
    return 'never';
  });
  const graceMs = 100;
  const limited = budget({
    prices: createPriceTable({ overrides: { 'mock/*': { tokens: { input: '0.001', output: '0.001' } } } }),
    store: redisCounterStore({ client, prefix: order.prefix, timeoutMs: 10_000 }),
    limits: [
      { name: 'cost', costUsd: order.costUsd },
      { name: 'places', concurrent: order.concurrent },
    ],
    onExhausted: 'wait',
    graceMs,
  });
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    use: [limited, retry(), route()],
  });
  gateway.on('attempt', ({ attempt }) => {
    report.spent += attempt.usage?.total ?? 0;
  });
  const random = randomOf(order.worker + 1);
  let next = 0;
  const runner = async (): Promise<void> => {
    while (next < order.calls) {
      const number = next++;
      const most = 1 + random(40);
      const output = random(most + 1);
      const content = order.doomed && number > order.calls / 2 ? 'stuck' : `${output}`;
      const request = { messages: [{ role: 'user', content }] as const, maxTokens: most };
      // Some give up while they wait, some while the model thinks.
      const signal = random(10) === 0 ? AbortSignal.timeout(random(8)) : undefined;
      const timeoutMs = order.leaseMs - graceMs;
      await gateway.chat(request, { timeoutMs, ...(signal !== undefined && { signal }) }).then(
        () => report.answered++,
        (error: { code: string }) => {
          if (error.code === 'budget-exceeded') report.refused++;
          else if (error.code === 'aborted' || error.code === 'timeout') report.aborted++;
          else report.other.push(error.code);
        },
      );
    }
  };
  await Promise.all(Array.from({ length: order.atOnce }, runner));
  await gateway.close();
  flush();
  redis.disconnect();
  return report;
}

/** Whole numbers below a bound, the same for a seed each time. */
function randomOf(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}
