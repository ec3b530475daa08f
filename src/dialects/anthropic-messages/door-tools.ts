import { arrayOf, nativeRest, numberOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { ChatRequest, FunctionTool, HostedTool, McpTool, Tool, ToolChoice } from '../../operations/chat.ts';
import type { Json, JsonObject, JsonSchema } from '../../operations/shared.ts';
import { hintOf } from './cache-control.ts';
import { PROTOCOL } from './encoding.ts';
import { hostedName } from './hosted-names.ts';

type WireTool = Readonly<Record<string, unknown>>;
type ToolFields = Pick<ChatRequest, 'tools' | 'toolChoice' | 'parallelToolCalls'>;

const FUNCTION_KEYS = new Set([
  'name',
  'description',
  'input_schema',
  'strict',
  'input_examples',
  'defer_loading',
  'cache_control',
]);

/** `tools`, `tool_choice` and `mcp_servers`. What has no canonical form stays in `rest`. */
export function decodeTools(wire: WireTool, rest: Record<string, unknown>): ToolFields {
  const servers = plainServers(wire);
  if (servers.size > 0) delete rest['mcp_servers'];
  const tools = arrayOf(wire['tools']).map((tool) => decodeTool(recordOf(tool) ?? {}, servers));
  if (tools.length === 0) return {};
  const choice = recordOf(wire['tool_choice']);
  const toolChoice = choiceOf(choice);
  const alone = choice?.['disable_parallel_tool_use'];
  return {
    tools,
    ...(toolChoice !== undefined && { toolChoice }),
    ...(typeof alone === 'boolean' && { parallelToolCalls: !alone }),
  };
}

function decodeTool(wire: WireTool, servers: ReadonlyMap<string, McpTool>): Tool {
  const type = stringOf(wire['type']);
  const server = type === 'mcp_toolset' ? servers.get(stringOf(wire['mcp_server_name']) ?? '') : undefined;
  if (server !== undefined) return withToolset(server, wire);
  return wire['input_schema'] !== undefined ? functionTool(wire) : hostedTool(wire, type ?? 'custom');
}

function functionTool(wire: WireTool): FunctionTool {
  const description = stringOf(wire['description']);
  const native = nativeRest(wire, FUNCTION_KEYS, PROTOCOL);
  const cache = hintOf(wire['cache_control']);
  return {
    type: 'function',
    name: stringOf(wire['name']) ?? '',
    ...(description !== undefined && { description }),
    input: (recordOf(wire['input_schema']) ?? {}) as JsonSchema,
    ...(typeof wire['strict'] === 'boolean' && { strict: wire['strict'] }),
    ...(Array.isArray(wire['input_examples']) && { examples: wire['input_examples'] as JsonObject[] }),
    ...(typeof wire['defer_loading'] === 'boolean' && { defer: wire['defer_loading'] }),
    ...(cache !== undefined && { cache }),
    ...(native !== undefined && { native }),
  };
}

/** The exact version is kept in `native`, so that the same version goes back out. */
function hostedTool(wire: WireTool, type: string): HostedTool {
  const tool = hostedName(type);
  const name = stringOf(wire['name']);
  const maxUses = numberOf(wire['max_uses']);
  const { type: approximate, ...location } = recordOf(wire['user_location']) ?? {};
  const known = new Set(['name']);
  if (maxUses !== undefined) known.add('max_uses');
  if (Array.isArray(wire['allowed_domains'])) known.add('allowed_domains');
  if (Array.isArray(wire['blocked_domains'])) known.add('blocked_domains');
  const located = approximate === 'approximate' && Object.values(location).every((value) => typeof value === 'string');
  if (located) known.add('user_location');
  const native = nativeRest(wire, known, PROTOCOL);
  return {
    type: 'hosted',
    tool,
    ...(name !== undefined && { name }),
    ...(maxUses !== undefined && { maxUses }),
    ...(Array.isArray(wire['allowed_domains']) && { allowedDomains: wire['allowed_domains'] as string[] }),
    ...(Array.isArray(wire['blocked_domains']) && { blockedDomains: wire['blocked_domains'] as string[] }),
    ...(located && { location }),
    ...(native !== undefined && { native }),
  };
}

const SERVER_KEYS = new Set(['type', 'name', 'url', 'authorization_token']);

/** The MCP servers, if every one of them says no more than we can and has its toolset. */
function plainServers(wire: WireTool): ReadonlyMap<string, McpTool> {
  const servers = new Map<string, McpTool>();
  const sets = arrayOf(wire['tools']).map((tool) => recordOf(tool)?.['mcp_server_name']);
  for (const value of arrayOf(wire['mcp_servers'])) {
    const server = recordOf(value) ?? {};
    const name = stringOf(server['name']);
    const url = stringOf(server['url']);
    const authorization = stringOf(server['authorization_token']);
    const plain = Object.keys(server).every((key) => SERVER_KEYS.has(key));
    if (!plain || name === undefined || url === undefined || !sets.includes(name)) return new Map();
    // Its tools are run without asking.
    const known: McpTool = { type: 'mcp', server: name, url, approval: 'never' };
    servers.set(name, authorization === undefined ? known : { ...known, authorization });
  }
  return servers;
}

function withToolset(server: McpTool, wire: WireTool): McpTool {
  const configs = recordOf(wire['configs']) ?? {};
  const listed = Object.entries(configs).every(([, config]) => only(config, 'enabled', true));
  const closed = only(wire['default_config'], 'enabled', false) && listed;
  const known = new Set(['type', 'mcp_server_name', ...(closed ? ['default_config', 'configs'] : [])]);
  const native = nativeRest(wire, known, PROTOCOL);
  return { ...server, ...(closed && { allow: Object.keys(configs) }), ...(native !== undefined && { native }) };
}

/** Whether an object has this one field and nothing else. */
function only(value: unknown, key: string, wanted: Json): boolean {
  const wire = recordOf(value);
  return wire !== undefined && Object.keys(wire).length === 1 && wire[key] === wanted;
}

function choiceOf(choice: WireTool | undefined): ToolChoice | undefined {
  switch (choice?.['type']) {
    case 'auto':
    case 'none':
      return choice['type'];
    case 'any':
      return 'required';
    case 'tool':
      return { tool: stringOf(choice['name']) ?? '' };
    default:
      return undefined;
  }
}
