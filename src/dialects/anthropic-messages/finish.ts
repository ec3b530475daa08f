import { recordOf, stringOf } from '../../core/wire-json.ts';
import type { Finish, FinishReason } from '../../operations/chat.ts';
import { toolCallsOf } from '../../operations/chat.ts';
import type { OutputPart } from '../../operations/chat-parts.ts';
import type { Json, Warning } from '../../operations/shared.ts';
import { PROTOCOL } from './encoding.ts';

/** `StopReason` of @anthropic-ai/sdk 1.12.0, and `compaction` of its beta. */
export const STOP_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  tool_use: 'tool-calls',
  pause_turn: 'pause',
  compaction: 'pause',
  refusal: 'refusal',
  model_context_window_exceeded: 'context-length',
};

/** The stop fields of a message or of a `message_delta`. */
export interface StopFacts {
  readonly stop_reason?: unknown;
  readonly stop_sequence?: unknown;
  readonly stop_details?: unknown;
}

/** Why the model stopped. A word we do not know is `other`, never `stop`. */
export function decodeFinish(stop: StopFacts, content: readonly OutputPart[], warnings: Warning[]): Finish {
  const raw = stringOf(stop.stop_reason);
  const stopSequence = stringOf(stop.stop_sequence);
  const reason = reasonOf(raw, content, warnings);
  const details = recordOf(stop.stop_details);
  const { type: _type, category, explanation, ...rest } = details ?? {};
  const extra = Object.entries(rest).filter(([, value]) => value !== null && value !== undefined);
  return {
    reason,
    ...(raw !== undefined && { raw }),
    ...(stopSequence !== undefined && { stopSequence }),
    ...(typeof category === 'string' && { category }),
    ...(typeof explanation === 'string' && { explanation }),
    ...(extra.length > 0 && {
      native: { [PROTOCOL]: { stop_details: Object.fromEntries(extra) as Record<string, Json> } },
    }),
  };
}

function reasonOf(raw: string | undefined, content: readonly OutputPart[], warnings: Warning[]): FinishReason {
  const reason = raw === undefined ? 'other' : (STOP_REASONS[raw] ?? 'other');
  const calls = toolCallsOf({ content }).length > 0;
  if (calls && (reason === 'stop' || raw === undefined)) return 'tool-calls';
  if (reason !== 'tool-calls' || calls) return reason;
  // The stand-in tool of structured output is a call on the wire only.
  if (!content.some((part) => part.type === 'text')) {
    warnings.push({ code: 'provider', message: 'the provider stopped for tool calls but made none' });
  }
  return 'stop';
}
