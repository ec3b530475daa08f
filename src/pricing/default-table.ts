import { CATALOGUE_JSON } from './catalogue-data.ts';
import type { PriceCatalogue } from './catalogue.ts';
import { createTable, type PriceTable } from './table.ts';

let parsed: PriceCatalogue | undefined;

/** The price list this version of the package was made with. Read when first asked for. */
export function bundledCatalogue(): PriceCatalogue {
  // The generator has checked it, and a house test checks it again.
  parsed ??= JSON.parse(CATALOGUE_JSON) as PriceCatalogue;
  return parsed;
}

/** The table that `priceOf`, `costOf` and `updatePrices` use, one a process. */
export const defaultTable: PriceTable = createTable(bundledCatalogue);
