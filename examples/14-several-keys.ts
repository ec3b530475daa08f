/** Two keys of one provider: a dead one is found out once, and rests. */
import { createGateway, formatAttempts } from 'postern';
import { circuitBreaker, retry, route } from 'postern/middleware';
import { openai } from 'postern/providers/openai';

// Stands in for the network: the main key is refused, the spare one is good.
const fetch = async (_url: string, init: { readonly headers: Readonly<Record<string, string>> }): Promise<Response> =>
  init.headers['authorization'] === 'Bearer key-of-last-year'
    ? Response.json({ error: { message: 'Incorrect API key provided.' } }, { status: 401 })
    : Response.json({
        choices: [{ index: 0, message: { role: 'assistant', content: 'Still here.' }, finish_reason: 'stop' }],
      });

const keys = { main: 'key-of-last-year', spare: 'key-of-today' };
const gateway = createGateway({
  providers: [openai({ api: 'chat', transport: 'fetch', fetch, credentials: keys })],
  models: { default: 'openai/gpt-5-mini' },
  use: [retry(), route(), circuitBreaker()],
});

const first = await gateway.chat('Hello?');
console.log(first.text);
console.log(formatAttempts(first.attempts));
const second = await gateway.chat('Hello again?');
console.log(`${second.attempts.length} attempt, with the key ${second.target.credential}`);
