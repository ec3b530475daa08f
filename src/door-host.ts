import { type CallFace, makeCall } from './calls.ts';
import type { Call, Reply } from './core/call.ts';
import { GatewayError } from './core/errors.ts';
import { LIMITS } from './core/limits.ts';
import type { DoorHost } from './doors/host.ts';
import type { OperationName } from './operations/index.ts';
import { costKey } from './response.ts';

/** What a door may reach of a gateway: the same entry the gateway's own methods use. */
export function doorHostOf(face: CallFace): DoorHost {
  const { runtime, options } = face;
  const { shared } = runtime;
  return {
    clock: shared.clock,
    emit: shared.emit,
    providers: runtime.providers,
    retries: runtime.middleware.some((layer) => layer.info?.name === 'retry'),
    registry: runtime.registry,
    begin(operation, request, { stream, plan, signal, scope, wire, attemptsMax }) {
      if (shared.closed) throw new GatewayError('closed', 'The gateway is closed; make a new one.');
      const beside = { signal, ...(scope !== undefined && { scope }) };
      const additions = { plan, wire, ...(attemptsMax !== undefined && { attemptsMax }) };
      return makeCall(face, operation, request, beside, stream, additions);
    },
    run: <K extends OperationName>(call: Call<K>): Promise<Reply<K>> =>
      runtime.run(call, options.timeoutMs ?? LIMITS.timeoutMs),
    spentNanoUsd: (call) => call.context.get(costKey)?.spentNanoUsd ?? undefined,
  };
}
