import type { DecodedRequest } from '../../core/dialect.ts';
import { invalidRequest } from '../../core/errors.ts';
import { arrayOf, recordOf, stringOf } from '../../core/wire-json.ts';
import { type ChatRequest, EFFORTS, type OutputFormat, type ReasoningOptions } from '../../operations/chat.ts';
import type { Json, JsonSchema } from '../../operations/shared.ts';
import { messagesOf } from './door-input.ts';
import { choiceOf, toolsOf } from './door-tools.ts';
import { asNative, PROTOCOL, restOf, type Wire, type Written } from './protocol.ts';
import type { RequestFacts } from './request.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A request body of this protocol as canonical request. What has no home there is kept as `native`. */
export function decodeRequest(body: unknown): DecodedRequest<ChatRequest> {
  const wire = recordOf(body);
  if (wire === undefined) throw invalidRequest('body', 'must be a JSON object.');
  if (wire['model'] !== undefined && typeof wire['model'] !== 'string')
    throw invalidRequest('model', 'must be a string.');
  const { input } = wire;
  if (input !== undefined && typeof input !== 'string' && !Array.isArray(input)) {
    throw invalidRequest('input', 'must be a string or a list of items.');
  }
  const reader = new Reader(wire);
  const request: Mutable<ChatRequest> = { model: stringOf(wire['model']) ?? '', messages: messagesOf(input) };
  const facts: Mutable<RequestFacts> = {
    ...(typeof input === 'string' && { input: 'text' as const }),
    ...(input === undefined && { input: 'none' as const }),
    ...(wire['stream'] === false && { stream: false as const }),
  };
  for (const name of ['model', 'input', 'stream']) reader.take(name);
  readTools(reader, request);
  readOptions(reader, request, facts);
  readReasoning(reader, request);
  readText(reader, request);
  readState(reader, request);
  const native = asNative({ ...restOf(wire, reader.taken), ...reader.native });
  return { request: { ...request, ...native }, stream: wire['stream'] === true, facts: { [PROTOCOL]: facts } };
}

/** Reads fields by shape, and remembers which were understood. */
class Reader {
  readonly taken = new Set<string>();
  readonly native: Written = {};
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  take(name: string): unknown {
    this.taken.add(name);
    return this.#wire[name];
  }

  peek(name: string): unknown {
    return this.#wire[name];
  }

  string(name: string): string | undefined {
    return typeof this.#wire[name] === 'string' ? (this.take(name) as string) : undefined;
  }

  number(name: string): number | undefined {
    return typeof this.#wire[name] === 'number' ? (this.take(name) as number) : undefined;
  }

  boolean(name: string): boolean | undefined {
    return typeof this.#wire[name] === 'boolean' ? (this.take(name) as boolean) : undefined;
  }
}

function set<K extends keyof ChatRequest>(
  request: Mutable<ChatRequest>,
  name: K,
  value: ChatRequest[K] | undefined,
): void {
  if (value !== undefined) request[name] = value as Mutable<ChatRequest>[K];
}

function readTools(reader: Reader, request: Mutable<ChatRequest>): void {
  if (Array.isArray(reader.peek('tools'))) request.tools = toolsOf(reader.take('tools'));
  if (reader.peek('tool_choice') === null) return;
  const { toolChoice, native } = choiceOf(reader.take('tool_choice'), request.tools ?? []);
  set(request, 'toolChoice', toolChoice);
  Object.assign(reader.native, native);
  set(request, 'parallelToolCalls', reader.boolean('parallel_tool_calls'));
  set(request, 'maxToolCalls', reader.number('max_tool_calls'));
}

function readOptions(reader: Reader, request: Mutable<ChatRequest>, facts: Mutable<RequestFacts>): void {
  const instructions = reader.string('instructions');
  if (instructions !== undefined) request.system = [{ type: 'text', text: instructions }];
  set(request, 'maxTokens', reader.number('max_output_tokens'));
  set(request, 'temperature', reader.number('temperature'));
  set(request, 'topP', reader.number('top_p'));
  set(request, 'tier', reader.string('service_tier'));
  set(request, 'background', reader.boolean('background'));
  const user = reader.string('safety_identifier');
  set(request, 'user', user);
  if (user === undefined && typeof reader.peek('user') === 'string') {
    set(request, 'user', reader.string('user'));
    facts.user = 'user';
  }
  const metadata = recordOf(reader.peek('metadata'));
  if (metadata !== undefined) request.metadata = reader.take('metadata') as Record<string, string>;
  const truncation = reader.peek('truncation');
  if (truncation === 'auto' || truncation === 'disabled') request.truncation = reader.take('truncation') as 'auto';
  // `include` is always written back as it came; only what it means for us is read from it.
  const asked = arrayOf(reader.peek('include')).includes('message.output_text.logprobs');
  const top = reader.number('top_logprobs');
  if (asked || top !== undefined) request.logprobs = top ?? true;
  readCache(reader, request);
}

function readCache(reader: Reader, request: Mutable<ChatRequest>): void {
  const cache: Mutable<NonNullable<ChatRequest['cache']>> = {};
  const key = reader.string('prompt_cache_key');
  if (key !== undefined) cache.key = key;
  const options = recordOf(reader.peek('prompt_cache_options'));
  if (options !== undefined) {
    reader.take('prompt_cache_options');
    const { mode, ttl, ...rest } = options;
    if (mode === 'implicit') cache.mode = 'auto';
    else if (mode === 'explicit') cache.mode = 'explicit';
    if (ttl === '30m' || ttl === '12h') cache.ttl = ttl;
    const known = (mode === undefined || cache.mode !== undefined) && (ttl === undefined || cache.ttl !== undefined);
    if (!known || Object.keys(rest).length > 0) reader.native['prompt_cache_options'] = options as Json as Written;
  }
  if (reader.peek('prompt_cache_retention') === '24h' && cache.ttl === undefined) {
    reader.take('prompt_cache_retention');
    cache.ttl = '24h';
  }
  if (Object.keys(cache).length > 0) request.cache = cache;
}

const SHOWN: Readonly<Record<string, ReasoningOptions['show']>> = {
  auto: 'summary',
  concise: 'summary',
  detailed: 'detailed',
};

function readReasoning(reader: Reader, request: Mutable<ChatRequest>): void {
  const wire = recordOf(reader.peek('reasoning'));
  if (wire === undefined) return;
  reader.take('reasoning');
  const reasoning: Mutable<ReasoningOptions> = {};
  const { effort, summary, ...rest } = wire as Written;
  const native: Written = rest;
  const known = EFFORTS.find((one) => one === effort);
  if (known !== undefined) reasoning.effort = known;
  else if (effort !== undefined) native['effort'] = effort;
  const show = typeof summary === 'string' ? SHOWN[summary] : undefined;
  if (show !== undefined) reasoning.show = show;
  if (summary !== undefined && (show === undefined || summary === 'concise')) native['summary'] = summary;
  if (Object.keys(reasoning).length > 0) request.reasoning = reasoning;
  if (Object.keys(native).length > 0 || request.reasoning === undefined) reader.native['reasoning'] = native;
}

const FORMAT_FIELDS = new Set(['type', 'name', 'description', 'schema', 'strict']);

function readText(reader: Reader, request: Mutable<ChatRequest>): void {
  const wire = recordOf(reader.peek('text'));
  if (wire === undefined) return;
  reader.take('text');
  const { format, verbosity, ...rest } = wire as Written;
  const native: Written = rest;
  const output = formatOf(recordOf(format));
  if (output !== undefined) request.output = output;
  else if (format !== undefined) native['format'] = format;
  if (verbosity === 'low' || verbosity === 'medium' || verbosity === 'high') request.verbosity = verbosity;
  else if (verbosity !== undefined) native['verbosity'] = verbosity;
  if (Object.keys(native).length > 0 || Object.keys(wire).length === 0) reader.native['text'] = native;
}

function formatOf(format: Wire | undefined): OutputFormat | undefined {
  if (format?.['type'] === 'text') return { type: 'text' };
  if (format?.['type'] === 'json_object') return { type: 'json' };
  const schema = recordOf(format?.['schema']);
  const name = stringOf(format?.['name']);
  if (format?.['type'] !== 'json_schema' || schema === undefined || name === undefined) return undefined;
  const description = stringOf(format['description']);
  const { strict } = format;
  return {
    type: 'schema',
    schema: schema as JsonSchema,
    name,
    ...(description !== undefined && { description }),
    ...(typeof strict === 'boolean' && { strict }),
    ...asNative({ ...restOf(format, FORMAT_FIELDS), ...(strict === null && { strict: null }) }),
  };
}

function readState(reader: Reader, request: Mutable<ChatRequest>): void {
  const conversation: Mutable<NonNullable<ChatRequest['conversation']>> = {};
  const previous = reader.string('previous_response_id');
  if (previous !== undefined) conversation.previousResponseId = previous;
  const named = reader.peek('conversation');
  const id = stringOf(named) ?? stringOf(recordOf(named)?.['id']);
  if (id !== undefined) {
    conversation.id = id;
    reader.take('conversation');
    if (typeof named !== 'string') reader.native['conversation'] = named as Written;
  }
  const store = reader.boolean('store');
  if (store !== undefined) conversation.store = store;
  if (Object.keys(conversation).length > 0) request.conversation = conversation;
}
