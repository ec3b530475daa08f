import type { DoorEnvironment, StreamEncoder } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { recordOf } from '../../core/wire-json.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { Json, JsonObject, Usage } from '../../operations/shared.ts';
import { annotationsOf, callText, completionId, createdOf, wireAudio, wireImage } from './door-choice.ts';
import { errorBody } from './door-errors.ts';
import { type Block, ChoiceState, extraOf } from './door-stream-state.ts';
import { encodeLogprobs, finishWord } from './finish.ts';
import { mergeWire, PROTOCOL } from './hints.ts';
import { encodeUsage } from './usage.ts';

type Write = (text: string) => void;
type Event<T extends ChatEvent['type']> = Extract<ChatEvent, { type: T }>;

/** Chunks strict enough for the accumulators of OpenAI's SDK. Endings wait for `end`, which knows the last facts. */
export class ChatChunkEncoder implements StreamEncoder<ChatEvent> {
  readonly #environment: DoorEnvironment;
  readonly #legacy: boolean;
  readonly #withUsage: boolean;
  readonly #choices = new Map<number, ChoiceState>();
  #head: JsonObject = {};
  #ours = false;
  #usage: Usage | undefined;
  #native: Event<'start'>['native'];
  #closed = false;

  constructor(environment: DoorEnvironment) {
    this.#environment = environment;
    this.#legacy = environment.facts['legacyFunctions'] === true;
    this.#withUsage = recordOf(environment.facts['streamOptions'])?.['include_usage'] === true;
  }

  encode(event: ChatEvent, write: Write): void {
    if (this.#closed) return;
    switch (event.type) {
      case 'start':
        return this.#start(event);
      case 'text-start':
      case 'reasoning-start':
      case 'refusal-start':
        this.#choice(event.choice).blocks.set(event.index, { sent: '', call: -1, custom: false });
        return;
      case 'text-delta':
        return this.#text(event, write);
      case 'refusal-delta':
        return this.#piece(event, { refusal: event.text }, event.text, write);
      case 'reasoning-delta':
        if (this.#ours) this.#piece(event, { reasoning_content: event.text }, event.text, write);
        return;
      case 'text-end':
      case 'refusal-end':
      case 'reasoning-end':
        return this.#closeBlock(event, write);
      case 'tool-call-start':
        return this.#openCall(event, write);
      case 'tool-call-delta':
        return this.#callPiece(event, event.text, write);
      case 'tool-call-end':
        return this.#closeCall(event, write);
      case 'audio-start':
      case 'audio-delta':
      case 'audio-end':
        return this.#delta(event.choice, { audio: this.#audio(event) }, write);
      case 'part': {
        const image = wireImage(event.part);
        if (image !== undefined) this.#delta(event.choice, { images: [image] }, write);
        return;
      }
      case 'usage':
        this.#usage = event.usage;
        return;
      case 'finish':
        this.#choice(event.choice).finish = event;
        return;
      case 'reset':
        // What was written cannot be taken back on this wire.
        if ([...this.#choices.values()].some((choice) => choice.role)) {
          this.fail(
            new GatewayError('stream-interrupted', 'The answer was begun anew after parts of it were sent.'),
            write,
          );
        } else this.#choices.clear();
        return;
      case 'end':
        return this.#end(event, write);
      default:
        return;
    }
  }

  fail(error: GatewayError, write: Write): void {
    if (this.#closed) return;
    this.#closed = true;
    write(`data: ${JSON.stringify(errorBody(error))}\n\n`);
  }

  #start(event: Event<'start'>): void {
    this.#ours = event.protocol === PROTOCOL;
    this.#native = event.native;
    this.#head = {
      id: completionId(event.id, event.protocol),
      object: 'chat.completion.chunk',
      created: createdOf(event.createdAt, this.#environment.nowMs),
      model: event.model,
    };
  }

  #choice(number = 0): ChoiceState {
    let choice = this.#choices.get(number);
    if (choice === undefined) this.#choices.set(number, (choice = new ChoiceState()));
    return choice;
  }

  #delta(number: number | undefined, delta: JsonObject, write: Write, logprobs: Json = null): void {
    const choice = this.#choice(number);
    // The first chunk of a choice names the role; content is null until there is some.
    const whole = choice.role ? delta : { role: 'assistant', content: null, refusal: null, ...delta };
    choice.role = true;
    this.#chunk([{ index: number ?? 0, delta: whole, logprobs, finish_reason: null }], write);
  }

  #chunk(choices: Json, write: Write, more: JsonObject = {}): void {
    const usage = this.#withUsage ? { usage: null } : {};
    write(`data: ${JSON.stringify({ ...this.#head, choices, ...usage, ...more })}\n\n`);
  }

  #text(event: Event<'text-delta'>, write: Write): void {
    const choice = this.#choice(event.choice);
    if (event.logprobs !== undefined) choice.logprobs = true;
    choice.textLength += event.text.length;
    const block = choice.blocks.get(event.index);
    if (block !== undefined) block.sent += event.text;
    this.#delta(event.choice, { content: event.text }, write, encodeLogprobs(event.logprobs, false));
  }

  #audio(event: Event<'audio-start' | 'audio-delta' | 'audio-end'>): JsonObject {
    if (event.type === 'audio-start') return event.id === undefined ? {} : { id: event.id };
    if (event.type === 'audio-end') {
      const { id, expires_at: expires } = wireAudio(event.part, this.#environment.nowMs);
      return { id: id as Json, expires_at: expires as Json };
    }
    const { data, transcript } = event;
    return { ...(data !== undefined && { data }), ...(transcript !== undefined && { transcript }) };
  }

  #piece(at: { choice?: number; index: number }, delta: JsonObject, text: string, write: Write): void {
    const block = this.#choice(at.choice).blocks.get(at.index);
    if (block !== undefined) block.sent += text;
    this.#delta(at.choice, delta, write);
  }

  /** The closing part is what counts: what no delta brought is sent now. */
  #closeBlock(event: Event<'text-end' | 'refusal-end' | 'reasoning-end'>, write: Write): void {
    const choice = this.#choice(event.choice);
    const sent = choice.blocks.get(event.index)?.sent ?? '';
    choice.blocks.delete(event.index);
    const missing = event.part.text.startsWith(sent) ? event.part.text.slice(sent.length) : '';
    const { part } = event;
    if (part.type === 'text') {
      if (missing !== '') this.#delta(event.choice, { content: missing }, write);
      choice.textLength += missing.length;
      const annotations = annotationsOf(part, choice.textLength - part.text.length);
      if (annotations.length > 0) this.#delta(event.choice, { annotations }, write);
    } else if (part.type === 'refusal') {
      choice.refused = true;
      if (missing !== '') this.#delta(event.choice, { refusal: missing }, write);
    } else if (this.#ours) {
      if (missing !== '') this.#delta(event.choice, { reasoning_content: missing }, write);
      const fields = mergeWire<JsonObject>({}, part.native);
      if (Object.keys(fields).length > 0) this.#delta(event.choice, fields, write);
    }
  }

  #openCall(event: Event<'tool-call-start'>, write: Write): void {
    // The application must never see a call it would try to run again.
    if (event.executor === 'provider') return;
    const choice = this.#choice(event.choice);
    const custom = event.encoding === 'text';
    const block: Block = { sent: '', call: choice.calls++, custom };
    choice.blocks.set(event.index, block);
    if (this.#legacy) {
      if (block.call === 0) this.#delta(event.choice, { function_call: { name: event.name, arguments: '' } }, write);
      return;
    }
    const body = custom
      ? { type: 'custom', custom: { name: event.name, input: '' } }
      : { type: 'function', function: { name: event.name, arguments: '' } };
    this.#delta(event.choice, { tool_calls: [{ index: block.call, id: event.id, ...body }] }, write);
  }

  #callPiece(at: { choice?: number; index: number }, text: string, write: Write): void {
    const block = this.#choice(at.choice).blocks.get(at.index);
    if (block === undefined || text === '') return;
    block.sent += text;
    if (this.#legacy) {
      if (block.call === 0) this.#delta(at.choice, { function_call: { arguments: text } }, write);
      return;
    }
    const piece = block.custom ? { custom: { input: text } } : { function: { arguments: text } };
    this.#delta(at.choice, { tool_calls: [{ index: block.call, ...piece }] }, write);
  }

  #closeCall(event: Event<'tool-call-end'>, write: Write): void {
    const choice = this.#choice(event.choice);
    const block = choice.blocks.get(event.index);
    if (block === undefined) return;
    const text = callText(event.part);
    if (text.startsWith(block.sent)) this.#callPiece(event, text.slice(block.sent.length), write);
    const extra = extraOf(event.part);
    if (extra !== undefined && !this.#legacy) {
      this.#delta(event.choice, { tool_calls: [{ index: block.call, ...extra }] }, write);
    }
    choice.blocks.delete(event.index);
  }

  #end(event: Event<'end'>, write: Write): void {
    this.#closed = true;
    const native = event.native ?? this.#native;
    const tier = event.tier === undefined ? {} : { service_tier: event.tier };
    if (event.model !== undefined) this.#head = { ...this.#head, model: event.model };
    if (this.#choices.size === 0) this.#choice();
    const facts = mergeWire<JsonObject>(tier, native);
    for (const [index, choice] of this.#choices) {
      const finish = choice.finish?.finish ?? { reason: 'other' as const };
      const { message: extras, ...rest } = mergeWire<JsonObject>({}, finish.native);
      const role = choice.role ? {} : { role: 'assistant', content: '', refusal: null };
      const logprobs = choice.logprobs ? null : encodeLogprobs(choice.finish?.logprobs, choice.refused);
      const wire = {
        index,
        delta: { ...role, ...(recordOf(extras) as JsonObject | undefined) },
        logprobs,
        finish_reason: finishWord(finish, this.#legacy, choice.refused),
        ...rest,
      };
      this.#chunk([wire], write, facts);
    }
    if (this.#withUsage && this.#usage !== undefined && this.#usage.quality !== 'unknown') {
      write(`data: ${JSON.stringify({ ...this.#head, choices: [], usage: encodeUsage(this.#usage), ...tier })}\n\n`);
    }
    write('data: [DONE]\n\n');
  }
}

export function encodeStream(environment: DoorEnvironment): StreamEncoder<ChatEvent> {
  return new ChatChunkEncoder(environment);
}
