import type { OperationName, Operations } from '../operations/index.ts';
import type { Call, Plan } from './call.ts';
import { GatewayError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** Resolves a model name against the configuration a call keeps. */
export type Resolve = (model: string, operation: OperationName, call: Call, request: unknown) => Plan;

const resolvers = new WeakMap<object, Resolve>();

/** Lets sub-calls and new plans of a call be resolved by its gateway. For the gateway only. */
export function bindResolver(call: Call, resolve: Resolve): void {
  resolvers.set(call.context, resolve);
}

export interface SubcallOptions {
  /** What it is for: `embedding`, `judge`, `summary`. Stands on every meter row. */
  readonly purpose: string;
  /** Default: the model of the request. */
  readonly model?: string;
  readonly stream?: boolean;
}

/**
 * A child call to hand to `next`: own id, plan and attempts, the same scope, no wider deadline. It only goes down, so
 * no middleware can meet itself.
 */
export function subcall<K extends OperationName>(
  call: Call,
  operation: K,
  request: Operations[K]['request'],
  options: SubcallOptions,
): Call<K> {
  const depth = call.id.split('/').length;
  if (depth > LIMITS.subcallDepthMax) {
    throw new GatewayError('limit-exceeded', `Sub-calls are nested more than ${LIMITS.subcallDepthMax} deep.`, {
      limit: { name: 'subcallDepthMax', maximum: LIMITS.subcallDepthMax },
    });
  }
  const resolve = resolverOf(call);
  const id = `${call.id}/${options.purpose}${childNumber(call)}`;
  const context = call.context.child(id);
  resolvers.set(context, resolve);
  const { wire: _wire, target: _target, attempt: _attempt, raw: _raw, strict: _strict, ...rest } = call;
  return {
    ...rest,
    id,
    parentId: call.id,
    purpose: options.purpose,
    operation,
    request,
    stream: options.stream ?? false,
    plan: resolve(options.model ?? request.model, operation, call, request),
    context,
  } as unknown as Call<K>;
}

/**
 * The same call on a new plan: an alias, `provider/model` or bare model. It is owed at least one attempt more. For
 * middleware that stands outside `retry` and `route`, like `fallback`.
 */
export function readdress<K extends OperationName>(call: Call<K>, model: string): Call<K> {
  const plan = resolverOf(call as Call)(model, call.operation as K, call as Call, call.request);
  const { ledger } = call.context;
  ledger.maximum = Math.max(ledger.maximum, ledger.records.length + 1);
  const { target: _target, attempt: _attempt, ...rest } = call as Call;
  return { ...rest, plan } as unknown as Call<K>;
}

function resolverOf(call: Call): Resolve {
  const resolve = resolvers.get(call.context);
  if (resolve === undefined) throw new GatewayError('internal', 'This call was not made by a gateway.');
  return resolve;
}

const children = new WeakMap<object, number>();
function childNumber(call: Call): number {
  const number = (children.get(call.context) ?? 0) + 1;
  children.set(call.context, number);
  return number;
}
