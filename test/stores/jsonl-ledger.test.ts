import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { jsonlLedger } from '../../src/stores/jsonl-ledger.ts';
import { ledgerContract } from '../../src/testing/ledger-contract.ts';
import { sampleRows } from '../../src/testing/ledger-rows.ts';

describe('jsonlLedger', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-jsonl-'));
  let files = 0;
  const next = (): string => join(folder, `${files++}.jsonl`);
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const { name, run } of ledgerContract(() => jsonlLedger({ path: next() }))) it(name, run);

  it('goes on after a crash in the middle of a line', async () => {
    const path = next();
    const rows = [...sampleRows({ calls: 20, from: 0, to: 1000 })];
    const first = jsonlLedger({ path });
    await first.write(rows.slice(0, 5));
    await first.close();
    appendFileSync(path, '{"kind":"attempt","id":"torn","at":1');
    const second = jsonlLedger({ path });
    await second.write(rows);
    await second.close();
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(rows.length);
    expect(lines.every((line) => typeof JSON.parse(line).id === 'string')).toBe(true);
  });
});
