import type { OperationName, Operations } from '../operations/index.ts';
import { oweAttempts } from './attempts-owed.ts';
import type { Call, Plan } from './call.ts';
import { GatewayError } from './errors.ts';
import { LIMITS } from './limits.ts';

export interface SubcallOptions {
  /** What it is for: `embedding`, `judge`, `summary`. Stands on every meter row. */
  readonly purpose: string;
  /** Default: the model of the request. */
  readonly model?: string;
  /** Instead of resolving a model: for a child that goes where its parent would. */
  readonly plan?: Plan;
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
  const id = `${call.id}/${options.purpose}${++call.context.ledger.children}`;
  // What was asked of middlewares was asked for the parent's request.
  const {
    wire: _wire,
    target: _target,
    attempt: _attempt,
    raw: _raw,
    strict: _strict,
    controls: _asked,
    ...rest
  } = call;
  return {
    ...rest,
    id,
    parentId: call.id,
    purpose: options.purpose,
    operation,
    request,
    stream: options.stream ?? false,
    plan: options.plan ?? call.context.resolve(options.model ?? request.model, operation),
    context: call.context.child(id),
  } as unknown as Call<K>;
}

/**
 * The same call on a new plan: an alias, `provider/model` or bare model. It is owed at least one attempt for each of its
 * targets. For middleware that stands outside `retry` and `route`, like `fallback`.
 */
export function readdress<K extends OperationName>(call: Call<K>, model: string): Call<K> {
  const plan = call.context.resolveFor(call as Call, model);
  oweAttempts(call.context, plan);
  const { target: _target, attempt: _attempt, ...rest } = call as Call;
  return { ...rest, plan } as unknown as Call<K>;
}
