import type { DoorDialect } from '../core/dialect.ts';
import { CARRIED, GatewayError, isGatewayError, toGatewayError } from '../core/errors.ts';
import type { Call } from '../core/call.ts';
import { parseJson, recordOf } from '../core/wire-json.ts';
import type { DoorHost } from './host.ts';
import { namedHeaders } from './inbound.ts';
import { described } from './metadata.ts';
import { TIMEOUT_HEADER } from './raised-timeout.ts';
import type { Inbound, Seam } from './seam.ts';

/** What it takes to tell an application of a failure in its own SDK's words. */
export interface FailureFacts {
  readonly host: DoorHost;
  readonly seam: Seam;
  readonly inbound: Inbound;
  readonly door: DoorDialect;
  readonly call?: Call | undefined;
}

/**
 * A failure as the HTTP answer the application's SDK makes its own error class of.
 *
 * @throws what `fetch` itself would have thrown: the abort of the application; on a wrapped client also a broken
 * connection or a timeout, because only a throw becomes the SDK's class for those.
 */
export function failed(thrown: unknown, facts: FailureFacts): Response {
  const { inbound, seam } = facts;
  if (inbound.signal.aborted) throw inbound.signal.reason;
  const error = toGatewayError(thrown, 'A door');
  const last = lastOf(error);
  if (seam.throwsNetwork && (isFirstTry(inbound) || !facts.host.retries)) throwNetwork(last, error);
  const response = replayed(last, facts) ?? encoded(last, facts);
  carry(response.headers, error);
  if (facts.call !== undefined && last.target !== undefined) {
    const spentNanoUsd = facts.host.spentNanoUsd(facts.call);
    const about = described(facts.call, { target: last.target, spentNanoUsd });
    for (const [name, value] of Object.entries(about)) response.headers.set(name, value);
  }
  return response;
}

/** Of all targets' (or keys') failures the last one: it says best what class of error this is. */
function lastOf(error: GatewayError): GatewayError {
  const several = error.code === 'all-targets-failed' || error.code === 'authentication';
  return several && isGatewayError(error.cause) ? error.cause : error;
}

/** An SDK that calls again after a throw of ours gets an answer, so that it stops. */
export function isFirstTry(inbound: Inbound): boolean {
  return (inbound.headers.get('x-stainless-retry-count') ?? '0') === '0';
}

function throwNetwork(last: GatewayError, whole: GatewayError): void {
  // A timeout that the provider tells of is an answer with a status of its own.
  if (last.wire !== undefined && last.wire.status >= 400) return;
  if (last.code === 'connection') {
    const cause: unknown = last.cause instanceof Error ? last.cause : undefined;
    throw carry(cause ?? new TypeError(last.message), whole);
  }
  // SDKs know a timeout by its words.
  if (last.code === 'timeout') throw carry(new Error(`Request timed out. ${last.message}`, { cause: whole }), whole);
}

/** Hides our error where `GatewayError.from` finds it again behind whatever the SDK makes of this. */
export function carry<T extends object>(holder: T, error: GatewayError): T {
  try {
    Object.defineProperty(holder, CARRIED, { value: error, configurable: true });
  } catch {
    // A frozen error of somebody else; it is thrown all the same.
  }
  return holder;
}

/** The provider's failure as it came, if it is in the words of this door. */
function replayed(error: GatewayError, { door, seam, host }: FailureFacts): Response | undefined {
  const { wire } = error;
  if (wire === undefined || wire.protocol !== door.protocol) return undefined;
  // An answer without content is odd, but whole: the application's SDK can read it.
  const readable = (): boolean =>
    /event-stream/.test(wire.headers['content-type'] ?? '') || recordOf(parseJson(wire.body)) !== undefined;
  const isEmptyAnswer = error.code === 'bad-response' && wire.status < 300 && readable();
  if (wire.status < 400 && !isEmptyAnswer) return undefined;
  // A provider that refuses a key may quote it, and through `gateway.fetch` the key is the gateway's.
  if (error.fault === 'credential' && seam.vendor === undefined) return undefined;
  const headers = responseHeaders(wire.headers);
  if (host.retries || seam.vendor === undefined) headers['x-should-retry'] = 'false';
  return new Response(wire.body, { status: wire.status, headers });
}

function encoded(error: GatewayError, { door, inbound, host }: FailureFacts): Response {
  const environment = { headers: namedHeaders(inbound.headers, door.headers), nowMs: host.clock.now() };
  const { status, headers, body } = door.encodeError(error, environment);
  const response = new Response(JSON.stringify(body), { status, headers });
  response.headers.set('x-should-retry', 'false');
  return response;
}

/** A provider's headers without those that spoke of the bytes on the wire. */
export function responseHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name in headers) if (!FRAMING.has(name)) kept[name] = headers[name] as string;
  return kept;
}
const FRAMING = new Set(['content-encoding', 'content-length', 'transfer-encoding', 'connection', 'keep-alive']);

/** How long headers may be held back: at most half of what the SDK would wait for them. */
export function holdMsOf(inbound: Inbound, holdMsMax: number): number {
  const header = inbound.headers.get(TIMEOUT_HEADER);
  if (header === null) return holdMsMax;
  // Whole seconds: 0 stands for anything below one.
  const seconds = Number(header);
  return Number.isFinite(seconds) ? Math.min(holdMsMax, Math.max(seconds, 0.1) * 500) : holdMsMax;
}
