import { Redis } from 'ioredis';
import type { Limit } from '../../src/core/counter-store.ts';
import { redisCounterStore } from '../../src/stores/redis.ts';

/** One of several processes that draw on the same budget: reserves, works, and settles, releases or aborts. */
interface Order {
  readonly socket: string;
  readonly prefix: string;
  readonly worker: number;
  readonly calls: number;
  readonly concurrent: number;
  readonly limits: readonly Limit[];
  readonly ttlMs: number;
  /** Never settle: hold what was admitted until killed. */
  readonly hold: boolean;
}

process.once('message', (order: Order) => {
  void work(order).then((report) => process.send?.(report));
});
process.send?.('ready');

async function work(order: Order): Promise<{ admitted: number; spent: number; overs: number }> {
  const client = new Redis({ path: order.socket });
  const store = redisCounterStore({ client, prefix: order.prefix, timeoutMs: 10_000 });
  const report = { admitted: 0, spent: 0, overs: 0 };
  const looksOver = (limits: readonly { used: number; held: number; maximum: number }[]): boolean =>
    limits.some(({ used, held, maximum }) => used + held > maximum);
  let next = 0;
  const runner = async (): Promise<void> => {
    while (next < order.calls) {
      const number = next++;
      const id = `w${order.worker}-${number}`;
      const reply = await store.reserve({ id, limits: order.limits, ttlMs: order.ttlMs });
      if (looksOver(reply.limits)) report.overs++;
      if (!reply.admitted) continue;
      report.admitted++;
      if (order.hold) continue;
      const actual = (number * 7_919 + order.worker) % 11;
      const ended = number % 5 === 0 ? await store.release(id) : await store.settle(id, { cost: actual });
      if (ended.status === 'settled') report.spent += actual;
      // A retried settlement counts once.
      if (number % 7 === 0 && number % 5 !== 0) await store.settle(id, { cost: actual });
      if (looksOver(ended.limits)) report.overs++;
    }
  };
  await Promise.all(Array.from({ length: order.concurrent }, runner));
  if (!order.hold) client.disconnect();
  return report;
}
