import type { DialectEnvironment, Frame, ResponseHead, StreamDecoder } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { arrayOf, numberOf, parseJson, recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { TokenLogprob } from '../../operations/chat.ts';
import type { Json, Warning } from '../../operations/shared.ts';
import { decodeError } from './errors.ts';
import { itemLogprobs, logprobsOf } from './items.ts';
import { PROTOCOL, type Wire } from './protocol.ts';
import { endFactsOf, factsOf, finishOf, isFailed, warningsOf } from './response.ts';
import type { Emit, Track } from './stream-block.ts';
import { ItemStream } from './stream-item.ts';
import { decodeUsage } from './usage.ts';

/** A decoder for one streamed answer. */
export function decodeStream(head: ResponseHead, environment: DialectEnvironment): StreamDecoder<ChatEvent> {
  return new ResponsesDecoder(head, environment);
}

const TERMINAL = new Set(['response.completed', 'response.incomplete', 'response.cancelled']);

class ResponsesDecoder implements StreamDecoder<ChatEvent> {
  readonly #head: ResponseHead;
  readonly #environment: DialectEnvironment;
  readonly #track: Track = { emit: () => undefined, next: 0, parts: [], differs: false };
  readonly #items = new Map<number | string, ItemStream>();
  #logprobs: TokenLogprob[] = [];
  #started: { readonly id: string; readonly model: string } | undefined;
  terminated = false;

  constructor(head: ResponseHead, environment: DialectEnvironment) {
    this.#head = head;
    this.#environment = environment;
  }

  decode(frame: Frame, emit: Emit): void {
    if (this.terminated || frame.data === '' || frame.data === '[DONE]') return;
    const event = recordOf(parseJson(frame.data));
    if (event === undefined) throw this.#interrupted('an event that is not JSON');
    const type = stringOf(event['type']) ?? frame.event ?? '';
    this.#track.emit = emit;
    const raw = this.#environment.raw === true;
    const early = this.#started !== undefined;
    if (raw && early) emit({ type: 'raw', protocol: PROTOCOL, event: event as Json });
    this.#event(type, event);
    if (raw && !early && this.#started !== undefined) emit({ type: 'raw', protocol: PROTOCOL, event: event as Json });
  }

  end(): void {
    // The terminal event brings finish and usage with it, so nothing is left to say here.
    if (!this.terminated) throw this.#interrupted('no terminal event');
  }

  #event(type: string, event: Wire): void {
    switch (type) {
      case 'response.output_text.delta': {
        const logprobs = event['logprobs'];
        const block = this.#item(event, 'message').entry(indexOf(event, 'content_index'), 'text');
        const list = Array.isArray(logprobs) && logprobs.length > 0 ? logprobsOf(logprobs) : undefined;
        if (list !== undefined) this.#logprobs.push(...list);
        return block.push(deltaOf(event), list);
      }
      case 'response.refusal.delta':
        return this.#item(event, 'message').entry(indexOf(event, 'content_index'), 'refusal').push(deltaOf(event));
      case 'response.reasoning_summary_text.delta':
        return this.#item(event, 'reasoning').reason('summary', indexOf(event, 'summary_index'), deltaOf(event));
      case 'response.reasoning_text.delta':
        return this.#item(event, 'reasoning').reason('content', indexOf(event, 'content_index'), deltaOf(event));
      case 'response.function_call_arguments.delta':
        return this.#item(event, 'function_call').argument(deltaOf(event));
      case 'response.custom_tool_call_input.delta':
        return this.#item(event, 'custom_tool_call').argument(deltaOf(event));
      case 'response.mcp_call_arguments.delta':
        return this.#item(event, 'mcp_call').argument(deltaOf(event));
      case 'response.code_interpreter_call_code.delta':
        return this.#item(event, 'code_interpreter_call').argument(deltaOf(event));
      case 'response.content_part.added':
        return this.#contentAdded(event);
      case 'response.output_text.annotation.added':
        return this.#annotated(event);
      case 'response.output_item.added':
        this.#added(event);
        return;
      case 'response.output_item.done':
        return this.#itemDone(event);
      case 'error':
        throw decodeError(event, this.#head, this.#environment);
      default:
        return this.#other(type, event);
    }
  }

  #other(type: string, event: Wire): void {
    const response = recordOf(event['response']);
    if (response !== undefined) return this.#lifecycle(type, response);
    // Some servers put an error where an event should be.
    if (!type.startsWith('response.') && event['error'] != null)
      throw decodeError(event, this.#head, this.#environment);
    if (type.endsWith('.done') || type.endsWith('.completed')) return;
    const status = /^response\.\w+_call\.(\w+)$/.exec(type)?.[1] ?? /^response\.(shell_call_\w+\.\w+)$/.exec(type)?.[1];
    if (status !== undefined) this.#find(event)?.progress(status, event);
  }

  #lifecycle(type: string, response: Wire): void {
    if (type === 'response.failed' || isFailed(response)) {
      throw decodeError({ error: response['error'] ?? response }, this.#head, this.#environment);
    }
    this.#start(response);
    if (TERMINAL.has(type)) this.#finish(response);
  }

  #start(response: Wire): void {
    if (this.#started !== undefined) return;
    const { native: _later, ...facts } = factsOf(response, this.#head, this.#environment);
    this.#started = facts;
    const { provider } = this.#environment.target;
    this.#track.emit({ type: 'start', ...facts, provider, protocol: PROTOCOL, warnings: [] });
  }

  #finish(response: Wire): void {
    const output = arrayOf(response['output']).map((item) => recordOf(item) ?? {});
    for (const [position, item] of output.entries()) this.#reconcile(position, item);
    for (const item of this.#items.values()) if (!item.done) item.finishAsReceived();
    const { native, ...facts } = factsOf(response, this.#head, this.#environment);
    const started = this.#started ?? facts;
    const logprobs = output.length > 0 ? output.flatMap(itemLogprobs) : this.#logprobs;
    const warnings = [...warningsOf(response), ...(this.#track.differs ? [DIFFERS] : [])];
    const { emit } = this.#track;
    if (recordOf(response['usage']) !== undefined) {
      emit({ type: 'usage', usage: decodeUsage(response, facts.model, stringOf(response['service_tier'])) });
    }
    emit({ type: 'finish', finish: finishOf(response, this.#track.parts), ...(logprobs.length > 0 && { logprobs }) });
    this.terminated = true;
    emit({
      type: 'end',
      ...(response['id'] !== undefined && facts.id !== started.id && { id: facts.id }),
      ...(facts.model !== started.model && { model: facts.model }),
      ...(warnings.length > 0 && { warnings }),
      ...(native !== undefined && { native }),
      ...endFactsOf(response),
    });
  }

  /** The final list against what was streamed: what is missing is made up for, what differs is noted. */
  #reconcile(position: number, item: Wire): void {
    const id = stringOf(item['id']);
    const type = stringOf(item['type']);
    const streamed = this.#byId(id) ?? this.#items.get(position);
    if (streamed === undefined || streamed.type !== type) {
      this.#remember(`final:${position}`, item).finish(item);
    } else if (!streamed.done) {
      streamed.finish(item);
    } else if (!streamed.agrees(item)) {
      this.#track.differs = true;
    }
  }

  #added(event: Wire): ItemStream | undefined {
    const item = recordOf(event['item']);
    if (item === undefined) return undefined;
    this.#ensureStarted();
    const key = keyOf(event, stringOf(item['id']));
    // A server that counts every item 0: the earlier one has to end before the next takes its place.
    const earlier = this.#items.get(key);
    if (earlier !== undefined) {
      if (!earlier.done && earlier.id === stringOf(item['id'])) return earlier;
      if (!earlier.done) earlier.finishAsReceived();
      this.#items.delete(key);
      this.#items.set(`past:${this.#items.size}:${key}`, earlier);
    }
    return this.#remember(key, item);
  }

  #itemDone(event: Wire): void {
    const item = recordOf(event['item']);
    if (item === undefined) return;
    const found = this.#find(event) ?? this.#byId(stringOf(item['id']));
    const same = found !== undefined && !found.done && found.type === stringOf(item['type']);
    (same ? found : this.#added(event))?.finish(item);
  }

  #contentAdded(event: Wire): void {
    const type = recordOf(event['part'])?.['type'];
    if (type !== 'output_text' && type !== 'refusal') return;
    this.#item(event, 'message').entry(indexOf(event, 'content_index'), type === 'refusal' ? 'refusal' : 'text');
  }

  #annotated(event: Wire): void {
    const annotation = recordOf(event['annotation']);
    if (annotation === undefined) return;
    this.#item(event, 'message').annotate(indexOf(event, 'content_index'), annotation);
  }

  /** The item an event belongs to; made from its kind, should the server not have announced it. */
  #item(event: Wire, type: string): ItemStream {
    const found = this.#find(event);
    if (found !== undefined) return found;
    this.#ensureStarted();
    const id = stringOf(event['item_id']);
    return this.#remember(keyOf(event, id), { type, ...(id !== undefined && { id }) });
  }

  #find(event: Wire): ItemStream | undefined {
    return this.#items.get(keyOf(event, stringOf(event['item_id'])));
  }

  #byId(id: string | undefined): ItemStream | undefined {
    if (id === undefined) return undefined;
    for (const item of this.#items.values()) if (item.id === id) return item;
    return undefined;
  }

  #remember(key: number | string, item: Wire): ItemStream {
    const stream = new ItemStream(item, this.#track);
    this.#items.set(key, stream);
    return stream;
  }

  /** A replay from the middle may begin with content: the facts of its end correct these. */
  #ensureStarted(): void {
    if (this.#started === undefined) this.#start({});
  }

  #interrupted(what: string): GatewayError {
    const { target } = this.#environment;
    const message = `The stream of ${target.provider}/${target.model} broke off: ${what}.`;
    return new GatewayError('stream-interrupted', message, { source: 'provider', target });
  }
}

const DIFFERS: Warning = {
  code: 'provider',
  message: 'The final answer of the provider differs from what it had streamed; the finished parts are the final ones.',
};

function keyOf(event: Wire, id: string | undefined): number | string {
  return numberOf(event['output_index']) ?? `id:${id ?? ''}`;
}

function indexOf(event: Wire, name: string): number {
  return numberOf(event[name]) ?? 0;
}

function deltaOf(event: Wire): string {
  return stringOf(event['delta']) ?? '';
}
