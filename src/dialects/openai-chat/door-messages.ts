import { invalidRequest } from '../../core/errors.ts';
import { mintId } from '../../core/replay.ts';
import { nativeRest, recordOf, stringOf } from '../../core/wire-json.ts';
import type {
  Message,
  SystemMessage,
  TextPart,
  ToolMessage,
  ToolResultItem,
  ToolResultPart,
  UserMessage,
} from '../../operations/chat-parts.ts';
import type { Json, JsonObject, Native } from '../../operations/shared.ts';
import { decodeAssistant } from './door-assistant.ts';
import { decodePart } from './door-parts.ts';
import { type Hints, PROTOCOL, withHints } from './hints.ts';
import type { OpenAiChatFacts } from './quirks.ts';

type Wire = Readonly<Record<string, unknown>>;
type Facts = { -readonly [K in keyof OpenAiChatFacts]: OpenAiChatFacts[K] };
const KNOWN = new Set(['role', 'content']);
const KNOWN_RESULT = new Set(['role', 'content', 'tool_call_id']);
const KNOWN_LEGACY_RESULT = new Set([...KNOWN_RESULT, 'name']);

/** Messages stay in their places; tool results in a row become one message. */
export function decodeMessages(value: readonly unknown[], facts: Facts): Message[] {
  const messages: Message[] = [];
  /** The last call of the old kind: its result names only the function. */
  let legacyId = '';
  for (let position = 0; position < value.length; position++) {
    const wire = recordOf(value[position]);
    if (wire === undefined) throw invalidRequest(`messages[${position}]`, 'a message object is needed.');
    switch (wire['role']) {
      case 'system':
      case 'developer':
      case 'user':
        messages.push(decodeInput(wire, facts));
        break;
      case 'assistant': {
        const decoded = decodeAssistant(wire, position, facts);
        if (decoded.legacyId !== undefined) legacyId = decoded.legacyId;
        messages.push(decoded.message);
        break;
      }
      case 'tool':
      case 'function':
        addResult(messages, decodeResult(wire, position, legacyId, facts));
        break;
      default:
        if (typeof wire['role'] !== 'string') {
          throw invalidRequest(`messages[${position}].role`, 'a role is needed, like user or assistant.');
        }
        messages.push(decodeOther(wire, wire['role'], facts));
    }
  }
  return messages;
}

function decodeInput(wire: Wire, facts: Facts): SystemMessage | UserMessage {
  const { content, name } = wire;
  const plain =
    typeof content === 'string' && holdsOnly(wire, KNOWN) ? [{ type: 'text' as const, text: content }] : undefined;
  // Most messages are this.
  if (plain !== undefined) return { role: wire['role'] as 'user', content: plain };
  const parts = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : partsOf(content, facts);
  const hints: Hints = {
    ...(Array.isArray(content) && { array: true }),
    ...((content === null || content === undefined) && { content: 'null' as const }),
  };
  const native = nativeOf(wire, name);
  const base = { ...(typeof name === 'string' && { name }), ...optional(withHints(native, hints)) };
  if (wire['role'] === 'user') return { role: 'user', content: parts, ...base };
  return { role: wire['role'] as 'system' | 'developer', content: parts as TextPart[], ...base };
}

/** A role that only the server knows: words of the user to everybody else. */
function decodeOther(wire: Wire, role: string, facts: Facts): UserMessage {
  const message = decodeInput({ ...wire, role: 'user' }, facts) as UserMessage;
  return { ...message, native: { [PROTOCOL]: { ...message.native?.[PROTOCOL], role } } };
}

/** Whether nothing stands there beside these fields. */
export function holdsOnly(wire: Wire, known: ReadonlySet<string>): boolean {
  for (const key in wire) if (!known.has(key)) return false;
  return true;
}

/** What is left of a message; a name that is no text (`null`) stays as it was written. */
function nativeOf(wire: Wire, name: unknown): Native | undefined {
  const native = nativeRest(wire, KNOWN, PROTOCOL);
  if (typeof name !== 'string' || native === undefined) return native;
  const { name: _name, ...rest } = native[PROTOCOL] as JsonObject;
  return Object.keys(rest).length > 0 ? { [PROTOCOL]: rest } : undefined;
}

function partsOf(content: unknown, facts: Facts): UserMessage['content'] {
  return Array.isArray(content) ? content.map((part) => decodePart(part, facts)) : [];
}

function decodeResult(wire: Wire, position: number, legacyId: string, facts: Facts): ToolResultPart {
  const legacy = wire['role'] === 'function';
  const name = stringOf(wire['name']);
  const callId = legacy ? legacyId || mintId('call', `${position}`) : (stringOf(wire['tool_call_id']) ?? '');
  const { content } = wire;
  const texts = Array.isArray(content) ? content.map((part) => resultItem(part, facts)) : undefined;
  const known = legacy ? KNOWN_LEGACY_RESULT : KNOWN_RESULT;
  const native = nativeRest(wire, known, PROTOCOL);
  const odd = typeof content !== 'string' && texts === undefined && content !== undefined;
  const kept = odd ? { [PROTOCOL]: { ...native?.[PROTOCOL], content: content as Json } } : native;
  return {
    type: 'tool-result',
    callId,
    ...(name !== undefined && { name }),
    content: texts ?? (typeof content === 'string' ? content : odd && content !== null ? JSON.stringify(content) : ''),
    ...optional(withHints(kept, { ...(texts !== undefined && { array: true }), ...(legacy && { legacy: true }) })),
  };
}

/** A result is text, but some servers take media in it; parts of another kind are kept by their JSON. */
function resultItem(value: unknown, facts: Facts): ToolResultItem {
  const wire = recordOf(value);
  const type = wire?.['type'];
  const media =
    type === 'image_url' || type === 'file' || type === 'input_audio' ? decodePart(value, facts) : undefined;
  if (media?.type === 'image' || media?.type === 'file' || media?.type === 'audio') return media;
  const native = wire === undefined ? undefined : nativeRest(wire, new Set(['type', 'text']), PROTOCOL);
  const text = stringOf(wire?.['text']) ?? (typeof value === 'string' ? value : JSON.stringify(value));
  return { type: 'text', text, ...optional(native) };
}

function addResult(messages: Message[], part: ToolResultPart): void {
  const last = messages.at(-1);
  if (last?.role === 'tool')
    messages[messages.length - 1] = { ...last, content: [...last.content, part] } as ToolMessage;
  else messages.push({ role: 'tool', content: [part] });
}

export function optional(native: Native | undefined): { native?: Native } {
  return native === undefined ? {} : { native };
}
