import type { DecodedRequest } from '../core/dialect.ts';
import type { WireCall } from '../core/wire.ts';
import type { ChatRequest } from '../operations/chat.ts';
import type { EmbedRequest } from '../operations/embed.ts';
import type { JsonObject, Protocol } from '../operations/shared.ts';
import type { Route } from './dialects.ts';
import { rewriter } from './edited.ts';
import { passedOn, recordOfHeaders } from './inbound.ts';
import type { Inbound } from './seam.ts';

type Decoded = DecodedRequest<ChatRequest | EmbedRequest>;

/** What was read of a request's body. */
export interface ReadBody {
  readonly body: string | Uint8Array;
  readonly text: string;
  readonly json: JsonObject;
  readonly decoded: Decoded;
}

/** A request as it came in. What only an edit or another provider asks for is made when it is asked for. */
export class DoorWire implements WireCall {
  readonly protocol: Protocol;
  readonly method: string;
  readonly path: string;
  readonly body: string | Uint8Array;
  readonly json: JsonObject;
  readonly decoded: ChatRequest | EmbedRequest;
  readonly facts: Decoded['facts'];
  readonly #inbound: Inbound;
  readonly #text: string;
  readonly #decode: (from: JsonObject) => Decoded;

  constructor(inbound: Inbound, route: Route, read: ReadBody, decode: (from: JsonObject) => Decoded) {
    this.protocol = route.protocol;
    this.method = inbound.method;
    this.path = route.path;
    this.body = read.body;
    this.json = read.json;
    this.decoded = read.decoded.request;
    this.facts = read.decoded.facts;
    this.#inbound = inbound;
    this.#text = read.text;
    this.#decode = decode;
  }

  get headers(): Readonly<Record<string, string>> {
    return passedOn(recordOfHeaders(this.#inbound.headers));
  }

  rewrite(edited: JsonObject, encode: (request: unknown) => JsonObject): string | undefined {
    const decode = (from: JsonObject): ChatRequest | EmbedRequest => this.#decode(from).request;
    return rewriter(this.#text, this.json, this.decoded, decode)(edited, encode);
  }
}
