import { GatewayError } from '../../core/errors.ts';
import { resolveStep, type AnswerInput, type ReplyFunction, type ReplyValue, type Step } from './answer.ts';
import { Chain, type Expectation } from './chain.ts';
import type { Fault } from './fault.ts';
import { type CallMatcher, describePattern, mismatches, patternOf } from './match.ts';
import { isChat, type MockCall } from './mock-call.ts';
import { idMaker, seededRandom } from './random.ts';

/** What a script says to one call. */
export interface Taken {
  readonly parts: readonly AnswerInput[];
  /** Faults that strike this time: those with a probability were drawn for. */
  readonly faults: readonly Fault[];
  readonly delayMs: number;
  readonly pieceDelayMs: number;
  readonly pieceLength?: number;
}

const NOTHING: Taken = { parts: [], faults: [], delayMs: 0, pieceDelayMs: 0 };

/** A script and what happened to it. One script may stand behind many providers, clients and servers. */
export class Script {
  readonly #name: string;
  readonly #seed: number;
  #expectations: Expectation[] = [];
  #unmatched: string[] = [];
  #calls: MockCall[] = [];
  #arrived = 0;
  #random: () => number;
  newId: (prefix: string) => string;

  constructor(name: string, seed: number) {
    this.#name = name;
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.newId = idMaker(seed);
  }

  get calls(): readonly MockCall[] {
    return this.#calls;
  }
  get arrived(): number {
    return this.#arrived;
  }

  on(matcher: CallMatcher): Chain {
    return this.#expect({ pattern: patternOf(matcher), steps: [], isDefault: false });
  }
  otherwise(value?: ReplyValue | ReplyFunction): Chain {
    return this.#expect({ pattern: {}, steps: [], isDefault: true }).reply(value);
  }
  anything(): Chain {
    return this.#expect({ pattern: {}, steps: [], isDefault: true });
  }

  /** The number of the call that arrives now. */
  nextNumber(): number {
    return ++this.#arrived;
  }

  /** Notes the call and finds what to say. @throws GatewayError `invalid-request` listing the near misses. */
  async take(call: MockCall): Promise<Taken> {
    this.#calls.push(call);
    const misses: string[] = [];
    const inOrder = [...this.#expectations].sort((one, other) => Number(one.isDefault) - Number(other.isDefault));
    for (const expectation of inOrder) {
      const reasons = mismatches(expectation.pattern, call);
      const step = reasons.length > 0 ? undefined : openStep(expectation);
      if (step !== undefined) return this.#play(step, call);
      const used = expectation.steps.reduce((sum, { used: times }) => sum + times, 0);
      const why = reasons.length > 0 ? reasons.join('; ') : `used up after ${used}`;
      misses.push(`on ${describePattern(expectation.pattern)}: ${why}`);
    }
    const unscripted = !this.#expectations.some(({ pattern }) => (pattern.operation ?? 'chat') === 'chat');
    // An answer that the request itself describes needs no script.
    if (!isChat(call) || (unscripted && call.request.output?.type === 'schema')) return NOTHING;
    throw this.#unanswered(call, misses);
  }

  /** Fails if an expectation was not used as often as it says, or a call found no answer. */
  done(): void {
    const unused = this.#expectations.flatMap((expectation) =>
      expectation.steps.flatMap((step, index) => this.#missing(expectation, step, index)),
    );
    if (unused.length === 0 && this.#unmatched.length === 0) return;
    const lines = [
      ...unused.map((line) => `  unused: ${line}`),
      ...this.#unmatched.map((line) => `  unanswered: ${line}`),
    ];
    throw new Error(`${this.#name} is not done:\n${lines.join('\n')}`);
  }

  /** Forgets calls, expectations and ids. */
  reset(): void {
    this.#expectations = [];
    this.#unmatched = [];
    this.#calls = [];
    this.#arrived = 0;
    this.#random = seededRandom(this.#seed);
    this.newId = idMaker(this.#seed);
  }

  #expect(expectation: Expectation): Chain {
    // Not before its first verb: only looking at a mock adds nothing to its script.
    return new Chain(expectation, () => {
      if (!this.#expectations.includes(expectation)) this.#expectations.push(expectation);
    });
  }

  async #play(step: Step, call: MockCall): Promise<Taken> {
    step.used++;
    const faults = step.faults.filter(({ probability }) => probability === undefined || this.#random() < probability);
    const parts = await resolveStep(step, call);
    const { delayMs, pieceDelayMs, pieceLength } = step;
    return { parts, faults, delayMs, pieceDelayMs, ...(pieceLength !== undefined && { pieceLength }) };
  }

  #missing(expectation: Expectation, step: Step, index: number): string[] {
    const least = step.least ?? (expectation.isDefault ? 0 : 1);
    if (step.used >= least) return [];
    const which = expectation.steps.length > 1 ? `, answer ${index + 1} of ${expectation.steps.length}` : '';
    return [`on ${describePattern(expectation.pattern)}${which}: used ${step.used} of ${least}`];
  }

  #unanswered(call: MockCall, misses: readonly string[]): GatewayError {
    const what = `${this.#name} has no answer for ${call.operation} call ${call.number} to ${call.provider}/${call.model}`;
    this.#unmatched.push(`${call.operation} call ${call.number} to ${call.provider}/${call.model}`);
    const near = misses.length === 0 ? ['nothing is scripted; begin with mock.reply("...")'] : misses;
    // Messages are one short line; the whole list is in the cause, which test runners print.
    const cause = new Error(`${what}.\n${near.map((line) => `  - ${line}`).join('\n')}`);
    return new GatewayError('invalid-request', `${what}. Nearest: ${near.join(' | ')}`, { cause, stage: 'mock' });
  }
}

function openStep({ steps }: Expectation): Step | undefined {
  return steps.find((step, index) => {
    const most = step.most ?? (index === steps.length - 1 ? Number.POSITIVE_INFINITY : 1);
    return step.used < most;
  });
}
