import type { Call, PlainReply } from '../core/call.ts';
import { codeOfStatus } from '../core/error-facts.ts';
import { GatewayError, isGatewayError } from '../core/errors.ts';
import type { Provider } from '../core/provider.ts';
import { retryAfterMs } from '../core/retry-after.ts';
import { networkError } from '../core/transport.ts';
import type { WireCall } from '../core/wire.ts';
import type { Protocol } from '../operations/shared.ts';
import { loadDialect } from './dialects.ts';
import { failed, responseHeaders } from './failure.ts';
import type { DoorHost } from './host.ts';
import { bodyOf, passedOn, recordOfHeaders } from './inbound.ts';
import { scopeOf, withoutOurs } from './metadata.ts';
import { identityOf } from './own-provider.ts';
import { configuredVendor, ownPlan, vendorOf } from './plan.ts';
import type { Inbound, Seam } from './seam.ts';

/** What is not understood passes untouched: its answer is the very one that came. Policy sees an operation `raw`. */
export async function serveRaw(host: DoorHost, seam: Seam, inbound: Inbound): Promise<Response> {
  const protocol = protocolOf(seam, inbound);
  const vendor = seam.vendor === undefined ? configuredVendor(host, protocol) : undefined;
  let answer: Response | undefined;
  const answered = (response: Response): void => {
    // A new attempt takes the place of the one before, whose connection must be free again.
    answer?.body?.cancel().catch(() => undefined);
    answer = response;
  };
  let call: Call<'raw'> | undefined;
  try {
    const wire: WireCall = {
      protocol,
      method: inbound.method,
      path: rawPath(inbound.url, protocol),
      headers: passedOn(recordOfHeaders(inbound.headers)),
    };
    const sending =
      vendor?.forward === undefined
        ? asItCame(inbound)
        : forwarded(vendor, wire, await forwardedBody(inbound), inbound);
    const name = vendor?.name ?? seam.vendor ?? vendorOf(protocol);
    const own = rawProvider(name, vendor?.identity ?? identityOf(name, inbound), sending, host, inbound, answered);
    const scope = scopeOf(inbound.headers);
    call = host.begin(
      'raw',
      { model: RAW_MODEL, method: inbound.method, path: inbound.url.pathname },
      {
        stream: false,
        plan: ownPlan(RAW_MODEL, own, host.registry().revision),
        signal: inbound.signal,
        wire,
        ...(scope !== undefined && { scope }),
        ...(seam.attemptsMax !== undefined && { attemptsMax: seam.attemptsMax }),
      },
    );
    await host.run(call);
    if (answer === undefined)
      throw new GatewayError('unsupported', 'A middleware answered a call that it cannot answer.');
    return answer;
  } catch (error) {
    const ours = isGatewayError(error) && error.source === 'gateway';
    // The provider's own failure is as much its answer as a success.
    if (answer !== undefined && !ours) return answer;
    const { door } = await loadDialect(protocol);
    return failed(error, { host, seam, inbound, door, call });
  }
}

/** The model of a call that names none. */
const RAW_MODEL = '*';

type Send = (signal: AbortSignal, call: Call<'raw'>) => Promise<Response>;

function asItCame(inbound: Inbound): Send {
  const headers = withoutOurs(inbound.headers);
  // The application's own signal stays with the body, which is read after the call is over.
  return (signal) => inbound.send({ signal: AbortSignal.any([inbound.signal, signal]), headers });
}

/** Through the configured provider, whose account the application's other calls go to. */
function forwarded(vendor: Provider, wire: WireCall, body: ForwardedBody, inbound: Inbound): Send {
  return async (signal, call) => {
    const sent: WireCall = {
      ...wire,
      headers: { ...wire.headers, ...body.headers },
      ...(body.bytes !== undefined && { body: body.bytes }),
    };
    const both = AbortSignal.any([inbound.signal, signal]);
    const reply = await vendor.forward?.(sent, { ...call, signal: both, wire: sent });
    if (reply === undefined) throw new GatewayError('unsupported', `${vendor.name} does not pass calls on.`);
    const empty = reply.status === 204 || reply.status === 304 || reply.body === '';
    return new Response(empty ? null : (reply.body as BodyInit), {
      status: reply.status,
      headers: responseHeaders(reply.headers),
    });
  };
}

interface ForwardedBody {
  readonly bytes?: string | Uint8Array | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** A form is written out, with the boundary it was written with. */
async function forwardedBody(inbound: Inbound): Promise<ForwardedBody> {
  const { body } = inbound;
  if (!(body instanceof FormData)) return { bytes: await bodyOf(inbound), headers: {} };
  const written = new Response(body);
  const type = written.headers.get('content-type') ?? 'multipart/form-data';
  return { bytes: new Uint8Array(await written.arrayBuffer()), headers: { 'content-type': type } };
}

function rawProvider(
  name: string,
  identity: string,
  send: Send,
  host: DoorHost,
  inbound: Inbound,
  answered: (response: Response) => void,
): Provider {
  return {
    name,
    protocols: [],
    identity,
    handlers: {
      async raw(call): Promise<PlainReply<'raw'>> {
        const target = { provider: name, model: call.request.model };
        let response: Response;
        try {
          response = await send(call.signal, call);
        } catch (error) {
          const failure = networkError(error, target, call.signal);
          throw isReplayable(inbound) ? failure : failure.with({ retryable: false });
        }
        answered(response);
        if (host.retries && isWorthRetrying(response)) throw statusError(response, target, host, inbound);
        const { attempts } = call.context;
        return { operation: 'raw', stream: false, target, attempts, response: { status: response.status } };
      },
    },
  };
}

/** A body that can be sent once more. */
function isReplayable({ body }: Inbound): boolean {
  return !(body instanceof ReadableStream);
}

/** What the SDKs try again by themselves (openai 7.57, @anthropic-ai/sdk 1.12; read 2026-11-22). */
function isWorthRetrying(response: Response): boolean {
  const advice = response.headers.get('x-should-retry');
  if (advice === 'true' || advice === 'false') return advice === 'true';
  const { status } = response;
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

function statusError(
  response: Response,
  target: { provider: string; model: string },
  host: DoorHost,
  inbound: Inbound,
): GatewayError {
  const { status } = response;
  const wait = retryAfterMs(recordOfHeaders(response.headers), host.clock.now());
  const message = `${target.provider} answered ${inbound.method} ${inbound.url.pathname} with ${status}.`;
  return new GatewayError(codeOfStatus(status), message, {
    target,
    status,
    source: 'provider',
    retryable: isReplayable(inbound),
    ...(wait !== undefined && { retryAfterMs: wait }),
  });
}

/** Whose words a refusal is told in: the client's own, or for `gateway.fetch` what its headers give away. */
function protocolOf(seam: Seam, { headers, url }: Inbound): Protocol {
  const [only] = seam.protocols;
  if (seam.vendor !== undefined && only !== undefined) return only;
  return headers.has('anthropic-version') || /anthropic/.test(url.host) ? 'anthropic-messages' : 'openai-chat';
}

/** The path below a provider's API root: OpenAI's base URL ends with the version, Anthropic's before it. */
function rawPath(url: URL, protocol: Protocol): string {
  const version = url.pathname.indexOf('/v1/');
  if (version === -1) return url.pathname + url.search;
  return url.pathname.slice(protocol === 'anthropic-messages' ? version : version + 3) + url.search;
}
