import { GatewayError, invalidOptions } from '../core/errors.ts';
import { checkRemoval, type Ledger, type LedgerRow } from '../core/ledger.ts';
import { scanQueries } from '../core/ledger-scan.ts';
import { matches } from '../core/ledger-sums.ts';

export interface MemoryLedgerOptions {
  /** Rows kept; the oldest written go first. @defaultValue 100_000 */
  readonly rowsMax?: number;
}

/**
 * A ledger that lives and dies with the process: for tests, and for a look at what is happening now.
 *
 * @example
 * const ledger = memoryLedger();
 */
export function memoryLedger(options: MemoryLedgerOptions = {}): Ledger {
  const { rowsMax = 100_000 } = options;
  if (!Number.isSafeInteger(rowsMax) || rowsMax < 1) {
    throw invalidOptions('rowsMax', 'must be a whole number of 1 or more.');
  }
  const kept = new Map<string, LedgerRow>();
  let closed = false;
  const open = async (): Promise<void> => {
    if (closed) throw new GatewayError('closed', 'The ledger was closed.');
  };
  return {
    ...scanQueries(async (kind, filter, use) => {
      await open();
      for (const row of kept.values()) if (row.kind === kind && matches(row, filter)) use(row);
    }),
    async write(rows) {
      await open();
      for (const row of rows) {
        const key = `${row.kind} ${row.id}`;
        if (kept.has(key)) continue;
        kept.set(key, row);
        if (kept.size > rowsMax) kept.delete(kept.keys().next().value as string);
      }
    },
    async *rows(filter = {}) {
      await open();
      const list = [...kept.values()].filter((row) => (filter.kind ?? row.kind) === row.kind && matches(row, filter));
      yield* list.sort((left, right) => left.at - right.at);
    },
    async remove(removal) {
      await open();
      const { tenant, before } = checkRemoval(removal);
      let removed = 0;
      for (const [key, row] of kept) {
        if (tenant !== undefined && (row.scope.tenant ?? null) !== tenant) continue;
        if (before !== undefined && row.at >= before) continue;
        kept.delete(key);
        removed++;
      }
      return removed;
    },
    flush: open,
    async close() {
      closed = true;
    },
  };
}
