import { type Candidate, plainTarget } from '../core/call.ts';
import { contextKey } from '../core/context.ts';
import { type ErrorCode, GatewayError } from '../core/errors.ts';
import { elsewhereKey } from '../core/last-resort.ts';
import { defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import { anObject, checkOptions, milliseconds } from '../core/options.ts';
import { standbyKey } from '../core/standby.ts';
import { placeOf } from '../core/trail.ts';
import type { ChatInput } from '../operations/chat-input.ts';
import type { ChatRequest, FinishReason } from '../operations/chat.ts';
import { Journey, PASSED_OVER } from './fallback/journey.ts';
import { type Rest, RestingTargets } from './fallback/resting-targets.ts';
import { checkModels, type Table, tableOf } from './fallback/table.ts';
import { travelled } from './fallback/travel.ts';

/** Codes that are the caller's own doing, or the end of the call: nobody else can make them good. */
type Never = 'invalid-request' | 'invalid-options' | 'aborted' | 'closed' | 'internal';
/** Ends of an answer that is there, but not as wanted. Seen in plain answers only. */
type UnwantedFinish = Extract<FinishReason, 'length' | 'refusal' | 'content-filter' | 'context-length'>;
/** `any`: every failure that another target may make good, after the more exact reasons. */
export type FallbackReason = Exclude<ErrorCode, Never> | UnwantedFinish | 'any';

export interface FallbackTarget {
  /** An alias, `provider/model` or bare model. */
  readonly model: string;
  /** Fields of the request to replace, like `{ maxTokens: 4_000, system: 'Be brief.' }`. */
  readonly request?: Partial<Omit<ChatInput, 'model' | 'messages' | 'prompt'>>;
  /** Changes the whole request, for another prompt. After `request`. */
  readonly edit?: (request: ChatRequest) => ChatRequest;
}
/** Where to go for which reason: a model, or several to try in turn. */
export type FallbackOptions = {
  readonly [Reason in FallbackReason]?: string | FallbackTarget | readonly (string | FallbackTarget)[];
} & {
  /**
   * How long targets that failed a call for a reason that repeats are passed over, in milliseconds; a rate limit rests
   * for as long as its provider asked. `0` never passes over.
   *
   * @defaultValue 60_000
   */
  readonly avoidMs?: number;
};

/**
 * Asks another model for a reason: an error code, or how a plain answer ended. Each target is tried once a call, with
 * the attempts it needs; if none of them helps, the first failure is told. The next call does not ask again what just
 * failed for a reason that repeats: it begins at the model that is left, until a probe finds the first one back.
 *
 * Place it outside `retry` and outside `cache`. It never acts on the caller's mistakes, on an abort, or after content.
 *
 * @example
 * createGateway({ providers, models, use: [fallback({ 'context-too-long': 'long', any: 'cheap' }), retry(), route()] })
 */
export function fallback(options: FallbackOptions): Middleware {
  const { avoidMs = 60_000, ...reasons } = anObject(options) === undefined ? options : ({} as FallbackOptions);
  checkOptions('fallback', { avoidMs }, { avoidMs: milliseconds });
  const table = tableOf(reasons);
  const journeyKey = contextKey<Journey | undefined>('fallback journey', undefined);
  let host: Host | undefined;
  let resting: RestingTargets | undefined;
  return defineMiddleware(
    {
      name: 'fallback',
      outside: ['cache', 'retry', 'hedge', 'route'],
      start(given) {
        host = given;
        checkModels(table, given);
        if (avoidMs > 0) resting = new RestingTargets(given, avoidMs);
      },
      attempt(call) {
        const { target } = call;
        if (target === undefined || resting === undefined) return undefined;
        const journey = call.context.get(journeyKey);
        const rests = journey === undefined ? undefined : resting.restsOf(call.plan.candidates);
        if (rests !== undefined && journey?.passesOver(rests) === true) throw restingError(target, rests);
        return resting.observe(call, target, () => {
          if (journey !== undefined) journey.probing = true;
        });
      },
      explain: (call) => ({ summary: explained(table, resting?.restsOf(call.plan.candidates) ?? []) }),
    },
    async function fallback(call, next) {
      const { context } = call;
      const outer = { standby: context.get(standbyKey), elsewhere: context.get(elsewhereKey) };
      const journey = new Journey(call, table, resting, outer.standby);
      context.set(journeyKey, journey);
      context.set(standbyKey, journey);
      try {
        return await travelled(call, next, { journey, table, host, elsewhere: outer.elsewhere });
      } finally {
        context.set(journeyKey, undefined);
        context.set(standbyKey, outer.standby);
        context.set(elsewhereKey, outer.elsewhere);
      }
    },
  );
}

function restingError(target: Candidate, rests: readonly Rest[]): GatewayError {
  const waitMs = Math.ceil(Math.min(...rests.map((rest) => rest.waitMs)));
  const { reason } = rests[0] as Rest;
  return new GatewayError('circuit-open', `${placeOf(target)} is passed over for ${waitMs} ms: ${reason}.`, {
    target: plainTarget(target),
    stage: PASSED_OVER,
    retryAfterMs: waitMs,
  });
}

function explained(table: Table, rests: readonly Rest[]): string {
  const ways = [...table].map(([why, steps]) => `${why}: ${steps.map(({ model }) => model).join(', ')}`);
  const passed = rests.map(
    ({ target, reason, waitMs }) => `passes over ${target} for ${Math.ceil(waitMs)} ms: ${reason}`,
  );
  return [...ways, ...passed].join('; ');
}
