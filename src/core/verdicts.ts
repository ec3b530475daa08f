export type ErrorCode =
  | 'invalid-request'
  | 'invalid-options'
  | 'authentication'
  | 'permission'
  | 'not-found'
  | 'rate-limited'
  | 'quota-exceeded'
  | 'overloaded'
  | 'unavailable'
  | 'connection'
  | 'timeout'
  | 'aborted'
  | 'context-too-long'
  | 'request-too-large'
  | 'content-filtered'
  | 'guardrail-blocked'
  | 'budget-exceeded'
  | 'circuit-open'
  | 'unsupported'
  | 'bad-response'
  | 'stream-interrupted'
  | 'invalid-output'
  | 'limit-exceeded'
  | 'no-target'
  | 'all-targets-failed'
  | 'closed'
  | 'internal';

/** Whose doing it was. Decided once; retry, fallback, breaker, key rotation and metering all read this. */
export type Fault = 'caller' | 'request' | 'credential' | 'target' | 'network' | 'gateway';

interface Verdict {
  readonly fault: Fault;
  /** The same request to the same target may succeed. */
  readonly retryable: boolean;
  /** Another target may succeed. */
  readonly fallbackable: boolean;
}

/** The one fault table. */
export const VERDICTS: Readonly<Record<ErrorCode, Verdict>> = {
  'invalid-request': { fault: 'caller', retryable: false, fallbackable: false },
  'invalid-options': { fault: 'caller', retryable: false, fallbackable: false },
  authentication: { fault: 'credential', retryable: false, fallbackable: true },
  permission: { fault: 'credential', retryable: false, fallbackable: true },
  'not-found': { fault: 'request', retryable: false, fallbackable: true },
  'rate-limited': { fault: 'target', retryable: true, fallbackable: true },
  'quota-exceeded': { fault: 'credential', retryable: false, fallbackable: true },
  overloaded: { fault: 'target', retryable: true, fallbackable: true },
  unavailable: { fault: 'target', retryable: true, fallbackable: true },
  connection: { fault: 'network', retryable: true, fallbackable: true },
  timeout: { fault: 'target', retryable: true, fallbackable: true },
  aborted: { fault: 'caller', retryable: false, fallbackable: false },
  'context-too-long': { fault: 'request', retryable: false, fallbackable: true },
  'request-too-large': { fault: 'request', retryable: false, fallbackable: true },
  'content-filtered': { fault: 'request', retryable: false, fallbackable: true },
  'guardrail-blocked': { fault: 'request', retryable: false, fallbackable: false },
  'budget-exceeded': { fault: 'gateway', retryable: false, fallbackable: false },
  'circuit-open': { fault: 'gateway', retryable: false, fallbackable: true },
  unsupported: { fault: 'request', retryable: false, fallbackable: true },
  'bad-response': { fault: 'target', retryable: true, fallbackable: true },
  'stream-interrupted': { fault: 'target', retryable: true, fallbackable: true },
  'invalid-output': { fault: 'request', retryable: false, fallbackable: true },
  'limit-exceeded': { fault: 'gateway', retryable: false, fallbackable: false },
  'no-target': { fault: 'gateway', retryable: false, fallbackable: false },
  'all-targets-failed': { fault: 'target', retryable: false, fallbackable: false },
  closed: { fault: 'caller', retryable: false, fallbackable: false },
  internal: { fault: 'gateway', retryable: false, fallbackable: false },
};
