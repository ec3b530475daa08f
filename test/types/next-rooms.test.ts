import { describe, expect, it } from 'vitest';
import {
  defineMiddleware,
  defineOperation,
  defineProvider,
  GatewayError,
  only,
  replyWith,
  subcall,
  transform,
} from '../../src/index.ts';
import type { Gateway, Middleware, OperationTraits, Reply } from '../../src/index.ts';
import type { Ledger } from '../../src/core/ledger.ts';
import { usageOf } from '../../src/operations/usage.ts';

/** One small piece for each room that is to come: today's signatures must allow it. That it compiles is the test. */

interface RerankRequest {
  readonly model: string;
  readonly query: string;
  readonly documents: readonly string[];
}
interface RerankResponse {
  readonly model: string;
  readonly scores: readonly number[];
}
interface SpeechRequest {
  readonly model: string;
  readonly input: string;
}
type SpeechEvent = { readonly type: 'audio'; readonly data: string } | { readonly type: 'end' };
declare module '../../src/operations/index.ts' {
  interface Operations {
    readonly rerank: { readonly request: RerankRequest; readonly response: RerankResponse; readonly event: never };
    readonly speech: {
      readonly request: SpeechRequest;
      readonly response: { readonly audio: string };
      readonly event: SpeechEvent;
    };
    readonly image: {
      readonly request: { readonly model: string; readonly prompt: string };
      readonly response: { readonly images: readonly string[] };
      readonly event: never;
    };
    readonly transcribe: {
      readonly request: { readonly model: string; readonly audio: string };
      readonly response: { readonly text: string };
      readonly event: { readonly type: 'text-delta'; readonly text: string };
    };
    readonly moderate: {
      readonly request: { readonly model: string; readonly input: string };
      readonly response: { readonly flagged: boolean };
      readonly event: never;
    };
    readonly 'batch.create': {
      readonly request: { readonly model: string; readonly items: number };
      readonly response: { readonly id: string };
      readonly event: never;
    };
  }
}

const rerankTraits: OperationTraits<RerankRequest, RerankResponse, never> = {
  name: 'rerank',
  mapRequestText: (request, map) => ({
    ...request,
    query: map(request.query, { path: 'query', kind: 'user', form: 'text' }),
  }),
  mapResponseText: (response) => response,
  usage: (response) => usageOf([{ model: response.model, role: 'main', tokens: {} }]),
  estimate: (_request, _response, model) => usageOf([{ model, role: 'main', tokens: {} }]),
  isComplete: () => true,
};

const rooms: Readonly<Record<string, Middleware>> = {
  guardrail: only('chat', async (call, next) => {
    const verdict = call.request.messages.length > 100 ? 'block' : 'allow';
    if (verdict === 'block') throw new GatewayError('guardrail-blocked', 'too long a talk');
    return transform(await next(call), () => ({ event: (event, emit) => emit(event) }));
  }),
  authorize: only('chat', (call, next) => {
    const allowed = (call.request.tools ?? []).filter((tool) => tool.type !== 'mcp' && call.scope.user !== undefined);
    return next({ ...call, request: { ...call.request, tools: allowed } });
  }),
  approve: only('chat', async (call, next) => {
    const reply = await next(call);
    await Promise.resolve();
    return reply;
  }),
  retrieve: only('chat', async (call, next) => {
    await next(subcall(call, 'embed', { model: 'mock/e', input: ['q'] }, { purpose: 'retrieval' }));
    return next({ ...call, request: { ...call.request, system: [{ type: 'text', text: 'found' }] } });
  }),
  fanOut: only('chat', async (call, next) => {
    const replies: Reply<'chat'>[] = await Promise.all(
      call.plan.candidates.map((target) =>
        next({ ...subcall(call, 'chat', call.request, { purpose: 'fan-out' }), target }),
      ),
    );
    const [first] = replies;
    if (first === undefined || first.stream) throw new GatewayError('internal', 'nothing to merge');
    return replyWith(call, first.response, first.target);
  }),
  audit: defineMiddleware(
    { name: 'audit', attempt: (call) => ({ end: (outcome) => void [call.id, outcome.status] }) },
    (call, next) => next(call),
  ),
};

const provider = defineProvider({
  name: 'rooms',
  protocols: [],
  handlers: {
    rerank: async (call) => ({
      operation: 'rerank',
      stream: false,
      target: { provider: 'rooms', model: 'r' },
      attempts: [],
      response: { model: 'r', scores: call.request.documents.map(() => 1) },
    }),
    'batch.create': async (call) => ({
      operation: 'batch.create',
      stream: false,
      target: { provider: 'rooms', model: 'r' },
      attempts: [],
      response: { id: String(call.request.items) },
    }),
  },
});

/** A registry of prompts fills in a request before it is sent; its name and version travel in the controls. */
const prompts = only('chat', (call, next) => {
  const name = (call.controls?.['prompt'] as { readonly name?: string } | undefined)?.name ?? 'default';
  return next({ ...call, request: { ...call.request, system: [{ type: 'text', text: name }] } });
});
/** A guardrail may ask a moderation model, and speech and pictures are calls like any other. */
const moderated = only('chat', async (call, next) => {
  const verdict = await next(subcall(call, 'moderate', { model: 'mock/m', input: 'x' }, { purpose: 'guardrail' }));
  if (!verdict.stream && verdict.response.flagged) throw new GatewayError('guardrail-blocked', 'flagged');
  await next(subcall(call, 'image', { model: 'mock/i', prompt: 'x' }, { purpose: 'picture' }));
  await next(subcall(call, 'transcribe', { model: 'mock/t', audio: 'x' }, { purpose: 'voice', stream: true }));
  return next(call);
});
/** A dashboard reads a ledger: who spent what, over time. */
const dashboard = (ledger: Ledger) => ledger.totals({ groupBy: ['tenant'] });

/** A sidecar is a fetch handler; a dashboard reads a ledger. Neither needs more than this. */
type Sidecar = (gateway: Gateway) => (request: Request) => Promise<Response>;
const sidecar: Sidecar = () => async () => new Response();

describe('the next rooms', () => {
  it('have their stubs', async () => {
    expect(Object.keys(rooms)).toEqual(['guardrail', 'authorize', 'approve', 'retrieve', 'fanOut', 'audit']);
    expect([prompts, moderated, dashboard].every((room) => typeof room === 'function')).toBe(true);
    expect((await sidecar({} as Gateway)(new Request('http://localhost'))).status).toBe(200);
  });

  it('an operation of one’s own runs through the gateway', async () => {
    defineOperation('rerank', rerankTraits);
    const { createGateway } = await import('../../src/index.ts');
    const gateway = createGateway({ providers: [provider] });
    const reply = await gateway.call('rerank', { model: 'rooms/r', query: 'q', documents: ['a', 'b'] });
    expect(reply.stream ? undefined : reply.response.scores).toEqual([1, 1]);
  });
});
