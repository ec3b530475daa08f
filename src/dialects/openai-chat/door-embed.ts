import type { DecodedRequest, DoorEnvironment, EmbedDoorCodec, EncodedResponse } from '../../core/dialect.ts';
import { invalidRequest } from '../../core/errors.ts';
import { numberOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { EmbedRequest, EmbedResponse } from '../../operations/embed.ts';
import type { Json, JsonObject } from '../../operations/shared.ts';
import { base64OfFloats, floatsOfBase64 } from './embed-vectors.ts';
import { mergeWire, PROTOCOL } from './hints.ts';
import type { EmbedFacts } from './quirks.ts';

/** Embeddings for an application that speaks this protocol. */
export const embedDoor: EmbedDoorCodec = { decodeRequest, encodeResponse };

/**
 * The encoding is how this caller wants its numbers written, not what the numbers are: it is remembered, and the
 * request itself asks for numbers. So one cached answer serves every encoding.
 */
function decodeRequest(body: unknown): DecodedRequest<EmbedRequest> {
  const wire = recordOf(body);
  const model = stringOf(wire?.['model']);
  if (wire === undefined || model === undefined) throw invalidRequest('model', 'a model name is needed.');
  const { model: _model, input, ...rest } = wire as JsonObject;
  const native: Record<string, Json> = { ...rest };
  const texts = typeof input === 'string' ? [input] : input;
  const readable = Array.isArray(texts) && texts.every((one) => typeof one === 'string');
  // Token numbers are of one model's alphabet: they go as they came, to this protocol only.
  if (!readable && input !== undefined) native['input'] = input;
  const encoding = stringOf(native['encoding_format']);
  const known = encoding === 'float' || encoding === 'base64';
  if (known) delete native['encoding_format'];
  const dimensions = numberOf(native['dimensions']);
  if (dimensions !== undefined) delete native['dimensions'];
  const user = stringOf(native['user']);
  if (user !== undefined) delete native['user'];
  const facts: EmbedFacts = {
    protocol: PROTOCOL,
    model,
    ...(typeof input === 'string' && { inputIsString: true }),
    ...(known && { encoding }),
  };
  const request: EmbedRequest = {
    model,
    input: readable ? (texts as string[]) : [],
    ...(dimensions !== undefined && { dimensions }),
    ...(user !== undefined && { user }),
    ...(Object.keys(native).length > 0 && { native: { [PROTOCOL]: native } }),
  };
  return { request, stream: false, facts: facts as unknown as Record<string, unknown> };
}

function encodeResponse(response: EmbedResponse, environment: DoorEnvironment): EncodedResponse {
  const asText = environment.facts['encoding'] === 'base64';
  const body: JsonObject = {
    object: 'list',
    data: response.embeddings.map(({ index, vector }) => ({
      object: 'embedding',
      index,
      embedding: written(vector, asText),
    })),
    model: response.model,
    usage: { prompt_tokens: response.usage.input, total_tokens: response.usage.total },
  };
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      ...(response.requestId !== undefined && { 'x-request-id': response.requestId }),
    },
    body: mergeWire(body, response.native),
  };
}

function written(vector: readonly number[] | string, asText: boolean): readonly number[] | string {
  if (typeof vector === 'string') return asText ? vector : floatsOfBase64(vector);
  return asText ? base64OfFloats(vector) : vector;
}
