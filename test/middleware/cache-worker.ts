import { Redis } from 'ioredis';
import { createGateway } from '../../src/gateway.ts';
import { cache } from '../../src/middleware/cache.ts';
import { dedupe } from '../../src/middleware/dedupe.ts';
import { route } from '../../src/middleware/route.ts';
import { redisStore } from '../../src/stores/redis.ts';
import { mockProvider } from '../../src/testing/mock-provider.ts';

/** One of several processes that share one Redis: asks tagged questions and checks that each answer is its own. */
interface Order {
  readonly socket: string;
  readonly prefix: string;
  readonly worker: number;
  readonly calls: number;
  readonly concurrent: number;
  /** Different questions, over all workers the same. */
  readonly questions: number;
  readonly lock: boolean;
  /** The connection is cut after every so many calls; 0: never. */
  readonly cutEvery: number;
}
export interface CacheWorkerReport {
  readonly wrong: number;
  readonly failed: number;
  readonly hits: number;
  readonly upstream: number;
}

process.once('message', (order: Order) => {
  void work(order).then((report) => process.send?.(report));
});
process.send?.('ready');

async function work(order: Order): Promise<CacheWorkerReport> {
  const client = new Redis({ path: order.socket, retryStrategy: () => 5 });
  client.on('error', () => undefined);
  const store = redisStore({ client, prefix: order.prefix, timeoutMs: 5_000, probeMs: 10 });
  const mock = mockProvider({ seed: order.worker + 1 });
  // The answer carries the question's tag and the tenant's: what comes back must be what was asked.
  const answer = mock.reply(({ request, scope }) => {
    const { messages } = request as unknown as { messages: { content: { text: string }[] }[] };
    return `${scope.tenant}:${messages[0]?.content[0]?.text}`;
  });
  if (order.lock) answer.delay(20);
  const gateway = createGateway({
    providers: [mock],
    models: { default: 'mock/any' },
    use: [cache({ store, lock: order.lock }), dedupe(), route()],
  });
  const report = { wrong: 0, failed: 0, hits: 0, upstream: 0 };
  let next = 0;
  const runner = async (): Promise<void> => {
    while (next < order.calls) {
      const number = next++;
      if (order.cutEvery > 0 && number % order.cutEvery === order.cutEvery - 1) client.disconnect(true);
      const question = `question ${(number * 7_919 + order.worker * 13) % order.questions}`;
      const tenant = `t${number % 3}`;
      try {
        const ask = { prompt: question };
        const scope = { scope: { tenant } };
        const response = number % 2 === 0 ? await gateway.chat(ask, scope) : await gateway.stream(ask, scope).response;
        if (response.text !== `${tenant}:${question}`) report.wrong++;
        if (response.cached !== undefined) report.hits++;
      } catch {
        report.failed++;
      }
    }
  };
  await Promise.all(Array.from({ length: order.concurrent }, runner));
  await gateway.close();
  client.disconnect();
  return { ...report, upstream: mock.calls.length };
}
