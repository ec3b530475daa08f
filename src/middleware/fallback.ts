import type { Call, PlainReply, Reply } from '../core/call.ts';
import { type ErrorCode, invalidOptions, isGatewayError, VERDICTS } from '../core/errors.ts';
import { defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import { anObject, checkOptions } from '../core/options.ts';
import { elsewhereKey } from '../core/last-resort.ts';
import { hasServerEffects } from '../core/side-effects.ts';
import { outputOf } from '../core/structured-output.ts';
import { readdress } from '../core/subcall.ts';
import type { ChatRequest, ChatResponse, FinishReason } from '../operations/chat.ts';
import type { OperationName } from '../operations/index.ts';

/** Codes that are the caller's own doing, or the end of the call: nobody else can make them good. */
type Never = 'invalid-request' | 'invalid-options' | 'aborted' | 'closed' | 'internal';
/** Ends of an answer that is there, but not as wanted. Seen in plain answers only. */
type UnwantedFinish = Extract<FinishReason, 'length' | 'refusal' | 'content-filter' | 'context-length'>;
/** `any`: every failure that another target may make good, after the more exact reasons. */
export type FallbackReason = Exclude<ErrorCode, Never> | UnwantedFinish | 'any';

export interface FallbackTarget {
  /** An alias, `provider/model` or bare model. */
  readonly model: string;
  /** Fields of the request to replace, like `{ maxTokens: 4_000 }`. */
  readonly request?: Partial<ChatRequest>;
  /** Changes the whole request, for another prompt. After `request`. */
  readonly edit?: (request: ChatRequest) => ChatRequest;
}
/** Where to go for which reason: a model, or several to try in turn. */
export type FallbackOptions = {
  readonly [Reason in FallbackReason]?: string | FallbackTarget | readonly (string | FallbackTarget)[];
};

const FINISHES = new Set<string>(['length', 'refusal', 'content-filter', 'context-length']);
const NEVER = new Set<string>(['invalid-request', 'invalid-options', 'aborted', 'closed', 'internal']);
/** What a call is told whose targets are all at rest. */
const AT_REST = ['circuit-open', 'any'];
/** Error codes that say the same as a finish. */
const SAME: Readonly<Record<string, FallbackReason>> = {
  'content-filter': 'content-filtered',
  'context-length': 'context-too-long',
};

/**
 * Asks another model for a reason: an error code, or how a plain answer ended. Each target is tried once a call, with
 * the attempts it needs; if none of them helps, the first failure is told.
 *
 * Place it outside `retry` and outside `cache`. It never acts on the caller's mistakes, on an abort, or after content.
 *
 * @example
 * createGateway({ providers, models, use: [fallback({ 'context-too-long': 'long', any: 'cheap' }), retry(), route()] })
 */
export function fallback(options: FallbackOptions): Middleware {
  const table = tableOf(options);
  return defineMiddleware(
    {
      name: 'fallback',
      start: (host) => checkModels(table, host),
      explain: () => ({
        summary: [...table].map(([why, steps]) => `${why}: ${steps.map(({ model }) => model).join(', ')}`).join('; '),
      }),
    },
    async function fallback(call, next) {
      const used = new Set<FallbackTarget>();
      let current = call;
      let first: { readonly reply: typeof reply } | { readonly error: unknown } | undefined;
      let reply: Awaited<ReturnType<typeof next<typeof call.operation>>> | undefined;
      for (;;) {
        let reasons: readonly string[];
        // While there is somewhere to go, a target at rest need not be tried for want of another.
        call.context.set(elsewhereKey, stepFor(table, AT_REST, used) !== undefined);
        try {
          reply = await next(current);
          reasons = await unwanted(current, reply, table);
          if (reasons.length === 0) return reply;
          first ??= { reply };
        } catch (error) {
          reasons = reasonsOf(call, error);
          first ??= { error };
        }
        const found = call.signal.aborted ? undefined : stepFor(table, reasons, used);
        if (found === undefined) break;
        used.add(found.step);
        note(call, found);
        current = edited(readdress(call, found.step.model), found.step);
      }
      // An answer that is only not as wanted is better than the failure of a substitute.
      if (first !== undefined && 'error' in first) throw first.error;
      return first?.reply as NonNullable<typeof reply>;
    },
  );
}

function tableOf(options: FallbackOptions): ReadonlyMap<string, readonly FallbackTarget[]> {
  const problem = anObject(options);
  if (problem !== undefined || Object.keys(options).length === 0) {
    throw invalidOptions('fallback', 'expected at least one reason, like { "context-too-long": "long" }.');
  }
  const table = new Map<string, readonly FallbackTarget[]>();
  for (const [reason, given] of Object.entries(options)) {
    if (NEVER.has(reason)) throw invalidOptions(`fallback.${reason}`, 'no other target can make this good.');
    if (reason !== 'any' && !FINISHES.has(reason) && !(reason in VERDICTS)) {
      throw invalidOptions(`fallback.${reason}`, `expected an error code, any, or ${[...FINISHES].join(', ')}.`);
    }
    const steps = (Array.isArray(given) ? given : [given]) as readonly (string | FallbackTarget)[];
    if (steps.length === 0) throw invalidOptions(`fallback.${reason}`, 'expected a model, or a list of them.');
    table.set(
      reason,
      steps.map((step) => targetOf(reason, step)),
    );
  }
  return table;
}

function targetOf(reason: string, step: unknown): FallbackTarget {
  if (typeof step === 'string' && step !== '') return { model: step };
  const { model } = (step ?? {}) as Partial<FallbackTarget>;
  if (typeof model !== 'string' || model === '') {
    throw invalidOptions(`fallback.${reason}`, 'expected a model, or { model, request?, edit? }.');
  }
  checkOptions(`fallback.${reason}`, step as object, {
    model: () => undefined,
    request: anObject,
    edit: (value) => (typeof value === 'function' ? undefined : 'expected a function'),
  });
  return step as FallbackTarget;
}

/** A name that nothing answers to is found at creation, not in the first outage. */
function checkModels(table: ReadonlyMap<string, readonly FallbackTarget[]>, host: Host): void {
  for (const [reason, steps] of table) {
    for (const { model } of steps) {
      try {
        host.resolve(model, 'chat');
      } catch (error) {
        throw invalidOptions(`fallback.${reason}`, isGatewayError(error) ? error.message : `${model} is not known.`);
      }
    }
  }
}

/** What a failure is called, the most exact first; nothing if it is nobody else's to make good. */
function reasonsOf(call: Call, error: unknown): readonly string[] {
  if (!isGatewayError(error) || error.committed || error.fault === 'caller' || call.signal.aborted) return [];
  if (error.ambiguous && hasServerEffects(call)) return [];
  // What several targets, or several keys, come to is one error; the last of theirs is its cause.
  const cause = isGatewayError(error.cause) ? error.cause.code : undefined;
  const mayHelp = error.fallbackable || error.code === 'all-targets-failed' || error.code === 'no-target';
  return [error.code, ...(cause === undefined ? [] : [cause]), ...(mayHelp ? ['any'] : [])];
}

/** Why an answer is not as wanted. Only of plain ones: of a stream the caller has it already. */
async function unwanted<K extends OperationName>(
  call: Call<K>,
  reply: Reply<K>,
  table: ReadonlyMap<string, unknown>,
): Promise<readonly string[]> {
  if (reply.stream || (call.operation as string) !== 'chat') return [];
  const { response } = reply as unknown as PlainReply<'chat'>;
  const { reason } = (response as ChatResponse).finish;
  if (FINISHES.has(reason)) {
    const names = [reason, ...(SAME[reason] === undefined ? [] : [SAME[reason]])];
    if (names.some((name) => table.has(name))) return names;
  }
  if (!table.has('invalid-output')) return [];
  try {
    await outputOf(call as unknown as Call<'chat'>, response as ChatResponse);
    return [];
  } catch (error) {
    if (isGatewayError(error, 'invalid-output')) return ['invalid-output'];
    throw error;
  }
}

interface Found {
  readonly reason: string;
  readonly step: FallbackTarget;
}

function stepFor(
  table: ReadonlyMap<string, readonly FallbackTarget[]>,
  reasons: readonly string[],
  used: ReadonlySet<FallbackTarget>,
): Found | undefined {
  for (const reason of reasons) {
    const step = table.get(reason)?.find((candidate) => !used.has(candidate));
    if (step !== undefined) return { reason, step };
  }
  return undefined;
}

function edited<K extends OperationName>(call: Call<K>, { request, edit }: FallbackTarget): Call<K> {
  if ((call.operation as string) !== 'chat' || (request === undefined && edit === undefined)) return call;
  const merged = { ...(call.request as ChatRequest), ...request };
  return { ...call, request: edit === undefined ? merged : edit(merged) } as unknown as Call<K>;
}

function note(call: Call, { reason, step }: Found): void {
  const last = call.context.attempts.at(-1);
  if (last !== undefined) call.context.ledger.update(last.id, { next: `fallback to ${step.model}: ${reason}` });
}
