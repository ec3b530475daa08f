/** A middleware in five lines, for plain and streamed calls alike. */
import { createGateway, defineMiddleware, settle } from 'postern';
import { mockProvider } from 'postern/testing';

const audit = (log: (line: string) => void) =>
  defineMiddleware({ name: 'audit' }, (call, next) =>
    settle(next(call), call.operation, ({ status, target }) => log(`${call.id} ${status} by ${target?.provider}`)),
  );

const mock = mockProvider();
mock.reply('Done.');
const gateway = createGateway({
  providers: [mock],
  models: { default: 'mock/any-model' },
  use: [audit((line) => console.log(line))],
});
await gateway.chat('Plain.');
await gateway.stream('Streamed.').response;
