import type { AssistantMessage, OutputPart } from '../operations/chat-parts.ts';
import type { JSONValue } from './json-value.ts';
import type { AiMetadata } from './specification.ts';

type Origin = AssistantMessage['origin'];

/** The AI SDK sends this back with the part on the next turn, so that signatures and sealed thoughts survive it. */
export function replayMetadata(part: OutputPart, origin: Origin): AiMetadata | undefined {
  if (part.type !== 'reasoning' && !('sealed' in part)) return undefined;
  const value = { part, ...(origin !== undefined && { origin }) };
  return { postern: value as unknown as Record<string, JSONValue | undefined> };
}

/** A part that carries what {@link replayMetadata} gave it. */
export function replayedPart(options: AiMetadata | undefined): { part: OutputPart; origin: Origin } | undefined {
  const kept = options?.['postern'];
  const part: unknown = kept?.['part'];
  if (typeof part !== 'object' || part === null || !('type' in part)) return undefined;
  // It is what we wrote ourselves one turn earlier.
  return { part: part as unknown as OutputPart, origin: kept?.['origin'] as unknown as Origin };
}
