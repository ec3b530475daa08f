import { describe, expect, it } from 'vitest';
import { createBatchWriter, exportCsv, exportJsonl, type LedgerRow } from '../../src/stores/ledger.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';
import { fakeClock } from '../../src/testing/fake-clock.ts';
import { sampleRows } from '../../src/testing/ledger-rows.ts';

describe('what ledgers have in common', () => {
  it('takes rows from the batch writer into a ledger and out of it again, each once', async () => {
    const rows = [...sampleRows({ calls: 30, from: 0, to: 1_000 })];
    const ledger = memoryLedger();
    const clock = fakeClock();
    const writer = createBatchWriter<LedgerRow>({ write: (batch) => ledger.write(batch), clock, batchSize: 7 });
    await writer.add(...rows);
    await writer.close();
    expect([writer.size, writer.dropped]).toEqual([0, 0]);
    const lines: string[] = [];
    for await (const line of exportJsonl(ledger.rows())) lines.push(line);
    const ids = lines.map((line) => (JSON.parse(line) as { id: string }).id);
    expect(ids.toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
    let csv = '';
    for await (const line of exportCsv(ledger.rows())) csv += line;
    // A header, the rows, and nothing after the last line end.
    expect(csv.split('\r\n')).toHaveLength(rows.length + 2);
    expect(csv.startsWith('kind,id,callId,')).toBe(true);
    await ledger.close();
  });
});
