/** A tenant's monthly budget: from 80 % of it on, calls go to a cheaper model. */
import { createGateway } from 'postern';
import { retry, route } from 'postern/middleware';
import { budget } from 'postern/middleware/budget';
import { createPriceTable } from 'postern/pricing';
import { mockProvider } from 'postern/testing';

const mock = mockProvider();
mock.reply({ text: 'Done.', usage: { input: 1_000, output: 1_000 } });
const prices = createPriceTable({
  overrides: {
    'mock/large': { tokens: { input: '10', output: '40' } },
    'mock/small': { tokens: { input: '0.1', output: '0.4' } },
  },
});
const monthly = budget({
  prices,
  outputTokens: 1_000,
  limits: [{ per: 'tenant', costUsd: '0.25', every: 'month', downgrade: { at: 0.8, model: 'small' } }],
});
const models = { default: 'mock/large', small: 'mock/small' };
const gateway = createGateway({ providers: [mock], models, use: [monthly, retry(), route()] });

const acme = gateway.with({ scope: { tenant: 'acme' } });
for (let day = 1; day <= 7; day++) {
  const { target } = await acme.chat('Summarise the day.');
  const [left] = await monthly.remaining({ tenant: 'acme' });
  console.log(`day ${day}: ${target.model}, $${((left?.remaining ?? 0) / 1e9).toFixed(4)} left`);
}
await monthly.topUp({ scope: { tenant: 'acme' }, limit: 'cost per tenant per month', by: '0.25', reason: 'upgrade' });
console.log((await acme.chat('And now?')).target.model);
await gateway.close();
