import type { Call, Next, PlainReply, Reply, StreamReply } from '../core/call.ts';
import { invalidOptions } from '../core/errors.ts';
import { EventStream } from '../core/event-stream.ts';
import { defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import { anything, checkOptions, listOf, milliseconds, oneOf, wholeNumber } from '../core/options.ts';
import { collect, replyWith, settle, withoutWire, withResponse } from '../core/reply.ts';
import { rewriteText } from '../core/rewrite-text.ts';
import { refuseUnreadable, type Unreadable } from '../core/unreadable.ts';
import { isContent } from '../operations/chat-events.ts';
import type { ChatResponse } from '../operations/chat.ts';
import type { OperationName } from '../operations/index.ts';
import type { TextSlot } from '../operations/traits.ts';
import { traitsOf } from '../operations/traits-table.ts';
import {
  type Guard,
  type GuardCheck,
  type GuardContent,
  type GuardText,
  look,
  type LookRules,
  type Rewrite,
} from './guardrail/look.ts';
import { Pieces } from './guardrail/pieces.ts';

export { judge, type JudgeOptions } from './guardrail/judge.ts';
export type { Guard, GuardCheck, GuardContent, GuardContext, GuardText, Verdict } from './guardrail/look.ts';
export type { Unreadable };

export interface GuardrailOptions {
  /** Look at each request before it is sent; several are asked at once. @defaultValue none */
  readonly input?: Guard | GuardCheck | readonly (Guard | GuardCheck)[];
  /** Look at each answer before the caller has it; several are asked at once. @defaultValue none */
  readonly output?: Guard | GuardCheck | readonly (Guard | GuardCheck)[];
  /** `observe` only tells (events), to try a guard on real traffic. @defaultValue 'enforce' */
  readonly mode?: 'enforce' | 'observe';
  /**
   * How a streamed answer is looked at. `whole` holds it until it is complete, so that an answer that is blocked was
   * never seen. `pieces` lets each piece go when the answer up to it has been looked at; guards are asked again for each.
   *
   * @defaultValue 'whole'
   */
  readonly stream?: 'whole' | 'pieces';
  /** Length of a piece, in characters; it ends with a word. @defaultValue 200 */
  readonly pieceCharacters?: number;
  /** Longest wait for the verdicts of one look, in milliseconds; `0` is no limit. @defaultValue 10_000 */
  readonly timeoutMs?: number;
  /** What happens when a guard throws, takes too long or gives no verdict. @defaultValue 'block' */
  readonly onFailure?: 'block' | 'pass';
  /**
   * What is refused because no guard is shown it: `raw`, bodies of calls that pass a door as they come (files, batches);
   * `media`, images, audio, video and files that are not text (guards find them in `content.request`).
   *
   * @defaultValue ['raw']
   */
  readonly refuse?: readonly Unreadable[];
}

/**
 * Asks guards of yours whether a request may be sent and an answer be given: they let it pass, flag it, rewrite its texts
 * or block it. Fails closed: what a guard could not look at does not pass.
 *
 * Place it inside `fallback`, so that a verdict can be a reason to ask another model, and outside `cache`.
 *
 * @throws GatewayError `guardrail-blocked`, with the guard and its reason.
 * @example
 * createGateway({ providers, use: standard({ guardrail: guardrail({ input: noSecrets, output: judge({ model, policy }) }) }) })
 */
export function guardrail(options: GuardrailOptions): Middleware {
  checkOptions('guardrail', options, {
    input: anything,
    output: anything,
    mode: oneOf('enforce', 'observe'),
    stream: oneOf('whole', 'pieces'),
    pieceCharacters: wholeNumber(1),
    timeoutMs: milliseconds,
    onFailure: oneOf('block', 'pass'),
    refuse: listOf('raw', 'media'),
  });
  const {
    mode = 'enforce',
    stream = 'whole',
    pieceCharacters = 200,
    timeoutMs = 10_000,
    onFailure = 'block',
  } = options;
  const inputs = guardsOf('input', options.input);
  const outputs = guardsOf('output', options.output);
  if (inputs.length + outputs.length === 0) throw invalidOptions('guardrail', 'give it guards: input, output or both.');
  const rules: LookRules = { enforced: mode === 'enforce', timeoutMs, onFailure };
  const refused = new Set<Unreadable>(options.refuse ?? ['raw']);

  return defineMiddleware(
    {
      name: 'guardrail',
      content: { reads: true, rewrites: true },
      start: (host) => checkModels([...inputs, ...outputs], host),
      explain: () => ({ summary: `${mode}s: ${told('requests', inputs)}; ${told('answers', outputs)}` }),
    },
    async function guardrail(call, next) {
      if (!rules.enforced) return observed(call, next, inputs, outputs, rules);
      refuseUnreadable(call as Call, refused, 'guardrail');
      const admitted = inputs.length === 0 ? call : await lookedAt(call, next, inputs, rules);
      const reply = await next(admitted);
      // Only a chat answers in words.
      if (outputs.length === 0 || call.operation !== 'chat') return reply;
      const chat = admitted as unknown as Call<'chat'>;
      const see: See = (response, complete) =>
        look(chat as Call, next, outputs, answerOf(chat, response, complete), rules);
      const answered = reply as unknown as Reply<'chat'>;
      const seen = answered.stream
        ? await (stream === 'whole' ? wholeStream(chat, answered, see) : inPieces(chat, answered, see, pieceCharacters))
        : await plain(answered, see);
      return seen as unknown as typeof reply;
    },
  );
}

/** Looks, and waits for nothing: what is only told must not hold an answer up. */
function observed<K extends OperationName>(
  call: Call<K>,
  next: Next,
  inputs: readonly Guard[],
  outputs: readonly Guard[],
  rules: LookRules,
): Promise<Reply<K>> {
  const { context } = call;
  const told = (guards: readonly Guard[], content: GuardContent): void => {
    if (guards.length === 0) return;
    const looking = look(call as Call, next, guards, content, rules);
    // The end of the call is no news.
    context.waitUntil(looking.catch((error: unknown) => (call.signal.aborted ? undefined : Promise.reject(error))));
  };
  told(inputs, requestOf(call));
  return settle(next(call), call.operation, (outcome) => {
    if (call.operation !== 'chat' || outcome.status !== 'completed') return;
    told(outputs, answerOf(call as unknown as Call<'chat'>, outcome.response as ChatResponse, true));
  });
}

type See = (response: ChatResponse, complete: boolean) => Promise<Rewrite | undefined>;

/** The call with its request looked at, and rewritten where a guard said so. */
async function lookedAt<K extends OperationName>(
  call: Call<K>,
  next: Next,
  guards: readonly Guard[],
  rules: LookRules,
): Promise<Call<K>> {
  const rewrite = await look(call as Call, next, guards, requestOf(call), rules);
  return rewrite === undefined
    ? call
    : { ...call, request: traitsOf(call.operation).mapRequestText(call.request, rewrite) };
}

function requestOf<K extends OperationName>({ operation, request }: Call<K>): GuardContent {
  const texts = textsOf((see) => traitsOf(operation).mapRequestText(request, see));
  return { direction: 'request', texts, complete: true, operation, request };
}

function answerOf({ operation, request }: Call<'chat'>, response: ChatResponse, complete: boolean): GuardContent {
  const texts = textsOf((see) => traitsOf('chat').mapResponseText(response, see));
  return { direction: 'response', texts, complete, operation, request, response };
}

function textsOf(walk: (see: (text: string, slot: TextSlot) => string) => unknown): GuardText[] {
  const texts: GuardText[] = [];
  walk((text, { kind, path }) => {
    texts.push({ text, kind, path });
    return text;
  });
  return texts;
}

async function plain(reply: PlainReply<'chat'>, see: See): Promise<Reply<'chat'>> {
  const rewrite = await see(reply.response, true);
  return rewrite === undefined ? reply : withResponse(reply, traitsOf('chat').mapResponseText(reply.response, rewrite));
}

async function wholeStream(call: Call<'chat'>, reply: StreamReply<'chat'>, see: See): Promise<Reply<'chat'>> {
  const response = await collect(reply as Reply<'chat'>);
  const rewrite = await see(response, true);
  const answer = rewrite === undefined ? response : traitsOf('chat').mapResponseText(response, rewrite);
  return replyWith(call, answer, reply.target, reply.cached);
}

async function inPieces(
  call: Call<'chat'>,
  reply: StreamReply<'chat'>,
  see: See,
  characters: number,
): Promise<Reply<'chat'>> {
  const pieces = new Pieces({ events: reply.events, characters, look: see });
  const events = new EventStream(pieces, { clock: call.context.clock, signal: call.signal });
  // A first piece that is blocked fails the call, so that another model can still be asked.
  await events.commit(isContent);
  return rewriteText(withoutWire<'chat'>({ ...reply, events }), (slot) => ({
    push: (text) => pieces.rewrite(text, slot),
    end: () => '',
  }));
}

function guardsOf(field: 'input' | 'output', given: GuardrailOptions['input'] = []): Guard[] {
  return [given].flat().map((guard, index) => {
    if (typeof guard === 'function') return { name: guard.name || `${field} ${index + 1}`, check: guard };
    if (typeof guard?.check === 'function' && typeof guard.name === 'string' && guard.name !== '') return guard;
    throw invalidOptions(`guardrail.${field}[${index}]`, 'expected a function, or { name, check }.');
  });
}

function checkModels(guards: readonly Guard[], host: Host): void {
  for (const { models = [] } of guards) for (const model of models) host.resolve(model, 'chat');
}

function told(what: string, guards: readonly Guard[]): string {
  return guards.length === 0 ? `does not look at ${what}` : `${what} by ${guards.map(({ name }) => name).join(', ')}`;
}
