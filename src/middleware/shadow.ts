import type { Call, Next, PlainReply } from '../core/call.ts';
import type { GatewayError } from '../core/errors.ts';
import { invalidOptions, toGatewayError } from '../core/errors.ts';
import { defineMiddleware, type Host, type Middleware } from '../core/middleware.ts';
import {
  aFunction,
  aText,
  checkOptions,
  fraction,
  milliseconds,
  type OptionRule,
  wholeNumber,
} from '../core/options.ts';
import { settle } from '../core/reply.ts';
import { hasServerEffects } from '../core/side-effects.ts';
import { subcall } from '../core/subcall.ts';
import type { ChatRequest, ChatResponse } from '../operations/chat.ts';
import { loadPrices } from '../pricing/load.ts';

export interface ShadowOptions {
  /** The alias or model that answers beside the real one, unseen. */
  readonly to: string;
  /** Only calls for this name are mirrored. @defaultValue every chat call */
  readonly for?: string;
  /** Share of the calls that are mirrored, 0 to 1. @defaultValue 0.01 */
  readonly share?: number;
  /** Most mirrored calls in an hour. @defaultValue 100 */
  readonly perHourMax?: number;
  /** Most US dollars in an hour, by rough prices; calls without a known price count only as calls. @defaultValue 1 */
  readonly usdPerHourMax?: number;
  /** Mirrored calls at once; more are left out. @defaultValue 4 */
  readonly inFlightMax?: number;
  /** Longest a mirrored call may take, in milliseconds. @defaultValue 60_000 */
  readonly timeoutMs?: number;
  /** Gets both answers, to compare. What it throws becomes a `problem` event. */
  readonly compare?: (pair: ShadowPair) => void | Promise<void>;
}
/** A request with both of its answers. */
export interface ShadowPair {
  readonly request: ChatRequest;
  readonly answer: ChatResponse;
  readonly answerMs: number;
  /** Absent if the shadow failed. */
  readonly shadow?: ChatResponse;
  readonly shadowMs: number;
  readonly error?: GatewayError;
}

const HOUR_MS = 3_600_000;
const amount: OptionRule = (value) =>
  typeof value === 'number' && value >= 0 ? undefined : 'expected US dollars of at least 0';

/**
 * Sends a copy of some calls to another model after they were answered, and throws its answer away: to see how it would
 * do before anybody depends on it. The caller neither waits for it nor notices when it fails; spend is bounded.
 *
 * Place it inside `redact` and outside `cache`, so that a mirrored call is not answered by the real one's answer.
 *
 * @example
 * createGateway({ providers, models, use: [shadow({ to: 'next', share: 0.05, compare: save }), retry(), route()] })
 */
export function shadow(options: ShadowOptions): Middleware {
  checkOptions('shadow', options, {
    to: aText,
    for: aText,
    share: fraction,
    perHourMax: wholeNumber(0),
    usdPerHourMax: amount,
    inFlightMax: wholeNumber(1),
    timeoutMs: milliseconds,
    compare: aFunction,
  });
  const { to, for: asked, share = 0.01, perHourMax = 100, usdPerHourMax = 1, inFlightMax = 4 } = options;
  if (to === undefined) throw invalidOptions('shadow.to', 'expected the model that answers unseen.');
  let hour = { beganAt: 0, calls: 0, usd: 0 };
  let flying = 0;
  const mayMirror = (call: Call): boolean => {
    if (call.operation !== 'chat' || (asked !== undefined && call.request.model !== asked)) return false;
    // Drawn first, so that the numbers drawn do not depend on how full the hour is.
    if (call.context.random() >= share || hasServerEffects(call)) return false;
    const now = call.context.clock.monotonic();
    if (now - hour.beganAt >= HOUR_MS) hour = { beganAt: now, calls: 0, usd: 0 };
    return hour.calls < perHourMax && hour.usd < usdPerHourMax && flying < inFlightMax;
  };
  return defineMiddleware(
    {
      name: 'shadow',
      start: ({ resolve }: Host) => void resolve(to, 'chat'),
      explain: () => ({ summary: `${share * 100} % of the calls are mirrored to ${to}, ${hour.calls} this hour` }),
    },
    async function shadow(call, next) {
      if (!mayMirror(call as Call)) return next(call);
      hour.calls++;
      flying++;
      const { context, operation } = call;
      const began = context.clock.monotonic();
      return settle(next(call), operation, (outcome) => {
        if (outcome.status !== 'completed') {
          flying--;
          return;
        }
        const answer = outcome.response as ChatResponse;
        const answerMs = context.clock.monotonic() - began;
        const work = mirror(call as Call<'chat'>, next, options).then(async (seen) => {
          const { usd, ...about } = seen;
          hour.usd += usd;
          await options.compare?.({ request: call.request as ChatRequest, answer, answerMs, ...about });
        });
        context.waitUntil(work.finally(() => flying--));
      });
    },
  );
}

type Mirrored = Pick<ShadowPair, 'shadow' | 'shadowMs' | 'error'> & { readonly usd: number };

/** A plain call of its own: it outlives the caller's signal and deadline, never its own time. */
async function mirror(call: Call<'chat'>, next: Next, { to, timeoutMs = 60_000 }: ShadowOptions): Promise<Mirrored> {
  const { clock } = call.context;
  const began = clock.monotonic();
  const controller = new AbortController();
  const timer =
    timeoutMs === 0 ? undefined : clock.after(timeoutMs, () => controller.abort(new Error('shadow timeout')));
  try {
    const child = subcall(call as Call, 'chat', { ...call.request, model: to }, { purpose: 'shadow', model: to });
    const { deadline: _deadline, ...rest } = child;
    const reply = (await next({ ...rest, signal: controller.signal })) as PlainReply<'chat'>;
    const shadowMs = clock.monotonic() - began;
    return { shadow: reply.response, shadowMs, usd: await usdOf(child, reply) };
  } catch (thrown) {
    return { error: toGatewayError(thrown, 'shadow'), shadowMs: clock.monotonic() - began, usd: 0 };
  } finally {
    timer?.cancel();
  }
}

/** By the price the configuration names, else by the price list; 0 where neither knows it. */
async function usdOf(child: Call<'chat'>, { target, response }: PlainReply<'chat'>): Promise<number> {
  const { usage } = response;
  const candidate = child.plan.candidates.find((one) => one.provider === target.provider && one.model === target.model);
  const price = candidate?.facts?.price;
  if (price !== undefined) return (usage.input * price.input + usage.output * price.output) / 1e6;
  const cost = (await loadPrices()).costOf(usage, { provider: target.provider, model: target.model });
  return Number(cost.nanoUsd ?? 0n) / 1e9;
}
