import type { Call, PlainReply, StreamReply } from '../core/call.ts';
import type { DecodedRequest, DoorEnvironment } from '../core/dialect.ts';
import { type GatewayError, invalidRequest, toGatewayError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { type LinkedController, linkedController } from '../core/signals.ts';
import { parseJson, recordOf } from '../core/wire-json.ts';
import type { ChatRequest } from '../operations/chat.ts';
import type { EmbedRequest } from '../operations/embed.ts';
import type { JsonObject } from '../operations/shared.ts';
import { type DialectPair, loadDialect, type Route, routeOf } from './dialects.ts';
import { DoorWire } from './door-wire.ts';
import { carry, failed, type FailureFacts, holdMsOf, isFirstTry, responseHeaders } from './failure.ts';
import type { DoorHost } from './host.ts';
import { bodyOf, namedHeaders } from './inbound.ts';
import { described, type Outcome, scopeOf } from './metadata.ts';
import { ownProvider } from './own-provider.ts';
import { planOfClient, planOfFetch, vendorOf } from './plan.ts';
import { serveRaw } from './raw.ts';
import type { Inbound, Seam } from './seam.ts';
import { streamBody } from './stream-body.ts';
import { TextResponse } from './text-response.ts';

/** One request of an application, from its SDK's `fetch` to the answer that SDK reads. */
export async function serve(host: DoorHost, seam: Seam, inbound: Inbound): Promise<Response> {
  if (inbound.signal.aborted) throw inbound.signal.reason;
  // An SDK tries out what its fetch can do on `data:,`: no call of anybody.
  if (!inbound.url.protocol.startsWith('http'))
    return inbound.send({ signal: inbound.signal, headers: inbound.headers });
  const route = routeOf(inbound, seam);
  if (route === undefined) return serveRaw(host, seam, inbound);
  const known = loadDialect(route.protocol);
  const pair = known instanceof Promise ? await known : known;
  let linked: LinkedController | undefined;
  // Only a stream is stopped from here; a plain call has the application's own signal.
  const signalOf = (stream: boolean): AbortSignal => {
    if (stream) linked = linkedController(inbound.signal);
    return linked?.signal ?? inbound.signal;
  };
  let facts: FailureFacts = { host, seam, inbound, door: pair.door };
  let streams = false;
  try {
    const opened = await open(host, seam, inbound, route, pair, signalOf);
    facts = { ...facts, call: opened.call };
    streams = opened.call.stream;
    const served = { ...opened, facts };
    return linked === undefined ? await plain(served) : await streamed(served, linked);
  } catch (error) {
    streams = false;
    return failed(error, facts);
  } finally {
    // A stream outlives its headers, and has to hear of an abort until its end.
    if (!streams) linked?.unlink();
  }
}

interface Opened {
  readonly call: Call<'chat'> | Call<'embed'>;
  readonly environment: DoorEnvironment;
}
interface Served extends Opened {
  readonly facts: FailureFacts;
}

/** Reads the request and makes a call of it. */
async function open(
  host: DoorHost,
  seam: Seam,
  inbound: Inbound,
  route: Route,
  pair: DialectPair,
  signalOf: (stream: boolean) => AbortSignal,
): Promise<Opened> {
  const scope = scopeOf(inbound.headers);
  const body = inbound.body === undefined || typeof inbound.body === 'string' ? inbound.body : await bodyOf(inbound);
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : (body ?? '');
  const json = recordOf(parseJson(text)) as JsonObject | undefined;
  if (json === undefined) throw invalidRequest('body', 'a JSON object is needed.');
  const headers = namedHeaders(inbound.headers, pair.door.headers);
  const codec = pair.door[route.operation];
  if (codec === undefined) throw invalidRequest('path', `${route.protocol} has no ${route.operation}.`);
  const decode = (from: JsonObject): DecodedRequest<ChatRequest | EmbedRequest> => codec.decodeRequest(from, headers);
  const decoded = decode(json);
  const { request, facts, stream } = decoded;
  const own = ownProvider(seam.vendor ?? vendorOf(route.protocol), inbound, seam, pair);
  const plan =
    seam.vendor === undefined
      ? planOfFetch(host, request.model, route.operation, route.protocol, own)
      : planOfClient(host, request.model, route.operation, own);
  const wire = new DoorWire(inbound, route, { body: body ?? '', text, json, decoded }, decode);
  const attemptsMax = host.retries && !isFirstTry(inbound) ? 1 : seam.attemptsMax;
  const options = {
    stream,
    plan,
    signal: signalOf(stream),
    wire,
    ...(scope !== undefined && { scope }),
    ...(attemptsMax !== undefined && { attemptsMax }),
  };
  const call =
    route.operation === 'chat'
      ? host.begin('chat', request as ChatRequest, options)
      : host.begin('embed', request as EmbedRequest, options);
  return { call, environment: { facts, request: json, headers, nowMs: host.clock.now() } };
}

/** The application's own answer has no place for these. */
function tellWarnings(call: Call, warnings: Outcome['warnings']): void {
  for (const warning of warnings ?? []) call.context.emit('warning', { callId: call.id, warning });
}

async function plain({ call, facts, environment }: Served): Promise<Response> {
  const { host, door } = facts;
  const reply = (await host.run(call as Call)) as PlainReply<'chat' | 'embed'>;
  const outcome: Outcome = {
    target: reply.target,
    cached: reply.cached,
    warnings: reply.response.warnings,
    spentNanoUsd: host.spentNanoUsd(call),
  };
  tellWarnings(call, outcome.warnings);
  const { wire } = reply;
  if (wire !== undefined && wire.protocol === door.protocol && typeof wire.body === 'string') {
    const headers = { ...responseHeaders(wire.headers), ...described(call, outcome) };
    return new TextResponse(wire.body, { status: wire.status, headers });
  }
  const encoded =
    call.operation === 'chat'
      ? door.chat?.encodeResponse((reply as PlainReply<'chat'>).response, environment)
      : door.embed?.encodeResponse((reply as PlainReply<'embed'>).response, environment);
  const headers = { ...encoded?.headers, ...described(call, outcome) };
  return new Response(JSON.stringify(encoded?.body), { status: encoded?.status ?? 200, headers });
}

async function streamed({ call, facts, environment }: Served, linked: LinkedController): Promise<Response> {
  const { host, door, inbound } = facts;
  // Before the run: the attempt writes the client's own timeout into the headers it sends.
  const holdMs = holdMsOf(inbound, LIMITS.holdMs);
  const running = host.run(call as Call<'chat'>) as Promise<StreamReply<'chat'>>;
  // Held: told to the SDK below, or by the body once the headers are out.
  const reply = await within(host, holdMs, running);
  let response: Response | undefined;
  const onFailure = (error: GatewayError): void => {
    linked.unlink();
    if (response !== undefined) carry(response.headers, error);
  };
  // Hears of a failure before the bytes that tell of it are read.
  reply?.events.append({
    observes: true,
    close: (ending) =>
      ending.status === 'failed' ? onFailure(toGatewayError(ending.error, 'A stream')) : linked.unlink(),
  });
  const body = streamBody({
    reply: reply ?? running,
    protocol: door.protocol,
    encoder: () => {
      if (door.chat === undefined) throw invalidRequest('stream', `${door.protocol} does not stream.`);
      return door.chat.encodeStream(environment);
    },
    clock: host.clock,
    signal: inbound.signal,
    abort: linked.abort,
    onFailure,
  });
  const wire = reply?.wire?.protocol === door.protocol ? reply.wire : undefined;
  const headers = responseHeaders(wire?.headers ?? STREAM_HEADERS);
  if (reply !== undefined) {
    const { target, cached, warnings } = reply;
    Object.assign(headers, described(call, { target, cached, warnings, spentNanoUsd: host.spentNanoUsd(call) }));
    tellWarnings(call, warnings);
  }
  response = new Response(body, { status: wire?.status ?? 200, headers });
  return response;
}

const STREAM_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };

/** What the work gives within this time, or `undefined`: then its failure is not lost, its body tells of it. */
async function within<T>(host: DoorHost, ms: number, work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = host.clock.after(ms, () => late.resolve(undefined));
  try {
    const first = await Promise.race([work, late.promise]);
    if (first === undefined) work.catch(() => undefined);
    return first;
  } finally {
    timer.cancel();
  }
}
