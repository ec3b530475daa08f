import { checkDimension, durationStep, type Ledger, type LedgerFilter, type LedgerRow, limitOf } from './ledger.ts';
import { Durations } from './ledger-durations.ts';
import {
  attemptSums,
  attemptTotals,
  callSums,
  callTotals,
  dimensionOf,
  Groups,
  noAttempts,
  noCalls,
} from './ledger-sums.ts';

/** Goes through all rows that fit, in any order. */
export type Scan = (kind: LedgerRow['kind'], filter: LedgerFilter, use: (row: LedgerRow) => void) => Promise<void>;

/** The queries of a ledger that has no database to ask: every one goes through all rows. */
export function scanQueries(scan: Scan): Pick<Ledger, 'totals' | 'calls' | 'percentiles'> {
  return {
    async totals(query = {}) {
      limitOf(query);
      query.groupBy?.forEach(checkDimension);
      const groups = new Groups(noAttempts);
      await scan('attempt', query, (row) => {
        if (row.kind === 'attempt') groups.addRow(row, query, attemptSums(row));
      });
      return attemptTotals(groups, query);
    },
    async calls(query = {}) {
      limitOf(query);
      query.groupBy?.forEach(checkDimension);
      const groups = new Groups(noCalls);
      await scan('call', query, (row) => {
        if (row.kind === 'call') groups.addRow(row, query, callSums(row));
      });
      return callTotals(groups, query);
    },
    async percentiles(query) {
      const names = (query.groupBy ?? []).map(checkDimension);
      const durations = new Durations();
      await scan('attempt', query, (row) => {
        const ms = row.kind === 'attempt' ? row[query.of] : undefined;
        if (ms === undefined) return;
        const key = names.map((name) => dimensionOf(row, name));
        durations.add(key, durationStep(ms), 1);
      });
      return durations.list(query);
    },
  };
}
