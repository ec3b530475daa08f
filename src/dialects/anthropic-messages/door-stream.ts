import type { DoorEnvironment, StreamEncoder } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { Finish } from '../../operations/chat.ts';
import type { Native, Usage } from '../../operations/shared.ts';
import { hasNullables, type ShowOptions } from './door-blocks.ts';
import { errorBody } from './door-errors.ts';
import { encodeStop, messageShell } from './door-response.ts';
import { Slot } from './door-slots.ts';
import { encodeUsage } from './door-usage.ts';
import { PROTOCOL, type Wire } from './encoding.ts';

type Write = (text: string) => void;

/**
 * Canonical events as Anthropic's. Blocks there come strictly one after the other with indexes that count up, so
 * parts that overlap wait their turn: only the oldest open one is written through.
 */
export class MessageStreamEncoder implements StreamEncoder<ChatEvent> {
  readonly #nullables: boolean;
  #options: ShowOptions;
  /** Oldest first. The first is written through, the others hold what they would write. */
  readonly #slots: Slot[] = [];
  readonly #byIndex = new Map<number, Slot>();
  #written = 0;
  #usage: Usage | undefined;
  #finish: Finish = { reason: 'other' };
  #started = false;
  #done = false;

  constructor(environment: DoorEnvironment) {
    this.#nullables = hasNullables(environment.headers);
    this.#options = { nullables: this.#nullables, origin: { protocol: '', provider: '', model: '' } };
  }

  encode(event: ChatEvent, write: Write): void {
    if (this.#done || ('choice' in event && event.choice !== undefined && event.choice !== 0)) return;
    switch (event.type) {
      case 'start':
        this.#start(event, write);
        break;
      case 'usage':
        this.#usage = event.usage;
        break;
      case 'finish':
        this.#finish = event.finish;
        break;
      case 'end':
        this.#end(event.native, write);
        break;
      case 'reset':
        this.#reset(write);
        break;
      case 'raw':
      case 'progress':
        break;
      default:
        this.#block(event, write);
    }
  }

  fail(error: GatewayError, write: Write): void {
    if (this.#done) return;
    this.#done = true;
    write(frame('error', errorBody(error)));
  }

  #start(event: Extract<ChatEvent, { type: 'start' }>, write: Write): void {
    const { protocol, provider, model } = event;
    this.#options = { nullables: this.#nullables, origin: { protocol, provider, model } };
    this.#started = true;
    const message: Wire = {
      ...messageShell(event.id, model, this.#nullables),
      usage: encodeUsage(this.#usage, this.#nullables),
    };
    write(frame('message_start', { type: 'message_start', message }));
  }

  #block(event: Parameters<Slot['take']>[0], write: Write): void {
    let slot = this.#byIndex.get(event.index);
    if (slot === undefined) {
      slot = new Slot(this.#options);
      this.#byIndex.set(event.index, slot);
      this.#slots.push(slot);
    }
    slot.take(event);
    if (slot !== this.#slots[0]) return;
    this.#flush(write);
  }

  /** Writes what the oldest slot has; when it is finished the next one may go on. */
  #flush(write: Write): void {
    for (let slot = this.#slots[0]; slot !== undefined; slot = this.#slots[0]) {
      for (const wire of slot.drain()) write(frame(wire['type'] as string, { ...wire, index: this.#written }));
      if (!slot.closed) return;
      if (slot.opened) this.#written++;
      this.#slots.shift();
    }
  }

  #end(native: Native | undefined, write: Write): void {
    for (const slot of this.#slots) slot.abandon();
    this.#flush(write);
    const { container } = (native?.[PROTOCOL] ?? {}) as Wire;
    const delta: Wire = {
      ...encodeStop(this.#finish, this.#nullables),
      ...(this.#nullables && { container: null }),
      ...(container !== undefined && { container }),
    };
    const { service_tier: _tier, ...usage } = encodeUsage(this.#usage, this.#nullables);
    const { context_management: managed } = (native?.[PROTOCOL] ?? {}) as Wire;
    write(
      frame('message_delta', {
        type: 'message_delta',
        delta,
        usage,
        ...(managed !== undefined && { context_management: managed }),
      }),
    );
    write(frame('message_stop', { type: 'message_stop' }));
    this.#done = true;
  }

  /** What is written cannot be taken back: an answer that begins anew is only possible before its first block. */
  #reset(write: Write): void {
    const opened = this.#written > 0 || this.#slots[0]?.opened === true;
    if (opened && this.#started) {
      const message = 'The answer was restarted after a part of it had been sent.';
      this.fail(new GatewayError('stream-interrupted', message, { committed: true }), write);
      return;
    }
    this.#slots.length = 0;
    this.#byIndex.clear();
  }
}

function frame(name: string, data: Wire): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
