import { AMOUNT_CASES } from './counter-contract/amounts.ts';
import type { CounterStoreSubject } from './counter-contract/subject.ts';
import { TIME_CASES } from './counter-contract/time.ts';
import type { ContractCase } from './store-contract.ts';

export type { CounterStoreSubject };

/** What every {@link CounterStore} must do. */
export function counterStoreContract(
  create: () => CounterStoreSubject | Promise<CounterStoreSubject>,
): readonly ContractCase[] {
  return Object.entries({ ...AMOUNT_CASES, ...TIME_CASES }).map(([name, check]) => ({
    name,
    async run() {
      const subject = await create();
      try {
        await check(subject);
      } finally {
        await subject.dispose?.();
      }
    },
  }));
}
