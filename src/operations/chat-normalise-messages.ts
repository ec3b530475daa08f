import type { MessageInput } from './chat-input.ts';
import type { ImagePart, InputPart, Message, Part, TextPart, ToolResultPart, UserMessage } from './chat-parts.ts';
import { MEDIA, MESSAGE_FIELDS, NEEDED, PART_FIELDS, PARTS, RESULT_ITEMS, SOURCES } from './chat-part-fields.ts';
import { type Check, problemAt } from './field-checks.ts';
import { bytesToBase64, sniffMediaType } from './media.ts';
import { RequestProblem } from './problem.ts';
import type { Source } from './shared.ts';

/** Messages in normal form: content as parts, media as sources, tool results named and matched to their calls. */
export function normaliseMessages(messages: readonly MessageInput[], at: string): Message[] {
  if (!Array.isArray(messages)) throw new RequestProblem(at, 'expected a list of messages.');
  const calls = new Map<string, string>();
  return messages.map((message, index) => normaliseMessage(message, `${at}[${index}]`, calls));
}

function normaliseMessage(message: MessageInput, at: string, calls: Map<string, string>): Message {
  const role: unknown = message?.role;
  if (typeof role !== 'string' || !Object.hasOwn(PARTS, role)) {
    throw new RequestProblem(`${at}.role`, 'expected system, developer, user, assistant or tool.');
  }
  checkFields(message, MESSAGE_FIELDS, at);
  const content: unknown = message.content;
  if (typeof content === 'string') {
    if (role === 'tool')
      throw new RequestProblem(`${at}.content`, "expected [{ type: 'tool-result', callId, content }].");
    return { ...message, content: [{ type: 'text', text: content }] } as Message;
  }
  if (!Array.isArray(content)) throw new RequestProblem(`${at}.content`, 'expected a text or a list of parts.');
  let changed = false;
  const parts = content.map((part: unknown, index) => {
    const normal = normalisePart(part, role, `${at}.content[${index}]`, calls);
    changed ||= normal !== part;
    return normal;
  });
  return (changed ? { ...message, content: parts } : message) as Message;
}

function normalisePart(part: unknown, role: string, at: string, calls: Map<string, string>): Part {
  const type = checkPart(part, PARTS[role] as readonly string[], `a ${role} message takes`, at);
  if (type === 'tool-call') {
    const call = part as Extract<Part, { type: 'tool-call' }>;
    if (calls.has(call.id)) throw new RequestProblem(`${at}.id`, 'two tool calls have the same id.');
    calls.set(call.id, call.name);
    return call;
  }
  if (type === 'tool-result') return toolResult(part as ToolResultPart, at, calls);
  return MEDIA.has(type) ? withSource(part as InputPart, at) : (part as Part);
}

/** The type of a part whose fields are what they must be. */
function checkPart(part: unknown, allowed: readonly string[], takes: string, at: string): string {
  if (typeof part !== 'object' || part === null)
    throw new RequestProblem(at, "expected a part like { type: 'text', text }.");
  const { type } = part as { type?: unknown };
  if (typeof type !== 'string' || !allowed.includes(type)) {
    throw new RequestProblem(`${at}.type`, `${takes} ${allowed.join(', ')} parts.`);
  }
  for (const name of NEEDED[type] ?? []) {
    if ((part as Record<string, unknown>)[name] === undefined)
      throw new RequestProblem(`${at}.${name}`, `a ${type} part needs ${name}.`);
  }
  checkFields(part, PART_FIELDS, at);
  return type;
}

/** Checks the fields somebody knows. The plain loop: `Object.entries` would make lists for each part of each message. */
function checkFields(item: object, checks: ReadonlyMap<string, Check>, at: string): void {
  for (const name in item) {
    const check = name === 'type' || name === 'role' || name === 'content' ? undefined : checks.get(name);
    if (check === undefined) continue;
    const value: unknown = (item as Record<string, unknown>)[name];
    const problem = value === undefined ? undefined : check(value);
    if (problem !== undefined) throw problemAt(`${at}.${name}`, problem);
  }
}

function toolResult(part: ToolResultPart, at: string, calls: Map<string, string>): ToolResultPart {
  const name = calls.get(part.callId);
  if (name === undefined) {
    throw new RequestProblem(
      `${at}.callId`,
      'no earlier tool-call part has this id; keep the assistant message with the call before its result.',
    );
  }
  if (typeof part.content !== 'string' && !Array.isArray(part.content)) {
    throw new RequestProblem(`${at}.content`, 'expected a text or a list of parts.');
  }
  const content =
    typeof part.content === 'string'
      ? part.content
      : part.content.map((item, index) => {
          const type = checkPart(item, RESULT_ITEMS, 'a tool-result takes', `${at}.content[${index}]`);
          return MEDIA.has(type) ? withSource(item as ImagePart, `${at}.content[${index}]`) : item;
        });
  const same = typeof content === 'string' || content.every((item, index) => item === part.content[index]);
  if (part.name !== undefined && same) return part;
  return { ...part, name: part.name ?? name, content } as ToolResultPart;
}

function withSource<P extends { readonly type: string }>(part: P, at: string): P {
  const { source, mediaType } = part as unknown as { source: unknown; mediaType?: string };
  const normal = normaliseSource(source, `${at}.source`);
  if (normal.source === source && (normal.mediaType === undefined || mediaType !== undefined)) return part;
  const type = mediaType ?? normal.mediaType;
  return { ...part, source: normal.source, ...(type !== undefined && { mediaType: type }) };
}

function normaliseSource(source: unknown, at: string): { source: Source; mediaType?: string } {
  if (source instanceof Uint8Array) {
    const mediaType = sniffMediaType(source);
    return { source: { kind: 'base64', data: bytesToBase64(source) }, ...(mediaType !== undefined && { mediaType }) };
  }
  const text = source instanceof URL ? source.href : source;
  if (typeof text === 'string') {
    const data = /^data:([^;,]*)(?:;[^,]*)?;base64,(.*)$/s.exec(text);
    if (data !== null) {
      const mediaType = data[1];
      return { source: { kind: 'base64', data: data[2] as string }, ...(mediaType ? { mediaType } : {}) };
    }
    if (/^(https?|gs|s3):\/\//.test(text)) return { source: { kind: 'url', url: text } };
    throw new RequestProblem(at, 'expected bytes, a base64 data: URL, an https: URL, or { kind, … }.');
  }
  const { kind } = (source ?? {}) as { kind?: unknown };
  if (typeof kind !== 'string' || !Object.hasOwn(SOURCES, kind)) {
    throw new RequestProblem(at, "expected bytes, a URL, or { kind: 'base64' | 'url' | 'file' | 'text', … }.");
  }
  const field = SOURCES[kind] as string;
  if (typeof Reflect.get(source as object, field) !== 'string') {
    throw new RequestProblem(`${at}.${field}`, `a source of kind ${kind} needs ${field} as text.`);
  }
  return { source: source as Source };
}

/** The system text as parts. */
export function systemParts(system: unknown, at: string): TextPart[] {
  if (typeof system === 'string') return [{ type: 'text', text: system }];
  if (!Array.isArray(system)) throw new RequestProblem(at, 'expected a text or a list of text parts.');
  return system.map((part: unknown, index) => {
    checkPart(part, ['text'], 'the system text takes', `${at}[${index}]`);
    return part as TextPart;
  });
}

/** A prompt as the content of a user message. */
export function userContent(prompt: unknown, at: string): UserMessage['content'] {
  if (typeof prompt === 'string') return [{ type: 'text', text: prompt }];
  if (!Array.isArray(prompt)) throw new RequestProblem(at, 'expected a text or a list of parts.');
  return prompt.map((part: unknown, index) => normalisePart(part, 'user', `${at}[${index}]`, new Map()) as InputPart);
}
