import { attemptsOwed } from './core/attempts-owed.ts';
import type { Call, Plan, Scope } from './core/call.ts';
import { createContext } from './core/context.ts';
import { GatewayError, invalidRequest } from './core/errors.ts';
import { checkHeaders } from './core/headers.ts';
import { LIMITS } from './core/limits.ts';
import type { Middleware } from './core/middleware.ts';
import { eligible, withinRegions } from './core/routing/eligible.ts';
import { regionLimits } from './core/routing/region.ts';
import { NEVER } from './core/signals.ts';
import { outputSchemaKey } from './core/structured-output.ts';
import type { CallOptions, ChatArgument, GatewayOptions } from './gateway-types.ts';
import type { ChatInput } from './operations/chat-input.ts';
import { normaliseChat, outputSchemaOf } from './operations/chat-normalise.ts';
import type { OperationName, Operations } from './operations/index.ts';
import { RequestProblem } from './operations/problem.ts';
import type { AmbientStorage } from '#platform';
import type { Runtime } from './runtime.ts';
import { regionsOf, scopeOf } from './scopes.ts';

/** What derived gateways differ in. */
export interface CallFace {
  readonly runtime: Runtime;
  readonly options: GatewayOptions;
  readonly ambient: AmbientStorage<Scope> | undefined;
}

const CALL_OPTIONS = new Set([
  'signal',
  'timeoutMs',
  'scope',
  'priority',
  'strict',
  'raw',
  'headers',
  'controls',
  'region',
  'purpose',
]);
const PRIORITIES = new Set<unknown>(['critical', 'normal', 'background']);

/** Call options may stand in the request or beside it; beside wins. */
export function splitOptions(input: unknown, beside: CallOptions = {}): { options: CallOptions; request: unknown } {
  for (const name of Object.keys(beside)) {
    if (!CALL_OPTIONS.has(name) && name !== 'stream') {
      throw invalidRequest(name, `is no call option; there are ${[...CALL_OPTIONS].join(', ')}.`);
    }
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return { options: beside, request: input };
  let inside: Record<string, unknown> | undefined;
  for (const name in input)
    if (CALL_OPTIONS.has(name)) (inside ??= {})[name] = (input as Record<string, unknown>)[name];
  if (inside === undefined) return { options: beside, request: input };
  const request: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) if (!CALL_OPTIONS.has(name)) request[name] = value;
  return { options: { ...inside, ...beside }, request };
}

/** Runs a normaliser; what it finds wrong becomes `invalid-request` with the field. */
export function normalised<T>(normalise: () => T): T {
  try {
    return normalise();
  } catch (problem) {
    if (problem instanceof RequestProblem) throw invalidRequest(problem.field, problem.message);
    throw problem;
  }
}

export function timeoutOf(face: CallFace, options: CallOptions): number {
  return options.timeoutMs ?? face.options.timeoutMs ?? LIMITS.timeoutMs;
}

/** A chat call out of what the user wrote. */
export function chatCall(
  face: CallFace,
  input: ChatArgument,
  beside: CallOptions | undefined,
  stream: boolean,
  additions?: CallAdditions,
): { call: Call<'chat'>; timeoutMs: number } {
  const { options, request } = splitOptions(input, beside);
  const normal = normalised(() => normaliseChat(request as ChatInput));
  const call = makeCall(face, 'chat', normal, options, stream, additions);
  const schema = outputSchemaOf(request as ChatInput);
  if (schema !== undefined) call.context.set(outputSchemaKey, schema);
  return { call, timeoutMs: timeoutOf(face, options) };
}

/** What a door adds to a call: another plan, the caller's bytes. */
export interface CallAdditions {
  /** Only looking: a call without a target is shown, not refused. */
  readonly dry?: boolean;
  readonly plan?: Plan;
  readonly wire?: Call['wire'];
  readonly attemptsMax?: number;
}

/** One call, resolved against the configuration in force. */
export function makeCall<K extends OperationName>(
  face: CallFace,
  operation: K,
  request: Operations[K]['request'],
  options: CallOptions,
  stream: boolean,
  additions: CallAdditions = {},
): Call<K> {
  const { runtime, options: defaults } = face;
  const { shared } = runtime;
  checkCallOptions(options);
  if (options.controls !== undefined) checkControls(options.controls, runtime.middleware);
  const scope = scopeOf(face, options.scope);
  const registry = runtime.registry();
  const strict = options.strict ?? defaults.strict;
  const own = regionsOf(options.region);
  const rules = {
    call: { operation, request, ...(strict === true && { strict }) },
    regions: regionLimits(scope.region, own),
    providers: runtime.providers,
    facts: shared.routing.facts,
    holderOf: shared.routing.holderOf,
  };
  const plan = eligible(additions.plan ?? registry.resolve(request.model, operation), rules);
  if (plan.candidates.length === 0 && additions.dry !== true) throw noCandidate(request.model, plan);
  const id = `call_${crypto.randomUUID()}`;
  const asked = additions.attemptsMax ?? defaults.attemptsMax ?? LIMITS.attemptsMax;
  const context = createContext({
    callId: id,
    clock: shared.clock,
    random: shared.random,
    attemptsMax: attemptsOwed(plan.candidates, asked),
    emit: shared.emit,
    faces: runtime.faces,
    waitUntil: shared.waitUntil,
    // A sub-call asks for other things, but its data may go no further.
    resolve:
      rules.regions.length === 0
        ? registry.resolve
        : (model, name) => withinRegions(registry.resolve(model, name), rules),
    resolveFor: (now, model) => eligible(registry.resolve(model, now.operation), { ...rules, call: now }),
  });
  return {
    id,
    operation,
    request,
    stream,
    plan,
    scope,
    signal: options.signal ?? NEVER,
    priority: options.priority ?? 'normal',
    context,
    ...(strict === true && { strict }),
    ...(own !== undefined && { regions: own }),
    ...(options.purpose !== undefined && { purpose: options.purpose }),
    ...(options.raw === true && { raw: true }),
    ...(options.headers !== undefined && { headers: checkHeaders(options.headers) }),
    ...(options.controls !== undefined && { controls: options.controls }),
    ...(additions.wire !== undefined && { wire: additions.wire }),
  };
}

function checkCallOptions(options: CallOptions): void {
  const { signal, timeoutMs, priority, purpose } = options;
  if (purpose !== undefined && (typeof purpose !== 'string' || purpose === '')) {
    throw invalidRequest('purpose', 'expected a text that is not empty.');
  }
  if (signal !== undefined && !(typeof signal === 'object' && typeof signal?.addEventListener === 'function')) {
    throw invalidRequest('signal', 'expected an AbortSignal.');
  }
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    throw invalidRequest('timeoutMs', 'expected milliseconds; 0 is no limit.');
  }
  if (priority !== undefined && !PRIORITIES.has(priority)) {
    throw invalidRequest('priority', `expected ${[...PRIORITIES].join(', ')}.`);
  }
}

/** Nothing a call asks for is ignored: somebody here must know the name and accept the value. */
function checkControls(controls: unknown, middleware: readonly Middleware[]): void {
  if (typeof controls !== 'object' || controls === null || Array.isArray(controls)) {
    throw invalidRequest('controls', 'expected an object of middleware names, like { cache: { mode: "refresh" } }.');
  }
  for (const [name, value] of Object.entries(controls)) {
    const takers = middleware.filter(({ info }) => info?.name === name && info.control !== undefined);
    if (takers.length === 0) {
      const known = middleware.flatMap(({ info }) => (info?.control === undefined ? [] : [info.name]));
      const there = known.length === 0 ? 'none does' : `those that do are ${known.join(', ')}`;
      throw invalidRequest(`controls.${name}`, `no middleware of this gateway takes that; ${there}.`);
    }
    for (const { info } of takers) info?.control?.(value);
  }
}

function noCandidate(model: string, plan: Plan): GatewayError {
  const reasons = plan.losers.map(({ target, reason }) => `${target} (${reason})`).join('; ');
  return new GatewayError(
    'no-target',
    `No target of ${model} can be used: ${reasons}. Add the provider, or change the alias.`,
    {
      field: 'model',
    },
  );
}
