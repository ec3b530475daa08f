import type { OutputPart } from '../operations/chat-parts.ts';
import type { AssistantMessage } from '../operations/chat-parts.ts';
import type { Protocol } from '../operations/shared.ts';

/**
 * A short stable hash of 64 bits as text, for stamps and minted ids, not for secrets. Two halves of four characters a
 * step: every decoded text is hashed, and one character after the other takes longer than the rest of the decoding.
 */
export function shortHash(text: string): string {
  let left = text.length ^ 0x1c9dc5;
  let right = 0x4bf29ce4;
  let at = 0;
  for (const until = text.length - 3; at < until; at += 4) {
    left = Math.imul(left ^ (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16)), 0x1e3779b1);
    left ^= left >>> 15;
    right = Math.imul(right ^ (text.charCodeAt(at + 2) | (text.charCodeAt(at + 3) << 16)), 0x5bd1e995);
    right ^= right >>> 13;
  }
  for (; at < text.length; at++) {
    left = Math.imul(left ^ text.charCodeAt(at), 0x1e3779b1);
    left ^= left >>> 15;
  }
  // Each half hears of the other.
  right = Math.imul(right ^ left, 0x5bd1e995);
  left = Math.imul(left ^ (right >>> 13) ^ right, 0x1e3779b1);
  return (left >>> 0).toString(36).padStart(7, '0') + (right >>> 0).toString(36).padStart(7, '0');
}

/** An id for what the wire gave none: the same input gives the same id, so that prompt caches survive. */
export function mintId(kind: string, seed: string): string {
  return `ptn_${kind}_${shortHash(seed)}`;
}

/** Hash of what a part means, without its carry-along data. */
export function stampOf(part: OutputPart): string {
  switch (part.type) {
    case 'text':
    case 'reasoning':
    case 'refusal':
      // The text by itself: one joined to something else is read more slowly.
      return `${part.type}-${shortHash(part.text)}`;
    case 'tool-call':
      return shortHash(`tool-call\u0000${part.id}\u0000${part.name}\u0000${JSON.stringify(part.args)}`);
    default: {
      const { native: _native, ...rest } = part as unknown as Record<string, unknown>;
      delete rest['stamp'];
      delete rest['cache'];
      return shortHash(JSON.stringify(rest));
    }
  }
}

/** Marks a decoded part that carries sealed or native data, so that encoding notices when it was edited. */
export function stamped<P extends OutputPart>(part: P): P {
  const carries = ('sealed' in part && part.sealed !== undefined) || part.native !== undefined;
  return carries ? { ...part, stamp: stampOf(part) } : part;
}

/** Whether a part's sealed and native data may go back to this protocol: made by it, and not edited since. */
export function mayReplay(part: OutputPart, message: AssistantMessage, protocol: Protocol): boolean {
  if (message.origin?.protocol !== protocol) return false;
  return !('stamp' in part) || part.stamp === undefined
    ? message.origin !== undefined && !('sealed' in part && part.sealed)
    : part.stamp === stampOf(part);
}
