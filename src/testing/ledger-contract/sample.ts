import type { AttemptRow, CallRow, Ledger, LedgerRow } from '../../core/ledger.ts';
import { sampleRows } from '../ledger-rows.ts';

/** Named checks, each on an empty ledger. */
export type LedgerCases = Readonly<Record<string, (ledger: Ledger) => Promise<void>>>;

export const DAY = 86_400_000;
export const START = Date.UTC(2026, 9, 30);
export const FROM = START + 5 * 3_600_000;
export const TO = START + 4 * DAY + 1234;

export const SAMPLE: readonly LedgerRow[] = [...sampleRows({ calls: 400, from: FROM, to: TO })];
export const ATTEMPTS = SAMPLE.filter((row): row is AttemptRow => row.kind === 'attempt');
export const CALLS = SAMPLE.filter((row): row is CallRow => row.kind === 'call');
export const costOf = (rows: readonly AttemptRow[]): bigint =>
  rows.reduce((sum, row) => sum + (row.costNanoUsd ?? 0n), 0n);
export const countOf = (rows: readonly AttemptRow[], name: 'input' | 'output'): number =>
  rows.reduce((sum, row) => sum + row[name], 0);

export const FULL: AttemptRow = {
  kind: 'attempt',
  id: 'full',
  callId: 'call-full',
  parentId: 'parent',
  number: 2,
  at: FROM,
  scope: {
    tenant: 'ten"ant',
    user: "o'hara",
    app: 'app',
    agent: 'agent',
    session: 's',
    tags: { 'a.b': 'ü\n😀', team: 'x' },
  },
  operation: 'chat',
  purpose: 'judge',
  provider: 'openai',
  model: 'gpt-5',
  servedModel: 'gpt-5-2025-08-07',
  region: 'eu',
  credential: 'second',
  input: 10,
  output: 5,
  tokens: { input: 4, cacheRead: 6, output: 5 },
  units: { webSearch: 1, audioSeconds: 2.5 },
  quality: 'partial',
  costNanoUsd: 9_007_199_254_740_993n,
  reportedNanoUsd: 1n,
  billing: 'possible',
  status: 'failed',
  errorCode: 'stream-interrupted',
  latencyMs: 12.5,
  firstContentMs: 3.25,
  finish: 'stop',
  httpStatus: 200,
  stream: true,
  winner: true,
};

export async function list(rows: AsyncIterable<LedgerRow>): Promise<LedgerRow[]> {
  const found: LedgerRow[] = [];
  for await (const row of rows) found.push(row);
  return found;
}
