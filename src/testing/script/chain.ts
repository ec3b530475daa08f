import type { ErrorCode } from '../../core/errors.ts';
import { invalidOptions, VERDICTS } from '../../core/errors.ts';
import type { FinishReason } from '../../operations/chat.ts';
import type { Json, Tokens } from '../../operations/shared.ts';
import {
  type AnswerInput,
  answerInput,
  type CitationInput,
  newStep,
  type ReplyFunction,
  type ReplyValue,
  type Step,
} from './answer.ts';
import type { FailureWord, Fault, FaultPosition, StatusFault } from './fault.ts';
import type { CallPattern } from './match.ts';

/** One line of a script: what it matches, and its answers in order. */
export interface Expectation {
  readonly pattern: CallPattern;
  readonly steps: Step[];
  /** Stands for every call nothing else answers, and need not be used. */
  readonly isDefault: boolean;
}

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  'invalid-request': 400,
  authentication: 401,
  permission: 403,
  'not-found': 404,
  'request-too-large': 413,
  'rate-limited': 429,
  'quota-exceeded': 429,
  overloaded: 503,
  unavailable: 500,
  timeout: 504,
  'context-too-long': 400,
  'content-filtered': 400,
};
const WORDS = new Set<string>(['dns', 'refused', 'tls', 'reset', 'hang']);

/**
 * The verbs of a script. Each adds to the answer at hand; `then` begins the next one. An answer in the middle of a
 * sequence counts once, the last one from then on; `once`, `times` and `always` say otherwise.
 */
export class Chain {
  readonly #expectation: Expectation;
  #step: Step | undefined;

  readonly #register: () => void;

  constructor(expectation: Expectation, register: () => void) {
    this.#expectation = expectation;
    this.#register = register;
  }

  /** Answers with a text, exact pieces of a text, an answer written out, or a function of the call; without one, with what the request asks for. */
  reply(value?: ReplyValue | ReplyFunction): this {
    if (typeof value === 'function') {
      this.#now().compute = value;
      return this;
    }
    return this.#add(value === undefined ? {} : answerInput(value));
  }
  /** Thinks before it answers. */
  think(text: string): this {
    return this.#add({ reasoning: text });
  }
  /** Calls a tool. Chained, it calls several at once. */
  callTool(name: string, args: Json = {}, options: { readonly id?: string } = {}): this {
    return this.#add({ toolCalls: [{ name, args, ...options }] });
  }
  refuse(text = 'I cannot help with that.'): this {
    return this.#add({ refusal: text });
  }
  /** Cites a source for the text before it. */
  cite(...citations: readonly CitationInput[]): this {
    return this.#add({ citations });
  }
  /** Answers with a value as JSON text. */
  output(value: unknown): this {
    return this.#add({ output: value });
  }
  /** Answers an embedding request with these vectors. */
  vectors(...vectors: readonly (readonly number[])[]): this {
    return this.#add({ vectors });
  }
  finish(reason: FinishReason): this {
    return this.#add({ finish: reason });
  }
  usage(tokens: Tokens): this {
    return this.#add({ usage: tokens });
  }

  /** Fails with an HTTP status, an error code, or below HTTP. */
  fail(
    failure: number | ErrorCode | FailureWord,
    options: Omit<StatusFault, 'status'> & { readonly status?: number } = {},
  ): this {
    if (typeof failure === 'number') return this.fault({ kind: 'status', ...options, status: failure });
    if (failure === 'reset' || failure === 'hang') return this.fault({ kind: failure, at: 'before-headers' });
    if (WORDS.has(failure)) return this.fault({ kind: failure as 'dns' });
    const status = options.status ?? STATUS_OF[failure as ErrorCode];
    if (status === undefined || !(failure in VERDICTS)) {
      const words = [...Object.keys(STATUS_OF), ...WORDS].join(', ');
      throw invalidOptions('fail', `no provider fails with ${failure}; say a status or one of ${words}.`);
    }
    return this.fault({ kind: 'status', ...options, status, code: failure as ErrorCode });
  }
  /** Ends the connection as if all were said. */
  cut(at: FaultPosition = { content: 1 }): this {
    return this.fault({ kind: 'cut', at });
  }
  /** Breaks the connection. */
  reset(at: FaultPosition = { content: 1 }): this {
    return this.fault({ kind: 'reset', at });
  }
  /** Falls silent. */
  hang(at: FaultPosition = { content: 1 }): this {
    return this.fault({ kind: 'hang', at });
  }
  /** Sends something that is no event. */
  junk(at: FaultPosition = { content: 1 }): this {
    return this.fault({ kind: 'junk', at });
  }
  /** Sends an error inside a 200. */
  failInside(code: ErrorCode = 'overloaded', at: FaultPosition = { content: 1 }): this {
    return this.fault({ kind: 'error', code, at });
  }
  /** Any fault, as data. Several may stand on one answer. */
  fault(...faults: readonly Fault[]): this {
    const step = this.#now();
    step.faults = [...step.faults, ...faults];
    return this;
  }

  /** Waits so long before it answers, in milliseconds. */
  delay(ms: number): this {
    this.#now().delayMs = ms;
    return this;
  }
  /** How it streams: milliseconds before each piece of content, and the most characters one has. */
  pace(options: { readonly pieceDelayMs?: number; readonly pieceLength?: number }): this {
    const step = this.#now();
    if (options.pieceDelayMs !== undefined) step.pieceDelayMs = options.pieceDelayMs;
    if (options.pieceLength !== undefined) step.pieceLength = options.pieceLength;
    return this;
  }

  once(): this {
    return this.times(1);
  }
  /** Exactly so many times. */
  times(count: number): this {
    const step = this.#now();
    step.least = count;
    step.most = count;
    return this;
  }
  /** As often as asked, also never. */
  always(): this {
    const step = this.#now();
    step.least = 0;
    step.most = Number.POSITIVE_INFINITY;
    return this;
  }
  /** The answer to the next call that matches. */
  get then(): Chain {
    // Nothing is added before its first verb: `await` looks at `then` too.
    return new Chain(this.#expectation, this.#register);
  }

  #add(part: AnswerInput): this {
    this.#now().parts.push(part);
    return this;
  }
  #now(): Step {
    if (this.#step === undefined) {
      this.#register();
      this.#expectation.steps.push((this.#step = newStep()));
    }
    return this.#step;
  }
}
