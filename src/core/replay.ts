import type { OutputPart } from '../operations/chat-parts.ts';
import type { AssistantMessage } from '../operations/chat-parts.ts';
import type { Protocol } from '../operations/shared.ts';

/** A short stable hash (FNV-1a, 64 bits in two halves) as text. For stamps and minted ids, not for secrets. */
export function shortHash(text: string): string {
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x01000197) ^ (low >>> 15);
  }
  return (low >>> 0).toString(36).padStart(7, '0') + (high >>> 0).toString(36).padStart(7, '0');
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
      return shortHash(`${part.type}\u0000${part.text}`);
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
