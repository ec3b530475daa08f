import type { JsonObject, Protocol } from '../operations/shared.ts';

/** What came in through a door, byte for byte. */
export interface WireCall {
  readonly protocol: Protocol;
  readonly method: string;
  /** Path below the API root with its query, like `/chat/completions`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The parsed body, where it is JSON. */
  readonly json?: unknown;
  /** The canonical request as decoded: the same object means that nothing was edited. */
  readonly decoded?: unknown;
  /** What the dialect has to remember to write its own words again. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /**
   * The caller's text with only what was edited changed. `edited` is the body the dialect would send, `encode` writes
   * any request the same way. `undefined` where the text cannot carry the edit.
   */
  readonly rewrite?: (edited: JsonObject, encode: (request: unknown) => JsonObject) => string | undefined;
}

/** A provider's own answer, byte for byte. Reading `body` drives the reply's event stream. */
export interface WireReply {
  readonly protocol: Protocol;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<Uint8Array>;
}
