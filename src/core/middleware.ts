import type { OperationName } from '../operations/index.ts';
import type { RateLimitWindow, Target, Usage } from '../operations/shared.ts';
import type { Call, Next, Reply } from './call.ts';
import type { Clock } from './clock.ts';
import type { Emit, Events } from './events.ts';
import { type ErrorCode, type GatewayError, invalidOptions } from './errors.ts';
import type { Health } from './health.ts';
import type { Provider } from './provider.ts';
import type { Routing } from './routing/state.ts';
import type { FinishReason } from '../operations/chat.ts';

export interface Around {
  <K extends OperationName>(call: Call<K>, next: Next): Promise<Reply<K>>;
}
/** Stands around a call. A plain function is one; `info` adds what the gateway should know about it. */
export type Middleware = Around & { readonly info?: MiddlewareInfo };

/** How an attempt ended. Every observer hears exactly one. */
export interface AttemptOutcome {
  readonly status: 'completed' | 'failed' | 'cancelled' | 'refused';
  readonly error?: GatewayError | undefined;
  /** Reported usage, or an estimate marked as one. Absent when the attempt was refused. */
  readonly usage?: Usage | undefined;
  /** The model that answered, as the provider reports it. */
  readonly model?: string | undefined;
  readonly responseId?: string | undefined;
  /** The id a provider's support asks for. */
  readonly requestId?: string | undefined;
  readonly finish?: FinishReason | undefined;
  readonly tier?: string | undefined;
  readonly durationMs: number;
  readonly firstContentMs?: number | undefined;
  /** Content had reached the caller. */
  readonly committed: boolean;
  /** Whether the provider may bill it although it failed. */
  readonly billing: 'yes' | 'possible' | 'no';
  /** The wire's rate-limit headers, lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What a plain answer said of the provider's limits; a stream's stands in `headers`. */
  readonly rateLimit?: readonly RateLimitWindow[] | undefined;
}
export interface AttemptObserver {
  /** The first content arrived, or the plain response. */
  commit?(timing: { readonly firstContentMs: number }): void;
  end(outcome: AttemptOutcome): void;
}

/** What a middleware says it would do with a call, for `gateway.explain`. */
export interface Explanation {
  readonly summary: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a middleware may use of its gateway. Given once, at creation. */
export interface Host {
  readonly providers: ReadonlyMap<string, Provider>;
  /** Middleware by name, outermost first, for order checks. */
  readonly middleware: readonly MiddlewareInfo[];
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly health: Health;
  /** Orders candidates by the strategies of the configuration, and learns from attempts. */
  readonly routing: Routing;
  readonly events: Events;
  readonly emit: Emit;
  /** This middleware's JSON options from the configuration in force, by its name. */
  options(name: string): Readonly<Record<string, unknown>> | undefined;
  /** Adds work that `gateway.close()` waits for. Its failure becomes an event. */
  waitUntil(work: Promise<unknown>): void;
  /** Resolves a model name as a call would. For middleware that makes sub-calls. */
  resolve(model: string, operation: OperationName): Target | undefined;
}

export interface MiddlewareInfo {
  readonly name: string;
  /**
   * Asked before every attempt: retries, fallbacks, hedges, shadows, sub-calls. Throwing refuses it and costs no
   * attempt; returning an observer means hearing its outcome exactly once. Must not wait for capacity.
   */
  attempt?(call: Call): AttemptObserver | undefined | void | Promise<AttemptObserver | undefined | void>;
  /** Names of middleware that belongs further in, where both are there; `explain` says so if one is not. */
  readonly outside?: readonly string[];
  /** What it does with content, for the order check. */
  readonly content?: {
    readonly stores?: boolean;
    readonly masks?: boolean;
    readonly rewrites?: boolean;
    readonly reads?: boolean;
  };
  /**
   * Checks what one call asks of it under `controls[name]`; throws `invalid-request`. Absent: calls can ask nothing of
   * it, and one that does is refused.
   */
  control?(value: unknown): void;
  /**
   * Checks its JSON options, which `host.options` gives once they are in force; throws `invalid-options`. Absent: it takes
   * none, and a configuration that has some is refused.
   */
  configure?(options: Readonly<Record<string, unknown>>): void;
  start?(host: Host): void;
  explain?(call: Call): Explanation;
  close?(): Promise<void>;
}

/** Names a middleware and says what the gateway should know about it. */
export function defineMiddleware(info: MiddlewareInfo, around: Around): Middleware {
  if (typeof info?.name !== 'string' || info.name === '') {
    throw invalidOptions('info.name', 'a middleware needs a name, like { name: "my-middleware" }.');
  }
  if (typeof around !== 'function') {
    throw invalidOptions('around', `middleware ${info.name} needs a function (call, next) => Promise<Reply>.`);
  }
  return Object.defineProperty(around.bind(undefined) as Middleware, 'info', { value: info, enumerable: true });
}

/** A middleware for one operation; other calls pass through. */
export function only<K extends OperationName>(
  operation: K,
  around: (call: Call<K>, next: Next) => Promise<Reply<K>>,
): Middleware {
  // The check makes the cast true: inside, the call is of operation K.
  const narrowed = around as unknown as Around;
  return async (call, next) => ((call.operation as string) === operation ? narrowed(call, next) : next(call));
}

export type { ErrorCode };
