import type { Call, Candidate } from './call.ts';
import { type Clock, systemClock } from './clock.ts';
import type { CounterStore } from './counter-store.ts';
import { type ErrorCode, GatewayError, invalidOptions } from './errors.ts';
import type { HeaderLimits } from './header-limits.ts';
import { type LimitDesk, limitDesk } from './limit-desk.ts';
import { LimitFace } from './limit-face.ts';
import { LimitGate } from './limit-gate.ts';
import type { LimitOptions } from './limit-options.ts';
import { LimitQueue } from './limit-queue.ts';
import type { Refusal } from './limit-refusal.ts';
import type { LimitAmounts, Need } from './limit-reservation.ts';
import { type CompiledRule, compileRules, type LimitRule, type LimitUnit } from './limit-rule.ts';
import { Limiter } from './limiter.ts';
import { defineMiddleware, type Host, type Middleware } from './middleware.ts';
import type { Usage } from '../operations/shared.ts';
import type { OperationName } from '../operations/index.ts';

/** What makes one middleware that limits out of the common engine. */
export interface LimitKind {
  readonly name: string;
  /** The factory, for messages about options. */
  readonly factory: string;
  readonly code: ErrorCode;
  /** What it measures. */
  readonly units: readonly LimitUnit[];
  readonly options: LimitOptions;
  readonly createStore: (clock: Clock) => CounterStore;
  readonly need: (call: Call, target: Candidate, units: ReadonlySet<LimitUnit>) => Need;
  readonly actual: (call: Call, target: Candidate, usage: Usage, units: ReadonlySet<LimitUnit>) => LimitAmounts;
  /** Changes a call before anything is reserved for it. */
  readonly prepare?: <K extends OperationName>(call: Call<K>) => Call<K>;
  readonly headers?: HeaderLimits;
}

/** A middleware that limits, with its desk. */
export type LimitMiddleware = Middleware & LimitDesk;

const LEASE_MS = 600_000;

/** Builds a middleware on the engine: attempt face, queue, desk. */
export function limitMiddleware(kind: LimitKind): LimitMiddleware {
  const { name, factory, code, options, headers } = kind;
  let host: Host | undefined;
  const clock: Clock = {
    now: () => (host?.clock ?? systemClock).now(),
    monotonic: () => (host?.clock ?? systemClock).monotonic(),
    after: (ms, callback) => (host?.clock ?? systemClock).after(ms, callback),
  };
  const queue = new LimitQueue<Refusal>(options.queuedCallsMax ?? 1_000);
  const freed = (keys: Iterable<string>): void => queue.wake(keys);
  const store = options.store ?? kind.createStore(clock);
  const rules = liveRules(kind, () => host);
  const limiter = new Limiter({
    name,
    code,
    store,
    createLocal: () => kind.createStore(clock),
    onStoreDown: options.onStoreDown ?? 'deny',
    replicas: options.replicas ?? 1,
    onExpire: options.onExpire ?? 'release',
    leaseMs: LEASE_MS,
    graceMs: options.graceMs ?? 30_000,
    rules,
    need: kind.need,
    actual: kind.actual,
    ...(headers !== undefined && { headers }),
    freed,
  });
  const face = new LimitFace(limiter, kind);
  let unwatch: (() => void) | undefined;
  const gate = {
    limiter,
    code,
    queue,
    onExhausted: options.onExhausted ?? 'deny',
    waitMsMax: options.waitMsMax ?? 30_000,
  };
  const middleware = defineMiddleware(
    {
      name,
      configure: (given) => void configuredRules(kind, given),
      start(given) {
        host = given;
        limiter.start(given);
        checkModels(factory, rules(), options, given);
        unwatch ??= watchStore(name, store, given);
      },
      attempt: (call) => face.attempt(call),
      explain: (call) => explainCall(limiter, call),
      async close() {
        unwatch?.();
        unwatch = undefined;
      },
    },
    async function limit(call, next) {
      if (headers === undefined && rules().length === 0) return next(call);
      const prepared = kind.prepare === undefined ? call : kind.prepare(call);
      const { state, leave } = limiter.watch(prepared as unknown as Call);
      try {
        return await new LimitGate(gate, prepared, next, state).pass();
      } finally {
        leave();
      }
    },
  );
  return Object.assign(middleware, limitDesk({ name, limiter, store, rules, now: clock.now, freed }));
}

/** The rules of the configuration in force, or those of the factory. */
function liveRules(
  { name, factory, units, options }: LimitKind,
  host: () => Host | undefined,
): () => readonly CompiledRule[] {
  const own = compileRules(`${factory}.limits`, options.limits, units);
  let configured: Readonly<Record<string, unknown>> | undefined;
  let compiled = own;
  return () => {
    const given = host()?.options(name);
    if (given === configured) return compiled;
    compiled = configuredRules({ name, units }, given ?? {}) ?? own;
    configured = given;
    return compiled;
  };
}

/** The rules in the JSON options of a limit; `undefined` if they name none. */
function configuredRules(
  { name, units }: Pick<LimitKind, 'name' | 'units'>,
  given: Readonly<Record<string, unknown>>,
): readonly CompiledRule[] | undefined {
  for (const option of Object.keys(given)) {
    if (option !== 'limits') throw invalidOptions(`options.${name}.${option}`, 'only `limits` can be configured.');
  }
  const limits = given['limits'] as readonly LimitRule[] | undefined;
  return limits === undefined ? undefined : compileRules(`options.${name}.limits`, limits, units);
}

/** A model that is to be gone to must be known before the first call needs it. */
function checkModels(factory: string, rules: readonly CompiledRule[], options: LimitOptions, host: Host): void {
  const check = (path: string, model: string): void => {
    try {
      host.resolve(model, 'chat');
    } catch (error) {
      throw invalidOptions(`${factory}.${path}`, `${model} is no model of this gateway (${(error as Error).message})`);
    }
  };
  const { onExhausted } = options;
  if (typeof onExhausted === 'object') check('onExhausted.model', onExhausted.model);
  for (const [index, { downgrade }] of rules.entries()) {
    if (downgrade !== undefined) check(`limits[${index}].downgrade.model`, downgrade.model);
  }
}

/** What is wrong with a store although it works becomes an event, once each. */
function watchStore(name: string, store: CounterStore, host: Host): (() => void) | undefined {
  const told = new Set<string>();
  return store.watch?.(({ problems }) => {
    for (const { code, message } of problems) {
      if (told.has(code)) continue;
      told.add(code);
      const error = new GatewayError('unavailable', message, { fault: 'gateway', stage: 'store', retryable: false });
      host.emit('problem', { stage: `${name}.store`, code: error.code, error });
    }
  });
}

function explainCall(limiter: Limiter, call: Call): { summary: string; details: Record<string, unknown> } {
  const targets = call.plan.candidates;
  const names = new Set(
    targets.flatMap((target) => limiter.limitsAt(call, target).applied.map(({ rule }) => rule.name)),
  );
  const summary = names.size === 0 ? 'no limit holds for it' : `within ${[...names].join(', ')}`;
  return { summary, details: { limits: [...names] } };
}
