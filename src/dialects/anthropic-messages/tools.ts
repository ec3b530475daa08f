import { invalidRequest } from '../../core/errors.ts';
import { mergeNative } from '../../core/wire-json.ts';
import type { ChatRequest, FunctionTool, HostedTool, McpTool, Tool } from '../../operations/chat.ts';
import type { Json, JsonObject } from '../../operations/shared.ts';
import { type Encoding, PROTOCOL, type Wire } from './encoding.ts';
import { plainSchema } from './schema.ts';

/** The value of `anthropic-beta` that allows `mcp_servers` (SDK 1.12.0, 2026-11-22). */
const MCP_BETA = 'mcp-client-2025-11-20';

/** Hosted tools by canonical name: wire type and fixed name (tool types of SDK 1.12.0, the most widely served ones). */
const HOSTED: Readonly<Record<string, readonly [type: string, name: string]>> = {
  web_search: ['web_search_20250305', 'web_search'],
  web_fetch: ['web_fetch_20250910', 'web_fetch'],
  code_execution: ['code_execution_20250825', 'code_execution'],
  shell: ['bash_20250124', 'bash'],
  text_editor: ['text_editor_20250728', 'str_replace_based_edit_tool'],
  memory: ['memory_20250818', 'memory'],
  tool_search: ['tool_search_tool_bm25_20251119', 'tool_search_tool_bm25'],
};

export interface ToolFields {
  readonly tools?: Wire[];
  readonly tool_choice?: Wire;
  readonly mcp_servers?: Wire[];
  /** Whether the model must call a tool. */
  readonly forced: boolean;
}

/** `tools`, `tool_choice` and `mcp_servers` of the body. */
export function encodeTools(request: ChatRequest, outputTool: Wire | undefined, encoding: Encoding): ToolFields {
  if (outputTool !== undefined) {
    return { tools: [outputTool], tool_choice: { type: 'tool', name: String(outputTool['name']) }, forced: true };
  }
  const offered = allowed(request, encoding);
  const servers: Wire[] = [];
  const tools = offered.map((tool, index) => encodeTool(tool, `tools[${index}]`, servers, encoding));
  const choice = encodeChoice(request, tools, encoding);
  return {
    ...(tools.length > 0 && { tools }),
    ...(choice !== undefined && { tool_choice: choice }),
    ...(servers.length > 0 && { mcp_servers: servers }),
    forced: choice?.['type'] === 'any' || choice?.['type'] === 'tool',
  };
}

/** Only the allowed tools are offered: the protocol has no list of its own for that. */
function allowed(request: ChatRequest, encoding: Encoding): readonly Tool[] {
  const { tools = [], toolChoice } = request;
  if (typeof toolChoice !== 'object' || !('allow' in toolChoice)) return tools;
  const offered = tools.filter((tool) => tool.type === 'mcp' || toolChoice.allow.includes(toolName(tool)));
  if (offered.length < tools.length) {
    const message = 'the tools that are not allowed are left out, which breaks the prompt cache';
    encoding.lose('degraded', 'toolChoice', 'toolChoice.allow', message);
  }
  return offered;
}

function toolName(tool: Exclude<Tool, McpTool>): string {
  return tool.type === 'hosted' ? (tool.name ?? tool.tool) : tool.name;
}

function encodeTool(tool: Tool, path: string, servers: Wire[], encoding: Encoding): Wire {
  switch (tool.type) {
    case 'function':
      return encodeFunction(tool, path, encoding);
    case 'hosted':
      return encodeHosted(tool, path, encoding);
    case 'mcp':
      return encodeMcp(tool, path, servers, encoding);
    default:
      return encoding.refuse('freeform tools', path, 'arguments are always JSON here');
  }
}

function encodeFunction(tool: FunctionTool, path: string, encoding: Encoding): Wire {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(tool.name)) {
    throw invalidRequest(`${path}.name`, 'tool names have 1 to 128 letters, digits, "_" or "-" here');
  }
  const { schema, strict } = strictInput(tool, path, encoding);
  const wire: Wire = {
    name: tool.name,
    ...(tool.description !== undefined && { description: tool.description }),
    input_schema: schema['type'] === undefined ? { type: 'object', ...schema } : schema,
    ...(strict !== undefined && { strict }),
    ...(tool.examples !== undefined && { input_examples: tool.examples }),
    ...(tool.defer !== undefined && { defer_loading: tool.defer }),
  };
  const merged = mergeNative(wire, tool.native, PROTOCOL);
  encoding.cache(merged, tool.cache, path);
  return merged;
}

/** Strict input is bound by the same part of JSON Schema, and known to the same models, as structured output. */
function strictInput(tool: FunctionTool, path: string, encoding: Encoding): { schema: JsonObject; strict?: boolean } {
  const schema = tool.input as JsonObject;
  // What came through our own door was written for this API.
  const own = encoding.facts['protocol'] !== undefined;
  if (own) return { schema, ...(tool.strict !== undefined && { strict: tool.strict }) };
  if (!encoding.model.format) {
    if (tool.strict === true)
      encoding.lose('unsupported', 'strict', `${path}.strict`, 'this model has no strict tools');
    return { schema };
  }
  if (tool.strict !== true) return { schema, ...(tool.strict !== undefined && { strict: tool.strict }) };
  const plain = plainSchema(tool.input);
  if (plain.changed) {
    const message = 'keywords that strict tools do not enforce were moved into descriptions';
    encoding.lose('schema-rewritten', 'tools', `${path}.input`, message);
  }
  return { schema: plain.schema, strict: true };
}

function encodeHosted(tool: HostedTool, path: string, encoding: Encoding): Wire {
  const known = HOSTED[tool.tool];
  if (known === undefined && tool.native?.[PROTOCOL]?.['type'] === undefined) {
    encoding.refuse(`the hosted tool ${tool.tool}`, path, 'this provider has no such tool');
  }
  if (tool.storeIds !== undefined) encoding.refuse('stores of a hosted tool', path, 'this provider has none');
  const name = tool.name ?? known?.[1];
  return mergeNative<Wire>(
    {
      ...(known !== undefined && { type: known[0] }),
      ...(name !== undefined && { name }),
      ...(tool.maxUses !== undefined && { max_uses: tool.maxUses }),
      ...(tool.allowedDomains !== undefined && { allowed_domains: tool.allowedDomains }),
      ...(tool.blockedDomains !== undefined && { blocked_domains: tool.blockedDomains }),
      ...(tool.location !== undefined && { user_location: { type: 'approximate', ...tool.location } }),
    },
    tool.native,
    PROTOCOL,
  );
}

function encodeMcp(tool: McpTool, path: string, servers: Wire[], encoding: Encoding): Wire {
  if (tool.url === undefined) encoding.refuse('MCP connectors', path, 'a server needs a url');
  if (tool.headers !== undefined) encoding.refuse('headers for MCP servers', path, 'only authorization is sent');
  if (tool.approval !== undefined && tool.approval !== 'never') {
    encoding.refuse('approval of MCP calls', path, 'the provider runs them without asking');
  }
  encoding.betas.add(MCP_BETA);
  servers.push({
    type: 'url',
    name: tool.server,
    url: tool.url,
    ...(tool.authorization !== undefined && { authorization_token: tool.authorization }),
  });
  const enabled = tool.allow?.map((name): [string, Json] => [name, { enabled: true }]);
  return mergeNative<Wire>(
    {
      type: 'mcp_toolset',
      mcp_server_name: tool.server,
      ...(enabled !== undefined && { default_config: { enabled: false }, configs: Object.fromEntries(enabled) }),
    },
    tool.native,
    PROTOCOL,
  );
}

function encodeChoice(request: ChatRequest, tools: readonly Wire[], encoding: Encoding): Wire | undefined {
  const { toolChoice, parallelToolCalls } = request;
  const choice = choiceOf(toolChoice);
  if (tools.length === 0) {
    if (choice?.['type'] !== 'any' && choice?.['type'] !== 'tool') return undefined;
    throw invalidRequest('toolChoice', 'a tool is required but none is offered');
  }
  // A toolset has no name of its own: what it offers is not known here.
  const unknown = !tools.some((tool) => tool['name'] === choice?.['name'] || tool['name'] === undefined);
  if (choice?.['type'] === 'tool' && unknown) {
    throw invalidRequest('toolChoice.tool', 'the tool to call is not among the tools');
  }
  if (choice?.['type'] === 'none') return choice;
  if ((choice?.['type'] === 'any' || choice?.['type'] === 'tool') && !encoding.model.forcedTools) {
    encoding.refuse('forcing a tool', 'toolChoice', 'this model only takes "auto" and "none"');
  }
  if (parallelToolCalls === false) return { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true };
  if (parallelToolCalls === true && choice !== undefined) return { ...choice, disable_parallel_tool_use: false };
  return choice;
}

function choiceOf(choice: ChatRequest['toolChoice']): Wire | undefined {
  if (choice === undefined) return undefined;
  if (typeof choice === 'string') return { type: choice === 'required' ? 'any' : choice };
  if ('tool' in choice) return { type: 'tool', name: choice.tool };
  return { type: choice.mode === 'required' ? 'any' : 'auto' };
}
