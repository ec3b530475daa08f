import type { AttemptRow, CallRow, LedgerRow } from './ledger.ts';

/** The fields that are whole nano-dollars. JSON has no such number, so they are decimal text there. */
const MONEY = ['costNanoUsd', 'reportedNanoUsd', 'savedNanoUsd'] as const;
/** Characters that JSON leaves bare but terminals and line-based readers act on. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escaping control characters is the point
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

/** One row as one line of JSON, safe for any log: no line breaks, no escape sequences for terminals. */
export function encodeRow(row: LedgerRow): string {
  const text = JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The row of a line; `undefined` if the line is damaged, as the last one after a crash may be. */
export function decodeRow(line: string): LedgerRow | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
    for (const name of MONEY) if (typeof value[name] === 'string') value[name] = BigInt(value[name]);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || typeof value.id !== 'string') return undefined;
  if (value.kind === 'attempt') return value as unknown as AttemptRow;
  return value.kind === 'call' ? (value as unknown as CallRow) : undefined;
}
