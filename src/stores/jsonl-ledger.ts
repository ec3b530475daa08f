import { type FileHandle, open as openFile } from 'node:fs/promises';
import { invalidOptions } from '../core/errors.ts';
import { checkRemoval, type Ledger, type LedgerRow } from '../core/ledger.ts';
import { encodeRow } from '../core/ledger-codec.ts';
import { type Scan, scanQueries } from '../core/ledger-scan.ts';
import { matches } from '../core/ledger-sums.ts';
import { cutTorn, readFile, rewrite } from './jsonl-ledger/file.ts';
import { createTurns } from './jsonl-ledger/turns.ts';

export interface JsonlLedgerOptions {
  /** File that rows are appended to, one JSON object a line. Made if it is not there. One process a file. */
  readonly path: string;
}

/**
 * A ledger as a file of JSON lines, for shipping to somewhere else. Every query reads the whole file.
 *
 * @example
 * const ledger = jsonlLedger({ path: 'ledger.jsonl' });
 */
export function jsonlLedger(options: JsonlLedgerOptions): Ledger {
  const { path } = options;
  if (typeof path !== 'string' || path === '') throw invalidOptions('path', 'must name a file.');
  let handle: FileHandle | undefined;
  let seen: Set<string> | undefined;
  const turns = createTurns();
  /** Opens the file, learns which rows it has and cuts off a line that a crash left unfinished. */
  const start = async (): Promise<{ handle: FileHandle; seen: Set<string> }> => {
    if (handle === undefined || seen === undefined) {
      await cutTorn(path);
      seen = new Set();
      for await (const row of readFile(path)) seen.add(`${row.kind} ${row.id}`);
      handle = await openFile(path, 'a');
    }
    return { handle, seen };
  };
  const scan: Scan = (kind, filter, use) =>
    turns.take(async () => {
      for await (const row of readFile(path)) if (row.kind === kind && matches(row, filter)) use(row);
    });
  return {
    ...scanQueries(scan),
    write: (rows) =>
      turns.take(async () => {
        const file = await start();
        const fresh = new Map(rows.map((row) => [`${row.kind} ${row.id}`, row]));
        for (const key of fresh.keys()) if (file.seen.has(key)) fresh.delete(key);
        if (fresh.size === 0) return;
        await file.handle.appendFile([...fresh.values()].map((row) => `${encodeRow(row)}\n`).join(''));
        for (const key of fresh.keys()) file.seen.add(key);
      }),
    async *rows(filter = {}) {
      const list: LedgerRow[] = [];
      for (const kind of filter.kind === undefined ? (['attempt', 'call'] as const) : [filter.kind]) {
        await scan(kind, filter, (row) => list.push(row));
      }
      yield* list.sort((left, right) => left.at - right.at);
    },
    remove: (removal) =>
      turns.take(async () => {
        const { tenant, before } = checkRemoval(removal);
        const goes = (row: LedgerRow): boolean =>
          (tenant === undefined || (row.scope.tenant ?? null) === tenant) && (before === undefined || row.at < before);
        const removed = await rewrite(path, goes);
        await handle?.close();
        handle = undefined;
        seen = undefined;
        return removed;
      }),
    flush: () => turns.take(async () => handle?.sync()),
    async close() {
      if (turns.closed) return;
      const done = turns.take(async () => handle?.close());
      turns.close();
      await done;
    },
  };
}
