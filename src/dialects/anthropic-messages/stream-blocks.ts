import { stamped } from '../../core/replay.ts';
import { parseArguments, recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { Citation, OutputPart, ReasoningPart, ToolCallPart } from '../../operations/chat-parts.ts';
import type { Json } from '../../operations/shared.ts';
import { citationOf } from './citations.ts';
import { OUTPUT_TOOL, partOfBlock } from './parts.ts';
import { Pieces } from './pieces.ts';

type Emit = (event: ChatEvent) => void;
type WireBlock = Readonly<Record<string, unknown>>;

/** One content block while it streams. */
export interface StreamBlock {
  delta(delta: unknown, emit: Emit): void;
  /** Emits what is missing and the end, and gives the finished part. */
  close(emit: Emit): OutputPart;
}

/** Opens the block that `content_block_start` announced. `place` gives the next canonical position. */
export function openBlock(value: unknown, place: () => number, form: 'full' | 'summary', emit: Emit): StreamBlock {
  const block = recordOf(value) ?? {};
  switch (block['type']) {
    case 'text':
      return new TextBlock(block, place(), emit);
    case 'thinking':
    case 'redacted_thinking':
      return new ThinkingBlock(block, place(), form, emit);
    case 'tool_use':
      if (block['name'] === OUTPUT_TOOL) return new OutputBlock(block, place(), emit);
      return new CallBlock(block, place(), emit);
    case 'server_tool_use':
    case 'mcp_tool_use':
      return new CallBlock(block, place(), emit);
    default:
      // Its first event is its only one, so it takes its place when it closes.
      return new WholeBlock(block, place, form);
  }
}

class TextBlock implements StreamBlock {
  readonly #block: WireBlock;
  readonly #index: number;
  readonly #pieces = new Pieces();
  readonly #citations: Citation[] = [];

  constructor(block: WireBlock, index: number, emit: Emit) {
    this.#block = block;
    this.#index = index;
    emit({ type: 'text-start', index });
    this.#add(block['text'], emit);
  }

  delta(value: unknown, emit: Emit): void {
    const delta = value as { type?: unknown; text?: unknown; citation?: unknown } | undefined;
    if (delta?.type === 'text_delta') this.#add(delta.text, emit);
    else if (delta?.type === 'citations_delta') {
      const citation = citationOf(delta.citation);
      if (citation === undefined) return;
      this.#citations.push(citation);
      emit({ type: 'citation', citation, index: this.#index });
    }
  }

  close(emit: Emit): OutputPart {
    const rest = this.#pieces.rest();
    if (rest !== '') emit({ type: 'text-delta', text: rest, index: this.#index });
    const { citations: _initial, ...block } = this.#block;
    const whole = partOfBlock({ ...block, text: this.#pieces.text }, 'summary');
    if (whole.type !== 'text') return whole;
    const part = this.#citations.length === 0 ? whole : { ...whole, citations: this.#citations };
    emit({ type: 'text-end', part, index: this.#index });
    return part;
  }

  #add(piece: unknown, emit: Emit): void {
    if (typeof piece !== 'string' || piece === '') return;
    const text = this.#pieces.add(piece);
    if (text !== '') emit({ type: 'text-delta', text, index: this.#index });
  }
}

class ThinkingBlock implements StreamBlock {
  readonly #block: WireBlock;
  readonly #index: number;
  readonly #form: ReasoningPart['form'];
  readonly #pieces = new Pieces();
  #signature: string;

  constructor(block: WireBlock, index: number, form: 'full' | 'summary', emit: Emit) {
    this.#block = block;
    this.#index = index;
    this.#form = block['type'] === 'redacted_thinking' ? 'redacted' : form;
    this.#signature = stringOf(block['signature']) ?? '';
    emit({ type: 'reasoning-start', form: this.#form, index });
    this.#add(block['thinking'], emit);
  }

  delta(value: unknown, emit: Emit): void {
    const delta = recordOf(value);
    if (delta?.['type'] === 'thinking_delta') this.#add(delta['thinking'], emit);
    else if (delta?.['type'] === 'signature_delta') this.#signature += stringOf(delta['signature']) ?? '';
  }

  close(emit: Emit): OutputPart {
    const rest = this.#pieces.rest();
    if (rest !== '') emit({ type: 'reasoning-delta', text: rest, index: this.#index });
    const whole =
      this.#form === 'redacted'
        ? this.#block
        : { ...this.#block, thinking: this.#pieces.text, signature: this.#signature };
    const part = partOfBlock(whole, this.#form) as ReasoningPart;
    emit({ type: 'reasoning-end', part, index: this.#index });
    return part;
  }

  #add(piece: unknown, emit: Emit): void {
    if (typeof piece !== 'string' || piece === '') return;
    const text = this.#pieces.add(piece);
    if (text !== '') emit({ type: 'reasoning-delta', text, index: this.#index });
  }
}

/** A call of the client's or of the provider's own tools; its arguments come as pieces of JSON text. */
class CallBlock implements StreamBlock {
  readonly #block: WireBlock;
  readonly #index: number;
  readonly #pieces = new Pieces();

  constructor(block: WireBlock, index: number, emit: Emit) {
    this.#block = block;
    this.#index = index;
    const server = stringOf(block['server_name']);
    emit({
      type: 'tool-call-start',
      id: stringOf(block['id']) ?? '',
      name: stringOf(block['name']) ?? '',
      executor: block['type'] === 'tool_use' ? 'client' : 'provider',
      encoding: 'json',
      ...(server !== undefined && { server }),
      index,
    });
  }

  delta(value: unknown, emit: Emit): void {
    const piece = (value as { partial_json?: unknown } | undefined)?.partial_json;
    if (typeof piece === 'string' && piece !== '') this.#emit(this.#pieces.add(piece), emit);
  }

  close(emit: Emit): OutputPart {
    this.#emit(this.#pieces.rest(), emit);
    // Some servers send the whole input in the first event instead of pieces.
    const initial = recordOf(this.#block['input']);
    if (this.#pieces.text === '' && initial !== undefined && Object.keys(initial).length > 0) {
      this.#emit(this.#pieces.add(JSON.stringify(initial)), emit);
    }
    const { args, invalid } = parseArguments(this.#pieces.text);
    const whole = partOfBlock({ ...this.#block, input: args ?? {} }, 'summary') as ToolCallPart;
    const part: ToolCallPart =
      invalid === undefined ? whole : stamped({ ...whole, args: null, argsText: this.#pieces.text, invalid });
    emit({ type: 'tool-call-end', part, index: this.#index });
    return part;
  }

  #emit(text: string, emit: Emit): void {
    if (text !== '') emit({ type: 'tool-call-delta', text, index: this.#index });
  }
}

/** The stand-in tool of structured output: on the wire a call, for the caller the text of the answer. */
class OutputBlock implements StreamBlock {
  readonly #index: number;
  readonly #pieces = new Pieces();
  readonly #initial: unknown;

  constructor(block: WireBlock, index: number, emit: Emit) {
    this.#index = index;
    this.#initial = block['input'];
    emit({ type: 'text-start', index });
  }

  delta(value: unknown, emit: Emit): void {
    const piece = recordOf(value)?.['partial_json'];
    if (typeof piece !== 'string' || piece === '') return;
    const text = this.#pieces.add(piece);
    if (text !== '') emit({ type: 'text-delta', text, index: this.#index });
  }

  close(emit: Emit): OutputPart {
    const rest = this.#pieces.text === '' ? this.#pieces.add(JSON.stringify(this.#initial ?? {})) : this.#pieces.rest();
    if (rest !== '') emit({ type: 'text-delta', text: rest, index: this.#index });
    const part: OutputPart = { type: 'text', text: this.#pieces.text };
    emit({ type: 'text-end', part, index: this.#index });
    return part;
  }
}

/** A block without pieces we know: a result of the provider's own tools, or one of a later version. */
class WholeBlock implements StreamBlock {
  #block: WireBlock;
  readonly #place: () => number;
  readonly #form: ReasoningPart['form'];

  constructor(block: WireBlock, place: () => number, form: ReasoningPart['form']) {
    this.#block = block;
    this.#place = place;
    this.#form = form;
  }

  /** Pieces of an unknown kind are added by name, so that nothing of the block is lost. */
  delta(value: unknown): void {
    const { type: _type, ...fields } = recordOf(value) ?? {};
    const block: Record<string, unknown> = { ...this.#block };
    for (const [name, piece] of Object.entries(fields)) {
      const known = block[name];
      block[name] = typeof known === 'string' && typeof piece === 'string' ? known + piece : (piece as Json);
    }
    this.#block = block;
  }

  close(emit: Emit): OutputPart {
    const part = partOfBlock(this.#block, this.#form);
    emit({ type: 'part', part, index: this.#place() });
    return part;
  }
}
