import { GatewayError, isGatewayError } from '../../core/errors.ts';
import { chatTraits } from '../../operations/chat-traits.ts';
import { chatMockCall, embedMockCall } from '../script/mock-call.ts';
import { exactPieces } from '../script/pieces.ts';
import { makeChatResponse, makeEmbedResponse } from '../script/response.ts';
import type { Script, Taken } from '../script/script.ts';
import { type Answering, compileChat, compileEmbed } from '../wire/compile.ts';
import type { WirePlan } from '../wire/plan.ts';
import { type BothWays, bothWays, type MockProtocol } from '../wire/protocols.ts';
import { codecOf } from '../wire/segments.ts';
import { json, modelsPlan } from './models.ts';
import type { MockRequest } from './request.ts';
import type { Threads } from './threads.ts';

export interface HttpMock {
  readonly script: Script;
  readonly models: readonly string[];
  readonly now: () => number;
  readonly threads: Threads;
}

type Route = { readonly protocol: MockProtocol; readonly what: 'chat' | 'embed' | 'count' };
const ROUTES: Readonly<Record<string, Route>> = {
  '/chat/completions': { protocol: 'openai-chat', what: 'chat' },
  '/embeddings': { protocol: 'openai-chat', what: 'embed' },
  '/responses': { protocol: 'openai-responses', what: 'chat' },
  '/messages': { protocol: 'anthropic-messages', what: 'chat' },
  '/messages/count_tokens': { protocol: 'anthropic-messages', what: 'count' },
};

/** Answers one HTTP request by the script: the same for a server and for a client's `fetch`. */
export async function answerHttp(mock: HttpMock, request: MockRequest): Promise<WirePlan> {
  const url = new URL(request.path, 'http://mock');
  const path = url.pathname.replace(/^\/v1(?=\/)/, '').replace(/\/+$/, '');
  if (request.method === 'GET' && /^\/models(\/|$)/.test(path)) {
    return modelsPlan(mock.models, path, url.searchParams, request.headers);
  }
  const route = request.method === 'POST' ? ROUTES[path] : undefined;
  if (route === undefined) {
    return json(404, { error: { message: `The mock has no ${request.method} ${path}.`, type: 'not_found_error' } });
  }
  const both = bothWays(route.protocol);
  try {
    const plan = await play(mock, request, route, both);
    return { ...plan, headers: { ...idHeader(route, mock.script), ...plan.headers } };
  } catch (error) {
    const told = isGatewayError(error)
      ? error
      : new GatewayError('invalid-request', `The mock failed: ${messageOf(error)}`);
    const { status, headers, body } = both.door.encodeError(told, { headers: request.headers, nowMs: mock.now() });
    return json(status, body, headers);
  }
}

async function play(mock: HttpMock, request: MockRequest, route: Route, both: BothWays): Promise<WirePlan> {
  if (typeof request.body !== 'object' || request.body === null) {
    throw new GatewayError('invalid-request', 'The body is no JSON object.');
  }
  if (route.what === 'embed') return embed(mock, request, both);
  const { door } = both;
  const decoded = codecOf(door).decodeRequest(request.body, request.headers);
  if (route.what === 'count') {
    return json(200, { input_tokens: chatTraits.estimate(decoded.request, undefined, decoded.request.model).input });
  }
  const whole = mock.threads.continued(decoded.request, request.body);
  const seen = chatMockCall(whole, factsOf(mock, request, route, whole.model, decoded.stream));
  const taken = await mock.script.take(seen);
  const making = { newId: mock.script.newId, nowMs: mock.now(), protocol: route.protocol };
  const response = makeChatResponse(taken.parts, seen, making);
  mock.threads.keep(whole, response, request.body, route.protocol);
  return compileChat(response, answering(mock, both, request, taken, decoded));
}

async function embed(mock: HttpMock, request: MockRequest, both: BothWays): Promise<WirePlan> {
  const decoded = both.door.embed?.decodeRequest(request.body, request.headers);
  if (decoded === undefined) throw new GatewayError('unsupported', 'This protocol has no embeddings.');
  const route: Route = { protocol: 'openai-chat', what: 'embed' };
  const seen = embedMockCall(decoded.request, factsOf(mock, request, route, decoded.request.model, false));
  const taken = await mock.script.take(seen);
  const making = { newId: mock.script.newId, nowMs: mock.now(), protocol: 'openai-chat' };
  return compileEmbed(makeEmbedResponse(taken.parts, seen, making), answering(mock, both, request, taken, decoded));
}

function factsOf(
  { script }: HttpMock,
  { headers, body }: MockRequest,
  { protocol }: Route,
  model: string,
  stream: boolean,
): Parameters<typeof chatMockCall>[1] {
  const provider = protocol === 'anthropic-messages' ? 'anthropic' : 'openai';
  return { number: script.nextNumber(), provider, model, stream, scope: {}, headers, body };
}

function answering(
  mock: HttpMock,
  { door }: BothWays,
  request: MockRequest,
  taken: Taken,
  decoded: { readonly stream: boolean; readonly facts: Readonly<Record<string, unknown>> },
): Answering {
  const { faults, delayMs, pieceDelayMs, pieceLength } = taken;
  return {
    door,
    environment: { facts: decoded.facts, request: request.body, headers: request.headers, nowMs: mock.now() },
    stream: decoded.stream,
    exact: exactPieces(taken.parts),
    faults,
    delayMs,
    pieceDelayMs,
    ...(pieceLength !== undefined && { pieceLength }),
  };
}

function idHeader({ protocol }: Route, script: Script): Record<string, string> {
  const id = script.newId('req_');
  return protocol === 'anthropic-messages' ? { 'request-id': id } : { 'x-request-id': id };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
