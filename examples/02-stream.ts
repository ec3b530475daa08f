/** An answer as it arrives, and the whole of it afterwards. */
import { createGateway } from 'postern';
import { mockProvider } from 'postern/testing';

const mock = mockProvider();
mock.on('story').think('A short one.').reply('Once upon a time there was a gate in a castle wall, and it was small.');

const gateway = createGateway({ providers: [mock], models: { default: 'mock/any-model' } });

const stream = gateway.stream('Tell me a story.');
for await (const event of stream) {
  if (event.type === 'reasoning-delta') process.stdout.write(event.text);
  if (event.type === 'reasoning-end') process.stdout.write('\n');
  if (event.type === 'text-delta') process.stdout.write(event.text);
}
const { finish, usage } = await stream.response;
console.log(`\n${finish.reason}, ${usage.output} tokens`);
