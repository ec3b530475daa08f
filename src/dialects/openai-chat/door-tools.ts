import { arrayOf, nativeRest, recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatRequest, FreeformTool, FunctionTool, HostedTool, Tool, ToolChoice } from '../../operations/chat.ts';
import type { Json, JsonObject, JsonSchema, Native } from '../../operations/shared.ts';
import type { Inbound } from './door-request.ts';
import { PROTOCOL, withHints } from './hints.ts';
import type { OpenAiChatFacts } from './quirks.ts';

type Wire = Readonly<Record<string, unknown>>;
type Draft = { -readonly [K in keyof ChatRequest]: ChatRequest[K] };
type Facts = { -readonly [K in keyof OpenAiChatFacts]: OpenAiChatFacts[K] };
const KNOWN_TOOL = new Set(['type', 'function', 'custom']);
const KNOWN_FUNCTION = new Set(['name', 'description', 'parameters', 'strict']);
const KNOWN_CUSTOM = new Set(['name', 'description', 'format']);

/** Tools, the old `functions`, web search and the choice among them. Tools of unknown kinds stay native. */
export function decodeTools(inbound: Inbound, request: Draft, facts: Facts): void {
  const tools: Tool[] = [];
  const wireTools = inbound.take('tools', toolsOf);
  const functions = inbound.take('functions', (value) =>
    toolsOf(arrayOf(value).map((fn) => ({ type: 'function', function: fn }))),
  );
  if (wireTools !== undefined) tools.push(...wireTools);
  for (const tool of functions ?? []) {
    // Unknown fields of a function stand beside its known ones here, not inside `function`.
    const inner = recordOf(tool.native?.[PROTOCOL]?.['function']) as JsonObject | undefined;
    const { native: _native, ...rest } = tool;
    tools.push({ ...rest, native: withHints(inner && { [PROTOCOL]: inner }, { legacy: true }) } as Tool);
    facts.legacyFunctions = true;
  }
  const search = inbound.take('web_search_options', recordOf);
  if (search !== undefined) tools.push(webSearch(search));
  if (tools.length > 0 || wireTools !== undefined) request.tools = tools;
  const choice =
    inbound.take('tool_choice', (value) => choiceOf(value, facts)) ??
    inbound.take('function_call', (value) => legacyChoiceOf(value, facts));
  if (choice !== undefined) request.toolChoice = choice;
  const parallel = inbound.take('parallel_tool_calls', (value) => (typeof value === 'boolean' ? value : undefined));
  if (parallel !== undefined) request.parallelToolCalls = parallel;
}

/** All tools, or nothing if one is of a kind that is not known: then they go as they came. */
function toolsOf(value: unknown): Tool[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const tools: Tool[] = [];
  for (const item of value) {
    const tool = toolOf(recordOf(item));
    if (tool === undefined) return undefined;
    tools.push(tool);
  }
  return tools.length > 0 || value.length === 0 ? tools : undefined;
}

function toolOf(wire: Wire | undefined): Tool | undefined {
  if (wire === undefined) return undefined;
  const fn = recordOf(wire['function']);
  const custom = recordOf(wire['custom']);
  const outer = nativeRest(wire, KNOWN_TOOL, PROTOCOL);
  if (wire['type'] === 'function' && fn !== undefined) return functionTool(fn, outer);
  if (wire['type'] === 'custom' && custom !== undefined) return freeformTool(custom, outer);
  return undefined;
}

function functionTool(fn: Wire, outer: Native | undefined): FunctionTool | undefined {
  const name = stringOf(fn['name']);
  if (name === undefined) return undefined;
  const { description, parameters, strict } = fn;
  const odd: Record<string, Json> = {};
  if (description !== undefined && typeof description !== 'string') odd['description'] = description as Json;
  if (strict !== undefined && typeof strict !== 'boolean') odd['strict'] = strict as Json;
  if (recordOf(parameters) === undefined && parameters !== undefined) odd['parameters'] = parameters as Json;
  // An empty object and no parameters at all are not the same words.
  if (recordOf(parameters) !== undefined && Object.keys(parameters as Wire).length === 0) odd['parameters'] = {};
  const inner: JsonObject = { ...nativeRest(fn, KNOWN_FUNCTION, PROTOCOL)?.[PROTOCOL], ...odd };
  const native = nested('function', inner, outer);
  return {
    type: 'function',
    name,
    ...(typeof description === 'string' && { description }),
    input: (recordOf(parameters) ?? {}) as JsonSchema,
    ...(typeof strict === 'boolean' && { strict }),
    ...(native !== undefined && { native }),
  };
}

function freeformTool(custom: Wire, outer: Native | undefined): FreeformTool | undefined {
  const name = stringOf(custom['name']);
  if (name === undefined) return undefined;
  const format = recordOf(custom['format']);
  const grammar = recordOf(format?.['grammar']);
  const syntax = grammar?.['syntax'];
  const definition = stringOf(grammar?.['definition']);
  const known = format?.['type'] === 'grammar' && (syntax === 'lark' || syntax === 'regex') && definition !== undefined;
  const inner: JsonObject = {
    ...nativeRest(custom, KNOWN_CUSTOM, PROTOCOL)?.[PROTOCOL],
    ...(custom['format'] !== undefined && !known && { format: custom['format'] as Json }),
  };
  const native = nested('custom', inner, outer);
  return {
    type: 'freeform',
    name,
    ...(typeof custom['description'] === 'string' && { description: custom['description'] }),
    ...(known && { grammar: { syntax, definition } }),
    ...(native !== undefined && { native }),
  };
}

function nested(key: 'function' | 'custom', inner: JsonObject, outer: Native | undefined): Native | undefined {
  if (Object.keys(inner).length === 0) return outer;
  return { [PROTOCOL]: { ...outer?.[PROTOCOL], [key]: inner } };
}

function webSearch(options: Wire): HostedTool {
  const place = recordOf(recordOf(options['user_location'])?.['approximate']);
  const known = place !== undefined && Object.values(place).every((one) => typeof one === 'string');
  const native = nativeRest(options, known ? new Set(['user_location']) : new Set(), PROTOCOL);
  return {
    type: 'hosted',
    tool: 'web_search',
    ...(known && { location: { ...(place as Record<string, string>) } }),
    ...(native !== undefined && { native }),
  };
}

function choiceOf(value: unknown, facts: Facts): ToolChoice | undefined {
  if (value === 'auto' || value === 'none') return value;
  if (value === 'required' || value === 'any') {
    facts.toolChoiceRequired = value;
    return 'required';
  }
  const wire = recordOf(value);
  const name = stringOf(recordOf(wire?.['function'] ?? wire?.['custom'])?.['name']);
  if (name !== undefined) return { tool: name };
  const allowed = recordOf(wire?.['allowed_tools']);
  if (wire?.['type'] !== 'allowed_tools' || allowed === undefined) return undefined;
  const names = arrayOf(allowed['tools']).map((one) => {
    const tool = recordOf(one);
    return stringOf(recordOf(tool?.['function'] ?? tool?.['custom'])?.['name']);
  });
  if (names.some((one) => one === undefined)) return undefined;
  return { allow: names as string[], mode: allowed['mode'] === 'required' ? 'required' : 'auto' };
}

function legacyChoiceOf(value: unknown, facts: Facts): ToolChoice | undefined {
  if (facts.legacyFunctions !== true) return undefined;
  if (value === 'auto' || value === 'none') return value;
  const name = stringOf(recordOf(value)?.['name']);
  return name === undefined ? undefined : { tool: name };
}
