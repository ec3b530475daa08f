// For users.
export { drill, type DrillOptions, type DrillReport, type DrillRow } from './drill.ts';
export { fakeClock, type FakeClock, type SettledOptions } from './fake-clock.ts';
export {
  type ExpectedCall,
  type Mock,
  mockProvider,
  type MockProvider,
  type MockProviderOptions,
} from './mock-provider.ts';
export { mockServer, type MockServer, type MockServerOptions } from './mock-server.ts';
export type { MockRequest } from './http/request.ts';
export { type PolicyNumbers, type PolicyOutcome, replayPolicy, type ReplayPolicyOptions } from './replay-policy.ts';
export { record, replay, type Tape, type TapeMode, type TapeOptions } from './record.ts';
export type { AnswerInput, CitationInput, ReplyFunction, ReplyValue, ToolCallInput } from './script/answer.ts';
export type { Chain } from './script/chain.ts';
export {
  type FailureWord,
  type Fault,
  type FaultKind,
  type FaultPosition,
  rateLimitHeaders,
  type StatusFault,
} from './script/fault.ts';
export type { CallMatcher, CallPattern, TextPattern } from './script/match.ts';
export type { MockCall, MockedOperation } from './script/mock-call.ts';

// For people who extend it: contracts that any implementation can run.
export { middlewareContract, type MiddlewareContractOptions } from './contracts/middleware-contract.ts';
export { providerContract, type ProviderContractOptions } from './contracts/provider-contract.ts';
export { clientContract, type ClientSubject } from './client-contract.ts';
export { counterStoreContract, type CounterStoreSubject } from './counter-store-contract.ts';
export { ledgerContract } from './ledger-contract.ts';
export { type ContractCase, storeContract, type StoreSubject } from './store-contract.ts';
export { vectorIndexContract, type VectorIndexSubject } from './vector-index-contract.ts';
