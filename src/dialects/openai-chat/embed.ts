import type { DialectEnvironment, EmbedCodec, EncodedRequest, ResponseHead } from '../../core/dialect.ts';
import { rateLimitOf, requestIdOf } from '../../core/error-facts.ts';
import { GatewayError } from '../../core/errors.ts';
import { mintId } from '../../core/replay.ts';
import { nativeRest, numberOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { EmbedRequest, EmbedResponse, Embedding } from '../../operations/embed.ts';
import type { Json, JsonObject } from '../../operations/shared.ts';
import { unknownUsage } from '../../operations/usage.ts';
import { floatsOfBase64 } from './embed-vectors.ts';
import { decodeError, isError } from './errors.ts';
import { mergeWire, PROTOCOL } from './hints.ts';
import { Losses } from './losses.ts';
import { embedFactsOf, quirksOf } from './quirks.ts';
import { decodeUsage } from './usage.ts';
import { isoTime } from '../../operations/iso-time.ts';

const KNOWN = new Set(['object', 'data', 'model', 'usage', 'id']);

/** Embeddings of this protocol. */
export const embed: EmbedCodec = { encodeRequest, decodeResponse };

function encodeRequest(request: EmbedRequest, environment: DialectEnvironment): EncodedRequest {
  const losses = new Losses(environment);
  const facts = embedFactsOf(environment);
  const encoding = request.encoding ?? facts?.encoding;
  if (request.purpose !== undefined) {
    losses.warn('unsupported', 'purpose', 'purpose', 'This protocol does not say what an embedding is for.');
  }
  if (encoding !== undefined && encoding !== 'float' && encoding !== 'base64') {
    losses.refuse('encoding', `vectors encoded as ${encoding}`);
  }
  const single = facts?.inputIsString === true && request.input.length === 1;
  const userField = quirksOf(environment).userField;
  const body: Record<string, Json> = {
    model: environment.target.model,
    input: single ? (request.input[0] as string) : request.input,
    ...(encoding !== undefined && { encoding_format: encoding }),
    ...(request.dimensions !== undefined && { dimensions: request.dimensions }),
    ...(request.user !== undefined && userField !== 'none' && { user: request.user }),
  };
  return { path: '/embeddings', body: mergeWire<JsonObject>(body, request.native), warnings: losses.warnings };
}

/** Vectors as the body has them. What only the door's caller wants as base64 becomes numbers here. */
function decodeResponse(body: unknown, head: ResponseHead, environment: DialectEnvironment): EmbedResponse {
  if (isError(body)) throw decodeError(body, head, environment);
  const wire = recordOf(body);
  const data = wire?.['data'];
  if (wire === undefined || !Array.isArray(data) || data.length === 0) throw badShape(head, environment);
  const forDoor = embedFactsOf(environment) !== undefined;
  const embeddings = data.map((item: unknown, position): Embedding => {
    const entry = recordOf(item);
    const vector = entry?.['embedding'];
    if (typeof vector !== 'string' && !Array.isArray(vector)) throw badShape(head, environment);
    const numbers = typeof vector === 'string' && forDoor ? floatsOfBase64(vector) : vector;
    return { index: numberOf(entry?.['index']) ?? position, vector: numbers as readonly number[] | string };
  });
  embeddings.sort((a, b) => a.index - b.index);
  const model = stringOf(wire['model']) ?? environment.target.model;
  const requestId = requestIdOf(head.headers);
  const rateLimit = rateLimitOf(head.headers, environment.nowMs);
  const native = nativeRest(wire, KNOWN, PROTOCOL);
  const first = embeddings[0]?.vector as readonly number[] | string;
  return {
    id: stringOf(wire['id']) ?? mintId('embd', `${requestId ?? ''}\u0000${model}\u0000${environment.nowMs}`),
    model,
    createdAt: isoTime(environment.nowMs),
    embeddings,
    encoding: typeof first === 'string' ? 'base64' : 'float',
    dimensions: typeof first === 'string' ? floatsOfBase64(first).length : first.length,
    usage: decodeUsage(wire['usage'], model) ?? unknownUsage(model),
    warnings: [],
    ...(requestId !== undefined && { requestId }),
    ...(rateLimit !== undefined && { rateLimit }),
    ...(native !== undefined && { native }),
    ...(environment.raw === true && { raw: body }),
  };
}

function badShape(head: ResponseHead, environment: DialectEnvironment): GatewayError {
  const { target } = environment;
  return new GatewayError('bad-response', `${target.provider}/${target.model} answered without vectors.`, {
    source: 'provider',
    target,
    status: head.status,
  });
}
