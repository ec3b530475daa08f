import type { Call, PlainReply } from '../core/call.ts';
import { invalidOptions, isGatewayError } from '../core/errors.ts';
import { defineMiddleware, type Explanation, type Host, type Middleware, only } from '../core/middleware.ts';
import { aFunction, aText, checkOptions } from '../core/options.ts';
import { inputTokensOf, outputTokensMaxOf, usdRange, usdRangeText } from '../core/routing/expected-cost.ts';
import { hasServerEffects } from '../core/side-effects.ts';
import { outputOf, wantsOutput } from '../core/structured-output.ts';
import { readdress } from '../core/subcall.ts';
import type { ChatRequest, ChatResponse } from '../operations/chat.ts';

export interface CascadeOptions {
  /** The alias or model asked first; calls for other names pass. */
  readonly from: string;
  /** Who is asked when the first answer will not do. */
  readonly to: string;
  /**
   * Whether the first answer will do. The answer's structured output, if one was asked for, has been checked before.
   *
   * @defaultValue it ended by itself: with `stop` or tool calls
   */
  readonly accept?: (response: ChatResponse, request: ChatRequest) => boolean | Promise<boolean>;
}

/**
 * Asks the cheap model first and the strong one only if the answer will not do: it fails the request's schema, was cut
 * off, or your own check refuses it. Both answers are paid for, and both stand in the reply's attempts and cost.
 *
 * Place it outside `cache` and `retry`. Streams pass: nobody can take back what was shown.
 *
 * @example
 * createGateway({ providers, models, use: [cascade({ from: 'cheap', to: 'smart' }), retry(), route()] })
 */
export function cascade(options: CascadeOptions): Middleware {
  checkOptions('cascade', options, { from: aText, to: aText, accept: aFunction });
  const { from, to, accept = endedByItself } = options;
  if (from === undefined || to === undefined) {
    throw invalidOptions('cascade', 'expected both from and to, like { from: "cheap", to: "smart" }.');
  }
  const around = only('chat', async function cascade(call, next) {
    if (call.stream || call.request.model !== from || hasServerEffects(call as Call)) return next(call);
    const reply = (await next(call)) as PlainReply<'chat'>;
    if (await willDo(call, reply.response, accept)) return reply;
    const last = call.context.attempts.at(-1);
    if (last !== undefined) call.context.ledger.update(last.id, { next: `cascade: ${to}` });
    return next(readdress(call, to));
  });
  let host: Host | undefined;
  return defineMiddleware(
    {
      name: 'cascade',
      start: (given: Host) => {
        host = given;
        for (const model of [from, to]) given.resolve(model, 'chat');
      },
      explain: (call) =>
        call.request.model === from && !call.stream ? secondAnswer(call, to, host) : { summary: 'passes' },
    },
    around,
  );
}

/** What the strong model would cost on top. */
function secondAnswer(call: Call, to: string, host: Host | undefined): Explanation {
  const [strong] = call.context.resolve(to, 'chat').candidates;
  const facts = strong && host?.routing.facts(strong);
  const cost = usdRange(facts, inputTokensOf(call), outputTokensMaxOf(call, facts));
  const summary = `asks ${to} if the answer will not do (${usdRangeText(cost)} more)`;
  return { summary, ...(cost !== undefined && { details: { secondAnswer: cost } }) };
}

async function willDo(
  call: Call<'chat'>,
  response: ChatResponse,
  accept: NonNullable<CascadeOptions['accept']>,
): Promise<boolean> {
  if (wantsOutput(call)) {
    try {
      await outputOf(call, response);
    } catch (error) {
      if (isGatewayError(error, 'invalid-output')) return false;
      throw error;
    }
  }
  return (await accept(response, call.request)) === true;
}

function endedByItself({ finish }: ChatResponse): boolean {
  return finish.reason === 'stop' || finish.reason === 'tool-calls';
}
