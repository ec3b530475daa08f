/** Every bound in the house, with its name and default. What goes over one fails with `limit-exceeded`. */
export const LIMITS = {
  /** Longest line of a server-sent event stream. */
  sseLineBytesMax: 1024 * 1024,
  /** Largest single event of a stream. */
  sseEventBytesMax: 4 * 1024 * 1024,
  /** Largest body of one reply, plain or streamed. */
  bodyBytesMax: 32 * 1024 * 1024,
  /** Events held back before the first content. */
  heldBytesMax: 64 * 1024,
  /** Events decoded but not yet taken by the consumer. */
  queuedEventsMax: 100_000,
  /** A stream nobody reads is closed after this long. */
  consumerIdleMs: 60_000,
  /** Attempts of one call, or one a target if there are more. */
  attemptsMax: 3,
  /** From the call to its reply. */
  timeoutMs: 600_000,
  /** From the attempt to its first content. */
  firstContentMs: 120_000,
  /** Between two content events of a stream. */
  idleMs: 60_000,
  /** Longest a door holds response headers back for the first content of a stream. */
  holdMs: 10_000,
  /** Silence after which a door writes a comment into a stream it translates. */
  heartbeatMs: 15_000,
  /** Longest wait a provider may ask for before trying elsewhere. */
  retryAfterMsMax: 30_000,
  /** Pending background work `gateway.close()` waits for. */
  closeMs: 10_000,
  /** Targets whose health is remembered. */
  healthTargetsMax: 10_000,
  /** Depth of JSON values in a request. */
  jsonDepthMax: 128,
  /** Answers of one cache that are kept as objects beside their text, so that a hit need not parse. */
  decodedAnswersMax: 1_000,
  /** Characters of their texts together. */
  decodedTextMax: 8 * 1024 * 1024,
  /** Calls of one wave of sub-calls, nested. */
  subcallDepthMax: 8,
  /** Bytes of text of one error body kept for decoding. */
  errorBodyBytesMax: 256 * 1024,
} as const;
