import { oweAttempts } from '../../core/attempts-owed.ts';
import type { Call } from '../../core/call.ts';
import { type GatewayError, isGatewayError } from '../../core/errors.ts';
import { hasServerEffects } from '../../core/side-effects.ts';
import type { Standby } from '../../core/standby.ts';
import { passOver } from '../../core/trail.ts';
import type { Rest, RestingTargets } from './resting-targets.ts';
import { type Found, type Step, stepFor, type Table } from './table.ts';

/** Marks an attempt that was not made because its target rests. */
export const PASSED_OVER = 'fallback';

/** Where one call has been, and where it may still go. */
export class Journey implements Standby {
  readonly #call: Call;
  readonly #table: Table;
  readonly #resting: RestingTargets | undefined;
  readonly #outer: Standby | undefined;
  readonly #used = new Set<Step>();
  /** Calls whose targets rest: asked after all if nobody else helps. */
  readonly #passed: Call[] = [];
  #lastHope = false;
  /** An attempt was refused because its targets rest, since the last model was asked. */
  #refused = false;
  probing = false;

  constructor(call: Call, table: Table, resting: RestingTargets | undefined, outer: Standby | undefined) {
    this.#call = call;
    this.#table = table;
    this.#resting = resting;
    this.#outer = outer;
  }

  takesOver(error: GatewayError): boolean {
    if (stepFor(this.#table, reasonsOf(this.#call, error), this.#used) !== undefined) return true;
    return this.#outer?.takesOver(error) === true;
  }

  has(reasons: readonly string[]): boolean {
    return stepFor(this.#table, reasons, this.#used) !== undefined;
  }

  /** Whether targets that rest are passed over: only while the way leads on to some that do not. */
  passesOver(resting: readonly Rest[]): boolean {
    this.#refused = !this.#lastHope && this.#leadsOn(resting);
    return this.#refused;
  }

  #leadsOn(resting: readonly Rest[]): boolean {
    const used = new Set(this.#used);
    for (let rests: readonly Rest[] | undefined = resting; rests !== undefined; ) {
      const found = stepFor(this.#table, reasonsOfRests(rests), used);
      if (found === undefined) return false;
      used.add(found.step);
      const { candidates } = this.#call.context.resolveFor(this.#call, found.step.model);
      rests = this.#resting?.restsOf(candidates);
    }
    return true;
  }

  /** Whether it was us who kept the attempt back. */
  passedOver(error: unknown): boolean {
    return this.#refused && isGatewayError(error, 'circuit-open') && error.stage === PASSED_OVER;
  }

  /** Why a call failed, the most exact first; nothing if it is nobody else's to make good. */
  failed(current: Call, error: unknown, attemptsBefore: number): readonly string[] {
    const made = current.context.attempts.length > attemptsBefore;
    const rests = made ? undefined : this.#resting?.restsOf(current.plan.candidates);
    if (rests !== undefined) passOver(current, rests);
    if (this.passedOver(error)) {
      this.#passed.push(current);
      return reasonsOfRests(rests ?? []);
    }
    const reasons = reasonsOf(this.#call, error);
    if (made && reasons.length > 0) this.#resting?.failed(current);
    return reasons;
  }

  /** Another model is about to be asked. */
  depart(): void {
    this.#refused = false;
  }

  /** The next place for one of the reasons. */
  next(reasons: readonly string[]): Found | undefined {
    const found = stepFor(this.#table, reasons, this.#used);
    if (found !== undefined) this.#used.add(found.step);
    return found;
  }

  /** What was passed over and is all that is left. */
  back(): Call | undefined {
    const call = this.#passed.shift();
    if (call === undefined) return undefined;
    this.#lastHope = true;
    oweAttempts(call.context, call.plan);
    return call;
  }
}

function reasonsOf(call: Call, error: unknown): readonly string[] {
  if (!isGatewayError(error) || error.committed || error.fault === 'caller' || call.signal.aborted) return [];
  if (error.ambiguous && hasServerEffects(call)) return [];
  // What several targets, or several keys, come to is one error; the last of theirs is its cause.
  const cause = isGatewayError(error.cause) ? error.cause.code : undefined;
  const mayHelp = error.fallbackable || error.code === 'all-targets-failed' || error.code === 'no-target';
  return [error.code, ...(cause === undefined ? [] : [cause]), ...(mayHelp ? ['any'] : [])];
}

/** As the failure of them all would have said: the last one's code, then the others'. */
function reasonsOfRests(rests: readonly Rest[]): readonly string[] {
  const codes = rests.map(({ code }) => code).toReversed();
  return [...(rests.length > 1 ? ['all-targets-failed'] : []), ...new Set(codes), 'any'];
}
