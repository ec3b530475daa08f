import { parseJson } from '../../core/wire-json.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { TokenLogprob } from '../../operations/chat.ts';
import type { Citation, OutputPart, ToolCallPart } from '../../operations/chat-parts.ts';
import { annotationOf } from './citations.ts';
import { callItem, type ItemContext, messageItem, mintedId, reasoningItem, textEntry } from './door-items.ts';
import { encodeLogprobs } from './items.ts';
import { CLIENT_TOOLS } from './outputs.ts';
import { PROTOCOL, type Written } from './protocol.ts';

export type Start = Extract<ChatEvent, { type: 'start' }>;
type Opening = Extract<ChatEvent, { type: 'text-start' | 'refusal-start' | 'reasoning-start' | 'tool-call-start' }>;

/** What a block needs of the stream it is written to. */
export interface Frames {
  readonly context: ItemContext;
  /** Names of the request's own functions. */
  readonly functions: ReadonlySet<string>;
  frame(type: string, fields: Written): void;
  delta(type: string, prefix: string, text: string): void;
  position(): number;
  finished(position: number, item: Written): void;
  whole(part: OutputPart, index: number): void;
}

/** One block on its way out: announced when it opens, told in deltas, closed with its finished item. */
export abstract class BlockWriter {
  protected readonly frames: Frames;
  protected readonly index: number;
  protected text = '';

  constructor(frames: Frames, index: number) {
    this.frames = frames;
    this.index = index;
  }

  abstract delta(text: string, logprobs?: readonly TokenLogprob[]): void;
  abstract end(part: OutputPart): void;
  /** The answer starts anew: the item is closed with what it has. */
  abstract abandon(): void;
  cite(_citation: Citation): void {}
}

export function openBlock(event: Opening, frames: Frames): BlockWriter {
  const { index } = event;
  const own = frames.context.origin.protocol === PROTOCOL;
  switch (event.type) {
    case 'text-start':
      return new SaidBlock(frames, index, 'output_text', event.phase);
    case 'refusal-start':
      return new SaidBlock(frames, index, 'refusal', undefined);
    case 'reasoning-start':
      return new ReasoningBlock(frames, index, own ? event.id : undefined, own && event.form === 'full');
    default: {
      // A built-in tool's item is only known whole; a foreign one's call is never shown.
      const builtIn = own && CLIENT_TOOLS.has(event.name) && !frames.functions.has(event.name);
      if (event.executor === 'provider' || builtIn) return new HeldBlock(frames, index);
      return new CallBlock(frames, index, event);
    }
  }
}

class SaidBlock extends BlockWriter {
  readonly #kind: 'output_text' | 'refusal';
  readonly #id: string;
  readonly #position: number;
  readonly #at: Written;
  readonly #prefix: string;
  readonly #logprobs: TokenLogprob[] = [];
  #cited = 0;

  constructor(
    frames: Frames,
    index: number,
    kind: 'output_text' | 'refusal',
    phase: 'commentary' | 'final' | undefined,
  ) {
    super(frames, index);
    this.#kind = kind;
    this.#id = mintedId('msg', index, frames.context);
    this.#position = frames.position();
    this.#at = { item_id: this.#id, output_index: this.#position, content_index: 0 };
    const shared = { type: `response.${kind}.delta`, ...this.#at, ...(kind === 'output_text' && { logprobs: [] }) };
    this.#prefix = `${JSON.stringify(shared).slice(0, -1)},"delta":`;
    const item: Written = {
      id: this.#id,
      type: 'message',
      status: 'in_progress',
      role: 'assistant',
      ...(phase !== undefined && { phase: phase === 'final' ? 'final_answer' : phase }),
      content: [],
    };
    frames.frame('response.output_item.added', { output_index: this.#position, item });
    frames.frame('response.content_part.added', { ...this.#at, part: this.#empty() });
  }

  delta(text: string, logprobs?: readonly TokenLogprob[]): void {
    this.text += text;
    const type = `response.${this.#kind}.delta`;
    if (logprobs === undefined) return this.frames.delta(type, this.#prefix, text);
    this.#logprobs.push(...logprobs);
    this.frames.frame(type, { ...this.#at, delta: text, logprobs: encodeLogprobs(logprobs) });
  }

  override cite(citation: Citation): void {
    const annotation = annotationOf(citation, this.text);
    if (annotation === undefined) return;
    this.frames.frame('response.output_text.annotation.added', {
      ...this.#at,
      annotation_index: this.#cited++,
      annotation,
    });
  }

  end(part: OutputPart): void {
    if (part.type !== 'text' && part.type !== 'refusal') return;
    const isText = part.type === 'text';
    const entry: Written = isText ? textEntry(part, this.#logprobs) : { type: 'refusal', refusal: part.text };
    const done = isText ? { text: part.text, logprobs: entry['logprobs'] ?? [] } : { refusal: part.text };
    this.frames.frame(`response.${this.#kind}.done`, { ...this.#at, ...done });
    this.frames.frame('response.content_part.done', { ...this.#at, part: entry });
    this.frames.finished(this.#position, messageItem(part, this.#id, entry, this.frames.context));
  }

  abandon(): void {
    this.end(this.#kind === 'refusal' ? { type: 'refusal', text: this.text } : { type: 'text', text: this.text });
  }

  #empty(): Written {
    if (this.#kind === 'refusal') return { type: 'refusal', refusal: '' };
    return { type: 'output_text', text: '', annotations: [], logprobs: [] };
  }
}

class ReasoningBlock extends BlockWriter {
  readonly #id: string;
  readonly #position: number;
  readonly #at: Written;
  readonly #full: boolean;
  #opened = false;

  constructor(frames: Frames, index: number, id: string | undefined, full: boolean) {
    super(frames, index);
    this.#id = id ?? mintedId('rs', index, frames.context);
    this.#full = full;
    this.#position = frames.position();
    const place = { item_id: this.#id, output_index: this.#position };
    this.#at = full ? { ...place, content_index: 0 } : { ...place, summary_index: 0 };
    const item: Written = { id: this.#id, type: 'reasoning', summary: [], ...(full && { content: [] }) };
    frames.frame('response.output_item.added', { output_index: this.#position, item });
  }

  delta(text: string): void {
    if (!this.#opened) {
      this.#opened = true;
      const type = this.#full ? 'response.content_part.added' : 'response.reasoning_summary_part.added';
      this.frames.frame(type, { ...this.#at, part: this.#part('') });
    }
    this.text += text;
    const type = this.#full ? 'response.reasoning_text.delta' : 'response.reasoning_summary_text.delta';
    this.frames.frame(type, { ...this.#at, delta: text });
  }

  end(part: OutputPart): void {
    if (part.type !== 'reasoning') return;
    if (this.#opened) {
      const kind = this.#full ? 'reasoning_text' : 'reasoning_summary_text';
      this.frames.frame(`response.${kind}.done`, { ...this.#at, text: part.text });
      const closed = this.#full ? 'response.content_part.done' : 'response.reasoning_summary_part.done';
      this.frames.frame(closed, { ...this.#at, part: this.#part(part.text) });
    }
    this.frames.finished(this.#position, reasoningItem(part, this.#id, this.frames.context));
  }

  abandon(): void {
    this.end({ type: 'reasoning', text: this.text, form: this.#full ? 'full' : 'summary' });
  }

  #part(text: string): Written {
    return { type: this.#full ? 'reasoning_text' : 'summary_text', text };
  }
}

class CallBlock extends BlockWriter {
  readonly #id: string;
  readonly #position: number;
  readonly #kind: 'function_call_arguments' | 'custom_tool_call_input';
  readonly #prefix: string;
  readonly #head: Extract<Opening, { type: 'tool-call-start' }>;

  constructor(frames: Frames, index: number, event: Extract<Opening, { type: 'tool-call-start' }>) {
    super(frames, index);
    const freeform = event.encoding === 'text';
    this.#head = event;
    this.#id = mintedId(freeform ? 'ctc' : 'fc', index, frames.context);
    this.#position = frames.position();
    this.#kind = freeform ? 'custom_tool_call_input' : 'function_call_arguments';
    const at = { item_id: this.#id, output_index: this.#position };
    this.#prefix = `${JSON.stringify({ type: `response.${this.#kind}.delta`, ...at }).slice(0, -1)},"delta":`;
    const item: Written = {
      id: this.#id,
      type: freeform ? 'custom_tool_call' : 'function_call',
      status: 'in_progress',
      call_id: event.id,
      name: event.name,
      ...(event.server !== undefined && { namespace: event.server }),
      ...(freeform ? { input: '' } : { arguments: '' }),
    };
    frames.frame('response.output_item.added', { output_index: this.#position, item });
  }

  delta(text: string): void {
    this.text += text;
    this.frames.delta(`response.${this.#kind}.delta`, this.#prefix, text);
  }

  end(part: OutputPart): void {
    if (part.type !== 'tool-call') return;
    const item = callItem(this.#asWritten(part), this.#id, this.frames.context, this.#head.encoding === 'text');
    const said =
      this.#head.encoding === 'text' ? { input: item['input'] ?? '' } : { arguments: item['arguments'] ?? '' };
    const at = { item_id: this.#id, output_index: this.#position };
    this.frames.frame(`response.${this.#kind}.done`, { ...at, ...said });
    this.frames.finished(this.#position, item);
  }

  /** With the text the model wrote, which says numbers that parsed arguments cannot hold. */
  #asWritten(part: ToolCallPart): ToolCallPart {
    if (part.argsText !== undefined || this.text === '') return part;
    const same = JSON.stringify(parseJson(this.text)) === JSON.stringify(part.args);
    return same ? { ...part, argsText: this.text } : part;
  }

  abandon(): void {
    const { id, name } = this.#head;
    this.end({ type: 'tool-call', id, name, args: null, argsText: this.text, invalid: { message: 'abandoned' } });
  }
}

/** Waits for the finished part, and lets that decide. */
class HeldBlock extends BlockWriter {
  delta(): void {}
  end(part: OutputPart): void {
    this.frames.whole(part, this.index);
  }
  abandon(): void {}
}
