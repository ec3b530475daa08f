import { NEVER } from '../core/signals.ts';
import type { Inbound, Outbound } from './seam.ts';

/** The part of `fetch` a door passes on to. */
export type FetchFunction = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What a `fetch` was called with. `below` is the fetch it would have gone to. */
export function inboundOf(input: string | URL | Request, init: RequestInit | undefined, below: FetchFunction): Inbound {
  const request = typeof input === 'string' || input instanceof URL ? undefined : input;
  const url = new URL(request?.url ?? String(input));
  const method = (init?.method ?? request?.method ?? 'GET').toUpperCase();
  const given = init?.headers ?? request?.headers;
  const headers = given instanceof Headers ? given : new Headers(given);
  const body = init?.body ?? request?.body;
  return {
    url,
    method,
    headers,
    body,
    signal: init?.signal ?? request?.signal ?? NEVER,
    send(changes: Outbound) {
      const sent = changes.body ?? body;
      const { signal } = changes;
      // Everything else the SDK wanted to tell fetch (a dispatcher, a proxy, caching) stays.
      return below(changes.url ?? (typeof input === 'string' ? input : url.href), {
        ...(request !== undefined && { redirect: request.redirect }),
        ...init,
        method: init?.method ?? method,
        headers: changes.headers,
        signal,
        ...(sent !== undefined && sent !== null && { body: sent }),
        ...(sent instanceof ReadableStream && { duplex: 'half' }),
      });
    },
  };
}

/** The body as the bytes or the text it was given as. */
export async function bodyOf(inbound: Inbound): Promise<string | Uint8Array | undefined> {
  const { body } = inbound;
  if (body === undefined || body === null || typeof body === 'string') return body ?? undefined;
  if (body instanceof Uint8Array) return body;
  return new Uint8Array(await new Response(body).arrayBuffer());
}

/** Header names to values, lower case, as dialects read them. */
export function recordOfHeaders(headers: Headers): Record<string, string> {
  const record: Record<string, string> = {};
  for (const [name, value] of headers) record[name] = value;
  return record;
}

/** Those of the headers that a dialect asks for: reading them all costs more than the rest of the door. */
export function namedHeaders(headers: Headers, names: readonly string[] = []): Record<string, string> {
  const record: Record<string, string> = {};
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) record[name] = value;
  }
  return record;
}

/** What is never passed on to another server than the one it was written for: credentials, framing, our own. */
const KEPT_BACK =
  /^(authorization|proxy-.*|x-api-key|api-key|x-goog-api-key|cookie|host|connection|keep-alive|te|trailer|upgrade|expect|transfer-encoding|content-length|content-md5|content-digest|accept-encoding|x-postern-.*)$/;

export function passedOn(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !KEPT_BACK.test(name)));
}
