import { createGateway } from '../../src/gateway.ts';
import { meter } from '../../src/middleware/meter.ts';
import { retry } from '../../src/middleware/retry.ts';
import { route } from '../../src/middleware/route.ts';
import { sqliteLedger } from '../../src/stores/sqlite-ledger.ts';
import { mockProvider } from '../../src/testing/index.ts';

/** A process that is told to end while a thousand calls run, and then has nothing left to do. */
const [, , path = '', calls = '0'] = process.argv;
const mock = mockProvider();
mock.otherwise.reply('one two three four').delay(600_000);
const ledger = sqliteLedger({ path });
const gateway = createGateway({
  providers: [mock],
  models: { default: 'mock/any' },
  use: [meter({ ledger, intervalMs: 3_600_000 }), retry(), route()],
});

process.once('SIGTERM', () => {
  void (async () => {
    await gateway.close();
    const late = await gateway.chat('late').catch((error: { code: string }) => error.code);
    await ledger.close();
    // Nothing else ends this process: no timer of ours may hold it.
    process.stdout.write(`closed ${String(late)}\n`);
  })();
});

const running = Array.from({ length: Number(calls) }, async (_, index) => {
  const prompt = `question ${index}`;
  await (index % 2 === 0 ? gateway.chat(prompt) : gateway.stream(prompt).response).catch(() => undefined);
});
await new Promise((resolve) => setTimeout(resolve, 50));
process.stdout.write(`running ${running.length} of ${mock.calls.length}\n`);
