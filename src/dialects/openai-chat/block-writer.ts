import type { ChatEvent } from '../../operations/chat-events.ts';

type Emit = (event: ChatEvent) => void;
/** The parts of a choice as far as events need them: slots are given out in order, and deltas carry the choice. */
export class Slots {
  #next = 0;
  readonly choice: number;

  constructor(choice: number) {
    this.choice = choice;
  }

  take(): number {
    return this.#next++;
  }

  /** Where an event belongs. The first choice is not named. */
  at(index: number): { readonly choice?: number; readonly index: number } {
    return this.choice === 0 ? { index } : { choice: this.choice, index };
  }
}

type DeltaType = 'text-delta' | 'reasoning-delta' | 'refusal-delta' | 'tool-call-delta';

/** The text of one block: collects it, and sends it on in deltas that never split a surrogate pair (G8). */
export class BlockText {
  text = '';
  #held = '';
  readonly index: number;
  readonly #type: DeltaType;
  readonly #choice: number;

  constructor(type: DeltaType, slots: Slots) {
    this.#type = type;
    this.#choice = slots.choice;
    this.index = slots.take();
  }

  push(text: string, emit: Emit): void {
    this.text += text;
    let whole = this.#held === '' ? text : this.#held + text;
    const last = whole.charCodeAt(whole.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#held = whole.slice(-1);
      whole = whole.slice(0, -1);
    } else if (this.#held !== '') {
      this.#held = '';
    }
    if (whole !== '') this.#send(whole, emit);
  }

  /** Sends what is held back: half a pair whose other half never came. */
  flush(emit: Emit): void {
    if (this.#held === '') return;
    const held = this.#held;
    this.#held = '';
    this.#send(held, emit);
  }

  #send(text: string, emit: Emit): void {
    // One object literal a shape: this is the hottest line of a stream.
    if (this.#choice === 0) emit({ type: this.#type, index: this.index, text });
    else emit({ type: this.#type, choice: this.#choice, index: this.index, text });
  }
}
