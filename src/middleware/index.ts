export { budget, type BudgetOptions } from './budget.ts';
export { cache, type Cache, type CacheControl, type CacheInvalidation, type CacheOptions } from './cache.ts';
export { cascade, type CascadeOptions } from './cascade.ts';
export {
  circuitBreaker,
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitReport,
} from './circuit-breaker.ts';
export { concurrency, type ConcurrencyOptions } from './concurrency.ts';
export { dedupe, type Dedupe, type DedupeControl, type DedupeOptions } from './dedupe.ts';
export { fallback, type FallbackOptions, type FallbackReason, type FallbackTarget } from './fallback.ts';
export {
  type Guard,
  guardrail,
  type GuardCheck,
  type GuardContent,
  type GuardContext,
  type GuardrailOptions,
  type GuardText,
  judge,
  type JudgeOptions,
  type Verdict,
} from './guardrail.ts';
export { hedge, type HedgeOptions } from './hedge.ts';
export { inRegion } from './in-region.ts';
export { logger, type LoggerOptions, type LogLevel, type PinoLike } from './logger.ts';
export {
  type AttemptRow,
  type CallRow,
  type ContentLogOptions,
  type LedgerRow,
  type Meter,
  meter,
  type MeterOptions,
} from './meter.ts';
export { promptCache, type PromptCache, type PromptCacheOptions, type PromptCacheReport } from './prompt-cache.ts';
export { rateLimit, type RateLimitOptions } from './rate-limit.ts';
export { redact, type RedactOptions, type RedactOutputOptions } from './redact.ts';
export { retry, type RetryOptions } from './retry.ts';
export { route, type RouteOptions } from './route.ts';
export {
  memoryVectorIndex,
  semanticCache,
  type Embedder,
  type SemanticCache,
  type SemanticCacheControl,
  type SemanticCacheOptions,
  type SemanticReport,
  type VectorIndex,
} from './semantic-cache.ts';
export { shadow, type ShadowOptions, type ShadowPair } from './shadow.ts';
export { telemetry, type TelemetryOptions } from './telemetry.ts';
export { timeout, type TimeoutOptions } from './timeout.ts';
export { type Classify, type ClassifyContext, useCase, type UseCaseExamples, type UseCaseOptions } from './use-case.ts';
