import { codeOfStatus } from '../../core/error-facts.ts';
import type { DoorDialect } from '../../core/dialect.ts';
import { type ErrorCode, GatewayError } from '../../core/errors.ts';
import type { Fault, StatusFault } from '../script/fault.ts';
import { send, type WirePlan, type WireStep } from './plan.ts';

const MESSAGE = 'A failure from the script.';

/** An answer that is nothing but a failure, or `undefined` if the faults leave an answer. */
export function failurePlan(
  faults: readonly Fault[],
  before: readonly WireStep[],
  door: DoorDialect,
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): WirePlan | undefined {
  for (const fault of faults) {
    switch (fault.kind) {
      case 'dns':
        return broken(before, fault.temporary === true ? 'EAI_AGAIN' : 'ENOTFOUND');
      case 'refused':
        return broken(before, 'ECONNREFUSED');
      case 'tls':
        return broken(before, 'CERT_HAS_EXPIRED');
      case 'status':
        return statusPlan(fault, before, door, headers, nowMs);
      case 'redirect': {
        const location = fault.location ?? 'https://elsewhere.example/';
        return { before, status: fault.status ?? 307, headers: { ...headers, location }, body: [] };
      }
      case 'wrong-type': {
        const type = { 'content-type': fault.type ?? 'text/html' };
        const body = [send(fault.body ?? '<html><body>Welcome to nginx!</body></html>')];
        return { before, status: 200, headers: { ...headers, ...type }, body };
      }
      default:
        break;
    }
  }
  return undefined;
}

function broken(before: readonly WireStep[], code: string): WirePlan {
  return { before: [...before, { do: 'network', code }], status: 0, headers: {}, body: [] };
}

function statusPlan(
  fault: StatusFault,
  before: readonly WireStep[],
  door: DoorDialect,
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): WirePlan {
  const encoded = door.encodeError(errorOf(fault.code ?? codeOfStatus(fault.status), fault.message), {
    headers: {},
    nowMs,
  });
  // A door tells its SDK not to retry; a provider does not.
  const { 'x-should-retry': _retry, ...own } = encoded.headers;
  const text = typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body ?? encoded.body);
  const all = { ...headers, ...own, ...waitHeaders(fault), ...fault.headers };
  return { before, status: fault.status, headers: all, body: [send(text)] };
}

function waitHeaders({ retryAfter, retryAfterMs }: StatusFault): Record<string, string> {
  return {
    ...(retryAfter !== undefined && {
      'retry-after': retryAfter instanceof Date ? retryAfter.toUTCString() : String(retryAfter),
    }),
    ...(retryAfterMs !== undefined && { 'retry-after-ms': String(retryAfterMs) }),
  };
}

export function errorOf(code: ErrorCode, message: string = MESSAGE): GatewayError {
  return new GatewayError(code, message, { source: 'provider' });
}
