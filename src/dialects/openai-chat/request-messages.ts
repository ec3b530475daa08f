import type { Message, ToolMessage, ToolResultPart } from '../../operations/chat-parts.ts';
import type { JsonObject } from '../../operations/shared.ts';
import { hintsOf, mergeWire, PROTOCOL } from './hints.ts';
import { wireId, wireName } from './names.ts';
import type { Encoding } from './request.ts';
import { encodeAssistant } from './request-assistant.ts';
import { encodeContent } from './request-parts.ts';
import { encodeResult } from './request-results.ts';

const NO_RESULT = 'Error: no result recorded';

/** All messages in order. `instruction` is said by the system when the answer's form has to be said in words. */
export function encodeMessages(encoding: Encoding, instruction?: string): JsonObject[] {
  const { request, quirks, reasoningModel } = encoding;
  const messages: JsonObject[] = [];
  if (request.system !== undefined && request.system.length > 0) {
    const role = reasoningModel && quirks.developerRole !== false ? 'developer' : 'system';
    messages.push({ role, content: encodeContent(encoding, request.system, {}, 'system') });
  }
  if (instruction !== undefined) messages.push({ role: 'system', content: instruction });
  new MessageEncoder(encoding, messages).run();
  return messages;
}

/** The words of a turn that is one text and nothing else, as most are. The long way round comes to the same. */
function plainText(message: Message): string | undefined {
  if (message.role === 'tool' || message.content.length !== 1) return undefined;
  if (message.native !== undefined || message.name !== undefined) return undefined;
  if (message.role === 'assistant' && message.prefix !== undefined) return undefined;
  const part = message.content[0];
  if (part?.type !== 'text' || part.native !== undefined || part.cache !== undefined) return undefined;
  return part.text === '' ? undefined : part.text;
}

class MessageEncoder {
  readonly #encoding: Encoding;
  readonly #out: JsonObject[];
  /** Calls of the last assistant turn that have no result yet: id to name. */
  #open: Map<string, string> | undefined;
  /** Media of tool results, shown once all results of the turn are written. */
  #media: JsonObject[] = [];

  constructor(encoding: Encoding, out: JsonObject[]) {
    this.#encoding = encoding;
    this.#out = out;
  }

  run(): void {
    const { messages } = this.#encoding.request;
    for (let position = 0; position < messages.length; position++) {
      const message = messages[position] as Message;
      const text = plainText(message);
      if (text !== undefined && !this.#open?.size && this.#media.length === 0) {
        this.#out.push({ role: this.#role(message), content: text });
        continue;
      }
      const path = `messages[${position}]`;
      if (message.role !== 'tool') this.#closeTurn(path);
      this.#add(message, path);
    }
    this.#showMedia();
  }

  #role({ role }: Message): string {
    return role === 'developer' && this.#encoding.quirks.developerRole === false ? 'system' : role;
  }

  #add(message: Message, path: string): void {
    if (message.role === 'tool') return this.#addResults(message, path);
    const name = message.name === undefined ? {} : { name: message.name };
    if (message.role === 'assistant') {
      for (const part of message.content) {
        if (part.type === 'tool-call' && part.executor !== 'provider')
          (this.#open ??= new Map()).set(part.id, part.name);
      }
      const isLast = this.#encoding.request.messages.at(-1) === message;
      const body: JsonObject = {
        role: 'assistant',
        ...name,
        ...encodeAssistant(this.#encoding, message, path, isLast),
      };
      this.#out.push(mergeWire(body, message.native));
      return;
    }
    const role = this.#role(message);
    const content = encodeContent(this.#encoding, message.content, hintsOf(message.native), path);
    this.#out.push(mergeWire<JsonObject>({ role, ...name, content }, message.native));
  }

  #addResults(message: ToolMessage, path: string): void {
    for (const [position, part] of message.content.entries()) {
      const where = `${path}.content[${position}]`;
      if (part.type === 'tool-result') this.#addResult(part, where);
      else if (part.protocol === PROTOCOL) this.#out.push(part.value as JsonObject);
      else this.#encoding.losses.warn('dropped-part', where, 'native', `A part of ${part.protocol} is left out.`);
    }
  }

  #addResult(part: ToolResultPart, path: string): void {
    const name = this.#open?.get(part.callId) ?? part.name ?? '';
    this.#open?.delete(part.callId);
    const { content, media } = encodeResult(this.#encoding, part, path);
    this.#media.push(...media);
    const wire: JsonObject =
      hintsOf(part.native).legacy === true
        ? { role: 'function', name: this.#name(part.name ?? name), content }
        : { role: 'tool', tool_call_id: idOf(this.#encoding, part.callId, path), content };
    this.#out.push(mergeWire(wire, part.native));
  }

  #name(name: string): string {
    return this.#encoding.verbatim || name === '' ? name : wireName(name, 'messages');
  }

  /** Before another turn: every call must have a result, and media of results is shown. */
  #closeTurn(path: string): void {
    if (!this.#encoding.verbatim) {
      for (const id of this.#open?.keys() ?? []) {
        this.#encoding.losses.note(
          'other',
          path,
          'messages',
          'A tool call has no result; an error result stands for it.',
        );
        this.#out.push({ role: 'tool', tool_call_id: idOf(this.#encoding, id, path), content: NO_RESULT });
      }
    }
    this.#open?.clear();
    this.#showMedia();
  }

  #showMedia(): void {
    if (this.#media.length > 0) this.#out.push({ role: 'user', content: this.#media });
    this.#media = [];
  }
}

/** The id of a call as this target takes it. */
export function idOf({ verbatim, quirks, losses }: Encoding, id: string, path: string): string {
  const wire = verbatim ? id : wireId(id, quirks.toolIds === 'nine' ? 'nine' : 'any');
  if (wire !== id) losses.note('id-rewritten', path, 'tools', 'A tool call id has a form this server does not take.');
  return wire;
}
