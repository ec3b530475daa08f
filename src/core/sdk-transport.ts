import { GatewayError } from './errors.ts';
import { bodyText, type Transport, type WireRequest, type WireResponse, wireResponse } from './transport.ts';

/** The slice of a vendor SDK's client that we use; openai and @anthropic-ai/sdk both have it. */
export interface SdkClient {
  withOptions(options: Record<string, unknown>): SdkClient;
  post(path: string, options: Record<string, unknown>): { asResponse(): Promise<Response> };
  get(path: string, options: Record<string, unknown>): { asResponse(): Promise<Response> };
  put(path: string, options: Record<string, unknown>): { asResponse(): Promise<Response> };
  patch(path: string, options: Record<string, unknown>): { asResponse(): Promise<Response> };
  delete(path: string, options: Record<string, unknown>): { asResponse(): Promise<Response> };
}

const METHODS: Readonly<Record<string, 'get' | 'post' | 'put' | 'patch' | 'delete'>> = {
  GET: 'get',
  POST: 'post',
  PUT: 'put',
  PATCH: 'patch',
  DELETE: 'delete',
};

export interface SdkTransportOptions {
  /** Gives the client; called once, at the first request. */
  readonly client: () => SdkClient | Promise<SdkClient>;
  /** Client options of ours on top, like `openTelemetry: false`. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly secrets: (client: SdkClient) => readonly string[];
}

/** Bounds are ours: the SDK's own clock must not run out first. One day, in milliseconds. */
const SDK_TIMEOUT_MS = 86_400_000;
/** Where a request tells the fetch below the SDK what we need back. */
const SLOT = 'posternExchange';

interface Slot {
  readonly signal: AbortSignal;
  failed?: Response;
}
type SdkFetch = (url: unknown, init?: Record<string, unknown>) => Promise<Response>;

/**
 * A transport over a vendor's SDK: its auth, signing, URLs and headers, with its own retries off and redirects not
 * followed. Failures are taken before the SDK makes errors of them, so that their bodies are seen whole.
 */
export function sdkTransport(options: SdkTransportOptions): Transport {
  let ready: Promise<SdkClient> | SdkClient | undefined;
  let known: SdkClient | undefined;
  const load = (): Promise<SdkClient> | SdkClient => {
    if (known !== undefined) return known;
    ready ??= Promise.resolve(options.client()).then(
      (client) => {
        known = ownClient(client, options.overrides);
        return known;
      },
      (error: unknown) => {
        // A key that was missing may be there at the next call.
        ready = undefined;
        throw error;
      },
    );
    return ready;
  };
  return {
    async send(request) {
      const client = await load();
      const slot: Slot = { signal: request.signal };
      const method = METHODS[request.method] ?? 'post';
      try {
        const response = await client[method](request.path, sdkRequest(request, slot)).asResponse();
        return wireResponse(slot.failed ?? response);
      } catch (error) {
        if (slot.failed !== undefined) return wireResponse(slot.failed);
        return responseOf(error);
      }
    },
    secrets: () => (known === undefined ? [] : options.secrets(known)),
  };
}

function sdkRequest(request: WireRequest, slot: Slot): Record<string, unknown> {
  const raw = typeof request.body === 'string' || request.body instanceof Uint8Array;
  return {
    ...(request.body !== undefined && { body: raw ? bodyText(request.body) : request.body }),
    headers: raw ? { 'content-type': 'application/json', ...request.headers } : request.headers,
    maxRetries: 0,
    timeout: SDK_TIMEOUT_MS,
    signal: request.signal,
    fetchOptions: { redirect: 'manual', [SLOT]: slot },
  };
}

/** A copy of the client whose fetch is watched. The given client is not touched. */
function ownClient(client: SdkClient, overrides: SdkTransportOptions['overrides']): SdkClient {
  const given: unknown = Reflect.get(client, 'fetch');
  const below: SdkFetch = typeof given === 'function' ? (given as SdkFetch) : (globalThis.fetch as SdkFetch);
  const watched: SdkFetch = async (url, init = {}) => {
    const { [SLOT]: slot, ...rest } = init as Record<string, unknown> & { [SLOT]?: Slot };
    if (slot === undefined) return below(url, rest);
    const response = await below.call(undefined, url, { ...rest, signal: slot.signal });
    if (response.ok) return response;
    slot.failed = response;
    // An empty success keeps the SDK from reading the body, retrying or throwing.
    return new Response(null, { status: 200 });
  };
  return client.withOptions({ ...overrides, maxRetries: 0, fetch: watched });
}

/** An SDK error that still knows its status becomes a response again; anything else is thrown on. */
function responseOf(error: unknown): WireResponse {
  if (error instanceof Error) {
    const { status, headers, error: body } = error as { status?: unknown; headers?: unknown; error?: unknown };
    if (typeof status === 'number') {
      const text = body === undefined ? error.message : JSON.stringify(body);
      return wireResponse(new Response(text, { status, headers: (headers ?? {}) as Record<string, string> }));
    }
    if (error.cause !== undefined && /connection|abort/i.test(error.constructor.name)) throw error.cause;
    if (/api ?key|credential|authentication method/i.test(error.message)) {
      throw new GatewayError('authentication', 'The SDK found no usable credentials; set the key of this provider.', {
        cause: error,
      });
    }
  }
  throw error;
}
