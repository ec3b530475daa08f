// For users.
export { fakeClock, type FakeClock, type SettledOptions } from './fake-clock.ts';

// For people who extend it: contracts that any implementation can run.
export { counterStoreContract, type CounterStoreSubject } from './counter-store-contract.ts';
export { type ContractCase, storeContract, type StoreSubject } from './store-contract.ts';
