import type { Citation, OutputPart } from '../../operations/chat-parts.ts';
import type { FinishReason } from '../../operations/chat.ts';
import type { Json, Tokens } from '../../operations/shared.ts';
import type { Fault } from './fault.ts';
import type { MockCall } from './mock-call.ts';

/** A citation as people write it: only where it leads. */
export type CitationInput = Citation | { readonly url: string; readonly title?: string; readonly quote?: string };

export interface ToolCallInput {
  readonly name: string;
  readonly args?: Json;
  readonly id?: string;
}

/** An answer written out. Everything is optional; what is left out is made up. */
export interface AnswerInput {
  /** A list of texts streams in exactly these pieces. */
  readonly text?: string | readonly string[];
  readonly reasoning?: string;
  readonly toolCalls?: readonly ToolCallInput[];
  readonly refusal?: string;
  readonly citations?: readonly CitationInput[];
  /** A value that is sent as JSON text. */
  readonly output?: unknown;
  /** Parts in normal form, after all of the above. */
  readonly content?: readonly OutputPart[];
  readonly finish?: FinishReason;
  /** Token counts by class, like `{ input: 10, cacheRead: 90, output: 5 }`. */
  readonly usage?: Tokens;
  /** The model that answered. */
  readonly model?: string;
  /** Vectors for an embedding request, in order of its inputs. */
  readonly vectors?: readonly (readonly number[])[];
}

/** What `reply` takes: text, exact pieces of text, an answer written out, or a function of the call. */
export type ReplyValue = string | readonly string[] | AnswerInput;
export type ReplyFunction = (call: MockCall) => ReplyValue | Promise<ReplyValue>;

/** One answer of a script as it was written down. */
export interface Step {
  readonly parts: AnswerInput[];
  compute?: ReplyFunction;
  faults: Fault[];
  delayMs: number;
  /** Between two pieces of a stream. */
  pieceDelayMs: number;
  /** Characters a piece of text has at most; words else. */
  pieceLength?: number;
  least?: number;
  most?: number;
  used: number;
}

export function newStep(): Step {
  return { parts: [], faults: [], delayMs: 0, pieceDelayMs: 0, used: 0 };
}

export function answerInput(value: ReplyValue): AnswerInput {
  return typeof value === 'string' || Array.isArray(value)
    ? { text: value as string | readonly string[] }
    : (value as AnswerInput);
}

/** What a step says for this call: all that was chained, then what its function gives. */
export async function resolveStep(step: Step, call: MockCall): Promise<readonly AnswerInput[]> {
  if (step.compute === undefined) return step.parts;
  return [...step.parts, answerInput(await step.compute(call))];
}
