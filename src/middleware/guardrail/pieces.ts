import type { EventSource } from '../../core/event-source.ts';
import type { RewriteSlot } from '../../core/rewrite-text.ts';
import type { StreamReply } from '../../core/call.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import { foldChat } from '../../operations/chat-fold.ts';
import type { ChatResponse } from '../../operations/chat.ts';
import type { Rewrite } from './look.ts';

/** Text that is looked at although it has come to no end of a word, in pieces. */
const UNBROKEN_PIECES_MAX = 4;
const BREAK = /[\s.,;:!?。、！？]$/u;

export interface PieceOptions {
  readonly events: StreamReply<'chat'>['events'];
  /** Characters that are held before they are looked at. */
  readonly characters: number;
  /** Looks at the answer so far; throws if it may not go on. */
  look(response: ChatResponse, complete: boolean): Promise<Rewrite | undefined>;
}

/** The events of an answer, each held until the text with it has been looked at. */
export class Pieces implements EventSource<ChatEvent> {
  readonly #options: PieceOptions;
  readonly #fold = foldChat();
  #held: ChatEvent[] = [];
  #heldCharacters = 0;
  #rewrite: Rewrite | undefined;

  constructor(options: PieceOptions) {
    this.#options = options;
  }

  async read(emit: (event: ChatEvent) => void): Promise<boolean> {
    const { done, value: event } = await this.#options.events.next();
    if (done === true) {
      await this.#release(emit, true);
      return false;
    }
    this.#fold.add(event);
    if (event.type === 'reset') {
      // What is held belongs to an answer that is forgotten.
      this.#held = [];
      this.#heldCharacters = 0;
      emit(event);
      return true;
    }
    this.#held.push(event);
    if (this.#isPiece(event)) await this.#release(emit, false);
    return true;
  }

  cancel(reason: unknown): void {
    this.#options.events.cancel(reason);
  }

  /** Rewrites a text of the events that are being let go, as their look said. */
  rewrite(text: string, slot: RewriteSlot): string {
    return this.#rewrite === undefined ? text : this.#rewrite(text, slot);
  }

  #isPiece(event: ChatEvent): boolean {
    if (!isDelta(event)) return false;
    this.#heldCharacters += event.text.length;
    const { characters } = this.#options;
    if (this.#heldCharacters < characters) return false;
    return BREAK.test(event.text) || this.#heldCharacters >= characters * UNBROKEN_PIECES_MAX;
  }

  async #release(emit: (event: ChatEvent) => void, complete: boolean): Promise<void> {
    this.#rewrite = await this.#options.look(this.#fold.response(), complete);
    const held = this.#held;
    this.#held = [];
    this.#heldCharacters = 0;
    for (const event of this.#rewrite === undefined ? held : joined(held)) emit(event);
  }
}

type Delta = Extract<
  ChatEvent,
  { readonly type: 'text-delta' | 'reasoning-delta' | 'refusal-delta' | 'tool-call-delta' }
>;

function isDelta(event: ChatEvent): event is Delta {
  return event.type.endsWith('-delta');
}

/** Deltas of one block that follow each other as one, so that what is rewritten may stand in several of them. */
function joined(events: readonly ChatEvent[]): ChatEvent[] {
  const list: ChatEvent[] = [];
  for (const event of events) {
    const before = list.at(-1);
    const continues =
      before !== undefined &&
      isDelta(before) &&
      isDelta(event) &&
      before.type === event.type &&
      before.index === event.index &&
      before.choice === event.choice;
    if (continues) list[list.length - 1] = { ...before, text: before.text + event.text };
    else list.push(event);
  }
  return list;
}
