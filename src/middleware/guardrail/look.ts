import { askModel } from '../../core/ask-model.ts';
import type { Call, Next, Scope } from '../../core/call.ts';
import { abortedError, GatewayError, toGatewayError } from '../../core/errors.ts';
import type { RewriteSlot } from '../../core/rewrite-text.ts';
import { linkedController, raceSignal } from '../../core/signals.ts';
import type { OperationName, Operations } from '../../operations/index.ts';
import type { TextSlot } from '../../operations/traits.ts';

/** What a guard looks at: a request before it is sent, or an answer before the caller has it. */
export interface GuardContent {
  readonly direction: 'request' | 'response';
  /** Every text a person or a model wrote in it, in order, and where it stands. */
  readonly texts: readonly GuardText[];
  /** False for an answer that is still arriving. */
  readonly complete: boolean;
  readonly operation: OperationName;
  readonly request: Operations[OperationName]['request'];
  /** The answer so far; absent while the request is looked at. */
  readonly response?: Operations[OperationName]['response'];
}
export type GuardText = { readonly text: string } & Pick<TextSlot, 'kind' | 'path'>;

export interface GuardContext {
  readonly scope: Scope;
  /** Aborts when the call does, or when the look has taken too long. */
  readonly signal: AbortSignal;
  /** Asks a model behind this gateway and gives its text; metered with the call, as `guardrail`. */
  ask(question: { readonly model: string; readonly prompt: string; readonly system?: string }): Promise<string>;
}

/** Nothing lets it pass. The words of `block` and `flag` stand in errors and events: say why, do not quote the text. */
export type Verdict =
  | { readonly block: string }
  | { readonly flag: string }
  | { readonly rewrite: (text: string, slot: RewriteSlot) => string }
  | undefined
  | void;

export type GuardCheck = (content: GuardContent, context: GuardContext) => Verdict | Promise<Verdict>;
export interface Guard {
  /** How errors and events call it. */
  readonly name: string;
  readonly check: GuardCheck;
  /** Models it asks: an unknown one is found when the gateway is made. */
  readonly models?: readonly string[];
}

export interface LookRules {
  readonly enforced: boolean;
  readonly timeoutMs: number;
  readonly onFailure: 'block' | 'pass';
}

export type Rewrite = (text: string, slot: RewriteSlot) => string;

/**
 * Asks all guards at once, and gives how the texts are to be rewritten, in the order of the guards.
 *
 * @throws GatewayError `guardrail-blocked` if one of them says no, or fails where failures block.
 */
export async function look(
  call: Call,
  next: Next,
  guards: readonly Guard[],
  content: GuardContent,
  rules: LookRules,
): Promise<Rewrite | undefined> {
  const controller = linkedController(call.signal);
  const late = (): void =>
    controller.abort(new GatewayError('timeout', `It took longer than ${rules.timeoutMs} ms (guardrail.timeoutMs).`));
  const timer = rules.timeoutMs === 0 ? undefined : call.context.clock.after(rules.timeoutMs, late, { holds: true });
  const context: GuardContext = {
    scope: call.scope,
    signal: controller.signal,
    ask: (question) => askModel(call, next, { ...question, purpose: 'guardrail', signal: controller.signal }),
  };
  try {
    const verdicts = await Promise.all(guards.map((guard) => verdictOf(guard, call, content, context)));
    return enforce(guards, verdicts, call, content, rules);
  } finally {
    timer?.cancel();
    controller.unlink();
  }
}

type Said = Exclude<Verdict, void> | undefined;
type Judged = Said | { readonly failed: GatewayError };

async function verdictOf(guard: Guard, call: Call, content: GuardContent, context: GuardContext): Promise<Judged> {
  try {
    const answer = guard.check(content, context);
    const verdict = answer instanceof Promise ? await raceSignal(answer, context.signal) : answer;
    return checkedVerdict(verdict ?? undefined);
  } catch (thrown) {
    if (call.signal.aborted) throw abortedError(call.signal.reason);
    return { failed: toGatewayError(thrown, `guard ${guard.name}`) };
  }
}

/** A guard that says what nobody understands has not said yes. */
function checkedVerdict(verdict: Said): Said {
  if (verdict === undefined) return undefined;
  if (typeof verdict === 'object') {
    if ('block' in verdict && typeof verdict.block === 'string') return verdict;
    if ('flag' in verdict && typeof verdict.flag === 'string') return verdict;
    if ('rewrite' in verdict && typeof verdict.rewrite === 'function') return verdict;
  }
  throw new TypeError('It gave no verdict: expected nothing, { block }, { flag } or { rewrite }.');
}

function enforce(
  guards: readonly Guard[],
  verdicts: readonly Judged[],
  call: Call,
  { direction }: GuardContent,
  { enforced, onFailure }: LookRules,
): Rewrite | undefined {
  const { emit } = call.context;
  const rewrites: Rewrite[] = [];
  let blocked: GatewayError | undefined;
  for (const [index, verdict] of verdicts.entries()) {
    const { name } = guards[index] as Guard;
    if (verdict === undefined) continue;
    const told = { callId: call.id, direction, guard: name, enforced };
    if ('failed' in verdict) {
      const error = verdict.failed;
      emit('guardrail', {
        ...told,
        enforced: enforced && onFailure === 'block',
        verdict: 'failed',
        reason: error.code,
      });
      emit('problem', { stage: `guardrail ${name}`, code: error.code, error });
      if (onFailure === 'block') blocked ??= refusal(call, `${name} could not look at the ${direction}`, error);
    } else if ('block' in verdict) {
      emit('guardrail', { ...told, verdict: 'block', reason: verdict.block });
      blocked ??= refusal(call, `${name} blocked the ${direction}: ${verdict.block}`);
    } else if ('flag' in verdict) {
      emit('guardrail', { ...told, verdict: 'flag', reason: verdict.flag });
    } else {
      emit('guardrail', { ...told, verdict: 'rewrite' });
      rewrites.push(verdict.rewrite);
    }
  }
  if (!enforced) return undefined;
  if (blocked !== undefined) throw blocked;
  if (rewrites.length === 0) return undefined;
  return (text, slot) => rewrites.reduce((rewritten, rewrite) => rewrite(rewritten, slot), text);
}

function refusal(call: Call, what: string, cause?: GatewayError): GatewayError {
  const why = cause === undefined ? '' : '; what cannot be looked at does not pass (guardrail.onFailure)';
  const { attempts } = call.context;
  return new GatewayError('guardrail-blocked', `${what}${why}.`, {
    stage: 'guardrail',
    attempts: [...attempts],
    ...(cause !== undefined && { cause }),
  });
}
