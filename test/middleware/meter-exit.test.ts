import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { sqliteLedger } from '../../src/stores/sqlite-ledger.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-exit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('LEAK-11: a process that is told to end', () => {
  it('has a final row for each of 1000 running calls, takes no new one, and exits by itself', async () => {
    const path = join(folder, 'usage.sqlite');
    const worker = fileURLToPath(new URL('./meter-exit-worker.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=postern-source', '--no-warnings', worker, path, '1000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      if (said.includes('running') && !said.includes('closed')) child.kill('SIGTERM');
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(said.trim().split('\n')).toEqual(['running 1000 of 1000', 'closed closed']);
    expect(code).toBe(0);
    const ledger = sqliteLedger({ path });
    expect(await ledger.calls()).toMatchObject([{ calls: 1000 }]);
    expect(await ledger.totals()).toMatchObject([{ attempts: 1000 }]);
    const statuses = new Set<string>();
    for await (const row of ledger.rows()) {
      statuses.add(row.kind === 'call' ? `call ${row.status}` : `attempt ${row.status} ${row.billing}`);
    }
    expect([...statuses].sort()).toEqual(['attempt cancelled possible', 'call cancelled']);
    await ledger.close();
  });
});
