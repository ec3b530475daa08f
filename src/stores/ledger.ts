/** What all ledgers have in common: exports, the batch writer and the types. */
export { type BatchWriter, type BatchWriterOptions, createBatchWriter } from '../core/batch-writer.ts';
export { exportCsv, exportJsonl } from '../core/ledger-export.ts';
export type {
  AttemptRow,
  AttemptTotals,
  CallRow,
  CallTotals,
  Dimension,
  Ledger,
  LedgerFilter,
  LedgerQuery,
  LedgerRemoval,
  LedgerRow,
  PercentileQuery,
  Percentiles,
} from '../core/ledger.ts';
