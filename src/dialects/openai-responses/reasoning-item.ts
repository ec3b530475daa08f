import type { AssistantMessage, ReasoningPart } from '../../operations/chat-parts.ts';
import type { Json } from '../../operations/shared.ts';
import type { AssistantOptions } from './assistant.ts';
import { REASONING_JOINT } from './items.ts';
import { isMinted, PROTOCOL, type Written } from './protocol.ts';
import { isSealedHere, usableNative } from './replayable.ts';

/**
 * Thinking of an earlier turn. Sealed data goes back with its id; a stored item by its id; open text of a server
 * that sends it in the clear, as such. Anything else would be a 404 or a leak, and is left out.
 */
export function reasoningItem(
  part: ReasoningPart,
  message: AssistantMessage,
  path: string,
  options: Pick<AssistantOptions, 'losses' | 'keepIds'>,
): Written | undefined {
  const sealed = isSealedHere(part, message);
  const here = message.origin?.protocol === PROTOCOL;
  const untouched = sealed || (here && (part.native === undefined || usableNative(part, message) !== undefined));
  const stored =
    untouched && part.sealed === undefined && options.keepIds && part.id !== undefined && !isMinted(part.id);
  const open = untouched && part.sealed === undefined && part.form === 'full';
  if (!sealed && !stored && !open) {
    const why = here ? 'it was edited, or came without encrypted content' : 'it belongs to another protocol';
    options.losses.note('dropped-replay', 'reasoning', `reasoning cannot be sent back: ${why}.`, path);
    return undefined;
  }
  return replayed(part, sealed);
}

/** The item of a reasoning part of this protocol. */
export function replayed(part: ReasoningPart, sealed: boolean): Written {
  const { lengths, ...rest } = (part.native?.[PROTOCOL] ?? {}) as Record<string, Json>;
  const texts = segments(part.text, Array.isArray(lengths) ? (lengths as number[]) : undefined);
  const full = part.form === 'full';
  return {
    type: 'reasoning',
    ...(part.id !== undefined && !isMinted(part.id) && { id: part.id }),
    summary: full ? [] : texts.map((text) => ({ type: 'summary_text', text })),
    ...(full && { content: texts.map((text) => ({ type: 'reasoning_text', text })) }),
    ...(sealed && part.sealed !== undefined && { encrypted_content: part.sealed.value }),
    ...rest,
  };
}

/** The text parted again where it was joined. */
export function segments(text: string, lengths: readonly number[] | undefined): string[] {
  if (text === '') return [];
  if (lengths === undefined) return [text];
  const parts: string[] = [];
  let at = 0;
  for (const length of lengths) {
    parts.push(text.slice(at, at + length));
    at += length + REASONING_JOINT.length;
  }
  return parts;
}
