import type { JsonObject, Protocol, Target, Warning } from '../operations/shared.ts';
import type { Call } from './call.ts';
import { OWN_PROVIDER, plainTarget } from './call.ts';
import type { Dialect, DialectEnvironment, EncodedRequest } from './dialect.ts';
import { GatewayError, toGatewayError } from './errors.ts';
import { nativeLosses } from './native-losses.ts';
import type { Transport } from './transport.ts';

/** A dialect over a transport: what a provider is made of. */
export interface Endpoint {
  readonly dialect: Dialect;
  readonly transport: Transport;
  readonly quirks?: Readonly<Record<string, unknown>>;
  /** Headers every request of this endpoint carries, beside the transport's own. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The path for a protocol path; endpoints that put the model into the path use it. */
  readonly path?: (path: string, target: Target) => string;
  /** Last word on a request before it is sent, for servers with needs of their own. */
  readonly prepare?: (encoded: EncodedRequest, call: Call) => EncodedRequest;
}

/** What one exchange needs again and again. */
export interface Exchange {
  readonly endpoint: Endpoint;
  readonly call: Call;
  readonly target: Target;
  readonly environment: DialectEnvironment;
  /** What was sent, for keeping it out of messages. */
  readonly sent: unknown;
}

/** A request on its way: the dialect's words, or the caller's own. */
export interface Outgoing {
  readonly encoded: EncodedRequest;
  readonly body: JsonObject | string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export function targetOf(call: Call): Target {
  if (call.target === undefined) throw new GatewayError('internal', 'A provider was called without a target.');
  return plainTarget(call.target);
}

export function environmentOf(call: Call, target: Target, endpoint: Endpoint): DialectEnvironment {
  return {
    target,
    stream: call.stream,
    nowMs: call.context.clock.now(),
    ...(endpoint.quirks !== undefined && { quirks: endpoint.quirks }),
    ...(call.strict === true && { strict: true }),
    ...(call.raw === true && { raw: true }),
    ...(call.wire?.protocol === endpoint.dialect.protocol &&
      call.wire.facts !== undefined && { facts: call.wire.facts }),
  };
}

/**
 * Decides how a request goes out, before any work is done: the caller's bytes as they are, the caller's text with only
 * the edits changed, or what the dialect writes.
 */
export function outgoing<Request extends { readonly model: string }>(
  endpoint: Endpoint,
  call: Call,
  environment: DialectEnvironment,
  codec: { encodeRequest(request: Request, environment: DialectEnvironment): EncodedRequest },
): Outgoing {
  const { wire } = call;
  const request = withOverrides<Request>(call);
  const own = wire?.protocol === endpoint.dialect.protocol ? wire : undefined;
  // A wrapped client sends its own headers itself.
  const headers = own === undefined || call.target?.[OWN_PROVIDER] !== undefined ? {} : own.headers;
  if (own?.body !== undefined && own.decoded === request && request.model === environment.target.model) {
    const body = (own.json ?? {}) as JsonObject;
    return { encoded: { path: own.path, body, warnings: [] }, body: own.body, headers };
  }
  const encode = (one: Request): EncodedRequest => {
    try {
      const encoded = codec.encodeRequest(one, environment);
      return endpoint.prepare === undefined ? encoded : endpoint.prepare(encoded, call);
    } catch (error) {
      // A slip of ours on an odd request would look like a failure of the network.
      throw toGatewayError(error, `Writing a request for ${environment.target.provider}`);
    }
  };
  // Before encoding: what is missing then would be told as another failure.
  const lost = own === undefined ? lossesOf(call, environment, endpoint.dialect.protocol) : [];
  const written = encode(request);
  const encoded = lost.length === 0 ? written : { ...written, warnings: [...written.warnings, ...lost] };
  let before: readonly Warning[] = [];
  const text = own?.rewrite?.(encoded.body, (one) => {
    const again = encode(one as Request);
    if (one === own.decoded) before = again.warnings;
    return again.body;
  });
  if (text === undefined) return { encoded, body: encoded.body, headers };
  // The caller's own text went out: what writing it anew would have lost is still in it, but for what the edit brought.
  const warnings = encoded.warnings.filter(
    ({ code, path }) => !before.some((one) => one.code === code && one.path === path),
  );
  return { encoded: { ...encoded, warnings }, body: text, headers };
}

/** What came through a door in another protocol may hold words that this one does not have. */
function lossesOf(call: Call, environment: DialectEnvironment, protocol: Protocol): readonly Warning[] {
  if (call.wire === undefined) return [];
  const { warnings, refused } = nativeLosses(call.request, call.wire.protocol, protocol);
  const field = refused?.path ?? (environment.strict === true ? warnings[0]?.path : undefined);
  if (field === undefined) return warnings;
  const { target } = environment;
  const why = refused?.why ?? 'has no word for a field';
  throw new GatewayError('unsupported', `${target.provider}/${target.model} ${why} (${field}).`, { target, field });
}

/** The request with this candidate's overrides on top. */
function withOverrides<Request>(call: Call): Request {
  const overrides = call.target?.overrides?.request;
  // The operation of the call is the codec's: both come from the same handler.
  return (overrides === undefined ? call.request : { ...call.request, ...overrides }) as Request;
}

export function unsupported(protocol: Protocol, what: string, target: Target): GatewayError {
  return new GatewayError('unsupported', `${target.provider} (${protocol}) has no ${what}.`, { target });
}
