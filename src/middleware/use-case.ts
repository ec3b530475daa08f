import { askModel } from '../core/ask-model.ts';
import type { Call, Next } from '../core/call.ts';
import { abortedError, invalidOptions, toGatewayError } from '../core/errors.ts';
import { defineMiddleware, type Explanation, type Host, type Middleware, only } from '../core/middleware.ts';
import { aFunction, anObject, anything, aText, checkOptions, fraction, milliseconds } from '../core/options.ts';
import { usdRange, usdRangeText } from '../core/routing/expected-cost.ts';
import { type Embedder, embedTexts } from '../core/semantic-models.ts';
import { raceSignal } from '../core/signals.ts';
import { readdress } from '../core/subcall.ts';
import { type ChatRequest, textOf } from '../operations/chat.ts';
import { estimateTokens } from '../operations/usage.ts';

/** Names the use case of a request; `undefined` leaves the call where it is. */
export type Classify = (
  request: ChatRequest,
  context: ClassifyContext,
) => string | undefined | Promise<string | undefined>;

export interface ClassifyContext {
  readonly purpose?: string;
  readonly signal: AbortSignal;
  /** Asks a model behind this gateway and gives its text; metered with the call, as `classification`. */
  ask(model: string, prompt: string): Promise<string>;
}

export interface UseCaseOptions {
  /** Use cases and the alias or model for each. */
  readonly to: Readonly<Record<string, string>>;
  /** The name whose calls are sorted, like `auto`; others pass. @defaultValue every call */
  readonly for?: string;
  /** A function, or texts that are examples of each use case. @defaultValue the call's `purpose` */
  readonly by?: Classify | UseCaseExamples;
  /** Longest wait for the decision, in milliseconds; then the call stays where it is. @defaultValue 1_500 */
  readonly timeoutMs?: number;
}
export interface UseCaseExamples {
  /** A model behind this gateway, or an embedder in this process. */
  readonly embed: string | Embedder;
  readonly examples: Readonly<Record<string, readonly string[]>>;
  /** Lowest cosine that counts as alike. @defaultValue 0.5 */
  readonly threshold?: number;
}

/**
 * Sends a call to the model of its use case: by the purpose it declares, by a function, or by likeness to examples.
 * A decision that fails or takes too long leaves the call where it is and is told as a `problem` event.
 *
 * Place it outside `cache` and `retry`. What the decision asks of a model is metered with the call.
 *
 * @example
 * createGateway({ providers, models, use: [useCase({ for: 'auto', to: { summary: 'cheap', code: 'smart' } }), retry(), route()] })
 */
export function useCase(options: UseCaseOptions): Middleware {
  checkOptions('useCase', options, { to: anObject, for: aText, by: anything, timeoutMs: milliseconds });
  const { to, for: asked, by, timeoutMs = 1_500 } = options;
  if (to === undefined || Object.keys(to).length === 0) {
    throw invalidOptions('useCase.to', 'expected use cases and their models, like { summary: "cheap" }.');
  }
  const classify = classifierOf(by, to);
  let host: Host | undefined;
  const around = only('chat', async function useCase(call, next) {
    if (asked !== undefined && call.request.model !== asked) return next(call);
    const name = await decided(call, next, classify, timeoutMs);
    const model = name === undefined || !Object.hasOwn(to, name) ? undefined : to[name];
    return next(model === undefined ? call : readdress(call, model));
  });
  return defineMiddleware(
    {
      name: 'use-case',
      start: (given: Host) => {
        host = given;
        for (const model of Object.values(to)) given.resolve(model, 'chat');
        if (typeof by === 'object' && typeof by.embed === 'string') given.resolve(by.embed, 'embed');
      },
      explain: (call) =>
        asked !== undefined && call.request.model !== asked ? { summary: 'passes' } : explained(call, options, host),
    },
    around,
  );
}

/** Who decides, between what, and what deciding costs before the call itself. */
function explained(call: Call, { by, to = {} }: UseCaseOptions, host: Host | undefined): Explanation {
  const list = Object.entries(to).map(([name, model]) => `${name} to ${model}`);
  if (by === undefined) {
    const model = call.purpose !== undefined && Object.hasOwn(to, call.purpose) ? to[call.purpose] : undefined;
    const told = `purpose ${call.purpose ?? 'not declared'}`;
    return { summary: model === undefined ? `${told}: stays (${list.join(', ')})` : `${told}: goes to ${model}` };
  }
  if (typeof by === 'function') return { summary: `by a function: ${list.join(', ')}` };
  const summary = `by examples: ${list.join(', ')}`;
  if (typeof by.embed !== 'string') return { summary };
  const [target] = call.context.resolve(by.embed, 'embed').candidates;
  const inputTokens = estimateTokens(questionOf(call as Call<'chat'>));
  const cost = usdRange(target && host?.routing.facts(target), inputTokens, 0);
  return {
    summary: `${summary}; asks ${by.embed} first, about ${inputTokens} tokens, ${usdRangeText(cost)}`,
    details: { embedding: { inputTokens, ...cost } },
  };
}

type Decide = (call: Call<'chat'>, next: Next) => string | undefined | Promise<string | undefined>;

function classifierOf(by: UseCaseOptions['by'], to: UseCaseOptions['to']): Decide {
  if (by === undefined) return ({ purpose }) => purpose;
  if (typeof by === 'function') {
    return (call, next) => {
      const { request, purpose, signal } = call;
      const ask = (model: string, prompt: string): Promise<string> =>
        askModel(call as Call, next, { model, prompt, purpose: 'classification' });
      return by(request, { ...(purpose !== undefined && { purpose }), signal, ask });
    };
  }
  checkOptions('useCase.by', by, { embed: anything, examples: anObject, threshold: fraction });
  for (const [name, texts] of Object.entries(by.examples ?? {})) {
    if (!Object.hasOwn(to, name))
      throw invalidOptions(`useCase.by.examples.${name}`, 'there is no such use case in to.');
    if (!Array.isArray(texts) || texts.length === 0)
      throw invalidOptions(`useCase.by.examples.${name}`, 'expected texts.');
  }
  if (typeof by.embed !== 'string' && aFunction(by.embed?.embed) !== undefined) {
    throw invalidOptions('useCase.by.embed', 'expected the name of a model, or an embedder { id, embed }.');
  }
  return byLikeness(by);
}

/** Examples become vectors at the first call and stay. */
function byLikeness({ embed, examples, threshold = 0.5 }: UseCaseExamples): Decide {
  const labelled = Object.entries(examples).flatMap(([name, texts]) => texts.map((text) => ({ name, text })));
  let known: Promise<Float32Array[]> | undefined;
  return async (call, next) => {
    const text = questionOf(call);
    if (text === '') return undefined;
    known ??= embedTexts(
      call as Call,
      next,
      embed,
      labelled.map((one) => one.text),
    ).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    const [vectors, [asked]] = await Promise.all([known, embedTexts(call as Call, next, embed, [text])]);
    let best = threshold;
    let found: string | undefined;
    for (const [index, { name }] of labelled.entries()) {
      const cosine = dot(vectors[index] as Float32Array, asked as Float32Array);
      if (cosine >= best) [best, found] = [cosine, name];
    }
    return found;
  };
}

function questionOf({ request }: Call<'chat'>): string {
  const question = request.messages.findLast(({ role }) => role === 'user');
  return question === undefined ? '' : textOf(question);
}

function dot(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += (one[index] as number) * (other[index] as number);
  return sum;
}

async function decided(call: Call<'chat'>, next: Next, decide: Decide, timeoutMs: number): Promise<string | undefined> {
  const { clock, emit } = call.context;
  const controller = new AbortController();
  const late = (): void => controller.abort(new Error(`it took longer than ${timeoutMs} ms (timeoutMs).`));
  const timer = timeoutMs === 0 ? undefined : clock.after(timeoutMs, late);
  const signal = AbortSignal.any([call.signal, controller.signal]);
  try {
    const decision = decide({ ...call, signal }, next);
    return decision instanceof Promise ? await raceSignal(decision, signal) : decision;
  } catch (thrown) {
    if (call.signal.aborted) throw abortedError(call.signal.reason);
    const error = toGatewayError(thrown, 'use-case');
    emit('problem', { stage: 'use-case', code: error.code, error });
    return undefined;
  } finally {
    timer?.cancel();
  }
}
