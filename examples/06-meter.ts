/** Who used what: a row for every attempt and every call. */
import { createGateway } from 'postern';
import { type LedgerRow, meter } from 'postern/middleware/meter';
import { retry } from 'postern/middleware/retry';
import { route } from 'postern/middleware/route';
import { mockProvider } from 'postern/testing';

const rows: LedgerRow[] = [];
const mock = mockProvider();
mock.reply('Noted.');
const gateway = createGateway({
  providers: [mock],
  models: { default: 'mock/any-model' },
  use: [meter({ sink: (row) => void rows.push(row) }), retry(), route()],
});

const acme = gateway.with({ scope: { tenant: 'acme', user: 'ann' } });
await acme.chat('Remember the milk.');
await gateway.run({ tenant: 'globex' }, () => gateway.chat('Remember the eggs.'));

for (const row of rows) {
  if (row.kind === 'attempt') console.log(row.scope.tenant, row.model, row.input, row.output, row.costNanoUsd);
}
await gateway.close();
