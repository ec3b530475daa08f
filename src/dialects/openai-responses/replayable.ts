import { mayReplay, stampOf } from '../../core/replay.ts';
import type { AssistantMessage, OutputPart, ReasoningPart } from '../../operations/chat-parts.ts';
import type { JsonObject } from '../../operations/shared.ts';
import { nativeOf, PROTOCOL } from './protocol.ts';

/** Native fields of a part that nobody edited since it was decoded. */
export function usableNative(part: OutputPart, message: AssistantMessage): JsonObject | undefined {
  const native = nativeOf(part);
  if (native === undefined) return undefined;
  const stamp = 'stamp' in part ? part.stamp : undefined;
  if (stamp === undefined) return native;
  return message.origin?.protocol === PROTOCOL && stamp === stampOf(part) ? native : undefined;
}

/** Whether a reasoning part still is what its provider sealed. */
export function isSealedHere(part: ReasoningPart, message: AssistantMessage): boolean {
  return part.sealed?.kind === 'encrypted' && mayReplay(part, message, PROTOCOL);
}
