import type { ChatEvent } from '../operations/chat-events.ts';
import type { ChatRequest, ChatResponse } from '../operations/chat.ts';
import type { EmbedRequest, EmbedResponse } from '../operations/embed.ts';
import type { JsonObject, Protocol, Target, Warning } from '../operations/shared.ts';
import type { GatewayError } from './errors.ts';

/** What a dialect may know while it maps: no clock, no network, no state. */
export interface DialectEnvironment {
  readonly target: Target;
  /** The flavour of an endpoint: what this server does differently. Flags are the dialect's own. */
  readonly quirks?: Readonly<Record<string, unknown>>;
  /** Fails on whatever would be lost instead of warning. */
  readonly strict?: boolean;
  /** Whether a streamed answer is asked for. */
  readonly stream: boolean;
  /** Keeps provider bodies and events. */
  readonly raw?: boolean;
  /** Wall time for `createdAt` where the wire has none, and for dates in headers. */
  readonly nowMs: number;
  /** What `decodeRequest` remembered of the caller's own words, when it is written back. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** A wire request without its transport: path below the API root, headers the protocol needs, JSON body. */
export interface EncodedRequest {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  readonly warnings: readonly Warning[];
}

/** The status line and headers of a wire response. Header names are lower case. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** One framed event of the wire: for SSE the `event:` name (if any) and the joined data. */
export interface Frame {
  readonly event?: string;
  readonly data: string;
}

/**
 * Turns frames into canonical events, one decoder a stream. An error event of the provider is thrown as a
 * GatewayError, as is junk (`stream-interrupted`). `end` is called once at the end of the body: it emits the terminal
 * events if the protocol's own terminal marker came, and throws `stream-interrupted` if it did not.
 */
export interface StreamDecoder<Event> {
  decode(frame: Frame, emit: (event: Event) => void): void;
  end(emit: (event: Event) => void): void;
  /** The terminal marker has come: what happens to the socket afterwards does not matter. */
  readonly terminated: boolean;
}

export interface ChatCodec {
  encodeRequest(request: ChatRequest, environment: DialectEnvironment): EncodedRequest;
  decodeResponse(body: unknown, head: ResponseHead, environment: DialectEnvironment): ChatResponse;
  decodeStream(head: ResponseHead, environment: DialectEnvironment): StreamDecoder<ChatEvent>;
}
export interface EmbedCodec {
  encodeRequest(request: EmbedRequest, environment: DialectEnvironment): EncodedRequest;
  decodeResponse(body: unknown, head: ResponseHead, environment: DialectEnvironment): EmbedResponse;
}

/** A decoded door request: canonical, plus what is needed to write it back word for word. */
export interface DecodedRequest<Request> {
  readonly request: Request;
  readonly stream: boolean;
  readonly facts: Readonly<Record<string, unknown>>;
}
export interface EncodedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

/** What a door writes back: context the caller's SDK expects to see echoed. */
export interface DoorEnvironment {
  /** What `decodeRequest` remembered. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The inbound request, whose fields some protocols echo. */
  readonly request: unknown;
  /** Inbound headers, lower case: API versions live there. */
  readonly headers: Readonly<Record<string, string>>;
  readonly nowMs: number;
}
/** Turns canonical events into wire text, one encoder a stream. `write` takes whole SSE frames as text. */
export interface StreamEncoder<Event> {
  encode(event: Event, write: (text: string) => void): void;
  /** The stream failed after it began. */
  fail(error: GatewayError, write: (text: string) => void): void;
}
export interface ChatDoorCodec {
  decodeRequest(body: unknown, headers: Readonly<Record<string, string>>): DecodedRequest<ChatRequest>;
  encodeResponse(response: ChatResponse, environment: DoorEnvironment): EncodedResponse;
  encodeStream(environment: DoorEnvironment): StreamEncoder<ChatEvent>;
}
export interface EmbedDoorCodec {
  decodeRequest(body: unknown, headers: Readonly<Record<string, string>>): DecodedRequest<EmbedRequest>;
  encodeResponse(response: EmbedResponse, environment: DoorEnvironment): EncodedResponse;
}

/** One wire protocol as pure functions, both ways. */
export interface Dialect {
  readonly protocol: Protocol;
  readonly chat?: ChatCodec;
  readonly embed?: EmbedCodec;
  /** Any failure status, or an error body inside a 200, as our error. */
  decodeError(body: unknown, head: ResponseHead, environment: DialectEnvironment): GatewayError;
  /** Whether a 2xx body is an error all the same. */
  isError(body: unknown): boolean;
}

/** The reverse half: what an existing application's SDK sends and expects. */
export interface DoorDialect {
  readonly protocol: Protocol;
  /** Paths below the API root, like `/chat/completions`, to the operation they are. */
  readonly routes: Readonly<Record<string, 'chat' | 'embed'>>;
  /** Request headers this half reads, lower case; a door gives it no others. @defaultValue none */
  readonly headers?: readonly string[];
  readonly chat?: ChatDoorCodec;
  readonly embed?: EmbedDoorCodec;
  encodeError(error: GatewayError, environment: Pick<DoorEnvironment, 'headers' | 'nowMs'>): EncodedResponse;
}
