import type { ChatEvent } from '../../operations/chat-events.ts';
import type {
  Citation,
  OutputPart,
  ReasoningPart,
  RefusalPart,
  TextPart,
  ToolCallPart,
} from '../../operations/chat-parts.ts';
import type { TokenLogprob } from '../../operations/chat.ts';

export type Emit = (event: ChatEvent) => void;

/** What all items of one stream share: the next free position, what was emitted, and what looked wrong. */
export interface Track {
  emit: Emit;
  next: number;
  /** Finished parts by position. */
  readonly parts: OutputPart[];
  /** The final text was not what had been streamed: one warning a stream. */
  differs: boolean;
}

type Kind = 'text' | 'refusal' | 'reasoning' | 'tool-call';

/** A block between its start and its end. */
export class Block {
  readonly kind: Kind;
  readonly index: number;
  readonly #track: Track;
  /** Everything streamed so far. */
  text = '';
  /** A high surrogate waiting for its other half: no delta may break a pair. */
  #held = '';
  open = true;
  readonly citations: Citation[] = [];

  constructor(kind: Kind, track: Track) {
    this.kind = kind;
    this.#track = track;
    this.index = track.next++;
  }

  push(delta: string, logprobs?: readonly TokenLogprob[]): void {
    let text = this.#held === '' ? delta : this.#held + delta;
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#held = text.slice(-1);
      text = text.slice(0, -1);
    } else {
      this.#held = '';
    }
    if (text === '' || !this.open) return;
    this.text += text;
    this.#delta(text, logprobs);
  }

  cite(citation: Citation): void {
    if (!this.open || this.kind !== 'text') return;
    this.citations.push(citation);
    this.#track.emit({ type: 'citation', citation, index: this.index });
  }

  /** Ends with the finished part. What was never streamed of its text goes out first. */
  end(part: TextPart | RefusalPart | ReasoningPart | ToolCallPart): void {
    if (!this.open) return;
    const full = part.type === 'tool-call' ? (part.argsText ?? '') : part.text;
    if (full !== this.text) {
      if (full.length > this.text.length && full.startsWith(this.text)) this.#delta(full.slice(this.text.length));
      else this.#track.differs = true;
    }
    this.open = false;
    // Some servers name their sources in events only.
    const kept =
      part.type === 'text' && part.citations === undefined && this.citations.length > 0
        ? { ...part, citations: this.citations }
        : part;
    this.#track.parts[this.index] = kept;
    this.#track.emit({ type: `${this.kind}-end`, part: kept, index: this.index } as ChatEvent);
  }

  #delta(text: string, logprobs?: readonly TokenLogprob[]): void {
    const { index } = this;
    if (this.kind !== 'text') this.#track.emit({ type: `${this.kind}-delta`, text, index } as ChatEvent);
    else if (logprobs === undefined) this.#track.emit({ type: 'text-delta', text, index });
    else this.#track.emit({ type: 'text-delta', text, logprobs, index });
  }
}

/** A part that comes whole. */
export function emitPart(part: OutputPart, track: Track): void {
  const index = track.next++;
  track.parts[index] = part;
  track.emit({ type: 'part', part, index });
}
