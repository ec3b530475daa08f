import { arrayOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { HostedTool, McpTool, Tool, ToolChoice } from '../../operations/chat.ts';
import type { JsonObject, JsonSchema } from '../../operations/shared.ts';
import { asNative, restOf, type Wire } from './protocol.ts';
import { encodeToolChoice, HOSTED } from './tools.ts';

const FUNCTION_FIELDS = new Set([
  'type',
  'name',
  'description',
  'parameters',
  'strict',
  'output_schema',
  'defer_loading',
]);
const CUSTOM_FIELDS = new Set(['type', 'name', 'description', 'format']);
const MCP_FIELDS = new Set([
  'type',
  'server_label',
  'server_url',
  'connector_id',
  'authorization',
  'headers',
  'allowed_tools',
  'require_approval',
]);
const HOSTED_FIELDS = new Set(['type', 'vector_store_ids', 'filters', 'user_location']);
/** Older words of the wire for the same tools. */
const OLDER: Readonly<Record<string, string>> = {
  web_search_preview: 'web_search',
  web_search_preview_2025_03_11: 'web_search',
  web_search_2025_08_26: 'web_search',
  computer_use_preview: 'computer',
};
const OURS = new Map(Object.entries(HOSTED).map(([ours, wire]) => [wire, ours]));

export function toolsOf(list: unknown): Tool[] {
  return arrayOf(list).map((tool) => toolOf(recordOf(tool) ?? {}));
}

function toolOf(tool: Wire): Tool {
  const name = stringOf(tool['name']) ?? '';
  const said = stringOf(tool['description']);
  const description = said === undefined ? {} : { description: said };
  switch (tool['type']) {
    case 'function': {
      const { strict, defer_loading: defer } = tool;
      const schema = recordOf(tool['parameters']);
      const output = recordOf(tool['output_schema']);
      return {
        type: 'function',
        name,
        ...description,
        input: (schema ?? {}) as JsonSchema,
        ...(typeof strict === 'boolean' && { strict }),
        ...(output !== undefined && { output: output as JsonSchema }),
        ...(typeof defer === 'boolean' && { defer }),
        ...asNative({ ...restOf(tool, FUNCTION_FIELDS), ...nullsOf(tool, FUNCTION_FIELDS) }),
      };
    }
    case 'custom': {
      const format = recordOf(tool['format']);
      const grammar = format?.['type'] === 'grammar' ? grammarOf(format) : undefined;
      return {
        type: 'freeform',
        name,
        ...description,
        ...(grammar !== undefined && { grammar }),
        ...asNative({ ...restOf(tool, CUSTOM_FIELDS), ...(grammar === undefined && { format: tool['format'] }) }),
      };
    }
    case 'mcp':
      return mcpOf(tool);
    default:
      return hostedOf(tool);
  }
}

/** `null` is a word of its own: it is written back. */
function nullsOf(tool: Wire, known: ReadonlySet<string>): Wire {
  return Object.fromEntries(Object.entries(tool).filter(([name, value]) => known.has(name) && value === null));
}

function grammarOf(format: Wire): { syntax: 'lark' | 'regex'; definition: string } | undefined {
  const { syntax, definition } = format;
  const known = syntax === 'lark' || syntax === 'regex';
  return known && typeof definition === 'string' ? { syntax, definition } : undefined;
}

function mcpOf(tool: Wire): McpTool {
  const allowed = tool['allowed_tools'];
  const allow =
    Array.isArray(allowed) && allowed.every((name) => typeof name === 'string') ? (allowed as string[]) : undefined;
  // Who says nothing is asked about every call.
  const approval = approvalOf(tool['require_approval'] ?? 'always');
  const url = stringOf(tool['server_url']);
  const connectorId = stringOf(tool['connector_id']);
  const authorization = stringOf(tool['authorization']);
  const headers = recordOf(tool['headers']) as Record<string, string> | undefined;
  return {
    type: 'mcp',
    server: stringOf(tool['server_label']) ?? '',
    ...(url !== undefined && { url }),
    ...(connectorId !== undefined && { connectorId }),
    ...(authorization !== undefined && { authorization }),
    ...(headers !== undefined && { headers }),
    ...(allow !== undefined && { allow }),
    ...(approval !== undefined && { approval }),
    ...asNative({
      ...restOf(tool, MCP_FIELDS),
      ...nullsOf(tool, MCP_FIELDS),
      ...(allow === undefined && { allowed_tools: allowed }),
      ...(approval === undefined && { require_approval: tool['require_approval'] }),
    }),
  };
}

/** Only what our words say exactly: a filter by anything but names stays native. */
function approvalOf(value: unknown): McpTool['approval'] {
  if (value === 'always' || value === 'never') return value;
  const filter = recordOf(value);
  if (filter === undefined) return undefined;
  const approval: { never?: string[]; always?: string[] } = {};
  for (const [when, rule] of Object.entries(filter)) {
    const names = recordOf(rule)?.['tool_names'];
    if ((when !== 'never' && when !== 'always') || !Array.isArray(names)) return undefined;
    if (Object.keys(recordOf(rule) ?? {}).length !== 1) return undefined;
    approval[when] = names as string[];
  }
  return approval;
}

function hostedOf(tool: Wire): HostedTool {
  const type = stringOf(tool['type']) ?? '';
  const name = OURS.get(type) ?? OLDER[type] ?? type;
  const stores = tool['vector_store_ids'];
  const filters = recordOf(tool['filters']);
  const domains = Object.keys(filters ?? {}).length === 1 ? filters?.['allowed_domains'] : undefined;
  const location = recordOf(tool['user_location']);
  const placed =
    location?.['type'] === 'approximate' && Object.values(location).every((value) => typeof value === 'string');
  const { type: _type, ...place } = location ?? {};
  return {
    type: 'hosted',
    tool: name,
    ...(Array.isArray(stores) && { storeIds: stores as string[] }),
    ...(Array.isArray(domains) && { allowedDomains: domains as string[] }),
    ...(placed && { location: place as NonNullable<HostedTool['location']> }),
    ...asNative({
      ...restOf(tool, HOSTED_FIELDS),
      ...(HOSTED[name] !== type && { type }),
      ...(!Array.isArray(stores) && { vector_store_ids: stores }),
      ...(!Array.isArray(domains) && { filters: tool['filters'] }),
      ...(!placed && { user_location: tool['user_location'] }),
    }),
  };
}

/** A choice in our words, and the wire's own where ours would not give it back. */
export function choiceOf(value: unknown, tools: readonly Tool[]): { toolChoice?: ToolChoice; native?: JsonObject } {
  if (value === undefined) return {};
  const toolChoice = meant(value);
  const exact =
    toolChoice !== undefined && JSON.stringify(encodeToolChoice(toolChoice, tools)) === JSON.stringify(value);
  return {
    ...(toolChoice !== undefined && { toolChoice }),
    ...(!exact && { native: { tool_choice: value as JsonObject } }),
  };
}

function meant(value: unknown): ToolChoice | undefined {
  if (value === 'auto' || value === 'none' || value === 'required') return value;
  const choice = recordOf(value);
  if (choice === undefined) return undefined;
  if (choice['type'] !== 'allowed_tools') return { tool: nameOf(choice) };
  const allow = arrayOf(choice['tools']).map((tool) => nameOf(recordOf(tool) ?? {}));
  return { allow, ...(choice['mode'] === 'required' && { mode: 'required' as const }) };
}

function nameOf(reference: Wire): string {
  const type = stringOf(reference['type']) ?? '';
  const named = stringOf(reference['name']) ?? stringOf(reference['server_label']);
  return named ?? OURS.get(type) ?? OLDER[type] ?? type;
}
