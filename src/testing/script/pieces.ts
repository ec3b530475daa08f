import type { ChatEvent } from '../../operations/chat-events.ts';
import { replayChat } from '../../operations/chat-replay.ts';
import type { ChatResponse } from '../../operations/chat.ts';
import type { AnswerInput } from './answer.ts';

export interface PieceOptions {
  /** Most characters a piece has; words else. */
  readonly pieceLength?: number;
  /** Texts that come in exactly these pieces. */
  readonly exact?: readonly (readonly string[])[];
}

/** The events of a response as a model would stream it: text by words, tool arguments by a few characters. */
export function* piecedEvents(response: ChatResponse, options: PieceOptions = {}): Generator<ChatEvent> {
  for (const event of replayChat(response)) {
    switch (event.type) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'refusal-delta': {
        for (const text of piecesOf(event.text, options)) yield { ...event, text };
        break;
      }
      case 'tool-call-delta':
        for (const text of lengths(event.text, Math.min(options.pieceLength ?? 8, Math.ceil(event.text.length / 2)))) {
          yield { ...event, text };
        }
        break;
      default:
        yield event;
    }
  }
}

/** Texts of an answer that were written as lists of pieces. */
export function exactPieces(parts: readonly AnswerInput[]): (readonly string[])[] {
  return parts.flatMap(({ text }) => (Array.isArray(text) ? [text.filter((piece: string) => piece !== '')] : []));
}

function piecesOf(text: string, { pieceLength, exact }: PieceOptions): readonly string[] {
  const written = exact?.find((pieces) => pieces.join('') === text);
  if (written !== undefined) return written;
  if (pieceLength !== undefined) return lengths(text, pieceLength);
  // A space belongs to the word after it, as in most vocabularies; long words and scripts without spaces are cut.
  return (text.match(/\s*\S+|\s+$/g) ?? []).flatMap((word) => lengths(word, 12));
}

/** Cuts between characters, never inside one. */
function lengths(text: string, length: number): string[] {
  if (text.length <= length) return [text];
  const pieces: string[] = [];
  let piece = '';
  for (const character of text) {
    if (piece !== '' && piece.length + character.length > length) {
      pieces.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...pieces, piece];
}
