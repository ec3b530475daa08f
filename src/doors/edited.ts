import type { ChatRequest } from '../operations/chat.ts';
import type { EmbedRequest } from '../operations/embed.ts';
import type { JsonObject } from '../operations/shared.ts';
import type { WireCall } from '../core/wire.ts';
import { sameJson, splice, spliceKey } from './splice.ts';

type DoorRequest = ChatRequest | EmbedRequest;

/**
 * Writes an edited request into the caller's own text. What comes out is read again and has to say exactly what the
 * edited request says; an edit that cannot be carried over that way makes its top-level key be written anew, and if
 * that fails too, the whole body.
 */
export function rewriter(
  text: string,
  original: JsonObject,
  decoded: DoorRequest,
  decode: (body: JsonObject) => DoorRequest,
): NonNullable<WireCall['rewrite']> {
  return function rewrite(edited, encode) {
    const before = encode(decoded);
    const model = edited['model'];
    const named = model === undefined || model === original['model'] ? text : spliceKey(text, 'model', model);
    if (named === undefined || sameJson(before, edited)) return named;
    for (const depth of ['values', 'keys'] as const) {
      const next = splice(named, before, edited, depth);
      if (next !== undefined && says(next, edited, decode, encode)) return next;
    }
    return undefined;
  };
}

function says(
  text: string,
  edited: JsonObject,
  decode: (body: JsonObject) => DoorRequest,
  encode: (request: unknown) => JsonObject,
): boolean {
  try {
    return sameJson(encode(decode(JSON.parse(text) as JsonObject)), edited);
  } catch {
    return false;
  }
}
