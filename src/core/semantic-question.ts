import type { Message, TextPart } from '../operations/chat-parts.ts';
import type { ChatRequest } from '../operations/chat.ts';
import { unsharable } from './answer-rules.ts';
import { callKey, type KeyRing, partitionKey } from './cache-key.ts';
import type { Call } from './call.ts';
import { digestFields } from './digest.ts';
import { storeKey } from './store.ts';

/** A call as the semantic cache sees it: the text that may be put in other words, and all that may not. */
export interface Question {
  readonly text: string;
  /** Wall and bucket in one: everything of the call but the text, exactly. */
  readonly bucket: string;
}

/** Longest text that is compared, in characters: long ones have too many details for one vector. */
export const QUESTION_LENGTH_MAX = 2_000;

/** The question a call asks, or why it asks none that could be answered by another's answer. */
export function questionOf(
  ring: KeyRing,
  call: Call<'chat'>,
  embedderId: string,
  multiTurn: boolean,
): Question | string {
  const { request, scope } = call;
  const reason = unsharable(call);
  if (reason !== undefined) return reason;
  if ((request.tools?.length ?? 0) > 0) return 'it has tools';
  if (scope.agent !== undefined) return 'an agent asks';
  if ((request.n ?? 1) > 1) return 'it asks for several answers';
  const last = request.messages.at(-1);
  const others = request.messages.slice(0, -1);
  const turns = others.some(({ role }) => role !== 'system' && role !== 'developer');
  if (!multiTurn && (turns || request.conversation?.previousResponseId !== undefined)) return 'it has several turns';
  const text = last?.role === 'user' ? plainText(last) : undefined;
  if (text === undefined || text.trim() === '') return 'its last message is not text of a user';
  if (text.length > QUESTION_LENGTH_MAX) return 'its text is too long';
  try {
    const key = callKey(ring, call, withLastText(request, ''));
    const bucket = partitionKey(ring, scope.tenant) + storeKey([digestFields([key, embedderId], ring.secret)]);
    return { text, bucket };
  } catch {
    return 'the request has no canonical JSON';
  }
}

/** Only a message of nothing but one plain text: what else stands beside it would have to be compared as well. */
function plainText({ content }: Message): string | undefined {
  const [part] = content;
  return content.length === 1 && part?.type === 'text' ? part.text : undefined;
}

function withLastText(request: ChatRequest, text: string): ChatRequest {
  const messages = [...request.messages];
  const last = messages.pop() as Message;
  const [part] = last.content;
  return { ...request, messages: [...messages, { ...last, content: [{ ...(part as TextPart), text }] } as Message] };
}
