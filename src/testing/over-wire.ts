import type { Call, Reply } from '../core/call.ts';
import { chatHandler, embedHandler } from '../core/exchange.ts';
import { type Transport, type WireRequest, wireResponse } from '../core/transport.ts';
import { exactPieces } from './script/pieces.ts';
import { makeChatResponse, makeEmbedResponse } from './script/response.ts';
import type { Script, Taken } from './script/script.ts';
import type { MockCall } from './script/mock-call.ts';
import { type Answering, compileChat, compileEmbed } from './wire/compile.ts';
import type { WirePlan } from './wire/plan.ts';
import { playFetch } from './wire/play-fetch.ts';
import { type BothWays, bothWays, type MockProtocol } from './wire/protocols.ts';
import { codecOf } from './wire/segments.ts';

/**
 * Plays an answer with faults: it is written in a real protocol, the faults strike its bytes, and the real dialect
 * reads what is left. What a test sees is what that provider would have caused.
 */
export async function chatOverWire(
  script: Script,
  taken: Taken,
  seen: MockCall<'chat'>,
  call: Call<'chat'>,
  protocol: MockProtocol,
): Promise<Reply<'chat'>> {
  const both = bothWays(protocol);
  const nowMs = call.context.clock.now();
  const response = makeChatResponse(taken.parts, seen, { newId: script.newId, nowMs, protocol });
  const transport = scripted(call, (request) => {
    const { facts } = codecOf(both.door).decodeRequest(request.body, request.headers);
    return compileChat(response, answering(both, taken, request, facts, nowMs));
  });
  return chatHandler({ dialect: both.dialect, transport })(call);
}

export async function embedOverWire(
  script: Script,
  taken: Taken,
  seen: MockCall<'embed'>,
  call: Call<'embed'>,
): Promise<Reply<'embed'>> {
  const both = bothWays('openai-chat');
  const nowMs = call.context.clock.now();
  const response = makeEmbedResponse(taken.parts, seen, { newId: script.newId, nowMs, protocol: 'openai-chat' });
  const transport = scripted(call, (request) => {
    const facts = both.door.embed?.decodeRequest(request.body, request.headers).facts ?? {};
    return compileEmbed(response, answering(both, taken, request, facts, nowMs));
  });
  return embedHandler({ dialect: both.dialect, transport })(call);
}

function scripted(call: Call, compile: (request: WireRequest) => WirePlan): Transport {
  const { clock } = call.context;
  return {
    secrets: () => [],
    send: async (request) => wireResponse(await playFetch(compile(request), { clock, signal: request.signal })),
  };
}

function answering(
  { door }: BothWays,
  taken: Taken,
  request: WireRequest,
  facts: Readonly<Record<string, unknown>>,
  nowMs: number,
): Answering {
  return {
    door,
    environment: { facts, request: request.body, headers: request.headers, nowMs },
    stream: request.stream,
    exact: exactPieces(taken.parts),
    faults: taken.faults,
    delayMs: taken.delayMs,
    pieceDelayMs: taken.pieceDelayMs,
    ...(taken.pieceLength !== undefined && { pieceLength: taken.pieceLength }),
  };
}
