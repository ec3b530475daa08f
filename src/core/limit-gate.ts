import type { OperationName } from '../operations/index.ts';
import type { Call, Candidate, Next, Reply } from './call.ts';
import { abortedError, type ErrorCode, GatewayError, isGatewayError } from './errors.ts';
import { LimitQueue } from './limit-queue.ts';
import type { Refusal } from './limit-refusal.ts';
import { Reservation } from './limit-reservation.ts';
import type { CallState, Limiter } from './limiter.ts';
import { outputCap } from './output-cap.ts';
import { transform } from './reply.ts';
import { readdress } from './subcall.ts';

export interface LimitGateOptions {
  readonly limiter: Limiter;
  readonly code: ErrorCode;
  readonly queue: LimitQueue<Refusal>;
  readonly onExhausted: 'deny' | 'wait' | { readonly model: string };
  readonly waitMsMax: number;
}

/** How often a call that waits for what others hold looks again, in milliseconds: another process may have ended. */
const POLL_MS = 100;

/** One call on its way through the limits: held for, sent to a cheaper model, queued, or refused. */
export class LimitGate<K extends OperationName> {
  readonly #options: LimitGateOptions;
  readonly #next: Next;
  readonly #state: CallState;
  #call: Call<K>;
  #moved = false;
  #ticket: number | undefined;
  #queuedAt = 0;

  constructor(options: LimitGateOptions, call: Call<K>, next: Next, state: CallState) {
    this.#options = options;
    this.#call = call;
    this.#next = next;
    this.#state = state;
  }

  async pass(): Promise<Reply<K>> {
    let refusal = this.#behindOthers() ?? (await this.#admit());
    for (;;) {
      if (refusal !== undefined) {
        await this.#react(refusal);
        refusal = await this.#admit();
        continue;
      }
      if (this.#downgraded()) {
        refusal = await this.#admit();
        continue;
      }
      this.#state.refusal = undefined;
      try {
        return this.#capped(await this.#next(this.#call));
      } catch (error) {
        refusal = this.#ownRefusal(error);
        if (refusal === undefined || this.#call.context.attemptsLeft() === 0) throw error;
        await this.#react(refusal, error);
        refusal = await this.#admit();
      }
    }
  }

  /** Holds room at the first candidate that can be paid for; says why if there is none. */
  async #admit(): Promise<Refusal | undefined> {
    const { limiter } = this.#options;
    const call = this.#call as unknown as Call;
    limiter.giveBack(this.#state);
    let soonest: Refusal | undefined;
    let failure: unknown;
    for (const target of this.#candidates()) {
      try {
        const answer = limiter.reserve(call, target);
        const made = answer instanceof Promise ? await answer : answer;
        if (made === undefined) return undefined;
        if (made instanceof Reservation) {
          this.#state.ready = made;
          if (this.#ticket !== undefined) this.#options.queue.wake(made.facts.applied.map(({ shape }) => shape.key));
          return undefined;
        }
        if (soonest === undefined || waitOf(made) < waitOf(soonest)) soonest = made;
        if (!made.elsewhere) return made;
      } catch (error) {
        if (!isGatewayError(error) || !error.fallbackable) throw error;
        failure ??= error;
      }
    }
    if (soonest === undefined && failure !== undefined) throw failure;
    return soonest;
  }

  #candidates(): readonly Candidate[] {
    const { target, plan } = this.#call;
    if (target !== undefined) return [target];
    const health = this.#options.limiter.host?.health;
    const open = plan.candidates.filter(({ id }) => (health?.waitMs(id) ?? 0) === 0);
    return open.length > 0 ? open : plan.candidates;
  }

  /** Nobody overtakes those who wait already and are as important. */
  #behindOthers(): Refusal | undefined {
    const { queue, limiter, onExhausted } = this.#options;
    const [target] = this.#candidates();
    if (onExhausted !== 'wait' || queue.size === 0 || target === undefined) return undefined;
    for (const { shape } of limiter.limitsAt(this.#call as unknown as Call, target).applied) {
      const why = queue.ahead(shape.key, this.#call.priority);
      if (why !== undefined) return why;
    }
    return queue.ahead(`provider ${target.id}`, this.#call.priority);
  }

  /** Past a rule's threshold the call goes to its cheaper model, once. */
  #downgraded(): boolean {
    const { ready } = this.#state;
    if (ready === undefined) return false;
    for (const [index, { rule }] of ready.facts.applied.entries()) {
      const state = ready.states[index];
      if (rule.downgrade === undefined || state === undefined) continue;
      if (state.used >= rule.downgrade.at * state.maximum && this.#move(rule.downgrade.model, rule.name, state))
        return true;
    }
    return false;
  }

  #move(model: string, name: string, state: Refusal['denial'] | Reservation['states'][number]): boolean {
    const call = this.#call as unknown as Call;
    if (this.#moved || call.operation !== 'chat' || call.target !== undefined) return false;
    this.#moved = true;
    const moved = readdress(this.#call, model);
    const [first] = moved.plan.candidates;
    if (first === undefined || first.id === call.plan.candidates[0]?.id) return false;
    this.#call = moved;
    this.#options.limiter.emit('downgraded', state, call.scope, { name, callId: call.id, reason: model });
    return true;
  }

  /** Does what is to be done about a refusal, or throws it. */
  async #react(refusal: Refusal, thrown?: unknown): Promise<void> {
    const { onExhausted, limiter } = this.#options;
    const { denial } = refusal;
    const rule = limiter.rule(denial.name);
    const model = rule?.downgrade?.model ?? (typeof onExhausted === 'object' ? onExhausted.model : undefined);
    if (model !== undefined && this.#move(model, denial.name, denial)) return;
    const call = this.#call as unknown as Call;
    if (onExhausted === 'wait') await this.#wait(refusal);
    else throw thrown ?? limiter.refuse(call, refusal);
  }

  async #wait(refusal: Refusal): Promise<void> {
    const { queue, limiter, waitMsMax } = this.#options;
    const call = this.#call as unknown as Call;
    const { clock } = call.context;
    const { denial } = refusal;
    const isNew = this.#ticket === undefined;
    if (isNew) this.#queuedAt = clock.monotonic();
    const end = Math.min(this.#queuedAt + waitMsMax, call.deadline ?? Number.POSITIVE_INFINITY);
    const comes =
      denial.blockedBy === 'held' || (denial.retryAfterMs ?? Number.POSITIVE_INFINITY) <= end - clock.monotonic();
    if (denial.blockedBy === 'size' || !comes || (isNew && !queue.makeRoom(call.priority))) {
      throw limiter.refuse(call, refusal, isNew ? undefined : clock.monotonic() - this.#queuedAt);
    }
    this.#ticket ??= queue.ticket(call.priority);
    if (isNew) limiter.emit('queued', denial, call.scope, { name: denial.name, callId: call.id });
    let first = false;
    while (!first) {
      const left = end - clock.monotonic();
      if (left <= 0) throw limiter.refuse(call, refusal, clock.monotonic() - this.#queuedAt);
      const step = denial.blockedBy === 'used' ? (denial.retryAfterMs ?? POLL_MS) : POLL_MS;
      const ms = Math.max(1, Math.min(left, step));
      const { signal } = call;
      const how = await queue.wait(denial.key, this.#ticket, refusal, ms, clock, signal).catch((reason: unknown) => {
        throw abortedError(reason);
      });
      if (how === 'displaced') throw limiter.refuse(call, refusal, clock.monotonic() - this.#queuedAt);
      first = queue.isFirst(denial.key, this.#ticket);
    }
  }

  /** Whether an error is an attempt face's refusal of this very limiter. */
  #ownRefusal(error: unknown): Refusal | undefined {
    const { refusal } = this.#state;
    if (refusal === undefined || !isGatewayError(error, this.#options.code) || error.source !== 'gateway')
      return undefined;
    return error.limit?.name === refusal.denial.name && !error.committed ? refusal : undefined;
  }

  #capped(reply: Reply<K>): Reply<K> {
    if (!reply.stream || reply.cached !== undefined || (reply.operation as string) !== 'chat') return reply;
    const reservation = [...this.#state.running].findLast((one) => one.measuresOutput && !one.ended);
    if (reservation === undefined) return reply;
    const layer = outputCap(reservation, () => cutError(this.#options.code, reservation));
    // A chat stream has chat events: the operation was checked above.
    return transform(reply, () => layer as never);
  }
}

function waitOf({ denial }: Refusal): number {
  return denial.retryAfterMs ?? Number.POSITIVE_INFINITY;
}

function cutError(code: ErrorCode, reservation: Reservation): GatewayError {
  const { denial, facts, states } = reservation;
  const name = denial?.name ?? facts.applied.at(-1)?.rule.name ?? '';
  const state = denial ?? states.at(-1);
  const said = `The answer was cut at ${reservation.outputMax} tokens, where the limit "${name}" ends; set maxTokens or raise it.`;
  return new GatewayError(code, said, {
    fault: 'gateway',
    retryable: false,
    fallbackable: false,
    committed: true,
    stage: 'stream',
    ...(state !== undefined && { limit: { name, maximum: state.maximum, actual: state.used + state.held } }),
    ...(denial?.retryAfterMs !== undefined && { retryAfterMs: denial.retryAfterMs }),
  });
}
