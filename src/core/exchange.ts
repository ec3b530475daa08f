import type { ChatEvent } from '../operations/chat-events.ts';
import type { ChatResponse } from '../operations/chat.ts';
import { replayChat } from '../operations/chat-replay.ts';
import type { Protocol, Target } from '../operations/shared.ts';
import { type Call, plainTarget, type Reply } from './call.ts';
import type { ChatCodec, Dialect, DialectEnvironment, EncodedRequest, ResponseHead } from './dialect.ts';
import { providerError } from './error-facts.ts';
import { GatewayError, isGatewayError } from './errors.ts';
import { EventStream, iterableSource } from './event-stream.ts';
import { readText } from './read-text.ts';
import { withSafeMessage } from './scrub.ts';
import { SseSource } from './sse-source.ts';
import { networkError, type Transport, type WireResponse } from './transport.ts';
import { parseJson } from './wire-json.ts';
import type { WireCall, WireReply } from './wire.ts';

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
interface Exchange {
  readonly endpoint: Endpoint;
  readonly call: Call;
  readonly target: Target;
  readonly environment: DialectEnvironment;
  readonly sent: unknown;
}

/** The chat handler of an endpoint. */
export function chatHandler(endpoint: Endpoint): (call: Call<'chat'>) => Promise<Reply<'chat'>> {
  return async function chat(call) {
    const target = targetOf(call);
    const environment = environmentOf(call, target, endpoint);
    const codec = endpoint.dialect.chat as ChatCodec;
    const request = withOverrides(call);
    const encoded = prepared(endpoint, call, codec.encodeRequest(request, environment));
    const exchange: Exchange = { endpoint, call, target, environment, sent: encoded.body };
    const response = await send(exchange, encoded);
    if (!call.stream) return plainChat(exchange, response, encoded, codec);
    return streamChat(exchange, response, encoded, codec);
  };
}

/** The embedding handler of an endpoint. */
export function embedHandler(endpoint: Endpoint): (call: Call<'embed'>) => Promise<Reply<'embed'>> {
  return async function embed(call) {
    const target = targetOf(call);
    const environment = environmentOf(call, target, endpoint);
    const codec = endpoint.dialect.embed;
    if (codec === undefined) throw unsupported(endpoint.dialect.protocol, 'embeddings', target);
    const encoded = prepared(endpoint, call, codec.encodeRequest(withOverrides(call), environment));
    const exchange: Exchange = { endpoint, call, target, environment, sent: encoded.body };
    const response = await send(exchange, encoded);
    const { body, text } = await readJson(exchange, response);
    const decoded = decoding(exchange, () => codec.decodeResponse(body, response, environment));
    const warnings = [...encoded.warnings, ...decoded.warnings];
    return {
      operation: 'embed',
      stream: false,
      target,
      attempts: call.context.attempts,
      response: { ...decoded, warnings, ...(call.raw === true && { raw: body }) },
      ...wireOf(call, endpoint, response, text),
    };
  };
}

function unsupported(protocol: Protocol, what: string, target: Target): GatewayError {
  return new GatewayError('unsupported', `${target.provider} (${protocol}) has no ${what}.`, { target });
}

function targetOf(call: Call): Target {
  if (call.target === undefined) throw new GatewayError('internal', 'A provider was called without a target.');
  return plainTarget(call.target);
}

function environmentOf(call: Call, target: Target, endpoint: Endpoint): DialectEnvironment {
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

/** The request with this candidate's overrides on top. */
function withOverrides<K extends 'chat' | 'embed'>(call: Call<K>): Call<K>['request'] {
  const overrides = call.target?.overrides?.request;
  return overrides === undefined ? call.request : { ...call.request, ...overrides };
}

function prepared(endpoint: Endpoint, call: Call, encoded: EncodedRequest): EncodedRequest {
  return endpoint.prepare === undefined ? encoded : endpoint.prepare(encoded, call);
}

/** Sends, and turns every status that is not a success into its error. */
async function send(exchange: Exchange, encoded: EncodedRequest): Promise<WireResponse> {
  const { endpoint, call, target } = exchange;
  const wire = untouchedWire(call, endpoint.dialect.protocol, target);
  let response: WireResponse;
  try {
    response = await endpoint.transport.send(
      {
        method: 'POST',
        path: endpoint.path === undefined ? encoded.path : endpoint.path(encoded.path, target),
        headers: { ...endpoint.headers, ...encoded.headers, ...call.headers, ...wire?.headers },
        body: wire?.body ?? encoded.body,
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

/** A door's own bytes, if nothing edited the request and the target speaks its protocol and has its model. */
function untouchedWire(call: Call, protocol: Protocol, target: Target): WireCall | undefined {
  const { wire } = call;
  if (wire === undefined || wire.protocol !== protocol || wire.decoded !== call.request) return undefined;
  if (call.target?.overrides?.request !== undefined) return undefined;
  const { model } = call.request;
  return model === target.model || (model === `${target.provider}/${target.model}` && wire.json === undefined)
    ? wire
    : undefined;
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
  const wire = { status: response.status, headers: response.headers, body: text };
  if (response.status >= 300 && response.status < 400) {
    const where = `${target.provider}/${target.model}`;
    return new GatewayError(
      'bad-response',
      `${where} answered with a redirect (${response.status}), which is not followed.`,
      {
        target,
        status: response.status,
        source: 'provider',
        retryable: false,
        wire,
      },
    );
  }
  const body = parseJson(text) ?? text;
  const error = endpoint.dialect.decodeError(body, response, environment);
  return withSafeMessage(error.with({ wire }), endpoint.transport.secrets(), exchange.sent);
}

async function readJson(exchange: Exchange, response: WireResponse): Promise<{ body: unknown; text: string }> {
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
    throw badResponse(target, response, what, { status: response.status, headers: response.headers, body: text });
  }
  if (endpoint.dialect.isError(body)) {
    const error = endpoint.dialect.decodeError(body, response, environment);
    const wire = { status: response.status, headers: response.headers, body: text };
    throw withSafeMessage(error.with({ wire }), endpoint.transport.secrets(), exchange.sent);
  }
  return { body, text };
}

function badResponse(target: Target, head: ResponseHead, what: string, wire?: GatewayError['wire']): GatewayError {
  return new GatewayError('bad-response', `${target.provider}/${target.model} answered ${head.status} with ${what}.`, {
    target,
    status: head.status,
    source: 'provider',
    ...(wire !== undefined && { wire }),
  });
}

/** Runs a decoder: whatever it trips over is the provider's wrong shape, not our crash. */
function decoding<T>(exchange: Exchange, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (isGatewayError(error)) throw withSafeMessage(error, exchange.endpoint.transport.secrets(), exchange.sent);
    const head = { status: 200, headers: {} };
    throw providerError('bad-response', undefined, head, exchange.target, exchange.environment.nowMs, { cause: error });
  }
}

async function plainChat(
  exchange: Exchange,
  response: WireResponse,
  encoded: EncodedRequest,
  codec: ChatCodec,
): Promise<Reply<'chat'>> {
  const { body, text } = await readJson(exchange, response);
  const decoded = decoding(exchange, () => codec.decodeResponse(body, response, exchange.environment));
  const { call, target } = exchange;
  if (decoded.message.content.length === 0 && decoded.finish.reason === 'stop' && decoded.choices === undefined) {
    throw badResponse(target, response, 'an answer without content');
  }
  return {
    operation: 'chat',
    stream: false,
    target,
    attempts: call.context.attempts,
    response: finished(decoded, encoded, call, body),
    ...wireOf(call, exchange.endpoint, response, text),
  };
}

function finished(decoded: ChatResponse, encoded: EncodedRequest, call: Call, body: unknown): ChatResponse {
  const warnings = encoded.warnings.length === 0 ? decoded.warnings : [...encoded.warnings, ...decoded.warnings];
  return { ...decoded, warnings, ...(call.raw === true && { raw: body as never }) };
}

async function streamChat(
  exchange: Exchange,
  response: WireResponse,
  encoded: EncodedRequest,
  codec: ChatCodec,
): Promise<Reply<'chat'>> {
  const { call, target, endpoint } = exchange;
  const { clock } = call.context;
  const base = { operation: 'chat', stream: true, target, attempts: call.context.attempts } as const;
  const options = { clock, signal: call.signal, onProblem: problemOf(call) };
  const type = response.headers['content-type'];
  if (type !== undefined && /\bjson\b/.test(type) && !/event-stream|ndjson|jsonl/.test(type)) {
    // A server that does not stream answers at once; one that fails says so in JSON.
    const { body } = await readJson(exchange, response);
    const decoded = decoding(exchange, () => codec.decodeResponse(body, response, exchange.environment));
    return {
      ...base,
      events: new EventStream(iterableSource(replayChat(finished(decoded, encoded, call, body))), options),
    };
  }
  if (type !== undefined && /html|xml|image|pdf/.test(type)) {
    await response.body?.cancel().catch(() => undefined);
    throw badResponse(target, response, `no event stream but ${type}`);
  }
  if (response.body === null) throw badResponse(target, response, 'an empty body');
  const decoder = codec.decodeStream(response, exchange.environment);
  const source = new SseSource<ChatEvent>({
    body: response.body,
    decoder,
    clock,
    target,
    signal: call.signal,
    keepBytes: call.wire?.protocol === endpoint.dialect.protocol,
    onError: (error) => withSafeMessage(error, endpoint.transport.secrets(), exchange.sent),
  });
  const events = new EventStream<ChatEvent>(source, options);
  if (encoded.warnings.length > 0) events.append(startWarnings(encoded));
  if (!source.keepsBytes) return { ...base, events };
  const wire: WireReply = {
    protocol: endpoint.dialect.protocol,
    status: response.status,
    headers: response.headers,
    body: source.bytesOf(events),
  };
  return { ...base, events, wire };
}

/** Puts the warnings of encoding on the `start` event. */
function startWarnings(encoded: EncodedRequest): {
  event(event: ChatEvent, emit: (event: ChatEvent) => void): void;
  observes: true;
} {
  return {
    observes: true,
    event(event, emit) {
      emit(event.type === 'start' ? { ...event, warnings: [...encoded.warnings, ...event.warnings] } : event);
    },
  };
}

function problemOf(call: Call): (error: GatewayError) => void {
  return (error) => call.context.emit('problem', { stage: error.stage ?? 'stream', code: error.code, error });
}

function wireOf(call: Call, endpoint: Endpoint, response: WireResponse, text: string): { wire?: WireReply } {
  const { protocol } = endpoint.dialect;
  if (call.wire?.protocol !== protocol) return {};
  return { wire: { protocol, status: response.status, headers: response.headers, body: text } };
}
