import { mintId } from '../../core/replay.ts';
import { nativeRest, parseArguments, recordOf, stringOf } from '../../core/wire-json.ts';
import type { AssistantMessage, OutputPart, ToolCallPart } from '../../operations/chat-parts.ts';
import type { Json, JsonObject } from '../../operations/shared.ts';
import { holdsOnly, optional } from './door-messages.ts';
import { decodePart } from './door-parts.ts';
import { type Hints, PROTOCOL, withHints } from './hints.ts';
import type { OpenAiChatFacts } from './quirks.ts';

type Wire = Readonly<Record<string, unknown>>;
type Facts = { -readonly [K in keyof OpenAiChatFacts]: OpenAiChatFacts[K] };

const PLAIN = new Set(['role', 'content']);

/** An earlier answer as the application sends it back. */
export function decodeAssistant(
  wire: Wire,
  position: number,
  facts: Facts,
): { message: AssistantMessage; legacyId?: string } {
  const { content: said } = wire;
  if (typeof said === 'string' && said !== '' && holdsOnly(wire, PLAIN)) {
    return { message: { role: 'assistant', content: [{ type: 'text', text: said }] } };
  }
  const known = new Set(['role']);
  const content: OutputPart[] = [];
  const take = (name: string): void => void known.add(name);
  addReasoning(wire, content, take);
  const hints = addContent(wire, content, facts, take);
  const refusal = stringOf(wire['refusal']);
  if (refusal !== undefined && !content.some((part) => part.type === 'refusal')) {
    take('refusal');
    content.push({ type: 'refusal', text: refusal });
  }
  const audioId = stringOf(recordOf(wire['audio'])?.['id']);
  if (audioId !== undefined && Object.keys(wire['audio'] as Wire).length === 1) {
    take('audio');
    content.push({ type: 'audio', source: { kind: 'file', id: audioId }, id: audioId });
  }
  const calls = callsOf(wire['tool_calls']);
  if (calls !== undefined) {
    take('tool_calls');
    content.push(...calls);
  }
  const legacy = legacyCall(wire['function_call'], position);
  if (legacy !== undefined) {
    take('function_call');
    content.push(legacy);
  }
  const name = stringOf(wire['name']);
  if (name !== undefined) take('name');
  if (wire['prefix'] === true) take('prefix');
  const message: AssistantMessage = {
    role: 'assistant',
    content,
    ...(name !== undefined && { name }),
    ...(wire['prefix'] === true && { prefix: true }),
    ...optional(withHints(nativeRest(wire, known, PROTOCOL), hints)),
  };
  return { message, ...(legacy !== undefined && { legacyId: legacy.id }) };
}

/** Reasoning that the application sends back, in the field it came in. Details belong to it. */
function addReasoning(wire: Wire, content: OutputPart[], take: (name: string) => void): void {
  for (const field of ['reasoning_content', 'reasoning'] as const) {
    const text = stringOf(wire[field]);
    if (text === undefined || content.length > 0) continue;
    take(field);
    const details = wire['reasoning_details'];
    const native = Array.isArray(details) ? { [PROTOCOL]: { reasoning_details: details as Json } } : undefined;
    if (native !== undefined) take('reasoning_details');
    content.push({ type: 'reasoning', text, form: 'full', ...optional(withHints(native, { reasoningField: field })) });
  }
}

function addContent(wire: Wire, content: OutputPart[], facts: Facts, take: (name: string) => void): Hints {
  const value = wire['content'];
  if (typeof value === 'string') {
    take('content');
    if (value === '') return { content: 'empty' };
    content.push({ type: 'text', text: value });
    return {};
  }
  if (value === undefined) return { content: 'absent' };
  if (!Array.isArray(value)) {
    if (value === null) take('content');
    return { content: 'null' };
  }
  take('content');
  for (const item of value) content.push(contentPart(item, facts));
  return { array: true };
}

function contentPart(item: unknown, facts: Facts): OutputPart {
  const part = recordOf(item);
  const refusal = stringOf(part?.['refusal']);
  if (part?.['type'] === 'refusal' && refusal !== undefined) {
    return { type: 'refusal', text: refusal, ...optional(nativeRest(part, new Set(['type', 'refusal']), PROTOCOL)) };
  }
  const decoded = decodePart(item, facts);
  // An assistant turn holds text; anything else goes back as it came.
  return decoded.type === 'text' ? decoded : { type: 'native', protocol: PROTOCOL, value: item as Json };
}

/** All calls, or nothing if one cannot be read: then they go as they came. */
function callsOf(value: unknown): ToolCallPart[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const calls = value.map((item) => callOf(recordOf(item)));
  return calls.every((call) => call !== undefined) ? (calls as ToolCallPart[]) : undefined;
}

function callOf(wire: Wire | undefined): ToolCallPart | undefined {
  const custom = recordOf(wire?.['custom']);
  const fn = custom ?? recordOf(wire?.['function']);
  const id = stringOf(wire?.['id']);
  const name = stringOf(fn?.['name']);
  const text = stringOf(fn?.[custom === undefined ? 'arguments' : 'input']);
  if (wire === undefined || fn === undefined || id === undefined || name === undefined || text === undefined)
    return undefined;
  const innerKey = custom === undefined ? 'function' : 'custom';
  const inner = nativeRest(fn, new Set(['name', 'arguments', 'input']), PROTOCOL)?.[PROTOCOL];
  const outer = nativeRest(wire, new Set(['id', 'type', innerKey]), PROTOCOL)?.[PROTOCOL];
  const fields: JsonObject = { ...outer, ...(inner !== undefined && { [innerKey]: inner }) };
  return {
    type: 'tool-call',
    id,
    name,
    ...(custom === undefined ? { ...parseArguments(text), argsText: text } : { args: text }),
    ...(Object.keys(fields).length > 0 && { native: { [PROTOCOL]: fields } }),
  };
}

function legacyCall(value: unknown, position: number): ToolCallPart | undefined {
  const wire = recordOf(value);
  const name = stringOf(wire?.['name']);
  const text = stringOf(wire?.['arguments']);
  if (wire === undefined || name === undefined || text === undefined) return undefined;
  const native = nativeRest(wire, new Set(['name', 'arguments']), PROTOCOL);
  return {
    type: 'tool-call',
    // The old protocol has no ids: place and words make one that stays the same.
    id: mintId('call', `${position}\u0000${name}\u0000${text}`),
    name,
    ...parseArguments(text),
    argsText: text,
    ...optional(withHints(native, { legacy: true })),
  };
}
