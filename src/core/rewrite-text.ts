import type { ChatEvent } from '../operations/chat-events.ts';
import type { OutputPart, TextPart } from '../operations/chat-parts.ts';
import type { OperationName, Operations } from '../operations/index.ts';
import type { TextSlot } from '../operations/traits.ts';
import { traitsOf } from '../operations/traits-table.ts';
import type { PlainReply, Reply } from './call.ts';
import { transform, withResponse } from './reply.ts';
import { parseArguments } from './wire-json.ts';

/** Rewrites one text as it arrives. What it cannot decide on yet it holds back until more comes. */
export interface TextRewriter {
  /** Takes more text and gives what is ready. */
  push(text: string): string;
  /** The text has ended: gives what was held. */
  end(): string;
}

/** What a text is; `json` says that it is JSON text, so that what is put in must be escaped. */
export type RewriteSlot = Pick<TextSlot, 'kind' | 'form'>;

/**
 * Changes the text of an answer, plain or streamed, with hold-back over event borders: the result is the same at any
 * chunking. `create` makes one rewriter for each text: an answer's part, a tool call's arguments.
 */
export function rewriteText<K extends OperationName>(
  reply: Reply<K>,
  create: (slot: RewriteSlot) => TextRewriter,
): Reply<K> {
  if (!reply.stream) {
    const traits = traitsOf(reply.operation);
    const response = traits.mapResponseText((reply as PlainReply<K>).response, (text, slot) => {
      const rewriter = create(slot);
      return rewriter.push(text) + rewriter.end();
    });
    return response === reply.response ? reply : withResponse(reply, response as Operations[K]['response']);
  }
  return transform(reply, () => rewriteLayer(create) as never);
}

interface Open {
  readonly rewriter: TextRewriter;
  text: string;
}

const SLOTS: Readonly<Record<string, RewriteSlot>> = {
  text: { kind: 'assistant', form: 'text' },
  reasoning: { kind: 'reasoning', form: 'text' },
  refusal: { kind: 'refusal', form: 'text' },
  'tool-call': { kind: 'tool-arguments', form: 'json' },
};

function rewriteLayer(create: (slot: RewriteSlot) => TextRewriter): {
  event(event: ChatEvent, emit: (event: ChatEvent) => void): void;
} {
  const open = new Map<string, Open>();
  return {
    event(event, emit) {
      switch (event.type) {
        case 'text-start':
        case 'reasoning-start':
        case 'refusal-start':
        case 'tool-call-start':
          open.set(keyOf(event), { rewriter: create(SLOTS[event.type.slice(0, -6)] as RewriteSlot), text: '' });
          emit(event);
          return;
        case 'text-delta':
        case 'reasoning-delta':
        case 'refusal-delta':
        case 'tool-call-delta': {
          const block = open.get(keyOf(event));
          const ready = block === undefined ? event.text : block.rewriter.push(event.text);
          if (block !== undefined) block.text += ready;
          if (ready !== '') emit(ready === event.text ? event : { ...event, text: ready });
          return;
        }
        case 'text-end':
        case 'reasoning-end':
        case 'refusal-end':
        case 'tool-call-end': {
          const block = open.get(keyOf(event));
          open.delete(keyOf(event));
          if (block === undefined) return emit(event);
          const rest = block.rewriter.end();
          block.text += rest;
          if (rest !== '') emit(deltaOf(event, rest));
          emit({ ...event, part: rewritten(event.part, block.text) } as ChatEvent);
          return;
        }
        case 'reset':
          // What was held back belongs to an answer that is forgotten.
          open.clear();
          emit(event);
          return;
        default:
          emit(event);
      }
    },
  };
}

type Block = Extract<ChatEvent, { readonly index: number }>;

function keyOf(event: Block): string {
  return `${event.choice ?? 0}:${event.index}`;
}

function deltaOf(end: Extract<Block, { readonly part: OutputPart }>, text: string): ChatEvent {
  const type = end.type.replace('-end', '-delta') as 'text-delta';
  return { type, text, index: end.index, ...(end.choice !== undefined && { choice: end.choice }) };
}

/** The finished part with the rewritten text; its other fields stay. */
function rewritten(part: OutputPart, text: string): OutputPart {
  if (part.type !== 'tool-call') return (part as TextPart).text === text ? part : ({ ...part, text } as OutputPart);
  const before = part.argsText ?? (typeof part.args === 'string' ? part.args : JSON.stringify(part.args));
  if (before === text) return part;
  if (typeof part.args === 'string') return { ...part, args: text };
  return { ...part, ...parseArguments(text), argsText: text };
}
