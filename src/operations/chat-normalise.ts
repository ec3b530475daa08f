import type { ChatInput, ChatRequestInput, OutputInput, ToolInput } from './chat-input.ts';
import { normaliseMessages, systemParts, userContent } from './chat-normalise-messages.ts';
import type { ChatRequest, FunctionTool, OutputFormat, ReasoningOptions, Tool } from './chat.ts';
import { didYouMean, RequestProblem } from './problem.ts';
import { isStandardSchema, jsonSchemaOf, type SchemaLike } from './schema.ts';
import type { JsonSchema } from './shared.ts';

type Check = (value: unknown) => string | undefined;

const isBoolean: Check = (value) => (typeof value === 'boolean' ? undefined : 'expected true or false');
const isText: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'expected a text');
const isObject: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'expected an object';
const isList: Check = (value) => (Array.isArray(value) ? undefined : 'expected a list');
const oneOf =
  (...options: string[]): Check =>
  (value) =>
    options.includes(value as string) ? undefined : `expected ${options.join(', ')}`;
const between =
  (low: number, high: number): Check =>
  (value) =>
    typeof value === 'number' && value >= low && value <= high ? undefined : `expected a number from ${low} to ${high}`;
const wholeFrom =
  (low: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= low ? undefined : `expected a whole number of at least ${low}`;

/** Plain fields of a request: copied as they are once they pass. */
const FIELDS: Readonly<Record<string, Check>> = {
  model: isText,
  toolChoice: (value) =>
    typeof value === 'string'
      ? oneOf('auto', 'none', 'required')(value)
      : (isObject(value) ?? toolChoiceProblem(value)),
  parallelToolCalls: isBoolean,
  maxToolCalls: wholeFrom(0),
  verbosity: oneOf('low', 'medium', 'high'),
  maxTokens: wholeFrom(0),
  temperature: between(0, 2),
  topP: between(0, 1),
  topK: wholeFrom(0),
  minP: between(0, 1),
  presencePenalty: between(-2, 2),
  frequencyPenalty: between(-2, 2),
  repetitionPenalty: between(0, 10),
  logitBias: isObject,
  seed: (value) => (Number.isInteger(value) ? undefined : 'expected a whole number'),
  n: wholeFrom(1),
  logprobs: (value) => (typeof value === 'boolean' ? undefined : wholeFrom(0)(value)),
  modalities: isList,
  audio: isObject,
  prediction: isText,
  cache: isObject,
  tier: isText,
  user: isText,
  metadata: (value) => isObject(value) ?? textsProblem(value as object),
  conversation: isObject,
  background: isBoolean,
  truncation: oneOf('auto', 'disabled', 'compact'),
  native: isObject,
};
const SUGAR = ['prompt', 'system', 'messages', 'tools', 'output', 'reasoning', 'stop'];
export const CHAT_FIELDS: ReadonlySet<string> = new Set([...Object.keys(FIELDS), ...SUGAR]);

function toolChoiceProblem(value: unknown): string | undefined {
  const { tool, allow } = value as { tool?: unknown; allow?: unknown };
  return typeof tool === 'string' || Array.isArray(allow) ? undefined : 'expected { tool: name } or { allow: [names] }';
}
function textsProblem(value: object): string | undefined {
  return Object.values(value).every((text) => typeof text === 'string') ? undefined : 'expected texts as values';
}

/** What the caller wrote, as a request in normal form: plain JSON, schemas as JSON Schema, no sugar. */
export function normaliseChat(input: ChatInput, defaultModel = 'default'): ChatRequest {
  if (typeof input === 'string') return normaliseChat({ prompt: input }, defaultModel);
  if (Array.isArray(input)) return normaliseChat({ messages: input }, defaultModel);
  if (typeof input !== 'object' || input === null) {
    throw new RequestProblem('request', 'expected a text, a list of messages or an object.');
  }
  const request = input as ChatRequestInput;
  const result: Record<string, unknown> = { model: request.model ?? defaultModel };
  for (const [name, value] of Object.entries(request)) {
    if (value === undefined) continue;
    const check = FIELDS[name];
    if (check === undefined) {
      if (!CHAT_FIELDS.has(name))
        throw new RequestProblem(name, `is no field of a chat request.${didYouMean(name, CHAT_FIELDS)}`);
      continue;
    }
    const problem = check(value);
    if (problem !== undefined) throw new RequestProblem(name, `${problem}, got ${shown(value)}.`);
    result[name] = value;
  }
  if (request.system !== undefined) result['system'] = systemParts(request.system, 'system');
  const messages = normaliseMessages(request.messages ?? [], 'messages');
  if (request.prompt !== undefined) messages.push({ role: 'user', content: userContent(request.prompt, 'prompt') });
  if (messages.length === 0) {
    throw new RequestProblem('messages', 'a request needs at least one message; give `prompt` or `messages`.');
  }
  result['messages'] = messages;
  if (request.tools !== undefined) result['tools'] = normaliseTools(request.tools);
  if (request.output !== undefined) result['output'] = normaliseOutput(request.output);
  if (request.reasoning !== undefined) result['reasoning'] = normaliseReasoning(request.reasoning);
  if (request.stop !== undefined) result['stop'] = normaliseStop(request.stop);
  // Every field was checked by name above.
  return result as unknown as ChatRequest;
}

function normaliseTools(tools: readonly ToolInput[]): Tool[] {
  if (!Array.isArray(tools)) throw new RequestProblem('tools', 'expected a list of tools.');
  const names = new Set<string>();
  return tools.map((tool, index) => {
    const at = `tools[${index}]`;
    if (typeof tool !== 'object' || tool === null)
      throw new RequestProblem(at, 'expected a tool like { name, input }.');
    const type = tool.type ?? 'function';
    if (type === 'mcp' || type === 'hosted') return tool as Tool;
    const { name } = tool as { name?: unknown };
    if (typeof name !== 'string' || name === '') throw new RequestProblem(`${at}.name`, 'a tool needs a name.');
    if (names.has(name)) throw new RequestProblem(`${at}.name`, `there are two tools named ${name}.`);
    names.add(name);
    if (type === 'freeform') return tool as Tool;
    if (type !== 'function') throw new RequestProblem(`${at}.type`, 'expected function, freeform, hosted or mcp.');
    return functionTool(tool as ToolInput & { name: string; input?: SchemaLike; output?: SchemaLike }, at);
  });
}

function functionTool(
  tool: { readonly name: string; readonly input?: SchemaLike; readonly output?: SchemaLike },
  at: string,
): FunctionTool {
  if ('run' in tool || 'execute' in tool) {
    throw new RequestProblem(
      `${at}.run`,
      'tools are declared here and run by you; answer response.toolCalls with a tool message.',
    );
  }
  const { output, ...rest } = tool;
  return {
    ...rest,
    type: 'function',
    input: tool.input === undefined ? { type: 'object', properties: {} } : schemaAt(tool.input, `${at}.input`),
    ...(output !== undefined && { output: schemaAt(output, `${at}.output`) }),
  };
}

/** The JSON Schema without the `$schema` line, which some providers refuse. */
function schemaAt(schema: SchemaLike, at: string): JsonSchema {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) {
    throw new RequestProblem(at, 'expected a schema: zod, another Standard Schema, or JSON Schema.');
  }
  const converted = jsonSchemaOf(schema);
  if ('problem' in converted) throw new RequestProblem(at, `${converted.problem}.`);
  const { $schema: _dialect, ...rest } = converted.schema;
  return rest;
}

const FORMATS = new Set(['text', 'json', 'schema', 'choice', 'regex', 'grammar']);

function normaliseOutput(output: OutputInput): OutputFormat {
  if (output === 'text' || output === 'json') return { type: output };
  if (isStandardSchema(output))
    return { type: 'schema', schema: schemaAt(output, 'output'), name: 'output', via: 'auto' };
  if (typeof output !== 'object' || output === null) {
    throw new RequestProblem('output', "expected 'text', 'json', a schema, or { type: 'schema', schema }.");
  }
  const { type } = output as { type?: unknown };
  if (typeof type !== 'string' || !FORMATS.has(type)) {
    return { type: 'schema', schema: schemaAt(output as SchemaLike, 'output'), name: 'output', via: 'auto' };
  }
  if (type !== 'schema') return output as OutputFormat;
  const format = output as { readonly schema?: SchemaLike; readonly name?: string };
  if (format.schema === undefined) throw new RequestProblem('output.schema', "{ type: 'schema' } needs a schema.");
  return {
    via: 'auto',
    ...(output as object),
    type: 'schema',
    name: format.name ?? 'output',
    schema: schemaAt(format.schema, 'output.schema'),
  };
}

/** The schema object a request was written with, for checking the answer. */
export function outputSchemaOf(input: ChatInput): SchemaLike | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined;
  const { output } = input as ChatRequestInput;
  if (typeof output !== 'object' || output === null)
    return typeof output === 'function' ? (output as SchemaLike) : undefined;
  if (isStandardSchema(output)) return output;
  const { type, schema } = output as { type?: string; schema?: SchemaLike };
  if (type === 'schema') return schema;
  return type !== undefined && FORMATS.has(type) ? undefined : (output as SchemaLike);
}

const EFFORTS = oneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max');

function normaliseReasoning(reasoning: NonNullable<ChatRequestInput['reasoning']>): ReasoningOptions {
  if (reasoning === false) return { effort: 'none' };
  const options = typeof reasoning === 'string' ? { effort: reasoning } : reasoning;
  if (typeof options !== 'object' || options === null)
    throw new RequestProblem('reasoning', 'expected an effort, false or an object.');
  const problem = options.effort === undefined ? undefined : EFFORTS(options.effort);
  if (problem !== undefined) throw new RequestProblem('reasoning.effort', `${problem}.`);
  return options;
}

function normaliseStop(stop: string | readonly string[]): readonly string[] {
  const list = typeof stop === 'string' ? [stop] : stop;
  if (!Array.isArray(list) || list.some((text) => typeof text !== 'string' || text === '')) {
    throw new RequestProblem('stop', 'expected a text or a list of texts that are not empty.');
  }
  return list;
}

/** A value as shown in a message: numbers and short words only, never content. */
function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
