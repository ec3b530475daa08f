/** Every user of every tenant may spend one cent a day. */
import { createGateway, isGatewayError } from 'postern';
import { budget } from 'postern/middleware/budget';
import { createPriceTable } from 'postern/pricing';
import { mockProvider } from 'postern/testing';
import { retry, route } from 'postern/middleware';

const mock = mockProvider();
mock.reply({ text: 'Here you are.', usage: { input: 200, output: 800 } });
const prices = createPriceTable({ overrides: { 'mock/*': { tokens: { input: '1', output: '4' } } } });
const daily = budget({
  prices,
  limits: [{ name: 'daily', per: 'user', costUsd: '0.01', every: 'day', timeZone: 'Europe/Berlin', warnAt: [0.5] }],
});
const gateway = createGateway({ providers: [mock], models: { default: 'mock/any' }, use: [daily, retry(), route()] });
gateway.on('limit', ({ kind, name, scope }) => console.log(`${name}: ${kind} (${scope.user})`));

const messages = [{ role: 'user', content: 'Write me a page.' }] as const;
for (const user of ['ann', 'ann', 'ann', 'bob']) {
  const scope = { tenant: 'acme', user };
  try {
    await gateway.chat({ messages, maxTokens: 1_000 }, { scope });
    const [left] = await daily.remaining(scope);
    console.log(`${user} has $${(left?.remaining ?? 0) / 1e9} left`);
  } catch (error) {
    if (!isGatewayError(error, 'budget-exceeded')) throw error;
    console.log(`${user} must wait: ${error.limit?.name}, ${(error.retryAfterMs ?? 0) > 0}`);
  }
}
await gateway.close();
