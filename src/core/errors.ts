import type { ChatResponse } from '../operations/chat.ts';
import type { Protocol, Target, Usage } from '../operations/shared.ts';
import type { AttemptRecord } from './attempt-record.ts';
import { type ErrorCode, type Fault, VERDICTS } from './verdicts.ts';

export { type AttemptRecord, type ErrorCode, type Fault, VERDICTS };

export interface ErrorFacts {
  readonly target?: Target | undefined;
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly requestId?: string | undefined;
  readonly source?: 'gateway' | 'provider';
  /** Which part of the work failed: `connect`, `first-content`, `idle`, `total`, a middleware's name, … */
  readonly stage?: string | undefined;
  /** Content had already reached the caller. */
  readonly committed?: boolean;
  /** The request may have been processed (and billed) although no answer came. */
  readonly ambiguous?: boolean;
  /** The name and size of the limit that said no. */
  readonly limit?: { readonly name: string; readonly maximum?: number; readonly actual?: number } | undefined;
  /** The field of the request or of the options that is wrong. */
  readonly field?: string | undefined;
  /** The provider's own error code or type. */
  readonly providerCode?: string | undefined;
  readonly attempts?: readonly AttemptRecord[] | undefined;
  /** The provider's own words. May quote the prompt or a key, so it is in no message, log or inspect. */
  readonly providerMessage?: string | undefined;
  /** The provider's failure byte for byte, for doors. As private as `providerMessage`. */
  readonly wire?:
    | {
        readonly status: number;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: string;
        /** Whose words these are. */
        readonly protocol?: Protocol;
      }
    | undefined;
  /** What was received before the failure. */
  readonly partial?: ChatResponse | undefined;
  readonly usage?: Usage | undefined;
  readonly cause?: unknown;
  readonly fault?: Fault | undefined;
  readonly retryable?: boolean | undefined;
  readonly fallbackable?: boolean | undefined;
}

/** Fields that hold content: readable by name, absent from JSON, logs and inspect. */
const PRIVATE = ['partial', 'providerMessage', 'wire'] as const;
const BRAND = Symbol.for('postern.error');
const MESSAGE_LENGTH_MAX = 300;

/**
 * The one error class. Branch on `code`; test with {@link isGatewayError}, which also works across two copies of the
 * package. Messages name what failed, where and what to do; never a key, never prompt text.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly fault: Fault;
  readonly retryable: boolean;
  readonly fallbackable: boolean;
  readonly source: 'gateway' | 'provider';
  readonly committed: boolean;
  readonly ambiguous: boolean;
  readonly target?: Target;
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly requestId?: string;
  readonly stage?: string;
  readonly limit?: NonNullable<ErrorFacts['limit']>;
  readonly field?: string;
  readonly providerCode?: string;
  readonly attempts: readonly AttemptRecord[];
  readonly usage?: Usage;
  /** What was received before the failure. Not enumerable: it holds content. */
  declare readonly partial?: ChatResponse;
  /** The provider's own words. Not enumerable: they may quote the prompt. */
  declare readonly providerMessage?: string;
  /** The provider's failure byte for byte. Not enumerable. */
  declare readonly wire?: NonNullable<ErrorFacts['wire']>;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(oneLine(message), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = code === 'aborted' ? 'AbortError' : 'GatewayError';
    const verdict = VERDICTS[code];
    this.code = code;
    this.fault = facts.fault ?? verdict.fault;
    this.retryable = facts.retryable ?? verdict.retryable;
    this.fallbackable = facts.fallbackable ?? verdict.fallbackable;
    this.source = facts.source ?? 'gateway';
    this.committed = facts.committed ?? false;
    this.ambiguous = facts.ambiguous ?? false;
    this.attempts = facts.attempts ?? [];
    if (facts.target !== undefined) this.target = facts.target;
    if (facts.status !== undefined) this.status = facts.status;
    if (facts.retryAfterMs !== undefined) this.retryAfterMs = facts.retryAfterMs;
    if (facts.requestId !== undefined) this.requestId = facts.requestId;
    if (facts.stage !== undefined) this.stage = facts.stage;
    if (facts.limit !== undefined) this.limit = facts.limit;
    if (facts.field !== undefined) this.field = facts.field;
    if (facts.providerCode !== undefined) this.providerCode = facts.providerCode;
    if (facts.usage !== undefined) this.usage = facts.usage;
    for (const name of PRIVATE) {
      if (facts[name] !== undefined) Object.defineProperty(this, name, { value: facts[name] });
    }
    // Not enumerable: two copies of the package recognise each other's errors, and JSON stays clean.
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** This error with more known about it. The stack and the cause are kept. */
  with(facts: ErrorFacts, message = this.message): GatewayError {
    const merged: Record<string, unknown> = { ...this.facts() };
    for (const [name, value] of Object.entries(facts)) if (value !== undefined) merged[name] = value;
    const next = new GatewayError(this.code, message, merged as ErrorFacts);
    if (this.stack !== undefined) next.stack = this.stack;
    return next;
  }

  private facts(): ErrorFacts {
    return {
      ...this,
      cause: this.cause,
      partial: this.partial,
      providerMessage: this.providerMessage,
      wire: this.wire,
    };
  }

  /** Everything but the cause's own fields and the stack: plain JSON, safe to log. */
  toJSON(): Record<string, unknown> {
    const facts = Object.fromEntries(Object.entries(this));
    return {
      ...facts,
      name: this.name,
      message: this.message,
      // A foreign message may quote a key or a prompt: only its name goes into logs.
      ...(this.cause instanceof Error && { cause: { name: this.cause.name } }),
    };
  }

  /**
   * The error that {@link GatewayError.toJSON} wrote, in another process or in a log; `undefined` for anything else.
   * Of its cause only the name is left.
   *
   * @example
   * const error = GatewayError.fromJSON(await response.json())
   */
  static fromJSON(json: unknown): GatewayError | undefined {
    if (!(json instanceof Object)) return undefined;
    const { code, message, cause, ...facts } = json as Record<string, unknown>;
    if (typeof code !== 'string' || !Object.hasOwn(VERDICTS, code) || typeof message !== 'string') return undefined;
    const name: unknown = cause instanceof Object ? Reflect.get(cause, 'name') : undefined;
    // Written by us: the fields are those of ErrorFacts, and the constructor takes no others.
    return new GatewayError(code as ErrorCode, message, {
      ...(facts as ErrorFacts),
      ...(typeof name === 'string' && { cause: Object.assign(new Error('kept by name only'), { name }) }),
    });
  }

  /** Recovers our error from whatever an SDK or a middleware made of it; `undefined` if there is none inside. */
  static from(error: unknown): GatewayError | undefined {
    for (let current = error, depth = 0; depth < 8 && current instanceof Object; depth++) {
      if (isGatewayError(current)) return current;
      // An SDK keeps the headers of the answer it made its error from.
      for (const holder of [current, Reflect.get(current, 'headers') as unknown]) {
        const carried: unknown = holder instanceof Object ? Reflect.get(holder, CARRIED) : undefined;
        if (isGatewayError(carried)) return carried;
      }
      current = Reflect.get(current, 'cause');
    }
    return undefined;
  }
}

/** Where a door hides our error on something an SDK will wrap. */
export const CARRIED = Symbol.for('postern.carried-error');

/** Whether our own side ended the work: the caller, or a gateway that is closing. No failure of the target. */
export function isOurEnd({ code }: GatewayError): boolean {
  return code === 'aborted' || code === 'closed';
}

/** Whether it is a {@link GatewayError}, of the given code if one is named. */
export function isGatewayError(error: unknown, code?: ErrorCode): error is GatewayError {
  if (typeof error !== 'object' || error === null) return false;
  try {
    if (Reflect.get(error, BRAND) !== true) return false;
    return code === undefined || Reflect.get(error, 'code') === code;
  } catch {
    return false;
  }
}

/** Bad options, found when something is created: names the field and what to write instead. */
export function invalidOptions(field: string, message: string): GatewayError {
  return new GatewayError('invalid-options', `Option ${field}: ${message}`, { field });
}

/** A bad request, found before any network: names the field and the fix. */
export function invalidRequest(field: string, message: string): GatewayError {
  return new GatewayError('invalid-request', `${field}: ${message}`, { field });
}

/** The caller's abort as ours. `cause` is the signal's reason. */
export function abortedError(reason: unknown, facts: ErrorFacts = {}): GatewayError {
  if (isGatewayError(reason)) return reason;
  return new GatewayError('aborted', 'The call was aborted by its signal.', { ...facts, cause: reason });
}

/** Anything a middleware or hook threw, as a GatewayError. Never throws itself, whatever the value does. */
export function toGatewayError(thrown: unknown, stage: string, facts: ErrorFacts = {}): GatewayError {
  if (isGatewayError(thrown)) return thrown;
  let detail = 'something that is not an Error';
  try {
    if (thrown instanceof Error) detail = `${thrown.name} (see its cause)`;
  } catch {
    detail = 'an object that cannot be read';
  }
  return new GatewayError('internal', `${stage} threw ${detail}.`, { ...facts, stage, cause: safeCause(thrown) });
}

function safeCause(thrown: unknown): unknown {
  try {
    return thrown instanceof Error ? thrown : undefined;
  } catch {
    return undefined;
  }
}

/** One line of at most 300 characters, without control characters: fit for any log. */
export function oneLine(text: string): string {
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return line.length <= MESSAGE_LENGTH_MAX ? line : `${line.slice(0, MESSAGE_LENGTH_MAX - 1)}…`;
}
