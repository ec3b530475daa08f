import { invalidRequest } from '../../core/errors.ts';
import type { DecodedRequest } from '../../core/dialect.ts';
import { arrayOf, numberOf, recordOf, stringOf } from '../../core/wire-json.ts';
import { type ChatRequest, EFFORTS, type OutputFormat } from '../../operations/chat.ts';
import type { Json, JsonObject, JsonSchema } from '../../operations/shared.ts';
import { decodeMessages } from './door-messages.ts';
import { decodeTools } from './door-tools.ts';
import { PROTOCOL } from './hints.ts';
import type { OpenAiChatFacts } from './quirks.ts';

type Wire = Readonly<Record<string, unknown>>;
type Draft = { -readonly [K in keyof ChatRequest]: ChatRequest[K] };
type Facts = { -readonly [K in keyof OpenAiChatFacts]: OpenAiChatFacts[K] };

const APART = new Set(['model', 'messages', 'stream', 'stream_options']);

/** A body as it is read: what has a canonical home is taken out, the rest stays and becomes `native`. */
export class Inbound {
  readonly rest: Record<string, Json>;

  constructor(body: Wire) {
    // Without what is read for itself: deleting it again would make every look at the rest slow.
    this.rest = {};
    for (const name in body) if (!APART.has(name)) this.rest[name] = body[name] as Json;
  }

  /** Takes a field if it reads as what is wanted. A field of another shape stays where it is, word for word. */
  take<T>(name: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = read(this.rest[name]);
    if (value !== undefined) delete this.rest[name];
    return value;
  }
}

const booleanOf = (value: unknown) => (typeof value === 'boolean' ? value : undefined);
const numberMap = (value: unknown) => {
  const map = recordOf(value);
  return map !== undefined && Object.values(map).every((one) => typeof one === 'number') ? map : undefined;
};
const stringMap = (value: unknown) => {
  const map = recordOf(value);
  return map !== undefined && Object.values(map).every((one) => typeof one === 'string') ? map : undefined;
};

/** An application's `POST /chat/completions`, with what is needed to write it again in its own words. */
export function decodeRequest(body: unknown): DecodedRequest<ChatRequest> {
  const wire = recordOf(body);
  if (wire === undefined) throw invalidRequest('body', 'a JSON object is needed.');
  // Servers of one model may not ask for its name.
  const model = stringOf(wire['model']) ?? '';
  if (model === '' && wire['model'] !== undefined) throw invalidRequest('model', 'a model name is needed.');
  if (!Array.isArray(wire['messages'])) throw invalidRequest('messages', 'an array of messages is needed.');
  const inbound = new Inbound(wire);
  const facts: Facts = { protocol: PROTOCOL, model };
  if (wire['stream'] !== undefined) facts.stream = wire['stream'] === null ? null : wire['stream'] === true;
  if (wire['stream_options'] !== undefined) facts.streamOptions = recordOf(wire['stream_options']) ?? null;
  const request: Draft = { model, messages: decodeMessages(wire['messages'], facts) };
  decodeTools(inbound, request, facts);
  readSampling(inbound, request, facts);
  readOutput(inbound, request, facts);
  readEconomy(inbound, request, facts);
  if (Object.keys(inbound.rest).length > 0) request.native = { [PROTOCOL]: inbound.rest };
  return { request, stream: wire['stream'] === true, facts: facts as unknown as Record<string, unknown> };
}

/** Sets a field of the request if the body has it. */
function set<K extends keyof ChatRequest>(request: Draft, name: K, value: ChatRequest[K] | undefined): void {
  if (value !== undefined) request[name] = value;
}

function readSampling(inbound: Inbound, request: Draft, facts: Facts): void {
  for (const field of ['max_completion_tokens', 'max_tokens'] as const) {
    // Both at once: the newer name counts, the older stays as it is.
    if (request.maxTokens !== undefined) continue;
    set(request, 'maxTokens', inbound.take(field, numberOf));
    if (request.maxTokens !== undefined) facts.maxTokensField = field;
  }
  set(request, 'temperature', inbound.take('temperature', numberOf));
  set(request, 'topP', inbound.take('top_p', numberOf));
  set(request, 'presencePenalty', inbound.take('presence_penalty', numberOf));
  set(request, 'frequencyPenalty', inbound.take('frequency_penalty', numberOf));
  set(request, 'logitBias', inbound.take('logit_bias', numberMap) as Record<string, number> | undefined);
  set(request, 'n', inbound.take('n', numberOf));
  set(request, 'verbosity', inbound.take('verbosity', oneOf(['low', 'medium', 'high'] as const)));
  for (const field of ['seed', 'random_seed'] as const) {
    if (request.seed !== undefined) continue;
    set(request, 'seed', inbound.take(field, numberOf));
    if (request.seed !== undefined) facts.seedField = field;
  }
  const stop = inbound.take('stop', stringOf);
  if (stop !== undefined) facts.stopIsString = true;
  set(request, 'stop', stop === undefined ? inbound.take('stop', stringsOf) : [stop]);
  readLogprobs(inbound, request);
  const extra: string[] = [];
  for (const [name, field] of [
    ['topK', 'top_k'],
    ['minP', 'min_p'],
    ['repetitionPenalty', 'repetition_penalty'],
  ] as const) {
    set(request, name, inbound.take(field, numberOf));
    if (request[name] !== undefined) extra.push(field);
  }
  if (extra.length > 0) facts.extraSampling = extra;
  const effort = inbound.take('reasoning_effort', oneOf(EFFORTS));
  if (effort !== undefined) request.reasoning = { effort };
}

function readLogprobs(inbound: Inbound, request: Draft): void {
  const top = inbound.rest['logprobs'] === true ? inbound.take('top_logprobs', numberOf) : undefined;
  const asked = inbound.take('logprobs', booleanOf);
  if (asked !== undefined) request.logprobs = asked ? (top ?? true) : false;
}

function readOutput(inbound: Inbound, request: Draft, facts: Facts): void {
  const format = inbound.take('response_format', (value) => outputOf(value));
  if (format !== undefined) {
    request.output = format;
    if (format.type === 'text') facts.textFormat = true;
  }
  const modalities = inbound.take('modalities', (value) => {
    const all = stringsOf(value);
    return all?.every((one) => ['text', 'image', 'audio'].includes(one)) ? all : undefined;
  });
  set(request, 'modalities', modalities as ChatRequest['modalities'] | undefined);
  const audio = inbound.take('audio', (value) => {
    const wire = recordOf(value);
    const plain = wire !== undefined && Object.keys(wire).every((key) => key === 'voice' || key === 'format');
    return plain && Object.values(wire).every((one) => typeof one === 'string') ? wire : undefined;
  });
  set(request, 'audio', audio as ChatRequest['audio'] | undefined);
  const prediction = inbound.take('prediction', (value) => {
    const wire = recordOf(value);
    return wire?.['type'] === 'content' && Object.keys(wire).length === 2 ? stringOf(wire['content']) : undefined;
  });
  set(request, 'prediction', prediction);
}

/** A response format whose every field has a home; others stay native. */
function outputOf(value: unknown): OutputFormat | undefined {
  const wire = recordOf(value);
  if (wire?.['type'] === 'text' && Object.keys(wire).length === 1) return { type: 'text' };
  if (wire?.['type'] === 'json_object' && Object.keys(wire).length === 1) return { type: 'json' };
  const spec = recordOf(wire?.['json_schema']);
  const schema = recordOf(spec?.['schema']);
  if (wire?.['type'] !== 'json_schema' || spec === undefined || schema === undefined) return undefined;
  const { name, description, strict, schema: _schema, ...rest } = spec;
  const native: JsonObject = { ...(rest as JsonObject), ...(strict === null && { strict: null }) };
  return {
    type: 'schema',
    name: stringOf(name) ?? 'answer',
    schema: schema as JsonSchema,
    ...(typeof description === 'string' && { description }),
    ...(typeof strict === 'boolean' && { strict }),
    ...(Object.keys(native).length > 0 && { native: { [PROTOCOL]: native } }),
  };
}

function readEconomy(inbound: Inbound, request: Draft, facts: Facts): void {
  const key = inbound.take('prompt_cache_key', stringOf);
  const retention = inbound.take('prompt_cache_retention', (value) => (value === '24h' ? ('24h' as const) : undefined));
  const options = recordOf(inbound.rest['prompt_cache_options']);
  const mode = options?.['mode'];
  const ttl = options?.['ttl'] === '30m' ? ('30m' as const) : retention;
  const cacheMode = mode === 'explicit' ? ('explicit' as const) : mode === 'implicit' ? ('auto' as const) : undefined;
  if (options !== undefined && Object.keys(options).every((name) => name === 'mode' || name === 'ttl')) {
    if ((mode === undefined || cacheMode !== undefined) && [undefined, '30m'].includes(options['ttl'] as string)) {
      delete inbound.rest['prompt_cache_options'];
    }
  }
  if (key !== undefined || ttl !== undefined || cacheMode !== undefined) {
    request.cache = {
      ...(key !== undefined && { key }),
      ...(ttl !== undefined && { ttl }),
      ...(cacheMode !== undefined && { mode: cacheMode }),
    };
  }
  set(request, 'tier', inbound.take('service_tier', stringOf));
  for (const field of ['safety_identifier', 'user'] as const) {
    if (request.user !== undefined) continue;
    set(request, 'user', inbound.take(field, stringOf));
    if (request.user !== undefined) facts.userField = field;
  }
  set(request, 'metadata', inbound.take('metadata', stringMap) as Record<string, string> | undefined);
  const store = inbound.take('store', booleanOf);
  if (store !== undefined) request.conversation = { store };
}

function oneOf<const T extends string>(words: readonly T[]): (value: unknown) => T | undefined {
  return (value) => words.find((word) => word === value);
}

function stringsOf(value: unknown): string[] | undefined {
  const all = arrayOf(value);
  return Array.isArray(value) && all.every((one) => typeof one === 'string') ? (all as string[]) : undefined;
}
