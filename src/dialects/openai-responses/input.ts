import { shortHash } from '../../core/replay.ts';
import { mergeNative } from '../../core/wire-json.ts';
import type { ChatRequest } from '../../operations/chat.ts';
import type { InputPart, Message, SystemMessage, ToolMessage, UserMessage } from '../../operations/chat-parts.ts';
import { type AssistantOptions, assistantItems } from './assistant.ts';
import type { Losses } from './losses.ts';
import { contentEntry } from './media.ts';
import { type CallKind, CLIENT_TOOLS, outputItem } from './outputs.ts';
import { nativeOf, PROTOCOL, type Written } from './protocol.ts';

/** Longest `call_id` the API takes. Measured by others; longer ones are hashed, alike each time. */
const CALL_ID_LENGTH_MAX = 64;

export interface InputOptions extends Pick<AssistantOptions, 'losses' | 'keepIds' | 'own'> {
  readonly request: ChatRequest;
}

/** The messages of a request as input items. */
export function inputItems({ request, losses, keepIds, own }: InputOptions): Written[] {
  const kinds = new Map<string, CallKind>();
  const ids = new Map<string, string>();
  const callId = (id: string, keep: boolean): string => {
    const known = ids.get(id);
    if (known !== undefined) return known;
    const sent = keep || own || id.length <= CALL_ID_LENGTH_MAX ? id : `call_${shortHash(id)}${shortHash(`${id}+`)}`;
    ids.set(id, sent);
    return sent;
  };
  const options: AssistantOptions = { losses, keepIds, own, callId, isFreeform: freeformIn(request) };
  const items: Written[] = [];
  for (const [index, message] of request.messages.entries()) {
    const path = `messages[${index}]`;
    if (message.name !== undefined) losses.note('degraded', 'name', 'messages have no names here.', path);
    if (message.role === 'assistant') {
      const encoded = assistantItems(message, path, options);
      rememberKinds(message, encoded, kinds);
      items.push(...encoded);
    } else if (message.role === 'tool') {
      items.push(...toolItems(message, path, kinds, options));
    } else {
      items.push(...turnItems(message, path, losses, own));
    }
  }
  return items;
}

function freeformIn(request: ChatRequest): (name: string) => boolean | undefined {
  const byName = new Map<string, boolean>();
  for (const tool of request.tools ?? []) {
    if (tool.type === 'function' || tool.type === 'freeform') byName.set(tool.name, tool.type === 'freeform');
  }
  return (name) => byName.get(name);
}

function rememberKinds(message: Message, items: readonly Written[], kinds: Map<string, CallKind>): void {
  for (const item of items) {
    const id = item['call_id'] ?? item['id'];
    if (item['type'] === 'custom_tool_call' && typeof id === 'string') kinds.set(id, 'custom');
  }
  if (message.role !== 'assistant') return;
  for (const part of message.content) {
    // A built-in tool's call carries its whole item; a function of the same name does not.
    const whole = typeof nativeOf(part as InputPart)?.['type'] === 'string';
    if (part.type === 'tool-call' && whole && CLIENT_TOOLS.has(part.name)) kinds.set(part.id, part.name as CallKind);
  }
}

function toolItems(
  message: ToolMessage,
  path: string,
  kinds: Map<string, CallKind>,
  options: AssistantOptions,
): Written[] {
  const items: Written[] = [];
  for (const [index, part] of message.content.entries()) {
    const at = `${path}.content[${index}]`;
    if (part.type === 'native') {
      if (part.protocol === PROTOCOL) items.push({ ...(part.value as Written) });
      else options.losses.note('dropped-part', 'native', `a block of ${part.protocol} means nothing here.`, at);
      continue;
    }
    const callId = options.callId(part.callId, options.own);
    const kind = kinds.get(part.callId) ?? kinds.get(callId) ?? 'function';
    items.push(mergeNative(outputItem(part, callId, kind, options.losses, at, options.own), message.native, PROTOCOL));
  }
  return items;
}

/** A system, developer or user turn: a message, and items of their own for what is no message content. */
function turnItems(message: SystemMessage | UserMessage, path: string, losses: Losses, own: boolean): Written[] {
  const items: Written[] = [];
  const { shape, ...native } = nativeOf(message) ?? {};
  let run: InputPart[] = [];
  const flush = (): void => {
    if (run.length === 0) return;
    const only = run[0] as InputPart;
    const short = run.length === 1 && only.type === 'text' && isBare(only) && shape !== 'list';
    const content = short ? only.text : run.map((part) => contentEntry(part, losses, path, own));
    items.push(mergeNative({ role: message.role, content }, { [PROTOCOL]: native }, PROTOCOL));
    run = [];
  };
  const last = message.content.length - 1;
  for (const [index, part] of message.content.entries()) {
    if (part.type === 'approval-response') {
      flush();
      const answer: Written = {
        type: 'mcp_approval_response',
        approval_request_id: part.requestId,
        approve: part.approved,
        ...(part.reason !== undefined && { reason: part.reason }),
      };
      items.push(mergeNative(answer, part.native, PROTOCOL));
    } else if (part.type !== 'native') {
      const hint = index === last && message.cache !== undefined && part.cache === undefined;
      run.push(hint && message.cache !== undefined ? { ...part, cache: message.cache } : part);
    } else if (part.protocol !== PROTOCOL) {
      if (part.fallbackText !== undefined) {
        losses.note('degraded', 'native', `a block of ${part.protocol} is sent as text.`, path);
        run.push({ type: 'text', text: part.fallbackText });
      } else losses.note('dropped-part', 'native', `a block of ${part.protocol} means nothing here.`, path);
    } else if (isContentEntry(part.value)) {
      run.push(part);
    } else {
      flush();
      items.push({ ...(part.value as Written) });
    }
  }
  flush();
  return items;
}

function isBare(part: InputPart): boolean {
  return part.native?.[PROTOCOL] === undefined && (!('cache' in part) || part.cache === undefined);
}

/** Content entries and items share one namespace of types, parted by their prefixes. */
export function isContentEntry(value: unknown): boolean {
  const type = (value as { readonly type?: unknown } | null)?.type;
  return (
    typeof type === 'string' &&
    /^(input_|output_(text|audio)|refusal$|summary_text$|text$|computer_screenshot$)/.test(type)
  );
}
