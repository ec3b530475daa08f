import type { ChatEvent } from '../operations/chat-events.ts';
import type { OutputPart, TextPart } from '../operations/chat-parts.ts';
import type { ChatResponse } from '../operations/chat.ts';
import type { Warning } from '../operations/shared.ts';
import type { Reply } from './call.ts';
import { transform, withResponse } from './reply.ts';

/**
 * The stop sequences a protocol has no words for: its dialect warned that they are cut here. Tokens after the cut are
 * generated and billed all the same.
 */
export function stopsToCut(warnings: readonly Warning[], stop: readonly string[] | undefined): readonly string[] {
  if (stop === undefined || stop.length === 0) return [];
  return warnings.some(({ code, feature }) => code === 'degraded' && feature === 'stop') ? stop : [];
}

/** Ends the visible text before the first stop sequence, plain or streamed, wherever the sequence was split. */
export function cutAtStop(reply: Reply<'chat'>, stops: readonly string[]): Reply<'chat'> {
  if (stops.length === 0) return reply;
  if (reply.stream) return transform(reply, () => cutLayer(stops));
  const response = cutResponse(reply.response, stops);
  return response === reply.response ? reply : withResponse(reply, response);
}

/** The earliest stop sequence in a text; of two at one place the longer. */
function firstStop(text: string, stops: readonly string[]): { at: number; sequence: string } | undefined {
  let first: { at: number; sequence: string } | undefined;
  for (const sequence of stops) {
    const at = text.indexOf(sequence);
    if (at === -1) continue;
    if (first === undefined || at < first.at || (at === first.at && sequence.length > first.sequence.length)) {
      first = { at, sequence };
    }
  }
  return first;
}

function cutResponse(response: ChatResponse, stops: readonly string[]): ChatResponse {
  const content: OutputPart[] = [];
  for (const part of response.message.content) {
    const found = part.type === 'text' ? firstStop(part.text, stops) : undefined;
    if (found === undefined) {
      content.push(part);
      continue;
    }
    const text = (part as TextPart).text.slice(0, found.at);
    if (text !== '') content.push({ ...(part as TextPart), text });
    const finish = { ...response.finish, reason: 'stop', stopSequence: found.sequence } as const;
    return { ...response, message: { ...response.message, content }, finish };
  }
  return response;
}

type Block = Extract<ChatEvent, { readonly index: number }>;

/** Holds back as many characters as a sequence may still need, then ends the text and passes only usage and the end. */
function cutLayer(stops: readonly string[]): { event(event: ChatEvent, emit: (event: ChatEvent) => void): void } {
  const longest = Math.max(...stops.map((sequence) => sequence.length));
  let cut: string | undefined;
  let given = '';
  let held = '';
  const release = (event: Block, text: string, emit: (event: ChatEvent) => void): void => {
    if (text === '') return;
    given += text;
    emit({ type: 'text-delta', text, index: event.index });
  };
  return {
    event(event, emit) {
      if (cut !== undefined) {
        if (event.type === 'finish') emit({ ...event, finish: { ...event.finish, reason: 'stop', stopSequence: cut } });
        else if (event.type === 'usage' || event.type === 'end' || event.type === 'raw') emit(event);
        return;
      }
      switch (event.type) {
        case 'text-start':
          given = '';
          held = '';
          emit(event);
          return;
        case 'text-delta': {
          held += event.text;
          const found = firstStop(held, stops);
          if (found !== undefined) {
            release(event, held.slice(0, found.at), emit);
            cut = found.sequence;
            emit({ type: 'text-end', part: { type: 'text', text: given }, index: event.index });
            return;
          }
          const safe = Math.max(0, held.length - longest + 1);
          release(event, held.slice(0, safe), emit);
          held = held.slice(safe);
          return;
        }
        case 'text-end':
          release(event, held, emit);
          held = '';
          emit(event);
          return;
        default:
          emit(event);
      }
    },
  };
}
