import type { PriceTable } from './table.ts';

/**
 * The process-wide price table, with its list loaded when first needed. For middleware: importing the list outright
 * would make every program that imports `postern` carry it.
 */
export async function loadPrices(): Promise<PriceTable> {
  return (await import('./default-table.ts')).defaultTable;
}
