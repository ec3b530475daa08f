import { createReadStream } from 'node:fs';
import { open as openFile, rename, stat, truncate } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { LedgerRow } from '../../core/ledger.ts';
import { decodeRow, encodeRow } from '../../core/ledger-codec.ts';

/** The rows of the file in the order they were written; a damaged line is passed over. */
export async function* readFile(path: string): AsyncGenerator<LedgerRow> {
  if ((await sizeOf(path)) === 0) return;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    const row = decodeRow(line);
    if (row !== undefined) yield row;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

/** A process that died while appending leaves half a line, which would spoil the next one. */
export async function cutTorn(path: string): Promise<void> {
  const size = await sizeOf(path);
  if (size === 0) return;
  const file = await openFile(path, 'r');
  let end = size;
  try {
    const chunk = Buffer.alloc(65_536);
    while (end > 0) {
      const from = Math.max(0, end - chunk.length);
      const { bytesRead } = await file.read(chunk, 0, end - from, from);
      const last = chunk.subarray(0, bytesRead).lastIndexOf(10);
      end = last === -1 ? from : from + last + 1;
      if (last !== -1) break;
    }
  } finally {
    await file.close();
  }
  if (end < size) await truncate(path, end);
}

/** Writes the rows that stay beside the file and then takes its place, so that a crash leaves one or the other. */
export async function rewrite(path: string, goes: (row: LedgerRow) => boolean): Promise<number> {
  const beside = `${path}.new`;
  const file = await openFile(beside, 'w');
  let removed = 0;
  try {
    for await (const row of readFile(path)) {
      if (goes(row)) removed++;
      else await file.appendFile(`${encodeRow(row)}\n`);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  return removed;
}
