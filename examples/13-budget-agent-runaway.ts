/** An agent that never stops is stopped: so many steps and tokens a session, few at once. */
import { createGateway, isGatewayError } from 'postern';
import { retry, route } from 'postern/middleware';
import { budget } from 'postern/middleware/budget';
import { mockProvider } from 'postern/testing';

const mock = mockProvider();
mock.otherwise.callTool('search', { query: 'again' });
const leash = budget({
  limits: [
    { name: 'steps', per: ['agent', 'session'], requests: 5, warnAt: [0.8] },
    { name: 'tokens', per: ['agent', 'session'], tokens: 200_000 },
    { name: 'at once', per: 'agent', concurrent: 2 },
  ],
});
const gateway = createGateway({ providers: [mock], models: { default: 'mock/any' }, use: [leash, retry(), route()] });
gateway.on('limit', ({ kind, name, used, maximum }) => console.log(`${name}: ${kind} at ${used} of ${maximum}`));

const scope = { agent: 'researcher', session: 's1' };
try {
  for (let step = 1; ; step++) {
    const { toolCalls } = await gateway.chat('Find everything.', { scope });
    console.log(`step ${step}: ${toolCalls[0]?.name}`);
  }
} catch (error) {
  if (!isGatewayError(error, 'budget-exceeded')) throw error;
  console.log(error.message);
}
for (const { name, used, maximum } of await leash.remaining(scope)) console.log(`${name}: ${used} of ${maximum}`);
await gateway.close();
