/// <reference lib="esnext.disposable" preserve="true" />
import type { ChatStream } from './chat-stream.ts';
import type { Candidate, Plan, Priority, Reply, Scope } from './core/call.ts';
import type { CatalogueOption } from './catalogue.ts';
import type { Clock } from './core/clock.ts';
import type { EventName, Listener } from './core/events.ts';
import type { Explanation, Middleware } from './core/middleware.ts';
import type { Provider } from './core/provider.ts';
import type { ModelsConfiguration } from './core/registry.ts';
import type { FetchFunction } from './doors/inbound.ts';
import type { RolloutReport } from './core/routing/trial.ts';
import type { ScopeHeaders } from './doors/metadata.ts';
import type { ChatInput, ChatRequestInput, EmbedInput } from './operations/chat-input.ts';
import type { OperationName, Operations } from './operations/index.ts';
import type { StandardSchema } from './operations/schema.ts';
import type { Warning } from './operations/shared.ts';
import type { GatewayChatResponse, GatewayEmbedResponse } from './response.ts';
import type { Checked, ModelHint } from './known-models.ts';
import type { ModelInfo } from './models.ts';
import type { Configuration } from './runtime.ts';
import type { Watch, WatchOptions } from './watch.ts';

/** Options of one call. They may stand in the request or beside it. */
export interface CallOptions {
  /** Aborts the call; the error's `cause` is the signal's reason. */
  readonly signal?: AbortSignal;
  /** Longest wait for the reply, in milliseconds; `0` waits for ever. @defaultValue the gateway's */
  readonly timeoutMs?: number;
  /** On whose behalf: added to the gateway's scope. */
  readonly scope?: Scope;
  /** @defaultValue 'normal' */
  readonly priority?: Priority;
  /** Fails instead of warning where a target would lose something of the request. @defaultValue the gateway's */
  readonly strict?: boolean;
  /** Keeps the provider's own body on `response.raw`. @defaultValue false */
  readonly raw?: boolean;
  /**
   * What this call asks of single middlewares, by their names: `{ cache: { mode: 'refresh' } }`. A name of no
   * middleware that is there, or of one that takes none, is refused.
   */
  readonly controls?: Readonly<Record<string, unknown>>;
  /** Where this call's data may go, like `eu`; beside the scope's region. A target elsewhere is not used. */
  readonly region?: string | readonly string[];
  /** What the call is for, like `summary`: rules and meters can tell by it. */
  readonly purpose?: string;
  /** Extra headers for the provider. Credentials and framing are refused. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** `M` and `P` are inferred: a configuration that is written out lets the compiler check what requests name. */
export interface GatewayOptions<
  M extends ModelsConfiguration = ModelsConfiguration,
  P extends readonly Provider[] = readonly Provider[],
> extends Configuration {
  /** What answers: `openai()`, `anthropic()`, … May be empty if you only wrap clients. @defaultValue [] */
  readonly providers?: P;
  /** Aliases: the only place with real model names. */
  readonly models?: M;
  /** Middleware, outermost first. Left out: {@link standard}; `[]`: nothing. */
  readonly use?: readonly Middleware[];
  /** Scope of every call. */
  readonly scope?: Scope;
  /** Scope fields without which a call is refused. @defaultValue [] */
  readonly requireScope?: readonly (keyof Scope)[];
  /**
   * Attempts of one call in all, retries included; one a target if it has more of those. Another key of the same target
   * comes on top, once each, when a key is refused or rate limited.
   *
   * @defaultValue 3
   */
  readonly attemptsMax?: number;
  /** From a call to its reply, in milliseconds; `0` is no limit. @defaultValue 600_000 */
  readonly timeoutMs?: number;
  /** A target on which something of the request would be lost is not used. @defaultValue false */
  readonly strict?: boolean;
  /** Source of time. @defaultValue the system's */
  readonly clock?: Clock;
  /**
   * Where routing looks up windows and prices the configuration does not give, like `defaultTable` of
   * `postern/pricing`. Left out: the bundled list, loaded once something asks for it.
   */
  readonly catalogue?: CatalogueOption;
  /** Numbers in [0, 1) for jitter and sampling. @defaultValue Math.random */
  readonly random?: () => number;
}

/** What a derived gateway may change. */
export interface WithOptions<M extends ModelsConfiguration = ModelsConfiguration>
  extends Pick<GatewayOptions, 'scope' | 'timeoutMs' | 'strict' | 'attemptsMax' | 'requireScope'> {
  /** Other providers; a function gets the names there are, aliases' included. */
  readonly providers?: readonly Provider[] | ((names: readonly string[]) => readonly Provider[]);
  readonly models?: M;
  readonly use?: readonly Middleware[];
}

/** A target and what a call there would come to. */
export interface CandidateExplanation extends Candidate {
  /** Milliseconds until it may be called again; 0 if it may now. */
  readonly waitMs: number;
  /** Why it may not. */
  readonly benched?: string;
  /** Most tokens of the answer: what the request or the model allows. */
  readonly outputTokensMax: number;
  /** US dollars: the prompt alone from a warm cache, to the longest answer. Absent where the price is not known. */
  readonly cost?: { readonly lowUsd: number; readonly highUsd: number };
  /**
   * What its protocol would drop, clamp, degrade or rewrite of the request. Absent where that is not known: its provider
   * cannot say, or its code is not loaded yet; see {@link GatewayExplanation.complete}.
   */
  readonly warnings?: readonly Warning[];
  /** Why its protocol would not take the request at all, like something that is lost under `strict`. */
  readonly refused?: string;
}
export interface GatewayExplanation {
  readonly alias?: string;
  /** Where it would go now; absent if nowhere. */
  readonly target?: CandidateExplanation;
  /** In the order they would be tried. */
  readonly candidates: readonly CandidateExplanation[];
  readonly losers: Plan['losers'];
  /** What each strategy of the alias has to say. */
  readonly strategies: readonly string[];
  /** Estimated tokens of the request. */
  readonly inputTokens: number;
  readonly revision: number;
  /** What each middleware says it would do, outermost first. */
  readonly middleware: readonly ({
    readonly name: string;
    /** It stands further in than its page says. */
    readonly misplaced?: string;
  } & Partial<Explanation>)[];
  /** The same as readable text. */
  toString(): string;
  /** The same again, once the price list and the protocols of the targets are loaded. No call is made. */
  complete(): Promise<GatewayExplanation>;
}

/** The type of `response.output` a request asks for. */
export type OutputOf<R> = R extends { readonly output: infer F }
  ? F extends StandardSchema<infer T>
    ? T
    : F extends { readonly schema: StandardSchema<infer T> }
      ? T
      : unknown
  : unknown;
/** What `chat` takes. `Name` is what editors complete for `model`. */
export type ChatArgument<Name extends string = string> =
  | Exclude<ChatInput, ChatRequestInput>
  | (Omit<ChatRequestInput, 'model'> & CallOptions & { readonly model?: Name });

/** What `embed` takes. */
export type EmbedArgument<Name extends string = string> = Omit<EmbedInput, 'model'> &
  CallOptions & { readonly model?: Name };

/**
 * One client over all providers. Immutable: {@link Gateway.with} derives another. `M` and `P` are the configuration and
 * the names of the providers where they are known; `Gateway` alone is any gateway.
 */
export interface Gateway<M extends ModelsConfiguration = ModelsConfiguration, P extends string = string>
  extends AsyncDisposable {
  /** Asks and waits for the whole answer. */
  chat<const R extends ChatArgument<ModelHint<M, P>>>(
    request: R & Checked<R, M, P>,
    options?: CallOptions,
  ): Promise<GatewayChatResponse<OutputOf<R>>>;
  /** Asks and gives the answer as it arrives. The call starts at once. */
  stream<const R extends ChatArgument<ModelHint<M, P>>>(
    request: R & Checked<R, M, P>,
    options?: CallOptions,
  ): ChatStream<OutputOf<R>>;
  /** Turns texts into vectors. */
  embed<const R extends EmbedArgument<ModelHint<M, P>>>(
    request: R & Checked<R, M, P>,
    options?: CallOptions,
  ): Promise<GatewayEmbedResponse>;
  /** Any operation with a request in normal form; gives the bare reply. For doors and extensions. */
  call<K extends OperationName>(
    operation: K,
    request: Operations[K]['request'],
    options?: CallOptions & { readonly stream?: boolean },
  ): Promise<Reply<K>>;
  /** A gateway with other defaults that shares this one's state. */
  with<const N extends ModelsConfiguration = M>(options: WithOptions<N>): Gateway<N, P>;
  /** Runs work whose calls, wrapped clients' included, carry this scope. */
  run<R>(scope: Scope, work: () => R): R;
  /**
   * A client of the same class whose calls go through this gateway: `openai` and `@anthropic-ai/sdk`, their subclasses
   * and cloud variants. It is the provider of its own calls, so `providers` may be empty. The given client is untouched.
   *
   * @throws GatewayError `invalid-options` for a client that is wrapped already or cannot be.
   * @example
   * const client = gateway.wrap(new OpenAI());
   */
  wrap<C extends object>(client: C): C;
  /** The gateway as a `fetch`, for anything that takes one. Failures are answers in the caller's protocol. */
  readonly fetch: FetchFunction;
  /** Request options that carry a scope for one call through a door; taken off before sending. */
  headers(scope: Scope): ScopeHeaders;
  /** Swaps the configuration data as a whole; calls in flight keep theirs. Gives the new revision. */
  configure(next: Configuration): number;
  /**
   * Applies a JSON configuration from a file or an `https:` address, and every later version of it. One that is refused
   * changes nothing and is told as a `configuration` event.
   */
  watch(source: string | URL, options?: WatchOptions): Watch;
  /** Every model that aliases name or providers list, with what is known of it. */
  models(): Promise<readonly ModelInfo[]>;
  /** The trials of canaries and how they stand. */
  rollouts(): readonly RolloutReport[];
  /** What would happen to a request. Makes no call. */
  explain<const R extends ChatArgument<ModelHint<M, P>>>(
    request: R & Checked<R, M, P>,
    options?: CallOptions,
  ): GatewayExplanation;
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
  /** Ends everything: calls in flight fail with `closed`, sinks are flushed. Waits at most `timeoutMs` (10_000). */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}
