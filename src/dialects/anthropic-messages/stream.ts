import type { DialectEnvironment, Frame, ResponseHead, StreamDecoder } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { parseJson, recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { OutputPart } from '../../operations/chat-parts.ts';
import type { Json, Native, Warning } from '../../operations/shared.ts';
import { PROTOCOL } from './encoding.ts';
import { decodeError } from './errors.ts';
import { decodeFinish, type StopFacts } from './finish.ts';
import { modelFacts } from './quirks.ts';
import { messageNative, responseFacts } from './response.ts';
import { openBlock, type StreamBlock } from './stream-blocks.ts';
import { decodeStartUsage, decodeUsage, mergeUsage } from './usage.ts';

type Emit = (event: ChatEvent) => void;
type WireEvent = Readonly<Record<string, unknown>>;

/**
 * The events of one streamed message. The terminal marker is `message_stop`; what comes after it belongs to no
 * message we asked for and is ignored. A `message_start` that is repeated before any block, or for the same message,
 * is ignored too; one of another message after content means that something upstream began a second answer, and two
 * answers are never spliced: the stream fails as interrupted.
 */
export class MessageStreamDecoder implements StreamDecoder<ChatEvent> {
  terminated = false;
  readonly #head: ResponseHead;
  readonly #environment: DialectEnvironment;
  readonly #form: 'full' | 'summary';
  readonly #open = new Map<unknown, StreamBlock>();
  readonly #content: OutputPart[] = [];
  #started = false;
  #blocks = 0;
  #id = '';
  #model = '';
  #tier: string | undefined;
  #usage: Readonly<Record<string, unknown>> = {};
  #stop: StopFacts = {};
  #rest: Record<string, unknown> = {};

  constructor(head: ResponseHead, environment: DialectEnvironment) {
    this.#head = head;
    this.#environment = environment;
    this.#form = modelFacts(environment).thinkingFull ? 'full' : 'summary';
  }

  decode(frame: Frame, emit: Emit): void {
    if (this.terminated || frame.data === '' || frame.data === '[DONE]') return;
    const event = recordOf(parseJson(frame.data));
    if (event === undefined) throw this.#interrupted('sent an event that is not a JSON object');
    const wasStarted = this.#started;
    if (wasStarted && this.#environment.raw === true) this.#raw(event, emit);
    if (event['type'] === 'content_block_delta') {
      const block = this.#open.get(event['index']) ?? this.#impliedBlock(event, emit);
      block?.delta(event['delta'], emit);
    } else {
      this.#lifecycle(event['type'] ?? frame.event, event, emit);
    }
    if (!wasStarted && this.#started && this.#environment.raw === true) this.#raw(event, emit);
  }

  #raw(event: WireEvent, emit: Emit): void {
    emit({ type: 'raw', protocol: PROTOCOL, event: event as Json });
  }

  end(): void {
    if (!this.terminated) throw this.#interrupted('ended its stream before message_stop');
  }

  #lifecycle(type: unknown, event: WireEvent, emit: Emit): void {
    switch (type) {
      case 'message_start':
        this.#start(recordOf(event['message']) ?? {}, emit);
        break;
      case 'content_block_start':
        this.#openBlock(event, emit);
        break;
      case 'content_block_stop':
        this.#close(event['index'], emit);
        break;
      case 'message_delta':
        this.#delta(event, emit);
        break;
      case 'message_stop':
        this.#finish(emit);
        break;
      case 'error':
        throw decodeError(event, this.#head, this.#environment);
      default:
        // `ping`, and whatever later versions add.
        break;
    }
  }

  #start(message: WireEvent, emit: Emit): void {
    const id = stringOf(message['id']);
    if (this.#started) {
      if ((this.#blocks === 0 && this.#open.size === 0) || id === this.#id) return;
      throw this.#interrupted('began a second message inside the first');
    }
    const facts = responseFacts(message, this.#head, this.#environment);
    this.#started = true;
    this.#id = facts.id;
    this.#model = facts.model;
    this.#usage = mergeUsage({}, message['usage']);
    this.#tier = stringOf(this.#usage['service_tier']);
    this.#rest = { ...facts.native?.[PROTOCOL] };
    emit({
      type: 'start',
      ...facts,
      provider: this.#environment.target.provider,
      protocol: PROTOCOL,
      warnings: [],
    });
    if (this.#usage['input_tokens'] !== undefined) {
      emit({ type: 'usage', usage: decodeStartUsage(this.#usage, this.#model) });
    }
  }

  #openBlock(event: WireEvent, emit: Emit): void {
    if (!this.#started) this.#start({}, emit);
    this.#close(event['index'], emit);
    const block = openBlock(event['content_block'], () => this.#blocks++, this.#form, emit);
    this.#open.set(event['index'], block);
  }

  /** Some servers forget to open a block: its first piece opens it, if it says of what kind it is. */
  #impliedBlock(event: WireEvent, emit: Emit): StreamBlock | undefined {
    const kind = recordOf(event['delta'])?.['type'];
    const type = kind === 'text_delta' ? 'text' : kind === 'thinking_delta' ? 'thinking' : undefined;
    if (type === undefined) return undefined;
    this.#openBlock({ index: event['index'], content_block: { type } }, emit);
    return this.#open.get(event['index']);
  }

  #close(index: unknown, emit: Emit): void {
    const block = this.#open.get(index);
    if (block === undefined) return;
    this.#open.delete(index);
    this.#content.push(block.close(emit));
  }

  #delta(event: WireEvent, emit: Emit): void {
    if (!this.#started) this.#start({}, emit);
    const delta = recordOf(event['delta']) ?? {};
    this.#stop = { ...this.#stop, ...delta };
    const { type: _type, usage, delta: _delta, ...rest } = event;
    Object.assign(this.#rest, messageNative({ ...rest, ...delta })?.[PROTOCOL]);
    if (usage === undefined || usage === null) return;
    this.#usage = mergeUsage(this.#usage, usage);
    emit({ type: 'usage', usage: decodeUsage(this.#usage, this.#model) });
  }

  #finish(emit: Emit): void {
    if (!this.#started) throw this.#interrupted('ended a message that never started');
    for (const index of [...this.#open.keys()]) this.#close(index, emit);
    this.terminated = true;
    const warnings: Warning[] = [];
    const finish = decodeFinish(this.#stop, this.#content, warnings);
    const native: Native | undefined =
      Object.keys(this.#rest).length > 0 ? ({ [PROTOCOL]: this.#rest } as Native) : undefined;
    emit({ type: 'finish', finish });
    emit({
      type: 'end',
      ...(this.#tier !== undefined && { tier: this.#tier }),
      ...(warnings.length > 0 && { warnings }),
      ...(native !== undefined && { native }),
    });
  }

  #interrupted(what: string): GatewayError {
    const { target } = this.#environment;
    return new GatewayError('stream-interrupted', `${target.provider}/${target.model} ${what}; try again.`, {
      target,
      source: 'provider',
    });
  }
}
