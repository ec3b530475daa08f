import { recordOf, stringOf, arrayOf } from '../../core/wire-json.ts';
import type { ImagePart, OutputPart } from '../../operations/chat-parts.ts';
import type { Json } from '../../operations/shared.ts';
import { type CallHead, callHead, isCall } from './calls.ts';
import { citationOf } from './citations.ts';
import { partsOfItem, phaseOf, REASONING_JOINT } from './items.ts';
import type { Wire } from './protocol.ts';
import { Block, emitPart, type Track } from './stream-block.ts';

/** One output item while it streams. Its blocks open as content comes and end together, with the finished item. */
export class ItemStream {
  readonly id: string | undefined;
  readonly type: string;
  readonly #added: Wire;
  readonly #track: Track;
  /** Of a message: by content index. */
  readonly #entries: Block[] = [];
  /** Of reasoning and calls. */
  #block: Block | undefined;
  /** Arguments of a call whose name has not come: no start without it. */
  #pending = '';
  #source: 'summary' | 'content' | undefined;
  #segment = 0;
  done = false;

  constructor(item: Wire, track: Track) {
    this.#added = item;
    this.#track = track;
    this.id = stringOf(item['id']);
    this.type = stringOf(item['type']) ?? '';
    if (this.type === 'reasoning') this.#openReasoning();
    else if (isCall(this.type)) this.#openCall(item);
  }

  /** The text or refusal block of one content entry; opens it, should its announcement be missing. */
  entry(contentIndex: number, kind: 'text' | 'refusal'): Block {
    const found = this.#entries[contentIndex];
    if (found?.kind === kind) return found;
    // Announced as one thing, finished as another: the first ends with what it had.
    found?.end({ type: found.kind === 'refusal' ? 'refusal' : 'text', text: found.text });
    const block = new Block(kind, this.#track);
    this.#entries[contentIndex] = block;
    const phase = phaseOf(this.#added);
    if (kind === 'refusal') this.#track.emit({ type: 'refusal-start', index: block.index });
    else this.#track.emit({ type: 'text-start', ...(phase !== undefined && { phase }), index: block.index });
    return block;
  }

  annotate(contentIndex: number, annotation: Wire): void {
    const block = this.entry(contentIndex, 'text');
    block.cite(citationOf(annotation, block.text));
  }

  /** Thinking: the full text or a summary, whichever comes first; segments are joined as in the finished part. */
  reason(source: 'summary' | 'content', segment: number, delta: string): void {
    this.#source ??= source;
    if (this.#source !== source || this.#block === undefined) return;
    const joint = segment !== this.#segment && this.#block.text !== '' ? REASONING_JOINT : '';
    this.#segment = segment;
    this.#block.push(joint + delta);
  }

  argument(delta: string): void {
    if (this.#block === undefined) this.#pending += delta;
    else this.#block.push(delta);
  }

  /** What a built-in tool is doing. */
  progress(status: string, event: Wire): void {
    if (this.#block?.kind !== 'tool-call' || !this.#block.open) return;
    const partial = partialImage(event);
    this.#track.emit({
      type: 'progress',
      status,
      ...(partial === undefined ? { native: event as Json } : { partial }),
      index: this.#block.index,
    });
  }

  /** The finished item is authoritative. */
  finish(item: Wire): void {
    if (this.done) return;
    this.done = true;
    const parts = partsOfItem(item);
    if (this.type === 'message') this.#finishMessage(item, parts);
    else for (const part of parts) this.#finishPart(item, part);
  }

  /** The stream ended and no finished item came: what was received has to do. */
  finishAsReceived(): void {
    const text = this.#block?.text ?? this.#pending;
    const entries = this.#entries.map((block) =>
      block.kind === 'text' ? { type: 'output_text', text: block.text } : { type: 'refusal', refusal: block.text },
    );
    const field = { custom_tool_call: 'input', code_interpreter_call: 'code' }[this.type] ?? 'arguments';
    if (this.type === 'message') this.finish({ ...this.#added, content: entries });
    else if (this.type !== 'reasoning') this.finish(text === '' ? this.#added : { ...this.#added, [field]: text });
    else if (this.#source === 'content') this.finish({ ...this.#added, content: [{ type: 'reasoning_text', text }] });
    else this.finish({ ...this.#added, summary: text === '' ? [] : [{ type: 'summary_text', text }] });
  }

  /** Whether a later copy of the item says the same: only text is compared. */
  agrees(item: Wire): boolean {
    if (this.type !== 'message') return true;
    return arrayOf(item['content']).every((entry, index) => {
      const wire = recordOf(entry);
      const text = wire?.['text'] ?? wire?.['refusal'];
      const block = this.#entries[index];
      return block === undefined || text === undefined || block.text === text || text === '';
    });
  }

  #finishMessage(item: Wire, parts: readonly OutputPart[]): void {
    for (const [index, part] of parts.entries()) {
      if (part.type === 'text' || part.type === 'refusal') this.entry(index, part.type).end(part);
      else emitPart(part, this.#track);
    }
    for (const [index, block] of this.#entries.entries()) {
      if (block?.open !== true) continue;
      const entry =
        block.kind === 'text' ? { type: 'output_text', text: block.text } : { type: 'refusal', refusal: block.text };
      const part = partsOfItem({ ...item, content: [entry] })[0];
      if (part?.type === 'text' || part?.type === 'refusal') this.entry(index, part.type).end(part);
    }
  }

  #finishPart(item: Wire, part: OutputPart): void {
    if (part.type !== 'reasoning' && part.type !== 'tool-call') return emitPart(part, this.#track);
    if (this.#block === undefined) {
      if (part.type === 'reasoning') this.#openReasoning();
      else this.#start(callHead(item, this.type));
    }
    this.#block?.end(part);
  }

  #openReasoning(): void {
    const block = new Block('reasoning', this.#track);
    this.#block = block;
    this.#track.emit({
      type: 'reasoning-start',
      form: 'summary',
      ...(this.id !== undefined && { id: this.id }),
      index: block.index,
    });
  }

  #openCall(item: Wire): void {
    const named = this.type === 'function_call' || this.type === 'custom_tool_call';
    if (named && (!stringOf(item['name']) || !stringOf(item['call_id']))) return;
    this.#start(callHead(item, this.type));
  }

  #start(head: CallHead): void {
    const block = new Block('tool-call', this.#track);
    this.#block = block;
    this.#track.emit({ type: 'tool-call-start', ...head, index: block.index });
    if (this.#pending !== '') block.push(this.#pending);
    this.#pending = '';
  }
}

function partialImage(event: Wire): ImagePart | undefined {
  const data = stringOf(event['partial_image_b64']);
  if (data === undefined) return undefined;
  const mediaType = `image/${stringOf(event['output_format']) ?? 'png'}`;
  return { type: 'image', source: { kind: 'base64', data }, mediaType };
}
