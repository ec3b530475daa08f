import type { OperationName } from '../operations/index.ts';
import type { Call, Next, Reply } from './call.ts';
import { GatewayError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { subcall } from './subcall.ts';

/**
 * Asks again for what a call was answered with, as a child of it that outlives it: with a limit of its own, and below
 * what anybody waits for.
 */
export async function refreshInBackground<K extends OperationName>(call: Call<K>, next: Next): Promise<Reply<K>> {
  const { clock } = call.context;
  const controller = new AbortController();
  const timer = clock.after(LIMITS.timeoutMs, () => {
    const message = `A refresh had no reply within ${LIMITS.timeoutMs} ms.`;
    controller.abort(new GatewayError('timeout', message, { stage: 'total' }));
  });
  const child = subcall(call, call.operation, call.request, { purpose: 'refresh', plan: call.plan });
  try {
    return await next({
      ...child,
      signal: controller.signal,
      deadline: clock.monotonic() + LIMITS.timeoutMs,
      priority: 'background',
      ...(call.strict !== undefined && { strict: call.strict }),
    });
  } finally {
    timer.cancel();
  }
}
