import type { Call } from './call.ts';
import { GatewayError, isGatewayError } from './errors.ts';
import type { Target } from '../operations/shared.ts';

/** One HTTP exchange as a transport sees it. */
export interface WireRequest {
  readonly method: string;
  /** Below the API root, like `/chat/completions`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON body, or the bytes of a door. */
  readonly body?: object | string | Uint8Array;
  readonly stream: boolean;
  readonly signal: AbortSignal;
}

/** The answer before anything was read of its body. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ReadableStream<Uint8Array> | null;
  text(): Promise<string>;
}

/** Carries one exchange: auth, signing, URL. It never retries, never follows redirects and never reads the body. */
export interface Transport {
  send(request: WireRequest, call: Call): Promise<WireResponse>;
  /** Secrets that must not appear in any message. Called only after a failure. */
  secrets(): readonly string[];
}

/** The part of `fetch` a transport uses. */
export type FetchLike = (url: string, init: FetchInit) => Promise<Response>;
export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  readonly redirect: 'manual';
}

export interface FetchTransportOptions {
  readonly baseURL: string;
  /** Headers of every request, credentials included; asked for each attempt so that keys can rotate. */
  readonly headers: () => Record<string, string> | Promise<Record<string, string>>;
  readonly fetch?: FetchLike;
  readonly secrets: () => readonly string[];
}

/** A transport over plain `fetch`: no SDK needed. */
export function fetchTransport(options: FetchTransportOptions): Transport {
  const root = options.baseURL.replace(/\/+$/, '');
  return {
    async send(request) {
      const send: FetchLike = options.fetch ?? (globalThis.fetch as unknown as FetchLike);
      const known = options.headers();
      const headers = known instanceof Promise ? await known : known;
      const body = bodyText(request.body);
      const response = await send(root + request.path, {
        method: request.method,
        headers: { 'content-type': 'application/json', ...headers, ...request.headers },
        ...(body !== undefined && { body }),
        signal: request.signal,
        redirect: 'manual',
      });
      return wireResponse(response);
    },
    secrets: options.secrets,
  };
}

export function bodyText(body: WireRequest['body']): string | Uint8Array | undefined {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return body;
  return JSON.stringify(body);
}

/** A fetch Response as a wire response; header names are lower case already. */
export function wireResponse(response: Response): WireResponse {
  return new FetchedResponse(response);
}

class FetchedResponse implements WireResponse {
  readonly #response: Response;
  #headers: Record<string, string> | undefined;

  constructor(response: Response) {
    this.#response = response;
  }

  get status(): number {
    return this.#response.status;
  }
  get body(): ReadableStream<Uint8Array> | null {
    return this.#response.body;
  }
  /** Read only when asked for: going through them sorts them first. */
  get headers(): Readonly<Record<string, string>> {
    if (this.#headers === undefined) {
      this.#headers = {};
      for (const [name, value] of this.#response.headers) this.#headers[name] = value;
    }
    return this.#headers;
  }
  text(): Promise<string> {
    return this.#response.text();
  }
}

/** Causes a network failure may carry, by undici and Node. Read 2026-11 from undici's errors. */
const CODES: Readonly<Record<string, { reason: string; retryable: boolean; ambiguous: boolean; stage: string }>> = {
  ENOTFOUND: { reason: 'its host name does not resolve', retryable: false, ambiguous: false, stage: 'dns' },
  EAI_AGAIN: {
    reason: 'its host name could not be resolved just now',
    retryable: true,
    ambiguous: false,
    stage: 'dns',
  },
  ECONNREFUSED: { reason: 'the connection was refused', retryable: true, ambiguous: false, stage: 'connect' },
  EHOSTUNREACH: { reason: 'the host cannot be reached', retryable: true, ambiguous: false, stage: 'connect' },
  ENETUNREACH: { reason: 'the network cannot be reached', retryable: true, ambiguous: false, stage: 'connect' },
  UND_ERR_CONNECT_TIMEOUT: { reason: 'connecting took too long', retryable: true, ambiguous: false, stage: 'connect' },
  ECONNRESET: { reason: 'the connection was reset', retryable: true, ambiguous: true, stage: 'response' },
  EPIPE: { reason: 'the connection was closed', retryable: true, ambiguous: true, stage: 'request' },
  UND_ERR_SOCKET: { reason: 'the connection was closed', retryable: true, ambiguous: true, stage: 'response' },
  UND_ERR_HEADERS_TIMEOUT: { reason: 'no headers came', retryable: true, ambiguous: true, stage: 'headers' },
  UND_ERR_BODY_TIMEOUT: { reason: 'the body stalled', retryable: true, ambiguous: true, stage: 'body' },
};
const TLS = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_SSL_|EPROTO|HOSTNAME_MISMATCH)/;

/** Whatever `fetch` or a body reader threw, as ours. An abort becomes the reason of the abort. */
export function networkError(thrown: unknown, target: Target, signal: AbortSignal): GatewayError {
  if (signal.aborted && isGatewayError(signal.reason)) return signal.reason;
  if (signal.aborted) {
    return new GatewayError('aborted', 'The call was aborted by its signal.', { target, cause: signal.reason });
  }
  if (isGatewayError(thrown)) return thrown;
  const where = `${target.provider}/${target.model}`;
  const code = causeCode(thrown);
  const known = code === undefined ? undefined : CODES[code];
  if (known !== undefined) {
    return new GatewayError('connection', `${where} failed: ${known.reason} (${code}).`, {
      target,
      cause: thrown,
      stage: known.stage,
      retryable: known.retryable,
      ambiguous: known.ambiguous,
    });
  }
  if (code !== undefined && TLS.test(code)) {
    return new GatewayError('connection', `${where} failed: its TLS certificate was not accepted (${code}).`, {
      target,
      cause: thrown,
      stage: 'tls',
      retryable: false,
    });
  }
  return new GatewayError(
    'connection',
    `${where} failed: the connection broke${code === undefined ? '' : ` (${code})`}.`,
    {
      target,
      cause: thrown,
      stage: 'response',
      ambiguous: true,
    },
  );
}

function causeCode(thrown: unknown): string | undefined {
  for (let error = thrown, depth = 0; error instanceof Object && depth < 5; depth++) {
    const code: unknown = Reflect.get(error, 'code');
    if (typeof code === 'string') return code;
    const { errors } = error as { errors?: unknown };
    error = Reflect.get(error, 'cause') ?? (Array.isArray(errors) ? (errors[0] as unknown) : undefined);
  }
  return undefined;
}
