import type { Ledger } from '../core/ledger.ts';
import { asking } from './ledger-contract/asking.ts';
import { keeping } from './ledger-contract/keeping.ts';
import type { ContractCase } from './store-contract.ts';

/**
 * What every {@link Ledger} must do. `create` gives an empty one; each case closes its own.
 *
 * @example
 * for (const { name, run } of ledgerContract(() => memoryLedger())) it(name, run);
 */
export function ledgerContract(create: () => Ledger | Promise<Ledger>): readonly ContractCase[] {
  return Object.entries({ ...keeping, ...asking }).map(([name, check]) => ({
    name,
    async run() {
      const ledger = await create();
      try {
        await check(ledger);
      } finally {
        await ledger.close();
      }
    },
  }));
}
