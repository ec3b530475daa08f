import { strictSchema } from '../../core/strict-schema.ts';
import { mergeNative } from '../../core/wire-json.ts';
import type { FunctionTool, HostedTool, McpTool, Tool, ToolChoice } from '../../operations/chat.ts';
import type { Json, JsonObject, JsonSchema } from '../../operations/shared.ts';
import type { Losses } from './losses.ts';
import { nativeOf, PROTOCOL, type Written } from './protocol.ts';

/** Built-in tools: our word, the wire's word. Others of ours have no counterpart here. */
export const HOSTED: Readonly<Record<string, string>> = {
  web_search: 'web_search',
  code_execution: 'code_interpreter',
  file_search: 'file_search',
  image_generation: 'image_generation',
  computer: 'computer',
  shell: 'shell',
  local_shell: 'local_shell',
  apply_patch: 'apply_patch',
  tool_search: 'tool_search',
  namespace: 'namespace',
  programmatic_tool_calling: 'programmatic_tool_calling',
};

/** `own`: the caller spoke this protocol, so that what it left out stays out. */
export function encodeTools(tools: readonly Tool[], losses: Losses, own: boolean): Json[] {
  return tools.flatMap((tool, index): Json[] => {
    const encoded = encodeTool(tool, losses, own, `tools[${index}]`);
    return encoded === undefined ? [] : [mergeNative(encoded, tool.native, PROTOCOL)];
  });
}

function encodeTool(tool: Tool, losses: Losses, own: boolean, path: string): Written | undefined {
  if ('cache' in tool && tool.cache !== undefined) {
    losses.note('degraded', 'cache', 'tools take no cache breakpoint here; caching is automatic.');
  }
  switch (tool.type) {
    case 'function':
      return functionTool(tool, losses, own, path);
    case 'freeform':
      return {
        type: 'custom',
        name: tool.name,
        ...(tool.description !== undefined && { description: tool.description }),
        ...(tool.grammar !== undefined && { format: { type: 'grammar', ...tool.grammar } }),
      };
    case 'mcp':
      return mcpTool(tool, own);
    default:
      return hostedTool(tool, losses, path);
  }
}

function functionTool(tool: FunctionTool, losses: Losses, own: boolean, path: string): Written {
  if (tool.examples !== undefined) losses.note('degraded', 'examples', 'tools take no examples here.', path);
  const { schema, strict } = strictOrNot(tool.input, tool.strict, losses, own, path);
  return {
    type: 'function',
    name: tool.name,
    ...(tool.description !== undefined && { description: tool.description }),
    parameters: schema as JsonObject,
    // Left out, the server would decide; only a caller of this protocol may want that.
    ...((tool.strict !== undefined || !own) && { strict }),
    ...(tool.output !== undefined && { output_schema: tool.output as JsonObject }),
    ...(tool.defer !== undefined && { defer_loading: tool.defer }),
  };
}

/** A schema as strict mode wants it, where strict was asked for. What its own protocol wrote is left as it is. */
export function strictOrNot(
  schema: JsonSchema,
  wanted: boolean | undefined,
  losses: Losses,
  own: boolean,
  path: string,
): { readonly schema: JsonSchema; readonly strict: boolean } {
  if (wanted !== true || own) return { schema, strict: wanted ?? false };
  const rewritten = strictSchema(schema);
  if (!rewritten.strict) {
    losses.note('degraded', 'strict', 'this schema cannot be strict here; it is sent as a hint.', path);
  } else if (rewritten.changed) {
    losses.tell(
      'schema-rewritten',
      path,
      'The schema was rewritten for strict mode: optional fields may come as null.',
    );
  }
  return rewritten;
}

function hostedTool(tool: HostedTool, losses: Losses, path: string): Written | undefined {
  const native = nativeOf(tool);
  const type = HOSTED[tool.tool] ?? (typeof native?.['type'] === 'string' ? native['type'] : undefined);
  if (type === undefined) {
    return losses.refuse(tool.tool, `the Responses API has no hosted tool "${tool.tool}".`, path);
  }
  if (tool.maxUses !== undefined) losses.note('degraded', 'maxUses', 'a hosted tool takes no use limit here.', path);
  if (tool.blockedDomains !== undefined) {
    losses.note('degraded', 'blockedDomains', 'web search takes only allowed domains here.', path);
  }
  return {
    type,
    ...(type === 'code_interpreter' && native?.['container'] === undefined && { container: { type: 'auto' } }),
    ...(tool.storeIds !== undefined && { vector_store_ids: tool.storeIds }),
    ...(tool.allowedDomains !== undefined && { filters: { allowed_domains: tool.allowedDomains } }),
    ...(tool.location !== undefined && { user_location: { type: 'approximate', ...tool.location } }),
    ...(tool.name !== undefined && type === 'namespace' && { name: tool.name }),
  };
}

function mcpTool(tool: McpTool, own: boolean): Written {
  return {
    type: 'mcp',
    server_label: tool.server,
    ...(tool.url !== undefined && { server_url: tool.url }),
    ...(tool.connectorId !== undefined && { connector_id: tool.connectorId }),
    ...(tool.authorization !== undefined && { authorization: tool.authorization }),
    ...(tool.headers !== undefined && { headers: tool.headers }),
    ...(tool.allow !== undefined && { allowed_tools: tool.allow }),
    // The server's default, which an application of this protocol need not have written.
    ...(tool.approval !== undefined &&
      !(own && tool.approval === 'always') && { require_approval: approvalOf(tool.approval) }),
  };
}

function approvalOf(approval: NonNullable<McpTool['approval']>): Json {
  if (typeof approval === 'string') return approval;
  return {
    ...(approval.never !== undefined && { never: { tool_names: approval.never } }),
    ...(approval.always !== undefined && { always: { tool_names: approval.always } }),
  };
}

export function encodeToolChoice(choice: ToolChoice, tools: readonly Tool[]): Json {
  if (typeof choice === 'string') return choice;
  if ('tool' in choice) return reference(choice.tool, tools);
  return {
    type: 'allowed_tools',
    mode: choice.mode ?? 'auto',
    tools: choice.allow.map((name) => reference(name, tools)),
  };
}

/** How a choice names a tool depends on what it is. */
function reference(name: string, tools: readonly Tool[]): JsonObject {
  for (const tool of tools) {
    if (tool.type === 'function' && tool.name === name) break;
    if (tool.type === 'freeform' && tool.name === name) return { type: 'custom', name };
    if (tool.type === 'mcp' && tool.server === name) return { type: 'mcp', server_label: name };
    if (tool.type === 'hosted' && (tool.tool === name || tool.name === name)) {
      const own = nativeOf(tool)?.['type'];
      return { type: typeof own === 'string' ? own : (HOSTED[tool.tool] ?? name) };
    }
  }
  return { type: 'function', name };
}
