import type { Call, StreamReply } from './core/call.ts';
import { GatewayError, toGatewayError } from './core/errors.ts';
import { outputOf } from './core/structured-output.ts';
import { noteGivenUp } from './core/trail.ts';
import type { ChatEvent } from './operations/chat-events.ts';
import { foldChat } from './operations/chat-fold.ts';
import { chatResponseOf, costKey, type GatewayChatResponse } from './response.ts';

export interface Opened {
  readonly call: Call<'chat'>;
  readonly reply: StreamReply<'chat'>;
}

/** A streamed answer, and who reads it. */
export interface Answer {
  readonly opening: Promise<Opened>;
  /** Written out: the library's own name for this is younger than the targets our declarations are read at. */
  readonly whole: {
    readonly promise: Promise<GatewayChatResponse>;
    resolve(response: GatewayChatResponse): void;
    reject(error: unknown): void;
  };
  /** The one reading that has begun. */
  reading: object | undefined;
}

type Step<V> = IteratorResult<V, undefined>;
const DONE: Step<never> = { done: true, value: undefined };

/**
 * Reads an answer once, in what `pick` makes of its events; `undefined` is passed over. Folds it on the way into
 * `whole`, and ends it once, however the reading ends.
 *
 * By hand, not as a generator: this runs once an event, and a generator's promises take longer than its work.
 */
export class ChatReading<V> implements AsyncIterableIterator<V, undefined> {
  readonly #answer: Answer;
  readonly #pick: (event: ChatEvent) => V | undefined;
  readonly #fold = foldChat();
  #opened: Opened | undefined;
  #committed = false;
  #over = false;

  constructor(answer: Answer, pick: (event: ChatEvent) => V | undefined) {
    this.#answer = answer;
    this.#pick = pick;
  }

  async next(): Promise<Step<V>> {
    if (this.#over) return DONE;
    if (this.#answer.reading !== this) this.#begin();
    try {
      const { reply } = (this.#opened ??= await this.#answer.opening);
      while (!this.#over) {
        const { done, value } = await reply.events.next();
        if (done === true) break;
        const picked = value.type === 'end' ? this.#pick(await this.#last(value)) : this.#take(value);
        if (picked !== undefined) return { done: false, value: picked };
      }
      if (!this.#over && !this.#fold.complete)
        throw new GatewayError('aborted', 'The stream was stopped before its end.', { partial: this.#fold.response() });
    } catch (thrown) {
      throw this.#failed(thrown);
    }
    this.#end();
    return DONE;
  }

  /** Stops the answer; a read on its way ends with it. */
  return(): Promise<Step<V>> {
    if (this.#answer.reading === this) this.#end();
    this.#over = true;
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #begin(): void {
    if (this.#answer.reading !== undefined) {
      this.#over = true;
      const message = 'A stream can be read once; keep the events, or await `response`.';
      throw new GatewayError('invalid-request', message, { field: 'stream' });
    }
    this.#answer.reading = this;
  }

  #take(event: ChatEvent): V | undefined {
    const picked = this.#pick(event);
    this.#fold.add(event);
    this.#committed = true;
    return picked;
  }

  async #last(event: Extract<ChatEvent, { type: 'end' }>): Promise<ChatEvent> {
    this.#fold.add(event);
    const { call, reply } = this.#opened as Opened;
    const response = this.#fold.response();
    const output = await outputOf(call, response);
    const whole = chatResponseOf(response, reply, call.context.get(costKey), output);
    this.#answer.whole.resolve(whole);
    return { ...event, response: whole };
  }

  #failed(thrown: unknown): GatewayError {
    const error = toGatewayError(thrown, 'The stream');
    if (this.#committed && this.#opened !== undefined) noteGivenUp(this.#opened.call, 'its content had been read');
    const attempts = this.#opened === undefined ? error.attempts : [...this.#opened.call.context.attempts];
    const committed = this.#committed;
    const told = error.with({
      committed,
      attempts,
      ...(committed && { partial: error.partial ?? this.#fold.response() }),
    });
    this.#answer.whole.reject(told);
    this.#end();
    return told;
  }

  #end(): void {
    this.#over = true;
    this.#opened?.reply.events.cancel();
    if (this.#fold.complete) return;
    const message = 'The stream was stopped by its reader.';
    const attempts = [...(this.#opened?.call.context.attempts ?? [])];
    this.#answer.whole.reject(new GatewayError('aborted', message, { partial: this.#fold.response(), attempts }));
  }
}
