import type { ChatEvent } from '../../operations/chat-events.ts';
import type { OutputPart } from '../../operations/chat-parts.ts';
import { showCitation } from './citations.ts';
import { emptyCall, emptyText, sealOf, type ShowOptions, showPart } from './door-blocks.ts';
import type { Wire } from './encoding.ts';

export type BlockEvent = Exclude<Extract<ChatEvent, { readonly index: number }>, { readonly type: 'progress' }>;

/** One canonical part on its way out as a content block. Events have no `index` yet: the writer gives it. */
export class Slot {
  /** Its last event has been taken. */
  closed = false;
  /** A `content_block_start` was made: the block counts. Parts that are left out never open. */
  opened = false;
  readonly #options: ShowOptions;
  #waiting: Wire[] = [];
  #text = '';

  constructor(options: ShowOptions) {
    this.#options = options;
  }

  /** What can be written now. */
  drain(): Wire[] {
    const wires = this.#waiting;
    if (wires.length > 0) this.#waiting = [];
    return wires;
  }

  take(event: BlockEvent): void {
    switch (event.type) {
      case 'text-delta':
      case 'refusal-delta':
        this.#open(() => emptyText(this.#options));
        this.#delta({ type: 'text_delta', text: event.text });
        this.#text += event.text;
        break;
      case 'reasoning-delta':
        this.#open(() => ({ type: 'thinking', thinking: '', signature: '' }));
        this.#delta({ type: 'thinking_delta', thinking: event.text });
        this.#text += event.text;
        break;
      case 'tool-call-start':
        // Whether the provider ran it can only be shown with the whole block, and text arguments need wrapping.
        if (event.executor === 'client' && event.encoding === 'json') {
          this.#open(() => emptyCall(event.id, event.name, this.#options));
        }
        break;
      case 'tool-call-delta':
        if (!this.opened) break;
        this.#delta({ type: 'input_json_delta', partial_json: event.text });
        this.#text += event.text;
        break;
      case 'citation': {
        const citation = showCitation(event.citation);
        if (citation === undefined) break;
        this.#open(() => emptyText(this.#options));
        this.#delta({ type: 'citations_delta', citation });
        break;
      }
      case 'text-end':
      case 'reasoning-end':
      case 'refusal-end':
      case 'tool-call-end':
      case 'audio-end':
      case 'part':
        this.#close(event.part);
        break;
      default:
        break;
    }
  }

  /** The stream ended and this part did not: what was written of it is closed. */
  abandon(): void {
    if (!this.closed && this.opened) this.#waiting.push({ type: 'content_block_stop' });
    this.closed = true;
  }

  #open(block: () => Wire): void {
    if (this.opened) return;
    this.opened = true;
    this.#waiting.push({ type: 'content_block_start', content_block: block() });
  }

  #delta(delta: Wire): void {
    this.#waiting.push({ type: 'content_block_delta', delta });
  }

  /** The closing part is the truth: whatever of it was not streamed is written now. */
  #close(part: OutputPart): void {
    this.closed = true;
    if (!this.opened) this.#whole(part);
    else if (part.type === 'reasoning') this.#seal(sealOf(part, this.#options));
    else if (part.type === 'tool-call' && this.#text === '') this.#arguments(JSON.stringify(part.args ?? {}));
    if (this.opened) this.#waiting.push({ type: 'content_block_stop' });
  }

  #whole(part: OutputPart): void {
    const block = showPart(part, this.#options);
    if (block === undefined) return;
    switch (block['type']) {
      case 'text': {
        const { text, citations } = block;
        this.#open(() => ({ ...block, text: '', ...(citations !== undefined && emptyCitations(this.#options)) }));
        if (text !== '') this.#delta({ type: 'text_delta', text: text as string });
        for (const citation of Array.isArray(citations) ? citations : []) {
          this.#delta({ type: 'citations_delta', citation });
        }
        break;
      }
      case 'thinking':
        this.#open(() => ({ ...block, thinking: '', signature: '' }));
        if (block['thinking'] !== '') this.#delta({ type: 'thinking_delta', thinking: String(block['thinking']) });
        this.#seal(String(block['signature']));
        break;
      case 'tool_use':
      case 'server_tool_use':
      case 'mcp_tool_use':
        this.#open(() => ({ ...block, input: {} }));
        this.#arguments(JSON.stringify(block['input'] ?? {}));
        break;
      default:
        this.#open(() => block);
    }
  }

  #seal(signature: string): void {
    if (signature !== '') this.#delta({ type: 'signature_delta', signature });
  }

  #arguments(text: string): void {
    if (text !== '{}') this.#delta({ type: 'input_json_delta', partial_json: text });
  }
}

function emptyCitations(options: ShowOptions): Wire {
  return { citations: options.nullables ? null : [] };
}
