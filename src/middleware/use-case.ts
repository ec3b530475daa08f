import type { Call, Next } from '../core/call.ts';
import { invalidOptions, toGatewayError } from '../core/errors.ts';
import { defineMiddleware, type Host, type Middleware, only } from '../core/middleware.ts';
import { aFunction, anObject, anything, aText, checkOptions, fraction, milliseconds } from '../core/options.ts';
import { type Embedder, embedTexts } from '../core/semantic-models.ts';
import { raceSignal } from '../core/signals.ts';
import { readdress } from '../core/subcall.ts';
import { type ChatRequest, textOf } from '../operations/chat.ts';

/** Names the use case of a request; `undefined` leaves the call where it is. */
export type Classify = (
  request: ChatRequest,
  context: { readonly purpose?: string; readonly signal: AbortSignal },
) => string | undefined | Promise<string | undefined>;

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
  const around = only('chat', async function useCase(call, next) {
    if (asked !== undefined && call.request.model !== asked) return next(call);
    const name = await decided(call, next, classify, timeoutMs);
    const model = name === undefined || !Object.hasOwn(to, name) ? undefined : to[name];
    return next(model === undefined ? call : readdress(call, model));
  });
  return defineMiddleware(
    {
      name: 'use-case',
      start: ({ resolve }: Host) => {
        for (const model of Object.values(to)) resolve(model, 'chat');
      },
      explain: ({ purpose }) => ({
        summary: `${by === undefined ? `purpose ${purpose ?? 'not declared'}` : typeof by === 'function' ? 'by a function' : 'by examples'}: ${Object.entries(
          to,
        )
          .map(([name, model]) => `${name} to ${model}`)
          .join(', ')}`,
      }),
    },
    around,
  );
}

type Decide = (call: Call<'chat'>, next: Next) => string | undefined | Promise<string | undefined>;

function classifierOf(by: UseCaseOptions['by'], to: UseCaseOptions['to']): Decide {
  if (by === undefined) return ({ purpose }) => purpose;
  if (typeof by === 'function') {
    return ({ request, purpose, signal }) => by(request, { ...(purpose !== undefined && { purpose }), signal });
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
    const question = call.request.messages.findLast(({ role }) => role === 'user');
    const text = question === undefined ? '' : textOf(question);
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
    if (call.signal.aborted) throw thrown;
    const error = toGatewayError(thrown, 'use-case');
    emit('problem', { stage: 'use-case', code: error.code, error });
    return undefined;
  } finally {
    timer?.cancel();
  }
}
