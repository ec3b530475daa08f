import type { DialectEnvironment, ResponseHead } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { recordOf, stringOf } from '../../core/wire-json.ts';
import { foldChat } from '../../operations/chat-fold.ts';
import type { ChatResponse } from '../../operations/chat.ts';
import type { Json } from '../../operations/shared.ts';
import { decodeError, isError } from './errors.ts';
import { plainAnswer } from './plain-answer.ts';
import { ChatDecoder } from './stream.ts';

/** A whole answer of a plain call. */
export function decodeResponse(body: unknown, head: ResponseHead, environment: DialectEnvironment): ChatResponse {
  if (isError(body)) throw decodeError(body, head, environment);
  const wire = recordOf(body);
  if (wire === undefined || !Array.isArray(wire['choices']) || wire['choices'].length === 0) {
    throw badResponse(body, head, environment);
  }
  const response = plainAnswer(wire, head, environment) ?? anyAnswer(wire, head, environment);
  return environment.raw === true ? { ...response, raw: body as Json } : response;
}

/** Decodes an answer as a stream of one chunk, so that both kinds of call agree to the letter. */
export function anyAnswer(
  wire: Readonly<Record<string, unknown>>,
  head: ResponseHead,
  environment: DialectEnvironment,
): ChatResponse {
  const fold = foldChat();
  const decoder = new ChatDecoder(head, environment);
  decoder.add(wire, true, fold.add);
  // A whole body needs no end marker.
  decoder.decode({ data: '[DONE]' }, fold.add);
  decoder.end(fold.add);
  return fold.response();
}

function badResponse(body: unknown, head: ResponseHead, environment: DialectEnvironment): GatewayError {
  const { target } = environment;
  return new GatewayError('bad-response', `${target.provider}/${target.model} answered without any choice.`, {
    source: 'provider',
    target,
    status: head.status,
    providerMessage: stringOf(body)?.slice(0, 2_000),
  });
}
