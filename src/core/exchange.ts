import type { Call, Reply } from './call.ts';
import type { ChatCodec, EncodedRequest } from './dialect.ts';
import { type Endpoint, environmentOf, type Exchange, outgoing, targetOf, unsupported } from './exchange-request.ts';
import { badResponse, bytesOf, decoding, readJson, send, wireOf } from './exchange-send.ts';
import { streamChat, withWarnings } from './exchange-stream.ts';
import { cutAtStop, stopsToCut } from './stop-cut.ts';
import type { WireResponse } from './transport.ts';

export type { Endpoint } from './exchange-request.ts';

/** The chat handler of an endpoint. */
export function chatHandler(endpoint: Endpoint): (call: Call<'chat'>) => Promise<Reply<'chat'>> {
  return async function chat(call) {
    const target = targetOf(call);
    const environment = environmentOf(call, target, endpoint);
    const codec = endpoint.dialect.chat as ChatCodec;
    const request = outgoing(endpoint, call, environment, codec);
    const { encoded } = request;
    const exchange: Exchange = { endpoint, call, target, environment, sent: encoded.body };
    const response = await send(exchange, request);
    const stops = stopsToCut(encoded.warnings, call.request.stop);
    const answer = call.stream ? streamChat : plainChat;
    return cutAtStop(await answer(exchange, response, encoded, codec), stops);
  };
}

/** The embedding handler of an endpoint. */
export function embedHandler(endpoint: Endpoint): (call: Call<'embed'>) => Promise<Reply<'embed'>> {
  return async function embed(call) {
    const target = targetOf(call);
    const environment = environmentOf(call, target, endpoint);
    const codec = endpoint.dialect.embed;
    if (codec === undefined) throw unsupported(endpoint.dialect.protocol, 'embeddings', target);
    const request = outgoing(endpoint, call, environment, codec);
    const { encoded } = request;
    const exchange: Exchange = { endpoint, call, target, environment, sent: encoded.body };
    const response = await send(exchange, request);
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
    throw badResponse(target, response, 'an answer without content', bytesOf(exchange, response, text));
  }
  return {
    operation: 'chat',
    stream: false,
    target,
    attempts: call.context.attempts,
    response: withWarnings(decoded, encoded, call, body),
    ...wireOf(call, exchange.endpoint, response, text),
  };
}
