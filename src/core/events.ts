import type { OperationName } from '../operations/index.ts';
import type { Target, Usage, Warning } from '../operations/shared.ts';
import type { CachedFacts, Loser, Scope } from './call.ts';
import type { CallCost } from './cost.ts';
import type { AttemptRecord, ErrorCode, GatewayError } from './errors.ts';
import type { RolloutReport } from './routing/trial.ts';

/** Everything that happens in a gateway's life. Extend it by declaration merging. No content, ever. */
export interface GatewayEvents {
  'call-start': {
    readonly id: string;
    readonly parentId?: string;
    readonly operation: OperationName;
    readonly model: string;
    readonly scope: Scope;
  };
  'call-end': {
    readonly id: string;
    readonly operation: OperationName;
    readonly status: 'completed' | 'failed' | 'cancelled';
    readonly durationMs: number;
    readonly target?: Target;
    readonly usage?: Usage;
    readonly error?: GatewayError;
    readonly cached?: CachedFacts;
    /** What it cost and saved, where `meter` keeps the books. */
    readonly cost?: CallCost;
    readonly attempts: readonly AttemptRecord[];
  };
  attempt: { readonly callId: string; readonly attempt: AttemptRecord };
  warning: { readonly callId?: string; readonly warning: Warning };
  /** A target was benched or came back. */
  health: {
    readonly target: string;
    readonly state: 'ok' | 'benched';
    readonly untilMs?: number;
    readonly reason?: string;
  };
  /** What a store of answers did with a call: the whole of it, or for embeddings how many of its inputs. */
  cache: {
    readonly callId: string;
    readonly by: string;
    readonly outcome: 'hit' | 'stale' | 'miss' | 'bypass' | 'refreshed' | 'shadow-hit' | 'shadow-miss';
    readonly ageMs?: number;
    /** Tokens that the answer cost when it was made. */
    readonly usage?: Usage;
    readonly inputs?: { readonly kept: number; readonly asked: number };
    /** Why it was passed by. */
    readonly reason?: string;
  };
  /** `fallback` leads a call on to another model. */
  fallback: {
    readonly callId: string;
    readonly from: string;
    readonly to: string;
    readonly reason: string;
    /** Nothing was asked of the first: it failed lately, and rests. */
    readonly passedOver: boolean;
  };
  /** A circuit breaker changed its mind about a target. */
  circuit: { readonly target: string; readonly state: 'closed' | 'open' | 'half-open'; readonly untilMs?: number };
  /** A canary was sent back, or a trial otherwise decided. */
  rollout: RolloutReport & { readonly callId?: string };
  configuration: { readonly revision: number; readonly status: 'applied' | 'refused'; readonly message?: string };
  /** Background work, a sink or a listener failed. No call is harmed by it. */
  problem: { readonly stage: string; readonly code: ErrorCode; readonly error: GatewayError };
  /** What the provider says an attempt cost and what its tokens cost by our prices differ by more than 1 %. */
  'cost-mismatch': {
    readonly callId: string;
    readonly attemptId: string;
    readonly target: Target;
    readonly costNanoUsd: bigint;
    readonly reportedNanoUsd: bigint;
  };
  /** Personal data or secrets were found. Entities and counts, never values. */
  redaction: {
    readonly callId: string;
    readonly direction: 'request' | 'response';
    readonly entities: Readonly<Record<string, number>>;
  };
  /** A guard of `guardrail` had something to say. `failed`: it threw, or took too long. Its words, never the text. */
  guardrail: {
    readonly callId: string;
    readonly direction: 'request' | 'response';
    readonly guard: string;
    readonly verdict: 'block' | 'flag' | 'rewrite' | 'failed';
    /** False where `guardrail` only observes. */
    readonly enforced: boolean;
    readonly reason?: string;
  };
  losers: { readonly callId: string; readonly losers: readonly Loser[] };
  /** A limit of `budget` or `rateLimit` was felt. Amounts are in its unit, cost in nano-dollars. */
  limit: {
    readonly middleware: string;
    readonly name: string;
    /** `overrun`: an attempt used more than was reserved for it. `downgraded`: the call goes to a cheaper model. */
    readonly kind: 'threshold' | 'refused' | 'queued' | 'downgraded' | 'overrun' | 'adjusted';
    readonly used: number;
    readonly held: number;
    readonly maximum: number;
    readonly scope: Scope;
    readonly callId?: string;
    readonly threshold?: number;
    readonly reserved?: number;
    readonly actual?: number;
    readonly reason?: string;
    readonly retryAfterMs?: number;
  };
  /** Who decides over limits now: the store, or what `onStoreDown` says while it is away. */
  'limit-mode': {
    readonly middleware: string;
    readonly store: string;
    readonly mode: 'store' | 'deny' | 'localShare' | 'allow';
    readonly reason?: string;
  };
}
export type EventName = keyof GatewayEvents;
export type Emit = <N extends EventName>(name: N, event: GatewayEvents[N]) => void;
export type Listener<N extends EventName> = (event: GatewayEvents[N]) => void;

export interface Events {
  /** Returns the function that stops listening. */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
  /** Whether anybody listens: nothing is built for an event that nobody hears. */
  has(name: EventName): boolean;
}
