import { invalidRequest } from '../../core/errors.ts';
import { strictSchema } from '../../core/strict-schema.ts';
import type { FreeformTool, FunctionTool, HostedTool, Tool, ToolChoice } from '../../operations/chat.ts';
import type { Json, JsonObject } from '../../operations/shared.ts';
import { hintsOf, mergeWire } from './hints.ts';
import { wireName } from './names.ts';
import type { Encoding } from './request.ts';

/** Tools, the choice among them, and web search. The old `functions` only for who wrote them. */
export function encodeTools(encoding: Encoding): Record<string, Json> {
  const { request, facts, verbatim } = encoding;
  const body: Record<string, Json> = {};
  const tools: JsonObject[] = [];
  const functions: JsonObject[] = [];
  const offered = limited(encoding);
  const names = new Map<string, string>();
  for (const [position, tool] of (request.tools ?? []).entries()) {
    const path = `tools[${position}]`;
    if (tool.type === 'hosted') Object.assign(body, encodeHosted(encoding, tool, path));
    else if (tool.type === 'mcp') encoding.losses.refuse(path, 'a remote MCP server');
    else if (offered === undefined || offered.includes(tool.name)) {
      const name = encodeName(encoding, tool, path, names);
      if (hintsOf(tool.native).legacy === true && tool.type === 'function') {
        functions.push(mergeWire(functionBody(encoding, tool, name, path), tool.native));
      } else tools.push(encodeTool(encoding, tool, name, path));
    }
  }
  if (tools.length > 0 || (verbatim && request.tools?.length === 0)) body['tools'] = tools;
  if (functions.length > 0) body['functions'] = functions;
  const any = tools.length > 0 || functions.length > 0;
  const { toolChoice, parallelToolCalls } = request;
  if (toolChoice !== undefined && (any || facts !== undefined)) {
    const choice = encodeChoice(encoding, toolChoice);
    if (functions.length === 0) body['tool_choice'] = choice;
    else body['function_call'] = legacyChoice(choice);
  }
  // OpenAI refuses the flag where there is no tool.
  if (parallelToolCalls !== undefined && (any || verbatim)) body['parallel_tool_calls'] = parallelToolCalls;
  return body;
}

/** The only tools to send, where the server cannot be told to choose among some of them. */
function limited({ request, quirks, losses }: Encoding): readonly string[] | undefined {
  const choice = request.toolChoice;
  if (quirks.allowedTools !== false || typeof choice !== 'object' || !('allow' in choice)) return undefined;
  losses.warn(
    'degraded',
    'toolChoice',
    'toolChoice',
    'Only the allowed tools are sent; the prompt cache does not match.',
  );
  return choice.allow;
}

function encodeName(
  encoding: Encoding,
  tool: FunctionTool | FreeformTool,
  path: string,
  names: Map<string, string>,
): string {
  if (encoding.verbatim) return tool.name;
  const name = wireName(tool.name, `${path}.name`);
  if (name !== tool.name) {
    encoding.losses.note(
      'id-rewritten',
      `${path}.name`,
      'tools',
      'The tool name has characters this protocol does not take.',
    );
  }
  const other = names.get(name);
  if (other !== undefined && other !== tool.name)
    throw invalidRequest(`${path}.name`, 'two tools have one name on the wire.');
  names.set(name, tool.name);
  return name;
}

function encodeTool(encoding: Encoding, tool: FunctionTool | FreeformTool, name: string, path: string): JsonObject {
  if (tool.cache !== undefined && encoding.quirks.cacheField !== 'cache_control') {
    encoding.losses.warn(
      'unsupported',
      `${path}.cache`,
      'cache',
      'Tools take no cache breakpoint; prompts are cached by themselves.',
    );
  }
  const cached = tool.cache !== undefined && encoding.quirks.cacheField === 'cache_control';
  const cache = cached ? { cache_control: { type: 'ephemeral' } } : {};
  if (tool.type === 'function') {
    const wire = { type: 'function', function: functionBody(encoding, tool, name, path), ...cache };
    return mergeWire<JsonObject>(wire, tool.native);
  }
  if (encoding.quirks.customTools === false) encoding.losses.refuse(path, 'a tool with free text input');
  const { grammar } = tool;
  const custom = {
    name,
    ...(tool.description !== undefined && { description: tool.description }),
    ...(grammar !== undefined && { format: { type: 'grammar', grammar: { ...grammar } } }),
  };
  return mergeWire<JsonObject>({ type: 'custom', custom, ...cache }, tool.native);
}

function functionBody(
  { quirks, verbatim, losses }: Encoding,
  tool: FunctionTool,
  name: string,
  path: string,
): JsonObject {
  for (const lost of ['output', 'examples', 'defer'] as const) {
    if (tool[lost] === undefined) continue;
    losses.warn('unsupported', `${path}.${lost}`, 'tools', `This protocol has no ${lost} of a tool; it is left out.`);
  }
  const strict = tool.strict === true && !verbatim && quirks.strict !== false ? strictSchema(tool.input) : undefined;
  if (strict?.changed === true) {
    losses.note('schema-rewritten', `${path}.input`, 'tools', 'Optional properties are sent as required and nullable.');
  }
  const parameters = (strict?.schema ?? tool.input) as JsonObject;
  return {
    name,
    ...(tool.description !== undefined && { description: tool.description }),
    // An application may leave the parameters out: that is an empty schema.
    ...((Object.keys(parameters).length > 0 || !verbatim) && { parameters }),
    ...(tool.strict !== undefined && quirks.strict !== false && { strict: tool.strict }),
  };
}

/** Web search is an option of the request here; no other hosted tool is known. */
function encodeHosted({ losses }: Encoding, tool: HostedTool, path: string): Record<string, Json> {
  if (tool.tool !== 'web_search') losses.refuse(path, `the hosted tool ${tool.tool}`);
  for (const lost of ['maxUses', 'allowedDomains', 'blockedDomains', 'storeIds'] as const) {
    if (tool[lost] === undefined) continue;
    losses.warn('unsupported', `${path}.${lost}`, 'tools', `Web search over chat completions has no ${lost}.`);
  }
  const options: JsonObject = {
    ...(tool.location !== undefined && { user_location: { type: 'approximate', approximate: { ...tool.location } } }),
  };
  return { web_search_options: mergeWire(options, tool.native) };
}

function encodeChoice({ request, quirks, facts, verbatim }: Encoding, choice: ToolChoice): Json {
  const required = facts?.toolChoiceRequired ?? quirks.toolChoiceRequired ?? 'required';
  if (choice === 'required') return required;
  if (typeof choice === 'string') return choice;
  if ('tool' in choice) return named(request.tools, choice.tool, verbatim);
  if (quirks.allowedTools === false) return choice.mode === 'required' ? required : 'auto';
  const tools = choice.allow.map((name) => named(request.tools, name, verbatim));
  return { type: 'allowed_tools', allowed_tools: { mode: choice.mode ?? 'auto', tools } };
}

function named(tools: readonly Tool[] | undefined, name: string, verbatim: boolean): JsonObject {
  const wire = verbatim ? name : wireName(name, 'toolChoice');
  const freeform = tools?.some((tool) => tool.type === 'freeform' && tool.name === name) === true;
  return freeform ? { type: 'custom', custom: { name: wire } } : { type: 'function', function: { name: wire } };
}

function legacyChoice(choice: Json): Json {
  return typeof choice === 'object' && choice !== null && 'function' in choice ? (choice.function as Json) : choice;
}
