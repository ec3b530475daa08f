import type { Target } from '../operations/shared.ts';
import type { Call } from './call.ts';
import type { ResponseHead } from './dialect.ts';
import { providerError, withResetOfLimit } from './error-facts.ts';
import { GatewayError, isGatewayError } from './errors.ts';
import type { Endpoint, Exchange, Outgoing } from './exchange-request.ts';
import { readText } from './read-text.ts';
import { withSafeMessage } from './scrub.ts';
import { networkError, type WireResponse } from './transport.ts';
import { parseJson } from './wire-json.ts';
import type { WireReply } from './wire.ts';

/** Sends, and turns every status that is not a success into its error. */
export async function send(exchange: Exchange, request: Outgoing): Promise<WireResponse> {
  const { endpoint, call, target } = exchange;
  const { encoded } = request;
  let response: WireResponse;
  try {
    response = await endpoint.transport.send(
      {
        method: 'POST',
        path: endpoint.path === undefined ? encoded.path : endpoint.path(encoded.path, target),
        headers: { ...endpoint.headers, ...encoded.headers, ...call.headers, ...request.headers },
        body: request.body,
        stream: call.stream,
        signal: call.signal,
      },
      call,
    );
  } catch (error) {
    throw networkError(error, target, call.signal);
  }
  call.onHeaders?.();
  if (response.status >= 200 && response.status < 300) return response;
  throw await failure(exchange, response);
}

async function failure(exchange: Exchange, response: WireResponse): Promise<GatewayError> {
  const { endpoint, target, call, environment } = exchange;
  let text = '';
  try {
    text = await readText(response, target, 'cut');
  } catch (error) {
    // The status alone already says what it is.
    if (call.signal.aborted) return networkError(error, target, call.signal);
  }
  const wire = bytesOf(exchange, response, text);
  if (response.status >= 300 && response.status < 400) {
    const where = `${target.provider}/${target.model}`;
    const message = `${where} answered with a redirect (${response.status}), which is not followed.`;
    const { status } = response;
    return new GatewayError('bad-response', message, { target, status, source: 'provider', retryable: false, wire });
  }
  const body = parseJson(text) ?? text;
  const said = endpoint.dialect.decodeError(body, response, environment);
  const error = withResetOfLimit(said, response.headers, environment.nowMs);
  return withSafeMessage(error.with({ wire }), endpoint.transport.secrets(), exchange.sent);
}

/** Reads a plain answer; one that is no JSON, or an error all the same, is thrown. */
export async function readJson(exchange: Exchange, response: WireResponse): Promise<{ body: unknown; text: string }> {
  const { endpoint, target, call, environment } = exchange;
  let text: string;
  try {
    text = await readText(response, target, 'fail');
  } catch (error) {
    throw networkError(error, target, call.signal);
  }
  const body = parseJson(text);
  if (body === undefined || typeof body !== 'object' || body === null) {
    const type = response.headers['content-type'] ?? 'no content type';
    const what =
      text.trim() === '' ? 'an empty body' : /json/.test(type) ? 'a body cut short or broken' : `no JSON but ${type}`;
    throw badResponse(target, response, what, bytesOf(exchange, response, text));
  }
  if (endpoint.dialect.isError(body)) {
    const error = endpoint.dialect.decodeError(body, response, environment);
    const wire = bytesOf(exchange, response, text);
    throw withSafeMessage(error.with({ wire }), endpoint.transport.secrets(), exchange.sent);
  }
  return { body, text };
}

type FailureBytes = NonNullable<GatewayError['wire']>;

/** An answer byte for byte, with whose words it is in. */
export function bytesOf(exchange: Exchange, head: ResponseHead, body: string): FailureBytes {
  return { status: head.status, headers: head.headers, body, protocol: exchange.endpoint.dialect.protocol };
}

export function badResponse(target: Target, head: ResponseHead, what: string, wire?: FailureBytes): GatewayError {
  return new GatewayError('bad-response', `${target.provider}/${target.model} answered ${head.status} with ${what}.`, {
    target,
    status: head.status,
    source: 'provider',
    ...(wire !== undefined && { wire }),
  });
}

/** Runs a decoder: whatever it trips over is the provider's wrong shape, not our crash. */
export function decoding<T>(exchange: Exchange, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (isGatewayError(error)) throw withSafeMessage(error, exchange.endpoint.transport.secrets(), exchange.sent);
    const head = { status: 200, headers: {} };
    throw providerError('bad-response', undefined, head, exchange.target, exchange.environment.nowMs, { cause: error });
  }
}

/** The provider's bytes on a reply, if they are in the words the caller's door speaks. */
export function wireOf(call: Call, endpoint: Endpoint, response: WireResponse, text: string): { wire?: WireReply } {
  const { protocol } = endpoint.dialect;
  if (call.wire?.protocol !== protocol) return {};
  return { wire: { protocol, status: response.status, headers: response.headers, body: text } };
}
