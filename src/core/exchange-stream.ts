import type { ChatEvent } from '../operations/chat-events.ts';
import { replayChat } from '../operations/chat-replay.ts';
import type { ChatResponse } from '../operations/chat.ts';
import type { Call, Reply } from './call.ts';
import type { ChatCodec, EncodedRequest } from './dialect.ts';
import type { GatewayError } from './errors.ts';
import { EventStream, iterableSource } from './event-stream.ts';
import type { Exchange } from './exchange-request.ts';
import { badResponse, decoding, readJson } from './exchange-send.ts';
import { withSafeMessage } from './scrub.ts';
import { SseSource } from './sse-source.ts';
import type { WireResponse } from './transport.ts';
import type { WireReply } from './wire.ts';

/** A streamed answer: its events, and its bytes where the caller's door can pass them on. */
export async function streamChat(
  exchange: Exchange,
  response: WireResponse,
  encoded: EncodedRequest,
  codec: ChatCodec,
): Promise<Reply<'chat'>> {
  const { call, target, endpoint } = exchange;
  const { clock } = call.context;
  const { warnings } = encoded;
  const base = {
    ...({ operation: 'chat', stream: true, target, attempts: call.context.attempts } as const),
    ...(warnings.length > 0 && { warnings }),
  };
  const options = { clock, signal: call.signal, onProblem: problemOf(call) };
  const type = response.headers['content-type'];
  if (type !== undefined && /\bjson\b/.test(type) && !/event-stream|ndjson|jsonl/.test(type)) {
    // A server that does not stream answers at once; one that fails says so in JSON.
    const { body } = await readJson(exchange, response);
    const decoded = decoding(exchange, () => codec.decodeResponse(body, response, exchange.environment));
    return {
      ...base,
      events: new EventStream(iterableSource(replayChat(withWarnings(decoded, encoded, call, body))), options),
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
  if (warnings.length > 0) events.append(startWarnings(encoded));
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

/** The response with what encoding had to say about the request. */
export function withWarnings(decoded: ChatResponse, encoded: EncodedRequest, call: Call, body: unknown): ChatResponse {
  const warnings = encoded.warnings.length === 0 ? decoded.warnings : [...encoded.warnings, ...decoded.warnings];
  return { ...decoded, warnings, ...(call.raw === true && { raw: body as never }) };
}
