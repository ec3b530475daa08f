import { mergeNative, parseJson } from '../../core/wire-json.ts';
import type { AssistantMessage, OutputPart, RefusalPart, TextPart, ToolCallPart } from '../../operations/chat-parts.ts';
import type { JsonObject } from '../../operations/shared.ts';
import { annotationOf } from './citations.ts';
import type { Losses } from './losses.ts';
import { isMinted, nativeOf, PROTOCOL, type Written } from './protocol.ts';
import { reasoningItem } from './reasoning-item.ts';
import { usableNative } from './replayable.ts';

export interface AssistantOptions {
  readonly losses: Losses;
  /** Item ids may be sent: the server has stored these items, or the caller says so itself. */
  readonly keepIds: boolean;
  /** The caller spoke this protocol. */
  readonly own: boolean;
  /** Whether a call by this name is one of a freeform tool. */
  readonly isFreeform: (name: string) => boolean | undefined;
  /** The wire's id of a call. */
  readonly callId: (id: string, keep: boolean) => string;
}

type Said = TextPart | RefusalPart;

/** One assistant turn as items, in order. */
export function assistantItems(message: AssistantMessage, path: string, options: AssistantOptions): Written[] {
  const items: Written[] = [];
  let run: Said[] = [];
  const flush = (): void => {
    if (run.length > 0) items.push(messageItem(run, message, options));
    run = [];
  };
  for (const [index, part] of message.content.entries()) {
    if (part.type === 'text' || part.type === 'refusal') {
      if (run.length > 0 && !joins(run[run.length - 1] as Said, part)) flush();
      run.push(part);
      continue;
    }
    flush();
    const item = partItem(part, message, `${path}.content[${index}]`, options);
    if (item !== undefined) items.push(item);
  }
  flush();
  return options.own ? items : withoutDanglingReasoning(items, path, options.losses);
}

/** Entries of one item come back together: they share its id, or say that they followed in a list without one. */
function joins(left: Said, right: Said): boolean {
  if (phaseOf(left) !== phaseOf(right)) return false;
  const id = nativeOf(right)?.['id'];
  return id === undefined ? nativeOf(right)?.['joined'] === true : nativeOf(left)?.['id'] === id;
}

function phaseOf(part: Said): TextPart['phase'] {
  return part.type === 'text' ? part.phase : undefined;
}

function messageItem(run: readonly Said[], message: AssistantMessage, options: AssistantOptions): Written {
  const first = run[0] as Said;
  const native = usableNative(first, message);
  const id = native?.['id'];
  const phase = run.map(phaseOf).find((one) => one !== undefined);
  const shell: Written = {
    role: 'assistant',
    ...(phase !== undefined && { phase: phase === 'final' ? 'final_answer' : phase }),
  };
  const only = run.length === 1 && first.type === 'text' ? first : undefined;
  // Written by hand: the short form, which asks for neither id nor status.
  if (only !== undefined && (native === undefined || native['shape'] === 'text')) {
    return merged({ ...shell, ...(native?.['item'] as Written | undefined), content: only.text }, message);
  }
  const content = run.map((part) => entryOf(part, usableNative(part, message), native !== undefined));
  const sendable = typeof id === 'string' && options.keepIds && !isMinted(id);
  return merged(
    {
      type: 'message',
      ...shell,
      ...(sendable && { id }),
      ...(native?.['status'] !== undefined && { status: native['status'] }),
      ...(native?.['item'] as Written | undefined),
      content,
    },
    message,
  );
}

function merged(item: Written, message: AssistantMessage): Written {
  return mergeNative(item, message.native, PROTOCOL);
}

function entryOf(part: Said, native: JsonObject | undefined, decoded: boolean): Written {
  const { id: _id, status: _status, item: _item, shape: _shape, joined: _joined, ...rest } = native ?? {};
  if (part.type === 'refusal') return { type: 'refusal', refusal: part.text, ...rest };
  const annotations = (part.citations ?? []).flatMap((citation) => annotationOf(citation, part.text) ?? []);
  const cited = decoded || annotations.length > 0 ? { annotations } : {};
  return { type: 'output_text', text: part.text, ...cited, ...rest };
}

function partItem(
  part: Exclude<OutputPart, Said>,
  message: AssistantMessage,
  path: string,
  options: AssistantOptions,
): Written | undefined {
  const { losses } = options;
  switch (part.type) {
    case 'reasoning':
      return reasoningItem(part, message, path, options);
    case 'tool-call':
      return callItem(part, message, path, options);
    case 'tool-result':
      // Its call's item holds it; where that one could not be sent, this one was named with it.
      return undefined;
    case 'approval-request':
      return mergeNative(
        {
          type: 'mcp_approval_request',
          id: part.id,
          name: part.name,
          arguments: JSON.stringify(part.args),
          server_label: part.server ?? '',
        },
        usableNative(part, message) === undefined ? undefined : part.native,
        PROTOCOL,
      );
    case 'native':
      if (part.protocol === PROTOCOL) return withId(part.value as Written, options);
      if (part.fallbackText !== undefined) return { role: 'assistant', content: part.fallbackText };
      losses.note('dropped-part', 'native', `a block of ${part.protocol} means nothing here.`, path);
      return undefined;
    default:
      losses.note('dropped-part', part.type, `an ${part.type} in an assistant turn cannot be sent back.`, path);
      return undefined;
  }
}

function callItem(
  part: ToolCallPart,
  message: AssistantMessage,
  path: string,
  options: AssistantOptions,
): Written | undefined {
  const native = usableNative(part, message);
  const ours = message.origin?.protocol === PROTOCOL;
  if (typeof native?.['type'] === 'string') return withId(native, options);
  if (part.executor === 'provider') {
    const why = 'a call the provider ran itself can only go back to the protocol it came from, unedited.';
    options.losses.note('dropped-replay', part.name, why, path);
    return undefined;
  }
  const { custom, id, ...rest } = native ?? {};
  const freeform = custom === true || (options.isFreeform(part.name) ?? isFreeText(part));
  const head: Written = {
    type: freeform ? 'custom_tool_call' : 'function_call',
    ...(typeof id === 'string' && options.keepIds && !isMinted(id) && { id }),
    call_id: options.callId(part.id, ours),
    name: part.name,
    ...(part.server !== undefined && ours && { namespace: part.server }),
  };
  return { ...head, ...(freeform ? { input: String(part.args ?? '') } : { arguments: argumentsOf(part) }), ...rest };
}

/** Text that is its own argument was never JSON. */
function isFreeText(part: ToolCallPart): boolean {
  return typeof part.args === 'string' && (part.argsText === undefined || part.argsText === part.args);
}

/** The exact text the model wrote, unless somebody changed the arguments since. */
export function argumentsOf(part: ToolCallPart): string {
  const { args, argsText, invalid } = part;
  if (argsText === undefined) return JSON.stringify(args ?? {});
  if (invalid !== undefined && args === null) return argsText;
  const parsed = argsText.trim() === '' ? {} : parseJson(argsText);
  return JSON.stringify(parsed) === JSON.stringify(args) ? argsText : JSON.stringify(args);
}

/** A whole item, without its id where no server would know it. */
function withId(item: JsonObject, options: AssistantOptions): Written {
  const { id, ...rest } = item;
  const needsId = item['type'] === 'item_reference' || item['type'] === 'mcp_approval_request';
  if (typeof id !== 'string') return { ...item };
  return needsId || (options.keepIds && !isMinted(id)) ? { ...item } : rest;
}

/** The server wants the item that a reasoning item led to: one with nothing after it is refused. */
function withoutDanglingReasoning(items: Written[], path: string, losses: Losses): Written[] {
  let end = items.length;
  while (end > 0 && items[end - 1]?.['type'] === 'reasoning') end--;
  if (end === items.length) return items;
  losses.note('dropped-replay', 'reasoning', 'reasoning with nothing after it cannot be sent back.', path);
  return items.slice(0, end);
}
