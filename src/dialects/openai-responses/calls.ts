import { mintId, stamped } from '../../core/replay.ts';
import { parseArguments, recordOf, stringOf } from '../../core/wire-json.ts';
import type { OutputPart, ToolCallPart, ToolResultItem, ToolResultPart } from '../../operations/chat-parts.ts';
import type { Json } from '../../operations/shared.ts';
import { asNative, PROTOCOL, restOf, type Wire } from './protocol.ts';

const FUNCTION_FIELDS = new Set(['type', 'call_id', 'name', 'arguments', 'namespace']);
const CUSTOM_FIELDS = new Set(['type', 'call_id', 'name', 'input', 'namespace']);
/** Of a hosted call: what it is, and what came out of it. All else is its argument. */
const NOT_ARGUMENTS = new Set([
  ...['id', 'type', 'status', 'call_id', 'name', 'server_label', 'created_by', 'agent', 'caller', 'execution'],
  ...['results', 'result', 'output', 'outputs', 'error', 'approval_request_id', 'pending_safety_checks'],
]);
/** Where the house has another word than the wire. */
const NAMES: Readonly<Record<string, string>> = { code_interpreter_call: 'code_execution' };
/** Calls the client has to answer although the tool is built in. */
const CLIENT_RUN = new Set(['computer_call', 'local_shell_call', 'apply_patch_call']);

export function isCall(type: string): boolean {
  return type.endsWith('_call');
}

/** A call item as parts: the call, and its result where the item holds one. */
export function callParts(item: Wire, type: string): OutputPart[] {
  if (type === 'function_call') return [functionCall(item)];
  if (type === 'custom_tool_call') return [customCall(item)];
  const call = hostedCall(item, type);
  const result = call.executor === 'provider' ? hostedResult(item, call) : undefined;
  return result === undefined ? [call] : [call, result];
}

/** What a `tool-call-start` needs, known from the moment an item is added. */
export interface CallHead {
  readonly id: string;
  readonly name: string;
  readonly executor: 'client' | 'provider';
  readonly encoding: 'json' | 'text';
  readonly server?: string;
}

export function callHead(item: Wire, type: string): CallHead {
  const server = stringOf(item['server_label']) ?? stringOf(item['namespace']);
  const own = type === 'function_call' || type === 'custom_tool_call';
  const named = own || type === 'mcp_call' ? stringOf(item['name']) : undefined;
  const executor = own || isClientRun(item, type) ? 'client' : 'provider';
  return {
    id: idOf(item, executor),
    name: named ?? NAMES[type] ?? type.slice(0, -'_call'.length),
    executor,
    encoding: type === 'custom_tool_call' || type === 'code_interpreter_call' ? 'text' : 'json',
    ...(server !== undefined && { server }),
  };
}

function functionCall(item: Wire): ToolCallPart {
  const argsText = textOfArguments(item['arguments']);
  const { args, invalid } = parseArguments(argsText);
  return callOf(item, 'function_call', FUNCTION_FIELDS, { args, argsText, ...(invalid !== undefined && { invalid }) });
}

function customCall(item: Wire): ToolCallPart {
  const input = stringOf(item['input']) ?? '';
  return callOf(item, 'custom_tool_call', CUSTOM_FIELDS, { args: input, argsText: input });
}

function callOf(
  item: Wire,
  type: string,
  known: ReadonlySet<string>,
  body: Pick<ToolCallPart, 'args' | 'argsText' | 'invalid'>,
): ToolCallPart {
  const { id, name, server } = callHead(item, type);
  const callerId = stringOf(recordOf(item['caller'])?.['caller_id']);
  return stamped({
    type: 'tool-call',
    id,
    name,
    ...body,
    executor: 'client',
    ...(server !== undefined && { server }),
    ...(callerId !== undefined && { callerId }),
    ...asNative({ ...restOf(item, known), ...(type === 'custom_tool_call' && { custom: true }) }),
  });
}

/** Some compatible servers send arguments as an object. */
function textOfArguments(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

/** A built-in tool's call; the whole item is kept, because only it can be sent back. */
function hostedCall(item: Wire, type: string): ToolCallPart {
  const { id, name, executor, encoding, server } = callHead(item, type);
  const { args, argsText, invalid } = hostedArguments(item, encoding);
  return stamped({
    type: 'tool-call',
    id,
    name,
    args,
    ...(argsText !== undefined && { argsText }),
    ...(invalid !== undefined && { invalid }),
    executor,
    ...(server !== undefined && { server }),
    native: { [PROTOCOL]: item as { readonly [key: string]: Json } },
  });
}

function hostedArguments(item: Wire, encoding: 'json' | 'text'): Pick<ToolCallPart, 'args' | 'argsText' | 'invalid'> {
  if (encoding === 'text') {
    const code = stringOf(item['code']) ?? '';
    return { args: code, argsText: code };
  }
  if (typeof item['arguments'] === 'string')
    return { argsText: item['arguments'], ...parseArguments(item['arguments']) };
  const args = item['arguments'] ?? item['action'] ?? item['operation'] ?? restOf(item, NOT_ARGUMENTS);
  return { args: args as Json, argsText: JSON.stringify(args) };
}

function hostedResult(item: Wire, call: ToolCallPart): ToolResultPart | undefined {
  const error = item['error'];
  const failed = error !== undefined && error !== null;
  const output = item['output'] ?? item['outputs'] ?? item['results'];
  const content =
    item['type'] === 'image_generation_call' ? imageOf(item) : contentOf(output ?? (failed ? error : undefined));
  if (content === undefined) return undefined;
  return stamped({
    type: 'tool-result',
    callId: call.id,
    name: call.name,
    content,
    ...(failed && { isError: true }),
    executor: 'provider',
  });
}

function contentOf(output: unknown): ToolResultPart['content'] | undefined {
  if (output === undefined || output === null) return undefined;
  return typeof output === 'string' ? output : [{ type: 'json', value: output as Json }];
}

function imageOf(item: Wire): ToolResultItem[] | undefined {
  const data = stringOf(item['result']);
  if (data === undefined || data === '') return undefined;
  const format = stringOf(item['output_format']) ?? 'png';
  const mediaType = format === 'svg' ? 'image/svg+xml' : `image/${format}`;
  return [{ type: 'image', source: { kind: 'base64', data }, mediaType }];
}

/** A shell without a container of the provider runs at the client, as does a tool search that says so. */
function isClientRun(item: Wire, type: string): boolean {
  if (type === 'shell_call') return recordOf(item['environment'])?.['type'] !== 'container_reference';
  if (type === 'tool_search_call') return item['execution'] === 'client';
  return CLIENT_RUN.has(type);
}

/** Client calls are answered by `call_id`; what the provider runs itself is known by its item id. */
function idOf(item: Wire, executor: 'client' | 'provider'): string {
  const callId = stringOf(item['call_id']) || undefined;
  const itemId = stringOf(item['id']) || undefined;
  const id = executor === 'client' ? (callId ?? itemId) : (itemId ?? callId);
  return id ?? mintId('call', JSON.stringify([item['name'], item['arguments'], item['input']]));
}
