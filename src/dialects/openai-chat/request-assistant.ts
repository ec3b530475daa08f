import { mayReplay } from '../../core/replay.ts';
import type { AssistantMessage, OutputPart, ReasoningPart, ToolCallPart } from '../../operations/chat-parts.ts';
import type { Json, JsonObject } from '../../operations/shared.ts';
import { hintsOf, mergeWire, PROTOCOL } from './hints.ts';
import { wireName } from './names.ts';
import type { Encoding } from './request.ts';
import { idOf } from './request-messages.ts';
import { encodePart } from './request-parts.ts';

/** What an assistant message becomes, part by part. */
interface Turn {
  readonly content: JsonObject[];
  readonly calls: JsonObject[];
  readonly fields: Record<string, Json>;
  refusal: string | undefined;
  plain: boolean;
}

/** An earlier turn of the model: text joined, calls apart, reasoning only to who wants it back. */
export function encodeAssistant(
  encoding: Encoding,
  message: AssistantMessage,
  path: string,
  isLast: boolean,
): JsonObject {
  const hints = hintsOf(message.native);
  const turn: Turn = { content: [], calls: [], fields: {}, refusal: undefined, plain: true };
  for (const [position, part] of message.content.entries()) {
    encodeOutputPart(encoding, message, part, `${path}.content[${position}]`, turn);
  }
  if (message.prefix === true) {
    const field = encoding.quirks.prefixField ?? (encoding.facts === undefined ? undefined : 'prefix');
    if (field !== undefined && isLast) turn.fields[field] = true;
    else
      encoding.losses.warn(
        'degraded',
        path,
        'prefix',
        'The server is not known to continue a message; it may begin anew.',
      );
  }
  const content = contentOf(encoding, turn, hints);
  return {
    ...(content !== undefined && { content }),
    ...(turn.refusal !== undefined && { refusal: turn.refusal }),
    ...turn.fields,
    ...(turn.calls.length > 0 && { tool_calls: turn.calls }),
  };
}

function contentOf({ quirks }: Encoding, turn: Turn, hints: ReturnType<typeof hintsOf>): Json | undefined {
  if (turn.content.length === 0) {
    if (hints.array === true) return [];
    if (hints.content !== undefined) return { null: null, absent: undefined, empty: '' }[hints.content];
    // Some servers refuse '' beside tool calls, all take null.
    const other = turn.calls.length > 0 || turn.refusal !== undefined || Object.keys(turn.fields).length > 0;
    return other ? null : '';
  }
  if (hints.array !== true && turn.plain) return turn.content.map((part) => String(part['text'])).join('');
  if (quirks.arrayContent === false && turn.plain) return turn.content.map((part) => String(part['text'])).join('\n');
  return turn.content;
}

function encodeOutputPart(
  encoding: Encoding,
  message: AssistantMessage,
  part: OutputPart,
  path: string,
  turn: Turn,
): void {
  const { losses } = encoding;
  const drop = (what: string) => losses.warn('dropped-part', path, what, `${what} in an assistant turn is left out.`);
  switch (part.type) {
    case 'text':
      if (part.text === '' && !hasArray(message)) return;
      turn.content.push(encodePart(encoding, part, path));
      if (Object.keys(turn.content.at(-1) ?? {}).length > 2) turn.plain = false;
      return;
    case 'refusal':
      if (hasArray(message)) {
        turn.plain = false;
        turn.content.push(mergeWire<JsonObject>({ type: 'refusal', refusal: part.text }, part.native));
      } else turn.refusal = (turn.refusal ?? '') + part.text;
      return;
    case 'reasoning':
      return encodeReasoning(encoding, message, part, path, turn);
    case 'tool-call':
      if (part.executor === 'provider') return drop('a tool call run by the provider');
      return encodeCall(encoding, message, part, path, turn);
    case 'audio':
      if (part.id !== undefined && sameProtocol(message)) turn.fields['audio'] = { id: part.id };
      else if (part.transcript !== undefined) {
        losses.warn('degraded', path, 'audio', 'Spoken audio of another turn is sent as its transcript.');
        turn.content.push({ type: 'text', text: part.transcript });
      } else drop('audio');
      return;
    case 'native':
      if (part.protocol !== PROTOCOL) return drop(`a part of ${part.protocol}`);
      turn.plain = false;
      turn.content.push(part.value as JsonObject);
      return;
    default:
      drop(part.type);
  }
}

function hasArray(message: AssistantMessage): boolean {
  return hintsOf(message.native).array === true;
}

/** Written by hand counts as ours: there is nothing sealed in it. */
function sameProtocol(message: AssistantMessage): boolean {
  return message.origin === undefined || message.origin.protocol === PROTOCOL;
}

function encodeReasoning(
  encoding: Encoding,
  message: AssistantMessage,
  part: ReasoningPart,
  path: string,
  turn: Turn,
): void {
  const written = hintsOf(part.native).reasoningField;
  const replay = mayReplay(part, message, PROTOCOL) || written !== undefined;
  const field = written ?? encoding.quirks.reasoningField ?? 'none';
  if (field === 'none' || !sameProtocol(message)) {
    encoding.losses.note('dropped-replay', path, 'reasoning', 'Reasoning of earlier turns is not sent to this server.');
    return;
  }
  if (field === 'thinking') {
    const sealed = replay ? part.sealed : undefined;
    const chunk = {
      type: 'thinking',
      thinking: [{ type: 'text', text: part.text }],
      ...(sealed !== undefined && { signature: sealed.value }),
    };
    turn.plain = false;
    turn.content.push(replay ? mergeWire<JsonObject>(chunk, part.native) : chunk);
    return;
  }
  const before = turn.fields[field];
  if (part.text !== '' || written !== undefined)
    turn.fields[field] = (typeof before === 'string' ? before : '') + part.text;
  // What the part carries beside its text (OpenRouter's details) belongs to the message, unless it was edited.
  if (replay && part.native !== undefined) Object.assign(turn.fields, mergeWire<JsonObject>({}, part.native));
  else if (part.native !== undefined) {
    encoding.losses.note(
      'dropped-replay',
      path,
      'reasoning',
      'The reasoning was edited, so its sealed details are left out.',
    );
  }
}

function encodeCall(encoding: Encoding, message: AssistantMessage, part: ToolCallPart, path: string, turn: Turn): void {
  const name = encoding.verbatim ? part.name : wireName(part.name, `${path}.name`);
  const freeform = isFreeform(encoding, part);
  const text = part.argsText ?? (typeof part.args === 'string' ? part.args : JSON.stringify(part.args));
  const native = message.origin === undefined || mayReplay(part, message, PROTOCOL) ? part.native : undefined;
  if (hintsOf(part.native).legacy === true && turn.fields['function_call'] === undefined) {
    turn.fields['function_call'] = mergeWire<JsonObject>({ name, arguments: text }, native);
    return;
  }
  const call: JsonObject = {
    id: idOf(encoding, part.id, path),
    type: freeform ? 'custom' : 'function',
    ...(freeform ? { custom: { name, input: text } } : { function: { name, arguments: text } }),
  };
  turn.calls.push(mergeWire(call, native));
}

/** Freeform calls carry their text as `args`; JSON calls keep the exact text beside it. */
function isFreeform({ request }: Encoding, part: ToolCallPart): boolean {
  const tool = request.tools?.find((one) => 'name' in one && one.name === part.name);
  if (tool !== undefined) return tool.type === 'freeform';
  return typeof part.args === 'string' && (part.argsText === undefined || part.argsText === part.args);
}
