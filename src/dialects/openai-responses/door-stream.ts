import type { DoorEnvironment, StreamEncoder } from '../../core/dialect.ts';
import type { ErrorCode, GatewayError } from '../../core/errors.ts';
import { recordOf } from '../../core/wire-json.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { Finish, TokenLogprob } from '../../operations/chat.ts';
import type { OutputPart } from '../../operations/chat-parts.ts';
import type { Json, Usage } from '../../operations/shared.ts';
import { BlockWriter, type Frames, openBlock, type Start } from './door-blocks.ts';
import { errorWords } from './door-error.ts';
import { type ItemContext, wholeItem } from './door-items.ts';
import { contextOf, outcomeOf, responseId, shellOf, tailOf } from './door-response.ts';
import { encodeLogprobs } from './items.ts';
import { PROTOCOL, type Written } from './protocol.ts';

/** Canonical events as the event stream the application's SDK accumulates. */
export function encodeStream(environment: DoorEnvironment): StreamEncoder<ChatEvent> {
  return new ResponsesEncoder(environment);
}

/** The network failed, not the model: the SDK's helper has to throw. */
const TRANSPORT: ReadonlySet<ErrorCode> = new Set([
  ...(['connection', 'timeout', 'stream-interrupted', 'aborted', 'limit-exceeded', 'closed', 'internal'] as const),
]);

class ResponsesEncoder implements StreamEncoder<ChatEvent>, Frames {
  readonly #environment: DoorEnvironment;
  readonly #blocks = new Map<number, BlockWriter>();
  /** Finished items by output position. */
  readonly #output: Written[] = [];
  readonly functions: ReadonlySet<string>;
  context: ItemContext;
  #write: (text: string) => void = () => undefined;
  #sequence = 0;
  #outputs = 0;
  #shell: Written | undefined;
  #finish: Finish = { reason: 'stop' };
  #usage: Usage | undefined;
  #logprobs: readonly TokenLogprob[] | undefined;
  #native: Written | undefined;

  constructor(environment: DoorEnvironment) {
    this.#environment = environment;
    this.context = contextOf(undefined, '', environment);
    const tools = recordOf(environment.request)?.['tools'];
    const names = (Array.isArray(tools) ? tools : [])
      .map((tool) => recordOf(tool))
      .filter((tool) => tool?.['type'] === 'function');
    this.functions = new Set(names.map((tool) => String(tool?.['name'])));
  }

  encode(event: ChatEvent, write: (text: string) => void): void {
    this.#write = write;
    switch (event.type) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'refusal-delta':
      case 'tool-call-delta':
        this.#blocks.get(event.index)?.delta(event.text, event.type === 'text-delta' ? event.logprobs : undefined);
        return;
      case 'start':
        return this.#start(event);
      case 'text-start':
      case 'reasoning-start':
      case 'refusal-start':
      case 'tool-call-start':
        return this.#open(event);
      case 'citation':
        this.#blocks.get(event.index)?.cite(event.citation);
        return;
      case 'text-end':
      case 'reasoning-end':
      case 'refusal-end':
      case 'tool-call-end':
        return this.#end(event.index, event.part);
      case 'part':
        return this.whole(event.part, event.index);
      case 'usage':
        this.#usage = event.usage;
        return;
      case 'finish':
        if (event.choice !== undefined) return;
        this.#finish = event.finish;
        this.#logprobs = event.logprobs;
        return;
      case 'reset':
        return this.#reset();
      case 'end':
        return this.#done(event);
      default:
        return;
    }
  }

  fail(error: GatewayError, write: (text: string) => void): void {
    this.#write = write;
    const words = errorWords(error);
    if (this.#shell === undefined || TRANSPORT.has(error.code)) {
      const { code, message, param } = words;
      this.frame('error', { code: code ?? null, message: message ?? null, param: param ?? null });
      return;
    }
    const { code, message } = words;
    this.frame('response.failed', {
      response: {
        ...this.#shell,
        status: 'failed',
        error: { code: code ?? 'server_error', message: message ?? '' },
        output: this.#items(),
      },
    });
  }

  frame(type: string, fields: Written): void {
    const data = JSON.stringify({ type, sequence_number: this.#sequence++, ...fields });
    this.#write(`event: ${type}\ndata: ${data}\n\n`);
  }

  /** The busiest event, put together from a prefix that its block made once. */
  delta(type: string, prefix: string, text: string): void {
    const data = `${prefix}${JSON.stringify(text)},"sequence_number":${this.#sequence++}}`;
    this.#write(`event: ${type}\ndata: ${data}\n\n`);
  }

  position(): number {
    return this.#outputs++;
  }

  finished(position: number, item: Written): void {
    this.#output[position] = item;
    this.frame('response.output_item.done', { output_index: position, item });
  }

  /** A part that goes out as one item, added and done at once; or not at all. */
  whole(part: OutputPart, index: number): void {
    const item = wholeItem(part, index, this.context);
    if (item === undefined) return;
    const position = this.position();
    this.frame('response.output_item.added', { output_index: position, item: { ...item, ...inProgress(item) } });
    this.finished(position, item);
  }

  #start(event: Start): void {
    const { provider, protocol, model } = event;
    const id = responseId(event.id, protocol);
    this.context = contextOf({ provider, protocol, model }, id, this.#environment);
    this.#shell = shellOf({ id, model, createdAt: event.createdAt }, this.#environment);
    this.#native = event.native?.[PROTOCOL] as Written | undefined;
    this.frame('response.created', { response: this.#shell });
    this.frame('response.in_progress', { response: this.#shell });
  }

  #open(event: Parameters<typeof openBlock>[0]): void {
    // Alternatives have no place in this protocol: only the first is told.
    if (event.choice !== undefined) return;
    this.#blocks.set(event.index, openBlock(event, this));
  }

  #end(index: number, part: OutputPart): void {
    this.#blocks.get(index)?.end(part);
    this.#blocks.delete(index);
  }

  /** What was sent cannot be taken back, but the final answer counts. */
  #reset(): void {
    for (const block of this.#blocks.values()) block.abandon();
    this.#blocks.clear();
    this.#output.length = 0;
    // Positions begin anew, ids must not.
    this.context = { ...this.context, seed: `${this.context.seed}+` };
  }

  #items(): Written[] {
    return this.#output.filter((item) => item !== undefined);
  }

  #done(event: Extract<ChatEvent, { type: 'end' }>): void {
    const native = (event.native?.[PROTOCOL] as Written | undefined) ?? this.#native;
    const outcome = outcomeOf(this.#finish, this.#items());
    const response: Written = {
      ...this.#shell,
      ...(event.model !== undefined && { model: event.model }),
      ...outcome,
      output: this.#withLogprobs(this.#items()),
      ...tailOf(this.#usage, event.tier),
      ...(this.context.origin.protocol === PROTOCOL && native),
    };
    const status = outcome['status'] as string;
    const type = status === 'incomplete' || status === 'failed' ? status : 'completed';
    this.frame(`response.${type}`, { response });
  }

  /** Log probabilities that came only with the finish belong to the first text. */
  #withLogprobs(items: Written[]): Json {
    const logprobs = this.#logprobs;
    if (logprobs === undefined) return items;
    let unsaid = true;
    return items.map((item) => {
      const entry = item['type'] === 'message' && recordOf((item['content'] as Json[])[0]);
      if (!entry || entry['type'] !== 'output_text') return item;
      const list = unsaid ? encodeLogprobs(logprobs) : [];
      unsaid = false;
      return { ...item, content: [{ ...(entry as Written), logprobs: list }] };
    });
  }
}

function inProgress(item: Written): Written {
  return item['status'] === undefined ? {} : { status: 'in_progress' };
}
