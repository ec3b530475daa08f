import type { MessageInput } from './chat-input.ts';
import type { InputPart, Message, Part, TextPart, ToolResultPart, UserMessage } from './chat-parts.ts';
import { bytesToBase64, sniffMediaType } from './media.ts';
import { RequestProblem } from './problem.ts';
import type { Source } from './shared.ts';

const PARTS: Readonly<Record<string, readonly string[]>> = {
  system: ['text', 'native'],
  developer: ['text', 'native'],
  user: ['text', 'image', 'audio', 'video', 'file', 'approval-response', 'native'],
  assistant: [
    'text',
    'reasoning',
    'refusal',
    'tool-call',
    'tool-result',
    'image',
    'audio',
    'video',
    'file',
    'approval-request',
    'native',
  ],
  tool: ['tool-result', 'native'],
};
/** The text field each part type cannot be without. */
const NEEDED: Readonly<Record<string, string>> = {
  text: 'text',
  reasoning: 'text',
  refusal: 'text',
  'tool-call': 'id',
  'tool-result': 'callId',
  'approval-response': 'requestId',
  'approval-request': 'id',
};

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
  if (typeof part !== 'object' || part === null)
    throw new RequestProblem(at, "expected a part like { type: 'text', text }.");
  const { type } = part as { type?: unknown };
  const allowed = PARTS[role] as readonly string[];
  if (typeof type !== 'string' || !allowed.includes(type)) {
    throw new RequestProblem(`${at}.type`, `a ${role} message takes ${allowed.join(', ')} parts.`);
  }
  const needed = NEEDED[type];
  if (needed !== undefined && typeof Reflect.get(part, needed) !== 'string') {
    throw new RequestProblem(`${at}.${needed}`, `a ${type} part needs ${needed} as text.`);
  }
  if (type === 'tool-call') {
    const call = part as Extract<Part, { type: 'tool-call' }>;
    if (typeof call.name !== 'string')
      throw new RequestProblem(`${at}.name`, 'a tool-call part needs the name of its tool.');
    if (calls.has(call.id)) throw new RequestProblem(`${at}.id`, 'two tool calls have the same id.');
    calls.set(call.id, call.name);
    return call;
  }
  if (type === 'tool-result') return toolResult(part as ToolResultPart, at, calls);
  return 'source' in part ? withSource(part as InputPart, at) : (part as Part);
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
      : part.content.map((item, index) => ('source' in item ? withSource(item, `${at}.content[${index}]`) : item));
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
  if (kind !== 'base64' && kind !== 'url' && kind !== 'file' && kind !== 'text') {
    throw new RequestProblem(at, "expected bytes, a URL, or { kind: 'base64' | 'url' | 'file' | 'text', … }.");
  }
  return { source: source as Source };
}

/** The system text as parts. */
export function systemParts(system: unknown, at: string): TextPart[] {
  if (typeof system === 'string') return [{ type: 'text', text: system }];
  if (!Array.isArray(system)) throw new RequestProblem(at, 'expected a text or a list of text parts.');
  return system.map((part: unknown, index) => normalisePart(part, 'system', `${at}[${index}]`, new Map()) as TextPart);
}

/** A prompt as the content of a user message. */
export function userContent(prompt: unknown, at: string): UserMessage['content'] {
  if (typeof prompt === 'string') return [{ type: 'text', text: prompt }];
  if (!Array.isArray(prompt)) throw new RequestProblem(at, 'expected a text or a list of parts.');
  return prompt.map((part: unknown, index) => normalisePart(part, 'user', `${at}[${index}]`, new Map()) as InputPart);
}
