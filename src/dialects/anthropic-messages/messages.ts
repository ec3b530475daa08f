import { invalidRequest } from '../../core/errors.ts';
import { mergeNative, recordOf } from '../../core/wire-json.ts';
import type { Message, SystemMessage, TextPart, ToolMessage, UserMessage } from '../../operations/chat-parts.ts';
import type { ChatRequest } from '../../operations/chat.ts';
import { encodeAssistant, encodeText } from './blocks.ts';
import { type Encoding, PROTOCOL, type Wire } from './encoding.ts';
import { encodeInput, encodeToolResult } from './input-blocks.ts';

interface Turns {
  readonly system: Wire[];
  readonly messages: Wire[];
}

/** The turn being filled: tool results come first in it, whatever order they were given in. */
interface UserTurn {
  readonly wire: Wire;
  readonly results: Wire[];
  readonly others: Wire[];
}

/** What the model called and has no answer to yet, by call id. */
type Pending = Set<string>;

/** `system` and `messages` of the body. */
export function encodeMessages(request: ChatRequest, encoding: Encoding): Turns {
  const system = (request.system ?? []).flatMap((part, index) => systemBlock(part, `system[${index}]`, encoding));
  const messages: Wire[] = [];
  let turn: UserTurn | undefined;
  let pending: Pending = new Set();
  const close = (): void => {
    if (turn === undefined) return;
    const content = [...turn.results, ...turn.others];
    if (content.length > 0) messages.push({ ...turn.wire, content });
    turn = undefined;
  };
  const answerAll = (path: string): void => {
    for (const id of pending) (turn ??= newTurn()).results.push(missingResult(id, path, encoding));
    pending = new Set();
  };
  for (const [index, message] of request.messages.entries()) {
    const path = `messages[${index}]`;
    if (message.name !== undefined) encoding.lose('unsupported', 'name', `${path}.name`, 'speakers have no names here');
    switch (message.role) {
      case 'tool':
        turn = addResults(message, turn ?? newTurn(), pending, path, encoding);
        break;
      case 'user':
        answerAll(path);
        // A second user message after a user message stays one of its own.
        if (turn !== undefined && turn.others.length > 0) close();
        turn = addUser(message, turn ?? newTurn(), path, encoding);
        break;
      case 'assistant': {
        answerAll(path);
        close();
        const content = encodeAssistant(message, path, encoding);
        if (content.length === 0) break;
        messages.push(mergeNative<Wire>({ role: 'assistant', content }, message.native, PROTOCOL));
        pending = callsOf(content);
        break;
      }
      default:
        if (messages.length === 0 && turn === undefined) system.push(...systemBlocks(message, path, encoding));
        else {
          answerAll(path);
          close();
          messages.push(systemInside(message, path, encoding));
        }
    }
  }
  // An assistant turn at the very end is one to continue; its calls are still open.
  if (turn !== undefined) answerAll('messages');
  close();
  check(request, messages);
  trimPrefill(request, messages, encoding);
  return { system, messages };
}

function newTurn(): UserTurn {
  return { wire: { role: 'user' }, results: [], others: [] };
}

function addResults(
  message: ToolMessage,
  turn: UserTurn,
  pending: Pending,
  path: string,
  encoding: Encoding,
): UserTurn {
  for (const [index, part] of message.content.entries()) {
    const at = `${path}.content[${index}]`;
    if (part.type === 'native') {
      const block = encodeInput(part, at, encoding);
      if (block !== undefined) turn.others.push(block);
      continue;
    }
    const block = encodeToolResult(part, at, encoding);
    const id = String(block['tool_use_id']);
    if (!pending.delete(id)) {
      throw invalidRequest(at, 'this tool result answers no call of the assistant turn before it');
    }
    turn.results.push(block);
  }
  const last = turn.results.at(-1);
  if (last !== undefined) encoding.cache(last, message.cache, path);
  return { ...turn, wire: mergeNative(turn.wire, message.native, PROTOCOL) };
}

function addUser(message: UserMessage, turn: UserTurn, path: string, encoding: Encoding): UserTurn {
  for (const [index, part] of message.content.entries()) {
    const block = encodeInput(part, `${path}.content[${index}]`, encoding);
    if (block !== undefined) turn.others.push(block);
  }
  const last = turn.others.at(-1);
  if (last !== undefined) encoding.cache(last, message.cache, path);
  return { ...turn, wire: mergeNative(turn.wire, message.native, PROTOCOL) };
}

/** Every call must be answered before the conversation goes on, so one without a result gets an error. */
function missingResult(id: string, path: string, encoding: Encoding): Wire {
  const message = `the call ${id} has no result; an error result was put in its place`;
  encoding.lose('degraded', 'tool-result', path, message);
  const text = 'No result was recorded for this call.';
  return { type: 'tool_result', tool_use_id: id, content: text, is_error: true };
}

function callsOf(content: readonly Wire[]): Pending {
  const ids = content.filter((block) => block['type'] === 'tool_use').map((block) => String(block['id']));
  return new Set(ids);
}

function systemBlock(part: TextPart, path: string, encoding: Encoding): Wire[] {
  if (part.text === '') return [];
  const block = encodeText(part, path, encoding);
  encoding.cache(block, part.cache, path);
  return [block];
}

function systemBlocks(message: SystemMessage, path: string, encoding: Encoding): Wire[] {
  const blocks = message.content.flatMap((part, index): Wire[] => {
    const at = `${path}.content[${index}]`;
    if (part.type === 'text') return systemBlock(part, at, encoding);
    const block = encodeInput(part, at, encoding);
    return block === undefined ? [] : [block];
  });
  const last = blocks.at(-1);
  if (last !== undefined) encoding.cache(last, message.cache, path);
  return blocks;
}

/** An instruction between turns: a system message where the model has them, else words of the user so marked. */
function systemInside(message: SystemMessage, path: string, encoding: Encoding): Wire {
  const content = systemBlocks(message, path, encoding);
  const own = message.content.some((part) => part.type === 'native' && part.protocol === PROTOCOL);
  if (own || encoding.model.systemInside) {
    return mergeNative<Wire>({ role: 'system', content }, message.native, PROTOCOL);
  }
  encoding.lose('degraded', 'system', path, 'a system message between turns is sent as marked words of the user');
  for (const block of content) block['text'] = `<system>${String(block['text'])}</system>`;
  return { role: 'user', content };
}

function check(request: ChatRequest, messages: readonly Wire[]): void {
  const first = messages[0];
  if (first === undefined) throw invalidRequest('messages', 'there is no message with content');
  if (first['role'] !== 'user') {
    const at = request.messages.findIndex((message: Message) => message.role === first['role']);
    throw invalidRequest(`messages[${Math.max(0, at)}]`, 'a conversation has to begin with a user message');
  }
}

/** A turn to continue may not end in white space. */
function trimPrefill(request: ChatRequest, messages: Wire[], encoding: Encoding): void {
  const last = request.messages.at(-1);
  if (last?.role !== 'assistant') return;
  const path = `messages[${request.messages.length - 1}]`;
  if (last.prefix === true && !encoding.model.prefill) {
    encoding.refuse('continuing an assistant turn', path, 'this model has no prefill');
  }
  const content = messages.at(-1)?.['content'];
  const block = Array.isArray(content) ? recordOf(content.at(-1)) : undefined;
  const text = block?.['text'];
  if (block?.['type'] !== 'text' || typeof text !== 'string' || text.trimEnd() === text) return;
  encoding.lose('degraded', 'prefix', path, 'white space at the end of the turn to continue was cut');
  (block as Wire)['text'] = text.trimEnd();
}
