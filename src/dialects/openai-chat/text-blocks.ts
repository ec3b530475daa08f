import { stamped } from '../../core/replay.ts';
import { arrayOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { TokenLogprob } from '../../operations/chat.ts';
import type { Citation, NativePart, ReasoningPart } from '../../operations/chat-parts.ts';
import type { Json } from '../../operations/shared.ts';
import { BlockText, type Slots } from './block-writer.ts';
import { PROTOCOL } from './hints.ts';
import { imageOf } from './media-out.ts';
import { addDetails, formOfDetails, textOfDetails } from './reasoning-details.ts';

type Emit = (event: ChatEvent) => void;
type Kind = 'text' | 'reasoning' | 'refusal';

/** The one open block of text, reasoning or refusal of a choice: another kind closes it and opens its own. */
export class TextBlocks {
  refused = false;
  /** Where the open text block begins in the text of the whole message. */
  textStart = 0;
  #textLength = 0;
  readonly #slots: Slots;
  #kind: Kind | undefined;
  #block: BlockText | undefined;
  #citations: Citation[] = [];
  #details: Record<string, Json>[] = [];
  #signature = '';
  /** The open reasoning has come as plain text, so its details only say it again. */
  #plain = false;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  text(text: string, logprobs: readonly TokenLogprob[] | undefined, emit: Emit): void {
    if (this.#kind !== 'text') this.#open('text', emit);
    const block = this.#block as BlockText;
    this.#textLength += text.length;
    if (logprobs === undefined) block.push(text, emit);
    else block.push(text, (event) => emit(event.type === 'text-delta' ? { ...event, logprobs } : event));
  }

  reasoning(text: string, emit: Emit): void {
    if (this.#kind !== 'reasoning') this.#open('reasoning', emit);
    if (text === '') return;
    this.#plain = true;
    (this.#block as BlockText).push(text, emit);
  }

  refusal(text: string, emit: Emit): void {
    if (this.#kind !== 'refusal') this.#open('refusal', emit);
    this.refused = true;
    (this.#block as BlockText).push(text, emit);
  }

  /** OpenRouter's reasoning in pieces: kept whole for the next turn, read where no plain text came beside it. */
  details(value: unknown, emit: Emit): void {
    const details = arrayOf(value);
    if (details.length === 0) return;
    // Details may close a block that has moved on to text; they then make a block of their own.
    this.reasoning('', emit);
    const text = this.#plain ? '' : textOfDetails(details);
    if (text !== '') (this.#block as BlockText).push(text, emit);
    addDetails(this.#details, details);
  }

  /** One item of content that is an array: Mistral's thinking and references, or plain typed parts. */
  chunk(value: unknown, emit: Emit): void {
    const chunk = recordOf(value);
    const text = typeof value === 'string' ? value : stringOf(chunk?.['text']);
    switch (chunk?.['type'] ?? 'text') {
      case 'text':
      case 'output_text':
        if (text !== undefined && text !== '') this.text(text, undefined, emit);
        return;
      case 'refusal': {
        const refusal = stringOf(chunk?.['refusal']);
        if (refusal) this.refusal(refusal, emit);
        return;
      }
      case 'thinking':
        this.#think(chunk as Readonly<Record<string, unknown>>, emit);
        return;
      case 'image_url':
        this.close(emit);
        emit({ type: 'part', ...this.#slots.at(this.#slots.take()), part: imageOf(value) });
        return;
      default: {
        this.close(emit);
        const part: NativePart = { type: 'native', protocol: PROTOCOL, value: value as Json };
        emit({ type: 'part', ...this.#slots.at(this.#slots.take()), part });
      }
    }
  }

  #think(chunk: Readonly<Record<string, unknown>>, emit: Emit): void {
    const { thinking } = chunk;
    const signature = stringOf(chunk['signature']) ?? '';
    let text = typeof thinking === 'string' ? thinking : '';
    for (const item of arrayOf(thinking)) text += stringOf(recordOf(item)?.['text']) ?? '';
    if (text === '' && signature === '') return;
    this.reasoning(text, emit);
    this.#signature += signature;
  }

  /** Adds a citation to the open text. False if there is none to add it to. */
  cite(citation: Citation, emit: Emit): boolean {
    if (this.#kind !== 'text') return false;
    this.#citations.push(citation);
    emit({ type: 'citation', ...this.#slots.at((this.#block as BlockText).index), citation });
    return true;
  }

  #open(kind: Kind, emit: Emit): void {
    this.close(emit);
    this.#kind = kind;
    this.#block = new BlockText(`${kind}-delta`, this.#slots);
    const at = this.#slots.at(this.#block.index);
    if (kind === 'reasoning') emit({ type: 'reasoning-start', form: 'full', ...at });
    else emit({ type: `${kind}-start`, ...at });
    if (kind === 'text') this.textStart = this.#textLength;
  }

  close(emit: Emit): void {
    const block = this.#block;
    if (block === undefined) return;
    block.flush(emit);
    const at = this.#slots.at(block.index);
    const { text } = block;
    if (this.#kind === 'text') {
      const citations = this.#citations;
      emit({ type: 'text-end', part: { type: 'text', text, ...(citations.length > 0 && { citations }) }, ...at });
    } else if (this.#kind === 'refusal') {
      emit({ type: 'refusal-end', part: { type: 'refusal', text }, ...at });
    } else {
      emit({ type: 'reasoning-end', part: this.#reasoningPart(text), ...at });
    }
    this.#block = undefined;
    this.#kind = undefined;
    this.#citations = [];
    this.#details = [];
    this.#signature = '';
    this.#plain = false;
  }

  #reasoningPart(text: string): ReasoningPart {
    const details = this.#details;
    const part: ReasoningPart = {
      type: 'reasoning',
      text,
      form: formOfDetails(details, text),
      ...(this.#signature !== '' && { sealed: { kind: 'signature', value: this.#signature } }),
      ...(details.length > 0 && { native: { [PROTOCOL]: { reasoning_details: details } } }),
    };
    return stamped(part);
  }
}
