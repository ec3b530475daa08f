// For users.
export { createGateway } from './gateway.ts';
export { standard, type StandardOptions } from './standard.ts';
export { GatewayError, isGatewayError, type AttemptRecord, type ErrorCode, type Fault } from './core/errors.ts';
export type {
  CallOptions,
  CandidateExplanation,
  Gateway,
  GatewayExplanation,
  GatewayOptions,
  WithOptions,
} from './gateway-types.ts';
export { formatAttempts } from './core/trail.ts';
export type { ChatStream, StreamStart } from './chat-stream.ts';
export type { CallCost, GatewayChatResponse, GatewayEmbedResponse } from './response.ts';
export type { Configuration } from './runtime.ts';
export type { ModelName } from './known-models.ts';
export type { ModelInfo } from './models.ts';
export type { Watch, WatchOptions } from './watch.ts';
export { promote, rollBack } from './core/routing/promote.ts';
export type { ModelFacts } from './core/model-facts.ts';
export type { GroupConfiguration, RuleCondition, ValueTest } from './core/routing/configuration.ts';
export type { RollbackOptions, RolloutReport, VariantNumbers } from './core/routing/trial.ts';
export type {
  AliasConfiguration,
  ModelsConfiguration,
  NodeConfiguration,
  TargetConfiguration,
} from './core/registry.ts';
export type { EventName, GatewayEvents, Listener } from './core/events.ts';
export type * from './operations/chat-input.ts';
export type * from './operations/chat-parts.ts';
export type * from './operations/chat-events.ts';
export type * from './operations/chat.ts';
export type * from './operations/embed.ts';
export type * from './operations/shared.ts';
export type { Infer, SchemaLike, StandardSchema } from './operations/schema.ts';

// For people who extend it.
export { compose } from './core/compose.ts';
export { contextKey, type Context, type ContextKey, type PublishedContent } from './core/context.ts';
export {
  type AttemptObserver,
  type AttemptOutcome,
  defineMiddleware,
  type Explanation,
  type Host,
  type Middleware,
  type MiddlewareInfo,
  only,
} from './core/middleware.ts';
export { defineProvider, type Provider, type ProviderHandlers } from './core/provider.ts';
export { collect, discard, type Outcome, replyWith, settle, transform, withResponse } from './core/reply.ts';
export { rewriteText, type TextRewriter } from './core/rewrite-text.ts';
export { readdress, subcall, type SubcallOptions } from './core/subcall.ts';
export type {
  CachedFacts,
  Call,
  Candidate,
  Handler,
  Loser,
  Next,
  Plan,
  PlainReply,
  Priority,
  Reply,
  Scope,
  StreamReply,
} from './core/call.ts';
export { type Clock, sleep, systemClock, type Timer } from './core/clock.ts';
export { type Ending, EventStream, type EventSource, iterableSource, type Transform } from './core/event-stream.ts';
export type { Health, TargetHealth } from './core/health.ts';
export type {
  Dialect,
  DialectEnvironment,
  DoorDialect,
  EncodedRequest,
  Frame,
  ResponseHead,
  StreamDecoder,
} from './core/dialect.ts';
export type { OperationName, Operations } from './operations/index.ts';
export type { OperationTraits, TextSlot } from './operations/traits.ts';
export { defineOperation } from './operations/traits-table.ts';
export type { Store } from './core/store.ts';
export type { CounterStore } from './core/counter-store.ts';
export { LIMITS } from './core/limits.ts';
