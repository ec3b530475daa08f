import { recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { TokenLogprob } from '../../operations/chat.ts';
import type { Json, JsonObject, Warning } from '../../operations/shared.ts';
import { Slots } from './block-writer.ts';
import { CallAssembler } from './call-assembler.ts';
import { citationOf } from './citations.ts';
import { decodeLogprobs, finishOf } from './finish.ts';
import { PROTOCOL } from './hints.ts';
import { audioBlock, type AudioBlock, imageOf } from './media-out.ts';
import { TextBlocks } from './text-blocks.ts';

type Emit = (event: ChatEvent) => void;
type Wire = Readonly<Record<string, unknown>>;

const KNOWN_CHOICE = new Set(['index', 'delta', 'message', 'finish_reason', 'logprobs', 'usage']);
const KNOWN_DELTA = new Set([
  ...['role', 'content', 'refusal', 'tool_calls', 'function_call', 'audio', 'annotations', 'images'],
  ...['reasoning', 'reasoning_content', 'reasoning_details'],
]);

/**
 * Decodes one choice. A streamed choice comes as many deltas, a whole answer as one: both take this way, so that the
 * fold of a stream is the decoded response.
 */
export class ChoiceDecoder {
  readonly index: number;
  finishWord: string | undefined;
  readonly #slots: Slots;
  readonly #blocks: TextBlocks;
  readonly #calls: CallAssembler;
  #audio: AudioBlock | undefined;
  #logprobs: TokenLogprob[] | undefined;
  #choiceExtras: Record<string, Json> | undefined;
  #messageExtras: Record<string, Json> | undefined;

  constructor(index: number, seed: string) {
    this.index = index;
    this.#slots = new Slots(index);
    this.#blocks = new TextBlocks(this.#slots);
    this.#calls = new CallAssembler(this.#slots, seed);
  }

  /** Takes one wire choice. `whole`: it is a message, not a piece of one. */
  add(choice: Wire, whole: boolean, emit: Emit): void {
    const delta = recordOf(whole ? choice['message'] : (choice['delta'] ?? choice['message']));
    const logprobs = choice['logprobs'] ? decodeLogprobs(choice['logprobs']) : undefined;
    if (logprobs !== undefined) (this.#logprobs ??= []).push(...logprobs);
    if (delta !== undefined) this.#addDelta(delta, whole || choice['delta'] === undefined, logprobs, emit);
    const finish = choice['finish_reason'];
    if (typeof finish === 'string' && finish !== '') this.finishWord ??= finish;
    for (const key in choice) {
      const value = choice[key];
      if (value !== null && value !== undefined && !KNOWN_CHOICE.has(key)) {
        (this.#choiceExtras ??= {})[key] = value as Json;
      }
    }
  }

  #addDelta(delta: Wire, whole: boolean, logprobs: TokenLogprob[] | undefined, emit: Emit): void {
    const blocks = this.#blocks;
    // Two names for one thing: a server that sends both says the same twice.
    const reasoning = delta['reasoning_content'] || delta['reasoning'];
    if (typeof reasoning === 'string' && reasoning !== '') blocks.reasoning(reasoning, emit);
    if (delta['reasoning_details']) blocks.details(delta['reasoning_details'], emit);
    const content = delta['content'];
    if (typeof content === 'string') {
      if (content !== '') blocks.text(content, logprobs, emit);
    } else if (Array.isArray(content)) {
      for (const item of content) blocks.chunk(item, emit);
    }
    if (Array.isArray(delta['annotations'])) this.#annotate(delta['annotations'], emit);
    const refusal = delta['refusal'];
    if (typeof refusal === 'string' && refusal !== '') blocks.refusal(refusal, emit);
    const calls = delta['tool_calls'];
    if (Array.isArray(calls) && calls.length > 0) {
      blocks.close(emit);
      for (const call of calls) this.#calls.add(call, whole, emit);
    }
    const call = recordOf(delta['function_call']);
    if (call !== undefined && (call['name'] || call['arguments'])) {
      blocks.close(emit);
      this.#calls.add({ index: 0, function: call }, whole, emit, true);
    }
    if (delta['audio']) this.#addAudio(delta['audio'], emit);
    if (Array.isArray(delta['images'])) this.#addImages(delta['images'], emit);
    for (const key in delta) {
      if (!KNOWN_DELTA.has(key) && delta[key] !== null && delta[key] !== undefined) this.#keep(key, delta[key] as Json);
    }
  }

  /** Message fields without a canonical home stay with the ending of the choice. */
  #keep(key: string, value: Json): void {
    (this.#messageExtras ??= {})[key] = value;
  }

  #annotate(annotations: readonly unknown[], emit: Emit): void {
    const homeless: Json[] = [];
    for (const annotation of annotations) {
      const citation = citationOf(annotation, this.#blocks.textStart);
      if (citation === undefined || !this.#blocks.cite(citation, emit)) homeless.push(annotation as Json);
    }
    if (homeless.length > 0) {
      this.#keep('annotations', [...((this.#messageExtras?.['annotations'] as Json[]) ?? []), ...homeless]);
    }
  }

  #addAudio(value: unknown, emit: Emit): void {
    const audio = recordOf(value);
    if (audio === undefined || !(audio['id'] || audio['data'] || audio['transcript'] || this.#audio)) return;
    if (this.#audio === undefined) {
      this.#blocks.close(emit);
      this.#audio = audioBlock(this.#slots, stringOf(audio['id']), emit);
    }
    this.#audio.add(audio, emit);
  }

  #addImages(images: readonly unknown[], emit: Emit): void {
    if (images.length > 0) this.#blocks.close(emit);
    for (const image of images) emit({ type: 'part', ...this.#slots.at(this.#slots.take()), part: imageOf(image) });
  }

  /** Closes what is open and emits the ending. */
  finish(emit: Emit, warn: (warning: Warning) => void): void {
    this.#blocks.close(emit);
    this.#calls.endAll(this.finishWord === 'length', emit);
    this.#audio?.end(emit);
    const extras: JsonObject = {
      ...this.#choiceExtras,
      ...(this.#messageExtras !== undefined && { message: this.#messageExtras }),
    };
    const stopReason = this.#choiceExtras?.['stop_reason'];
    const held = { calls: this.#calls.any, refusal: this.#blocks.refused };
    const finish = finishOf(
      this.finishWord,
      held,
      {
        native: Object.keys(extras).length > 0 ? { [PROTOCOL]: extras } : undefined,
        // vLLM tells which stop sequence it met.
        stopSequence: this.finishWord === 'stop' && typeof stopReason === 'string' ? stopReason : undefined,
      },
      warn,
    );
    emit({
      type: 'finish',
      ...(this.index !== 0 && { choice: this.index }),
      finish,
      ...(this.#logprobs !== undefined && { logprobs: this.#logprobs }),
    });
  }
}
