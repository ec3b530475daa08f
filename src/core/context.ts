import type { OperationName } from '../operations/index.ts';
import type { Clock } from './clock.ts';
import type { AttemptRecord } from './errors.ts';
import type { Emit } from './events.ts';
import type { PassedOver } from './attempt-record.ts';
import type { Call, Plan } from './call.ts';
import type { MiddlewareInfo } from './middleware.ts';

/** A typed slot for facts that middlewares of one call share. */
export interface ContextKey<T> {
  readonly id: symbol;
  readonly initial: T;
}

/** Makes a slot. `initial` is what `get` gives before the first `set`. */
export function contextKey<T>(name: string, initial: T): ContextKey<T> {
  return { id: Symbol(name), initial };
}

/** The masked view of a call's content that `redact` publishes: all that logs, traces and ledgers may see. */
export interface PublishedContent {
  readonly request?: unknown;
  readonly response?: unknown;
}

/** Facts of one call that outlive a spread: attempts, clock, published content, typed slots. Sub-calls have their own. */
export interface Context {
  readonly callId: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Monotonic milliseconds when the call began. */
  readonly startedAt: number;
  /** Every attempt of this call so far, in order. Read-only outside dispatch. */
  readonly attempts: readonly AttemptRecord[];
  /** Attempts this call may still make. */
  attemptsLeft(): number;
  content: PublishedContent | undefined;
  get<T>(key: ContextKey<T>): T;
  set<T>(key: ContextKey<T>, value: T): void;
  readonly emit: Emit;
  /** Work that `gateway.close()` waits for. Its failure becomes a `problem` event, never the call's. */
  waitUntil(work: Promise<unknown>): void;
  /** Dispatch's own part. */
  readonly ledger: AttemptLedger;
  /** The attempt faces of the gateway, outermost first. */
  readonly faces: readonly MiddlewareInfo[];
  /** Resolves a model name against the configuration this call keeps to its end. */
  readonly resolve: (model: string, operation: OperationName) => Plan;
  /** The same for a call as it stands: without the targets that cannot or may not serve it. */
  readonly resolveFor: (call: Call, model: string) => Plan;
  /** Makes the context of a sub-call. */
  child(id: string): Context;
}

/** The one attempt count of a call. */
export interface AttemptLedger {
  readonly records: AttemptRecord[];
  maximum: number;
  /** Attempts whose faces are being asked: they count before they run. */
  asking: number;
  /** Highest attempt number given out. */
  issued: number;
  /** Targets passed over since the last attempt: the next one tells of them. */
  passedOver: readonly PassedOver[] | undefined;
  /** Sub-calls made so far. */
  children: number;
  /** Gives the record as it is now; `undefined` if there is none of that attempt. */
  update(id: string, facts: Partial<AttemptRecord>): AttemptRecord | undefined;
}

export interface ContextOptions {
  readonly callId: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly attemptsMax: number;
  readonly emit: Emit;
  readonly faces: readonly MiddlewareInfo[];
  readonly waitUntil: (work: Promise<unknown>) => void;
  readonly resolve: Context['resolve'];
  /** @defaultValue what `resolve` gives */
  readonly resolveFor?: Context['resolveFor'];
}

export function createContext(options: ContextOptions): Context {
  const { callId, clock, random, emit, faces, waitUntil } = options;
  let slots: Map<symbol, unknown> | undefined;
  const records: AttemptRecord[] = [];
  const ledger: AttemptLedger = {
    records,
    maximum: options.attemptsMax,
    asking: 0,
    issued: 0,
    passedOver: undefined,
    children: 0,
    update(id, facts) {
      const index = records.findIndex((record) => record.id === id);
      const record = records[index];
      return record === undefined ? undefined : (records[index] = { ...record, ...facts });
    },
  };
  return {
    callId,
    clock,
    random,
    startedAt: clock.monotonic(),
    attempts: records,
    attemptsLeft: () => Math.max(0, ledger.maximum - records.length - ledger.asking),
    content: undefined,
    // The key's type parameter is what was set under its symbol: only `set` writes, with the same key type.
    get: <T>(key: ContextKey<T>) => (slots?.has(key.id) === true ? (slots.get(key.id) as T) : key.initial),
    set: (key, value) => {
      (slots ??= new Map()).set(key.id, value);
    },
    emit,
    waitUntil,
    ledger,
    faces,
    resolve: options.resolve,
    resolveFor: options.resolveFor ?? ((call, model) => options.resolve(model, call.operation)),
    child: (id) => createContext({ ...options, callId: id }),
  };
}
