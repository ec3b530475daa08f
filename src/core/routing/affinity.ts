import type { AssistantMessage, Message, OutputPart } from '../../operations/chat-parts.ts';
import type { ChatRequest } from '../../operations/chat.ts';
import type { Call, Candidate } from '../call.ts';

const sealing = new WeakMap<object, ReadonlySet<string>>();
const NOBODY: ReadonlySet<string> = new Set();

/** The providers whose sealed items (encrypted reasoning, signatures) a request carries. Read once a request. */
export function sealedBy(request: object): ReadonlySet<string> {
  // Most conversations carry nothing of a provider: told by a look, without remembering it.
  if (!(request as Partial<ChatRequest>).messages?.some(hasOrigin)) return NOBODY;
  let known = sealing.get(request);
  if (known === undefined) {
    const found = new Set<string>();
    for (const message of (request as Partial<ChatRequest>).messages ?? []) {
      const provider = message.role === 'assistant' ? message.origin?.provider : undefined;
      if (provider !== undefined && provider !== '' && message.content.some(isSealed)) found.add(provider);
    }
    known = found.size === 0 ? NOBODY : found;
    sealing.set(request, known);
  }
  return known;
}

function hasOrigin(message: Message): boolean {
  return message.role === 'assistant' && message.origin !== undefined;
}

function isSealed(part: { readonly type: string }): boolean {
  return 'sealed' in part && part.sealed !== undefined;
}

/** Those that can read what the conversation carries come first; each part keeps its order. */
export function readersFirst(candidates: readonly Candidate[], request: object): readonly Candidate[] {
  const owners = sealedBy(request);
  if (owners.size === 0 || candidates.length < 2) return candidates;
  const readers = candidates.filter(({ provider }) => owners.has(provider));
  if (readers.length === 0 || readers.length === candidates.length) return candidates;
  return [...readers, ...candidates.filter(({ provider }) => !owners.has(provider))];
}

/**
 * The call without what only another provider can open: that would be refused as a bad request, although the same
 * protocol is spoken. Reasoning keeps its readable text. The same call if there is nothing to take out.
 */
export function withoutForeignSeals<C extends Pick<Call, 'operation' | 'request'>>(call: C, target: Candidate): C {
  if (call.operation !== 'chat') return call;
  const owners = sealedBy(call.request);
  if (owners.size === 0 || (owners.size === 1 && owners.has(target.provider))) return call;
  const request = call.request as ChatRequest;
  const messages = request.messages.map((message) => unsealed(message, target.provider));
  return { ...call, request: { ...request, messages } };
}

function unsealed(message: Message, provider: string): Message {
  if (message.role !== 'assistant' || message.origin === undefined) return message;
  if (message.origin.provider === '' || message.origin.provider === provider) return message;
  if (!message.content.some(isSealed)) return message;
  const content = message.content.flatMap((part) => openPart(part));
  return { ...message, content } satisfies AssistantMessage;
}

function openPart(part: OutputPart): OutputPart[] {
  if (!('sealed' in part) || part.sealed === undefined) return [part];
  if (part.type === 'reasoning' && part.text === '') return [];
  // Its native form holds the seal, too.
  const { sealed: _sealed, native: _native, ...open } = part;
  return [open as OutputPart];
}
