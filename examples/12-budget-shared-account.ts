/** Tokens per minute of one provider account, shared by ten processes. Calls wait their turn before a 429. */
import { createGateway } from 'postern';
import { rateLimit, retry, route } from 'postern/middleware';
import { memoryCounterStore } from 'postern/stores/memory';
import { mockProvider } from 'postern/testing';

const mock = mockProvider();
mock.reply({ text: 'ok', usage: { input: 20, output: 80 } });

// For processes on many machines: redisCounterStore({ client }) of postern/stores/redis. Here ten share one memory.
const store = memoryCounterStore();
const shared = () =>
  rateLimit({
    store,
    limits: [{ name: 'account', per: 'provider', tokens: 300_000, periodMs: 60_000, burst: 1_000 }],
    provider: true,
    outputTokens: 100,
    onExhausted: 'wait',
  });
const processes = Array.from({ length: 10 }, () =>
  createGateway({ providers: [mock], models: { default: 'mock/any' }, use: [shared(), retry(), route()] }),
);

// A server's socket keeps its process alive while calls wait; here nothing else would.
const alive = setInterval(() => undefined, 1_000);
const began = performance.now();
await Promise.all(processes.map((gateway) => Promise.all([1, 2].map((n) => gateway.chat(`Question ${n}`)))));
console.log(
  `${mock.calls.length} calls, all answered, spread over ${performance.now() - began > 50 ? 'time' : 'nothing'}`,
);
await Promise.all(processes.map((gateway) => gateway.close()));
clearInterval(alive);
