/** The canonical name of a hosted tool by the beginning of its wire type, which ends with a date. */
const NAMES: readonly (readonly [prefix: string, tool: string])[] = [
  ['web_search_', 'web_search'],
  ['web_fetch_', 'web_fetch'],
  ['code_execution_', 'code_execution'],
  ['bash_', 'shell'],
  ['text_editor_', 'text_editor'],
  ['memory_', 'memory'],
  ['tool_search_tool', 'tool_search'],
  ['computer_', 'computer'],
];

/** What a hosted tool is to us; one that is not known goes by its type. */
export function hostedName(type: string): string {
  return NAMES.find(([prefix]) => type.startsWith(prefix))?.[1] ?? type;
}
