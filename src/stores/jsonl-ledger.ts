import { createReadStream } from 'node:fs';
import { type FileHandle, open as openFile, rename, stat, truncate } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { GatewayError, invalidOptions } from '../core/errors.ts';
import { decodeRow, encodeRow } from '../core/ledger-codec.ts';
import {
  checkDimension,
  checkRemoval,
  durationStep,
  type Ledger,
  type LedgerFilter,
  type LedgerRow,
  limitOf,
} from '../core/ledger.ts';
import {
  attemptSums,
  attemptTotals,
  callSums,
  callTotals,
  dimensionOf,
  Durations,
  Groups,
  matches,
  noAttempts,
  noCalls,
} from '../core/ledger-sums.ts';

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
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;
  /** One thing at a time: appends keep their order, and a removal never races with them. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(new GatewayError('closed', 'The ledger was closed.'));
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };
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
  const each = (kind: LedgerRow['kind'], filter: LedgerFilter, use: (row: LedgerRow) => void): Promise<void> =>
    inTurn(async () => {
      for await (const row of readFile(path)) if (row.kind === kind && matches(row, filter)) use(row);
    });
  return {
    write: (rows) =>
      inTurn(async () => {
        const file = await start();
        const fresh = new Map(rows.map((row) => [`${row.kind} ${row.id}`, row]));
        for (const key of fresh.keys()) if (file.seen.has(key)) fresh.delete(key);
        if (fresh.size === 0) return;
        await file.handle.appendFile([...fresh.values()].map((row) => `${encodeRow(row)}\n`).join(''));
        for (const key of fresh.keys()) file.seen.add(key);
      }),
    async totals(query = {}) {
      limitOf(query);
      query.groupBy?.forEach(checkDimension);
      const groups = new Groups(noAttempts);
      await each('attempt', query, (row) => row.kind === 'attempt' && groups.addRow(row, query, attemptSums(row)));
      return attemptTotals(groups, query);
    },
    async calls(query = {}) {
      limitOf(query);
      query.groupBy?.forEach(checkDimension);
      const groups = new Groups(noCalls);
      await each('call', query, (row) => row.kind === 'call' && groups.addRow(row, query, callSums(row)));
      return callTotals(groups, query);
    },
    async percentiles(query) {
      const names = (query.groupBy ?? []).map(checkDimension);
      const durations = new Durations();
      await each('attempt', query, (row) => {
        const ms = row.kind === 'attempt' ? row[query.of] : undefined;
        if (ms === undefined) return;
        const key = names.map((name) => dimensionOf(row, name));
        durations.add(key, durationStep(ms), 1);
      });
      return durations.list(query);
    },
    async *rows(filter = {}) {
      const list: LedgerRow[] = [];
      for (const kind of filter.kind === undefined ? (['attempt', 'call'] as const) : [filter.kind]) {
        await each(kind, filter, (row) => list.push(row));
      }
      yield* list.sort((left, right) => left.at - right.at);
    },
    remove: (removal) =>
      inTurn(async () => {
        const { tenant, before } = checkRemoval(removal);
        const goes = (row: LedgerRow): boolean =>
          (tenant === undefined || (row.scope.tenant ?? null) === tenant) && (before === undefined || row.at < before);
        const removed = await rewrite(path, goes);
        await handle?.close();
        handle = undefined;
        seen = undefined;
        return removed;
      }),
    flush: () => inTurn(async () => handle?.sync()),
    async close() {
      if (closed) return;
      const done = inTurn(async () => handle?.close());
      closed = true;
      await done;
    },
  };
}

async function* readFile(path: string): AsyncGenerator<LedgerRow> {
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
async function cutTorn(path: string): Promise<void> {
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
async function rewrite(path: string, goes: (row: LedgerRow) => boolean): Promise<number> {
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
