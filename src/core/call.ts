import type { OperationName, Operations } from '../operations/index.ts';
import type { Target, Warning } from '../operations/shared.ts';
import type { Context } from './context.ts';
import type { EventStream } from './event-stream.ts';
import type { AttemptRecord } from './errors.ts';
import type { ModelFacts } from './model-facts.ts';
import type { Provider } from './provider.ts';
import type { GroupNode } from './routing/node.ts';
import type { WireCall, WireReply } from './wire.ts';

/**
 * On whose behalf a call is made. Every field is a dimension of isolation and of accounting.
 * Extend it by declaration merging.
 */
export interface Scope {
  readonly tenant?: string;
  readonly user?: string;
  readonly app?: string;
  readonly agent?: string;
  readonly session?: string;
  /** Where its data may go: only targets in this region, like `eu`, are used. Several: `eu,uk`. */
  readonly region?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Where a candidate carries its own provider: a wrapped client, which no configuration names. */
export const OWN_PROVIDER = Symbol('postern.own-provider');

/** A target the call may go to, with what the configuration says about it. */
export interface Candidate extends Target {
  readonly [OWN_PROVIDER]?: Provider;
  /** Identity over configuration changes: what state (health, breakers, limits) is keyed by. */
  readonly id: string;
  readonly weight?: number;
  readonly tags?: readonly string[];
  /** Replaces fields of the request for this target only. */
  readonly overrides?: CandidateOverrides;
  readonly version?: string;
  /** What the configuration says about its model. */
  readonly facts?: ModelFacts;
  /** Request fields it does not take. Under `strict` a request that has one goes elsewhere. */
  readonly unsupported?: readonly string[];
}
export interface CandidateOverrides {
  readonly request?: Readonly<Record<string, unknown>>;
  /** Warnings to add to the reply when this candidate serves it. */
  readonly warnings?: readonly Warning[];
}
export interface Loser {
  readonly target: string;
  readonly reason: string;
}

/** What the model name resolved to, before any middleware ran. */
export interface Plan {
  readonly alias?: string;
  readonly candidates: readonly Candidate[];
  readonly losers: readonly Loser[];
  /** Revision of the configuration the call keeps to its end. */
  readonly revision: number;
  /** How to choose among the candidates; absent: in their order. */
  readonly strategy?: GroupNode;
}

export type Priority = 'critical' | 'normal' | 'background';

/** One operation asked for. Immutable: change it by spread. */
export interface Call<K extends OperationName = OperationName> {
  readonly id: string;
  readonly parentId?: string;
  /** What it is for: `embedding`, `judge`, `summary` for sub-calls; whatever the caller says for others. */
  readonly purpose?: string;
  readonly operation: K;
  readonly request: Operations[K]['request'];
  readonly stream: boolean;
  readonly plan: Plan;
  /** Where to send it. Set by `route`; dispatch takes the first candidate without one. */
  readonly target?: Candidate;
  /** Set by dispatch while an attempt runs. */
  readonly attempt?: { readonly id: string; readonly number: number };
  readonly scope: Scope;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds by which the call must have its reply. */
  readonly deadline?: number;
  readonly priority: Priority;
  readonly context: Context;
  /** Fails a candidate on which something of the request would be lost. */
  readonly strict?: boolean;
  /** Where its data may go, beside the scope's region: each list must allow a target. */
  readonly regions?: readonly string[];
  /** Keeps provider bodies and events on the reply. */
  readonly raw?: boolean;
  /** Extra headers for the provider, already checked. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the caller asks of single middlewares, by their names; checked by each. */
  readonly controls?: Readonly<Record<string, unknown>>;
  /** Told when the response headers of an attempt have come. */
  readonly onHeaders?: () => void;
  /** The caller's own bytes, when the call came through a door. */
  readonly wire?: WireCall;
}

interface ReplyBase<K extends OperationName> {
  readonly operation: K;
  /** The target that served it. */
  readonly target: Target;
  readonly attempts: readonly AttemptRecord[];
  /** Set by a cache: how this answer came without a model. */
  readonly cached?: CachedFacts;
  /** The provider's own bytes, when nothing in between edited the answer. */
  readonly wire?: WireReply;
}
export interface CachedFacts {
  readonly kind: 'exact' | 'semantic' | 'coalesced' | 'stale';
  readonly ageMs: number;
  readonly similarity?: number;
  readonly key?: string;
}
export interface PlainReply<K extends OperationName> extends ReplyBase<K> {
  readonly stream: false;
  readonly response: Operations[K]['response'];
}
export interface StreamReply<K extends OperationName> extends ReplyBase<K> {
  readonly stream: true;
  readonly events: EventStream<Operations[K]['event']>;
  /** What could not be carried over exactly; also on the `start` event. */
  readonly warnings?: readonly Warning[];
}
/** The answer to a call: one response, or a stream of events. */
export type Reply<K extends OperationName = OperationName> = PlainReply<K> | StreamReply<K>;

/** The only verb in the house. */
export interface Next {
  <K extends OperationName>(call: Call<K>): Promise<Reply<K>>;
}
export type Handler<K extends OperationName> = (call: Call<K>) => Promise<Reply<K>>;

/** A candidate as the target shown to users. */
export function plainTarget({ provider, model, region, credential }: Candidate): Target {
  return { provider, model, ...(region !== undefined && { region }), ...(credential !== undefined && { credential }) };
}
