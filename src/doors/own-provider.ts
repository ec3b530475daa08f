import type { Call } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import { chatHandler, embedHandler } from '../core/exchange.ts';
import type { Provider } from '../core/provider.ts';
import { linkedController } from '../core/signals.ts';
import { type Transport, type WireRequest, wireResponse } from '../core/transport.ts';
import { recordOf, stringOf } from '../core/wire-json.ts';
import { sha256 } from '#platform';
import type { DialectPair } from './dialects.ts';
import { withoutOurs } from './metadata.ts';
import { RAISED_TIMEOUT_SECONDS, TIMEOUT_HEADER } from './raised-timeout.ts';
import type { Inbound, Seam } from './seam.ts';

/** A wrapped client as the provider of its own calls: the request goes where it would have gone without us. */
export function ownProvider(name: string, inbound: Inbound, seam: Seam, pair: DialectPair): Provider {
  const endpoint = { dialect: pair.dialect, transport: ownTransport(name, inbound, seam) };
  return {
    name,
    protocols: [pair.dialect.protocol],
    identity: identityOf(name, inbound),
    baseURL: () => inbound.url.origin,
    handlers: { chat: chatHandler(endpoint), embed: embedHandler(endpoint) },
  };
}

function ownTransport(name: string, inbound: Inbound, seam: Seam): Transport {
  const headers = withoutOurs(inbound.headers);
  return {
    async send(request, call) {
      const unchanged = request.body === call.wire?.body;
      if (!unchanged && seam.signed) throw signedRequest(name);
      const limit = bounded(call, request.signal, seam.timeoutMs);
      try {
        const response = await inbound.send({
          signal: limit.signal,
          headers: headersOf(headers, request, seam),
          ...(!unchanged && { body: bodyText(request.body), ...deployed(inbound.url, call) }),
        });
        return wireResponse(response);
      } finally {
        limit.clear();
      }
    },
    secrets: () => seam.secrets(),
  };
}

/** Azure's SDK writes the model into the path, where an alias would be the name of a deployment. */
function deployed(url: URL, call: Call): { url?: string } {
  const model = stringOf(recordOf(call.wire?.json)?.['model']);
  const target = call.target?.model;
  if (model === undefined || target === undefined || model === target) return {};
  const [asked, wanted] = [model, target].map((name) => `/deployments/${encodeURIComponent(name)}/`) as [
    string,
    string,
  ];
  return url.pathname.includes(asked) ? { url: url.href.replace(asked, () => wanted) } : {};
}

/** The client's own headers, with those that only an edited request needs. */
function headersOf(own: Headers, request: WireRequest, seam: Seam): Headers {
  // The SDK makes its headers anew for each request, so that this one field is set where it stands: a copy of them costs
  // more than all else here.
  if (seam.timeoutMs !== undefined && own.get(TIMEOUT_HEADER) === RAISED_TIMEOUT_SECONDS) {
    own.set(TIMEOUT_HEADER, String(Math.trunc(seam.timeoutMs / 1000)));
  }
  let headers = own;
  for (const name in request.headers) {
    if (own.has(name)) continue;
    if (headers === own) headers = new Headers(own);
    headers.set(name, request.headers[name] as string);
  }
  return headers;
}

/** Bounds one attempt until its headers, as the SDK would have. */
function bounded(call: Call, parent: AbortSignal, timeoutMs: number | undefined) {
  if (timeoutMs === undefined) return { signal: parent, clear: () => undefined };
  const controller = linkedController(parent);
  const timer = call.context.clock.after(timeoutMs, () => {
    const { provider, model } = call.target ?? { provider: '?', model: '?' };
    controller.abort(
      new GatewayError(
        'timeout',
        `${provider}/${model} sent no headers within ${timeoutMs} ms (the client's timeout).`,
        {
          target: { provider, model },
          stage: 'connect',
        },
      ),
    );
  });
  return { signal: controller.signal, clear: () => timer.cancel() };
}

function bodyText(body: WireRequest['body']): string | undefined {
  return body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
}

function signedRequest(name: string): GatewayError {
  return new GatewayError(
    'unsupported',
    `${name} signs its requests before the gateway sees them, so this one cannot be edited; use the provider's own adapter.`,
  );
}

/** Two calls share limits, health and caches only if they go to the same host with the same key. */
export function identityOf(name: string, { url, headers }: Inbound): string {
  const key = headers.get('authorization') ?? headers.get('x-api-key') ?? headers.get('api-key') ?? '';
  return `${name}:${url.host}${key === '' ? '' : `:${digest(key)}`}`;
}

/** The last keys seen: hashing one at every call would cost more than the rest of the door. */
const digests = new Map<string, string>();
const DIGESTS_MAX = 100;

function digest(key: string): string {
  const known = digests.get(key);
  if (known !== undefined) return known;
  if (digests.size >= DIGESTS_MAX) digests.clear();
  const short = sha256(key).slice(0, 8);
  digests.set(key, short);
  return short;
}
