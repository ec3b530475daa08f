import { encodeRow } from './ledger-codec.ts';
import type { LedgerRow } from './ledger.ts';

const COLUMNS = [
  'kind',
  'id',
  'callId',
  'parentId',
  'number',
  'at',
  'tenant',
  'user',
  'app',
  'agent',
  'session',
  'tags',
  'operation',
  'purpose',
  'provider',
  'model',
  'servedModel',
  'region',
  'credential',
  'input',
  'output',
  'tokens',
  'units',
  'quality',
  'costNanoUsd',
  'unpriced',
  'reportedNanoUsd',
  'billing',
  'status',
  'errorCode',
  'httpStatus',
  'finish',
  'latencyMs',
  'firstContentMs',
  'stream',
  'winner',
  'attemptIds',
  'cached',
  'savedNanoUsd',
  'redactions',
] as const;

/** Rows as JSON lines: one row a line, money as decimal text. */
export async function* exportJsonl(rows: AsyncIterable<LedgerRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${encodeRow(row)}\n`;
}

/**
 * Rows as CSV (RFC 4180) with a header. Cells that a spreadsheet would run as a formula get a leading apostrophe, and
 * control characters become spaces.
 */
export async function* exportCsv(rows: AsyncIterable<LedgerRow>): AsyncGenerator<string> {
  yield `${COLUMNS.join(',')}\r\n`;
  for await (const row of rows) {
    const flat: Readonly<Record<string, unknown>> = { ...row, ...row.scope, at: new Date(row.at).toISOString() };
    yield `${COLUMNS.map((name) => cell(flat[name])).join(',')}\r\n`;
  }
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing control characters is the point
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
  const guarded = /^\s*[=+\-@|%＝＋－＠]/.test(clean) ? `'${clean}` : clean;
  return /[",;']/.test(guarded) || guarded !== guarded.trim() ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
