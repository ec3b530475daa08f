import type { Call, Candidate, Next, PlainReply, Reply } from '../../core/call.ts';
import { isGatewayError, toGatewayError } from '../../core/errors.ts';
import { elsewhereKey } from '../../core/last-resort.ts';
import type { Host } from '../../core/middleware.ts';
import { withLargerWindow } from '../../core/routing/larger-window.ts';
import { discard } from '../../core/reply.ts';
import { outdatedKey, wordlessKey } from '../../core/standby.ts';
import { outputOf } from '../../core/structured-output.ts';
import { readdress } from '../../core/subcall.ts';
import { passOver, placeOf } from '../../core/trail.ts';
import type { ChatRequest, ChatResponse } from '../../operations/chat.ts';
import type { OperationName } from '../../operations/index.ts';
import type { Journey } from './journey.ts';
import { FINISHES, type Step, type Table } from './table.ts';

/** What a call is told whose targets are all at rest. */
const AT_REST = ['circuit-open', 'any'];
/** Error codes that say the same as a finish. */
const SAME: Readonly<Record<string, string>> = {
  'content-filter': 'content-filtered',
  'context-length': 'context-too-long',
};
/** Reasons that do not say what happened. */
const VAGUE = new Set(['all-targets-failed', 'any']);
/** Reasons for which only a larger context window helps, unless the step changes the request. */
const TOO_LONG = new Set(['context-too-long', 'context-length']);

export interface Travel {
  readonly journey: Journey;
  readonly table: Table;
  readonly host: Host | undefined;
  /** Whether somebody further out leads on, too. */
  readonly elsewhere: boolean;
}

/** Asks one model after the other, until one answers as wanted or nothing is left. */
export async function travelled<K extends OperationName>(call: Call<K>, next: Next, travel: Travel): Promise<Reply<K>> {
  const { journey, table, elsewhere } = travel;
  let current = call;
  let answer: Reply<K> | undefined;
  let failure: { readonly error: unknown; readonly made: boolean } | undefined;
  for (;;) {
    let why: readonly string[];
    const before = call.context.attempts.length;
    journey.depart();
    call.context.set(wordlessKey, undefined);
    // While there is somewhere to go, a target at rest need not be tried for want of another.
    call.context.set(elsewhereKey, elsewhere || journey.has(AT_REST));
    try {
      const reply = await next(current);
      why = await unwanted(current, reply, table);
      if (why.length === 0) {
        if (answer !== undefined) discard(answer as Reply);
        return reply;
      }
      if (answer === undefined) answer = reply;
      else discard(reply as Reply);
    } catch (error) {
      why = journey.failed(current as Call, error, before);
      const made = !journey.passedOver(error);
      if (failure === undefined || (made && !failure.made)) failure = { error, made };
    }
    const asked = call.context.attempts.length > before;
    const onward = call.signal.aborted
      ? undefined
      : (ahead(call, current, why, asked, travel) ?? (answer === undefined ? back(call, why, journey) : undefined));
    if (onward === undefined) break;
    current = onward;
  }
  // An answer that is only not as wanted is better than a failure.
  if (answer !== undefined) return answer;
  throw failure?.error;
}

/** The call on the next model named for a reason that can serve it. */
function ahead<K extends OperationName>(
  call: Call<K>,
  current: Call<K>,
  why: readonly string[],
  asked: boolean,
  { journey, host }: Travel,
): Call<K> | undefined {
  for (;;) {
    const found = journey.next(why);
    if (found === undefined) return undefined;
    const { reason, step } = found;
    const moved = readdress(edited(call, step), step.model);
    const changed = moved.request !== call.request;
    const larger = TOO_LONG.has(reason) && !changed;
    const plan = larger ? withLargerWindow(moved.plan, tooSmall(current), host?.routing.facts) : moved.plan;
    if (plan.candidates.length > 0) {
      if (changed) call.context.set(outdatedKey, call.context.attempts.length);
      const told = reason === 'any' ? (why.find((one) => !VAGUE.has(one)) ?? reason) : reason;
      if (asked) note(call, `fallback to ${step.model}: ${told}`);
      const from = current.plan.alias ?? placeOf(current.plan.candidates[0] ?? { provider: '?', model: '?' });
      call.context.emit('fallback', { callId: call.id, from, to: step.model, reason: told, passedOver: !asked });
      return { ...moved, plan };
    }
    passOver(
      call as Call,
      plan.losers.map(({ target, reason: why_ }) => ({ target, reason: why_, waitMs: 0 })),
    );
  }
}

/** What was passed over, when nothing else helped. */
function back<K extends OperationName>(call: Call<K>, why: readonly string[], journey: Journey): Call<K> | undefined {
  const passed = why.length === 0 ? undefined : journey.back();
  if (passed !== undefined) note(call, 'back to what was passed over: nothing else is left');
  return passed as unknown as Call<K> | undefined;
}

/** Candidates whose window was too small; where nothing was asked, all of them. */
function tooSmall({ plan, context }: Pick<Call, 'plan' | 'context'>): readonly Candidate[] {
  const asked = plan.candidates.filter(({ id }) => context.attempts.some(({ targetId }) => targetId === id));
  return asked.length > 0 ? asked : plan.candidates;
}

/** Why an answer is not as wanted. Of streams only those without a word: of others the caller has it already. */
async function unwanted<K extends OperationName>(
  call: Call<K>,
  reply: Reply<K>,
  table: Table,
): Promise<readonly string[]> {
  if ((call.operation as string) !== 'chat') return [];
  if (reply.stream) return unwantedFinish(call.context.get(wordlessKey), table);
  const { response } = reply as unknown as PlainReply<'chat'>;
  const names = unwantedFinish((response as ChatResponse).finish.reason, table);
  if (names.length > 0) return names;
  if (!table.has('invalid-output')) return [];
  try {
    await outputOf(call as unknown as Call<'chat'>, response as ChatResponse);
    return [];
  } catch (error) {
    if (isGatewayError(error, 'invalid-output')) return ['invalid-output'];
    throw error;
  }
}

function unwantedFinish(finish: string | undefined, table: Table): readonly string[] {
  if (finish === undefined || !FINISHES.has(finish)) return [];
  const names = [finish, ...(SAME[finish] === undefined ? [] : [SAME[finish]])];
  return names.some((name) => table.has(name)) ? names : [];
}

function edited<K extends OperationName>(call: Call<K>, { request, edit }: Step): Call<K> {
  if ((call.operation as string) !== 'chat' || (request === undefined && edit === undefined)) return call;
  const merged = { ...(call.request as ChatRequest), ...request };
  return { ...call, request: edit === undefined ? merged : editedBy(edit, merged) } as unknown as Call<K>;
}

function editedBy(edit: NonNullable<Step['edit']>, request: ChatRequest): ChatRequest {
  try {
    return edit(request);
  } catch (thrown) {
    throw toGatewayError(thrown, 'The edit of a fallback');
  }
}

function note({ context }: Pick<Call, 'context'>, next: string): void {
  const last = context.attempts.at(-1);
  if (last !== undefined) context.ledger.update(last.id, { next });
}
