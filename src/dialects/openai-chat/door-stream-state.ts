import type { ChatEvent } from '../../operations/chat-events.ts';
import type { ToolCallPart } from '../../operations/chat-parts.ts';
import type { JsonObject } from '../../operations/shared.ts';
import { mergeWire } from './hints.ts';

/** One block or call on its way out. */
export interface Block {
  /** What was written of it, so that the closing part can add what is missing. */
  sent: string;
  /** Place among the calls of its choice; -1 for what is no call. */
  readonly call: number;
  readonly custom: boolean;
}

/** What a choice has sent so far. */
export class ChoiceState {
  role = false;
  calls = 0;
  textLength = 0;
  refused = false;
  logprobs = false;
  finish: Extract<ChatEvent, { type: 'finish' }> | undefined;
  readonly blocks = new Map<number, Block>();
}

/** Fields of a call beside its own, such as the thought signature of Gemini's compat layer. */
export function extraOf(part: ToolCallPart): JsonObject | undefined {
  const fields = mergeWire<JsonObject>({}, part.native);
  return Object.keys(fields).length > 0 ? fields : undefined;
}
