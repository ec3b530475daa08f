import { hostedName } from '../dialects/anthropic-messages/hosted-names.ts';
import type { FreeformTool, HostedTool, McpTool, Tool } from '../operations/chat.ts';
import type { Json, JsonObject } from '../operations/shared.ts';
import type { AiTool } from './specification.ts';

type ProviderTool = Extract<AiTool, { type: 'provider' }>;

/** Names that belong to a version, where it is not the one most use. */
const NAMED: readonly (readonly [versions: RegExp, name: string])[] = [
  [/^computer_\d/, 'computer'],
  [/^text_editor_(2024|20250124)/, 'str_replace_editor'],
  [/^tool_search_tool_regex/, 'tool_search_tool_regex'],
];
const OPENAI: ReadonlyMap<string, string> = new Map([
  ['web_search_preview', 'web_search'],
  ['code_interpreter', 'code_execution'],
]);

/** A tool that a provider runs or has trained for, by its id in the AI SDK: `openai.web_search`. */
export function providerTool({ id, name, args }: ProviderTool): Tool {
  const dot = id.indexOf('.');
  const [provider, type] = [id.slice(0, dot), id.slice(dot + 1)];
  if (provider === 'anthropic') return anthropicTool(type, args);
  if (type === 'custom') return freeformTool(name, args);
  if (type === 'mcp') return mcpTool(args);
  const { vectorStoreIds, ...rest } = args;
  const kept = OPENAI.has(type) && type !== 'code_interpreter' ? { type, ...wire(rest) } : wire(rest);
  return {
    type: 'hosted',
    tool: OPENAI.get(type) ?? type,
    ...(Array.isArray(vectorStoreIds) && { storeIds: vectorStoreIds as string[] }),
    ...(Object.keys(kept).length > 0 && { native: { 'openai-responses': kept } }),
  };
}

/** The version that was chosen goes out; so do its arguments. */
function anthropicTool(type: string, args: Readonly<Record<string, unknown>>): HostedTool {
  const { maxUses, allowedDomains, blockedDomains, ...rest } = args;
  const wireType = type.replace(/^tool_search_(regex|bm25)_/, 'tool_search_tool_$1_');
  const name = NAMED.find(([versions]) => versions.test(wireType))?.[1];
  return {
    type: 'hosted',
    tool: hostedName(wireType),
    ...(typeof maxUses === 'number' && { maxUses }),
    ...(Array.isArray(allowedDomains) && { allowedDomains: allowedDomains as string[] }),
    ...(Array.isArray(blockedDomains) && { blockedDomains: blockedDomains as string[] }),
    ...(name !== undefined && { name }),
    native: { 'anthropic-messages': { type: wireType, ...wire(rest) } },
  };
}

function freeformTool(name: string, args: Readonly<Record<string, unknown>>): FreeformTool {
  const { description, format } = args as {
    description?: string;
    format?: { type: string; syntax: 'lark' | 'regex'; definition: string };
  };
  return {
    type: 'freeform',
    name,
    ...(description !== undefined && { description }),
    ...(format?.type === 'grammar' && { grammar: { syntax: format.syntax, definition: format.definition } }),
  };
}

function mcpTool(args: Readonly<Record<string, unknown>>): McpTool {
  const { serverLabel, serverUrl, connectorId, authorization, headers, allowedTools, requireApproval, ...rest } = args;
  const others = wire(rest);
  const approval = requireApproval === 'always' || requireApproval === 'never' ? requireApproval : undefined;
  const native: JsonObject = {
    ...others,
    ...(requireApproval !== undefined && approval === undefined && { require_approval: wireValue(requireApproval) }),
    ...(allowedTools !== undefined && !Array.isArray(allowedTools) && { allowed_tools: wireValue(allowedTools) }),
  };
  return {
    type: 'mcp',
    server: String(serverLabel),
    ...(typeof serverUrl === 'string' && { url: serverUrl }),
    ...(typeof connectorId === 'string' && { connectorId }),
    ...(typeof authorization === 'string' && { authorization }),
    ...(headers !== undefined && { headers: headers as Record<string, string> }),
    ...(Array.isArray(allowedTools) && { allow: allowedTools as string[] }),
    ...(approval !== undefined && { approval }),
    ...(Object.keys(native).length > 0 && { native: { 'openai-responses': native } }),
  };
}

/** `maxUses` is `max_uses` on the wire, at every depth. */
function wire(fields: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]): [string, Json][] =>
      value === undefined ? [] : [[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), wireValue(value)]],
    ),
  );
}

function wireValue(value: unknown): Json {
  if (Array.isArray(value)) return value.map(wireValue);
  return typeof value === 'object' && value !== null ? wire(value as Record<string, unknown>) : (value as Json);
}
