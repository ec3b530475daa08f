import type { DialectEnvironment, Frame, ResponseHead, StreamDecoder } from '../../core/dialect.ts';
import { rateLimitOf, requestIdOf } from '../../core/error-facts.ts';
import { GatewayError } from '../../core/errors.ts';
import { mintId } from '../../core/replay.ts';
import { arrayOf, parseJson, recordOf } from '../../core/wire-json.ts';
import type { ChatEvent } from '../../operations/chat-events.ts';
import type { Json, Warning } from '../../operations/shared.ts';
import { ChoiceDecoder } from './choice-decoder.ts';
import { decodeError, isError } from './errors.ts';
import { PROTOCOL } from './hints.ts';
import { decodeUsage } from './usage.ts';
import { isoTime } from '../../operations/iso-time.ts';

type Emit = (event: ChatEvent) => void;
type Wire = Readonly<Record<string, unknown>>;
/** Known, or padding: `obfuscation` only hides the length of a delta. */
const KNOWN = new Set(['id', 'object', 'created', 'model', 'choices', 'usage', 'service_tier', 'obfuscation', 'error']);
/** Choices a server may open, whatever `n` was: more than this is junk. */
const CHOICES_MAX = 128;

/** Decodes the chunks of one answer. The whole answer of a plain call is a single chunk to it. */
export class ChatDecoder implements StreamDecoder<ChatEvent> {
  readonly #head: ResponseHead;
  readonly #environment: DialectEnvironment;
  readonly #choices = new Map<number, ChoiceDecoder>();
  #first: ChoiceDecoder | undefined;
  #started = false;
  #done = false;
  #id = '';
  #model = '';
  #startedAs = { id: '', model: '' };
  #tier: string | undefined;
  #usage: Wire | undefined;
  #native: Record<string, Json> | undefined;
  #rawEarly: Json[] = [];

  constructor(head: ResponseHead, environment: DialectEnvironment) {
    this.#head = head;
    this.#environment = environment;
  }

  get terminated(): boolean {
    if (this.#done) return true;
    if (this.#choices.size === 0) return false;
    for (const choice of this.#choices.values()) if (choice.finishWord === undefined) return false;
    return true;
  }

  decode(frame: Frame, emit: Emit): void {
    const { data } = frame;
    if (data === '' || this.#done) return;
    if (data === '[DONE]') {
      this.#done = true;
      return;
    }
    const chunk = recordOf(parseJson(data));
    if (chunk === undefined) {
      if (this.terminated || data.trim() === '') return;
      throw this.#interrupted('An event of the stream is not JSON.');
    }
    // An error counts even after a finish reason: OpenRouter says `length` first and why it failed afterwards.
    if (frame.event === 'error' || chunk['error'] || chunk['object'] === 'error' || chunk['choices'] === undefined) {
      if (frame.event === 'error' || isError(chunk)) throw decodeError(chunk, this.#head, this.#environment);
    }
    this.add(chunk, false, emit);
  }

  /** Takes one chunk; `whole` if its choices hold messages instead of deltas. */
  add(chunk: Wire, whole: boolean, emit: Emit): void {
    const choices = arrayOf(chunk['choices']);
    this.#readFacts(chunk);
    if (!this.#started && (choices.length > 0 || this.#model !== '')) this.#start(chunk, emit);
    if (this.#environment.raw === true && !whole) {
      if (this.#started) emit({ type: 'raw', protocol: PROTOCOL, event: chunk as Json });
      else this.#rawEarly.push(chunk as Json);
    }
    for (let position = 0; position < choices.length; position++) {
      const wire = recordOf(choices[position]);
      if (wire !== undefined) this.#choice(wire, whole ? position : undefined).add(wire, whole, emit);
    }
  }

  #readFacts(chunk: Wire): void {
    if (this.#id === '' && typeof chunk['id'] === 'string') this.#id = chunk['id'];
    if (this.#model === '' && typeof chunk['model'] === 'string') this.#model = chunk['model'];
    const usage =
      chunk['usage'] ?? recordOf(chunk['x_groq'])?.['usage'] ?? recordOf(arrayOf(chunk['choices'])[0])?.['usage'];
    // Cumulative everywhere: the last one counts (USE-01, USE-02).
    if (usage) this.#usage = recordOf(usage) ?? this.#usage;
    if (typeof chunk['service_tier'] === 'string' && chunk['service_tier'] !== '') this.#tier = chunk['service_tier'];
    for (const key in chunk) {
      const value = chunk[key];
      if (value !== null && value !== undefined && value !== '' && !KNOWN.has(key))
        (this.#native ??= {})[key] = value as Json;
    }
  }

  #start(chunk: Wire, emit: Emit): void {
    this.#started = true;
    const { target, nowMs } = this.#environment;
    const requestId = requestIdOf(this.#head.headers);
    const rateLimit = rateLimitOf(this.#head.headers, nowMs);
    const created = chunk['created'];
    const createdMs = typeof created === 'number' && created > 0 && created < 1e11 ? created * 1000 : nowMs;
    const id =
      this.#id || mintId('chatcmpl', `${requestId ?? ''}\u0000${target.provider}\u0000${target.model}\u0000${nowMs}`);
    const model = this.#model || target.model;
    this.#startedAs = { id, model };
    emit({
      type: 'start',
      id,
      model,
      createdAt: isoTime(createdMs),
      provider: target.provider,
      protocol: PROTOCOL,
      warnings: [],
      ...(requestId !== undefined && { requestId }),
      ...(rateLimit !== undefined && { rateLimit }),
    });
    for (const event of this.#rawEarly) emit({ type: 'raw', protocol: PROTOCOL, event });
    this.#rawEarly = [];
  }

  /** The choice a wire choice belongs to. `position` is its place in a whole answer, where no two are one. */
  #choice(wire: Wire, position: number | undefined): ChoiceDecoder {
    let index = typeof wire['index'] === 'number' && wire['index'] >= 0 ? wire['index'] : (position ?? 0);
    if (position !== undefined && this.#choices.has(index)) index = position;
    if (this.#first?.index === index) return this.#first;
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      if (this.#choices.size >= CHOICES_MAX)
        throw this.#interrupted('The stream has more choices than anyone asks for.');
      choice = new ChoiceDecoder(index, this.#startedAs.id);
      this.#choices.set(index, choice);
      this.#first ??= choice;
    }
    return choice;
  }

  /** The body has ended. */
  end(emit: Emit): void {
    if (!this.terminated) throw this.#interrupted('The stream ended before its end marker.');
    if (this.#choices.size === 0) {
      const { target } = this.#environment;
      throw new GatewayError('bad-response', `${target.provider}/${target.model} answered without any choice.`, {
        source: 'provider',
        target,
        status: this.#head.status,
      });
    }
    const warnings: Warning[] = [];
    for (const choice of this.#choices.values()) choice.finish(emit, (warning) => warnings.push(warning));
    const model = this.#model || this.#startedAs.model;
    const usage = decodeUsage(this.#usage, model, this.#tier);
    if (usage !== undefined) emit({ type: 'usage', usage });
    emit({
      type: 'end',
      ...(this.#id !== '' && this.#id !== this.#startedAs.id && { id: this.#id }),
      ...(model !== this.#startedAs.model && { model }),
      ...(warnings.length > 0 && { warnings }),
      ...(this.#tier !== undefined && { tier: this.#tier }),
      ...(this.#native !== undefined && { native: { [PROTOCOL]: this.#native } }),
    });
  }

  #interrupted(why: string): GatewayError {
    const { target } = this.#environment;
    return new GatewayError('stream-interrupted', `${target.provider}/${target.model}: ${why}`, {
      source: 'provider',
      target,
      status: this.#head.status,
      ...(requestIdOf(this.#head.headers) !== undefined && { requestId: requestIdOf(this.#head.headers) }),
    });
  }
}

export function decodeStream(head: ResponseHead, environment: DialectEnvironment): StreamDecoder<ChatEvent> {
  return new ChatDecoder(head, environment);
}
