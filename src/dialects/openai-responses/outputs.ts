import { mergeNative, recordOf } from '../../core/wire-json.ts';
import type { ToolResultItem, ToolResultPart } from '../../operations/chat-parts.ts';
import type { Json } from '../../operations/shared.ts';
import type { Losses } from './losses.ts';
import { contentEntry } from './media.ts';
import { nativeOf, PROTOCOL, type Written } from './protocol.ts';

/** What kind of call a result answers decides the item it becomes. */
export type CallKind = 'function' | 'custom' | 'computer' | 'shell' | 'local_shell' | 'apply_patch' | 'tool_search';

/** Built-in tools the client runs, by the name of their call. */
export const CLIENT_TOOLS: ReadonlySet<string> = new Set([
  'computer',
  'shell',
  'local_shell',
  'apply_patch',
  'tool_search',
]);

/** A tool result as output item of its call. */
export function outputItem(
  part: ToolResultPart,
  callId: string,
  kind: CallKind,
  losses: Losses,
  path: string,
  own: boolean,
): Written {
  const native = nativeOf(part);
  // An item that was decoded whole goes back whole.
  if (typeof native?.['type'] === 'string') return { ...native };
  return mergeNative(encoded(part, callId, kind, losses, path, own), part.native, PROTOCOL);
}

function encoded(
  part: ToolResultPart,
  callId: string,
  kind: CallKind,
  losses: Losses,
  path: string,
  own: boolean,
): Written {
  switch (kind) {
    case 'computer':
      return { type: 'computer_call_output', call_id: callId, output: screenshot(part, losses, path) };
    case 'shell': {
      const outcome = { type: 'exit', exit_code: part.isError === true ? 1 : 0 };
      const stdout = part.isError === true ? '' : plain(part);
      const stderr = part.isError === true ? plain(part) : '';
      return { type: 'shell_call_output', call_id: callId, output: [{ stdout, stderr, outcome }] };
    }
    case 'local_shell':
      return { type: 'local_shell_call_output', id: callId, output: plain(part) };
    case 'apply_patch': {
      const status = part.isError === true ? 'failed' : 'completed';
      return { type: 'apply_patch_call_output', call_id: callId, status, output: plain(part) };
    }
    case 'tool_search': {
      const tools = toolsOf(part);
      return { type: 'tool_search_output', call_id: callId, execution: 'client', status: 'completed', tools };
    }
    default: {
      const type = kind === 'custom' ? 'custom_tool_call_output' : 'function_call_output';
      return { type, call_id: callId, output: output(part, losses, path, own) };
    }
  }
}

/** The protocol has no error flag: the text says it. */
function output(part: ToolResultPart, losses: Losses, path: string, own: boolean): Json {
  const prefix = part.isError === true ? 'Error: ' : '';
  if (typeof part.content === 'string') return prefix + part.content;
  const only = part.content[0];
  if (part.content.length === 1 && only?.type === 'json') return prefix + JSON.stringify(only.value);
  const entries = part.content.map((item) => contentEntry(item, losses, path, own));
  return prefix === '' ? entries : [{ type: 'input_text', text: prefix.trim() }, ...entries];
}

function plain(part: ToolResultPart): string {
  if (typeof part.content === 'string') return part.content;
  return part.content.map((item) => textOf(item)).join('\n');
}

function textOf(item: ToolResultItem): string {
  if (item.type === 'text') return item.text;
  return item.type === 'json' ? JSON.stringify(item.value) : '';
}

function screenshot(part: ToolResultPart, losses: Losses, path: string): Json {
  const image = typeof part.content === 'string' ? undefined : part.content.find((item) => item.type === 'image');
  if (image === undefined) return losses.refuse('screenshot', 'a computer call is answered with an image.', path);
  const { type: _type, detail: _detail, ...source } = contentEntry(image, losses, path, true);
  return { type: 'computer_screenshot', ...source };
}

function toolsOf(part: ToolResultPart): Json {
  const value = part.structured ?? (typeof part.content === 'string' ? undefined : jsonOf(part.content));
  if (Array.isArray(value)) return value as Json;
  return (recordOf(value)?.['tools'] as Json | undefined) ?? [];
}

function jsonOf(items: readonly ToolResultItem[]): Json | undefined {
  for (const item of items) if (item.type === 'json') return item.value;
  return undefined;
}
