import { describe, expect, it } from 'vitest';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';
import { ledgerContract } from '../../src/testing/ledger-contract.ts';
import { sampleRows } from '../../src/testing/ledger-rows.ts';

describe('memoryLedger', () => {
  for (const { name, run } of ledgerContract(() => memoryLedger())) it(name, run);

  it('forgets the oldest rows beyond its bound', async () => {
    const ledger = memoryLedger({ rowsMax: 10 });
    await ledger.write([...sampleRows({ calls: 50, from: 0, to: 1000 })]);
    let count = 0;
    for await (const _row of ledger.rows()) count++;
    expect(count).toBe(10);
    expect(() => memoryLedger({ rowsMax: 0 })).toThrow(/rowsMax/);
  });
});
