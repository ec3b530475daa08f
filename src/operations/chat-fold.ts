import type { ChatEvent } from './chat-events.ts';
import type { Choice, ChatResponse, Finish, TokenLogprob } from './chat.ts';
import type { AssistantMessage, OutputPart, ReasoningPart, TextPart } from './chat-parts.ts';
import type { Native, Usage, Warning } from './shared.ts';
import type { Fold } from './traits.ts';
import { unknownUsage } from './usage.ts';

type Start = Extract<ChatEvent, { type: 'start' }>;
type End = Extract<ChatEvent, { type: 'end' }>;

/** A block whose end has not come. */
interface Open {
  readonly start: ChatEvent;
  text: string;
  transcript: string;
}

class ChoiceFold {
  readonly content: (OutputPart | undefined)[] = [];
  readonly open = new Map<number, Open>();
  readonly logprobs: TokenLogprob[] = [];
  finish: Finish | undefined;
  finishLogprobs: readonly TokenLogprob[] | undefined;

  /** Finished parts, and of the open ones what was received. */
  parts(): OutputPart[] {
    const parts = [...this.content];
    for (const [index, open] of this.open) parts[index] = partOf(open);
    return parts.filter((part): part is OutputPart => part !== undefined);
  }
}

/** Folds chat events into the response they describe; the inverse of `replayChat`. */
export function foldChat(): Fold<ChatEvent, ChatResponse> {
  let start: Start | undefined;
  let end: End | undefined;
  let usage: Usage | undefined;
  let choices = new Map<number, ChoiceFold>();
  const choice = (number = 0): ChoiceFold => {
    let found = choices.get(number);
    if (found === undefined) choices.set(number, (found = new ChoiceFold()));
    return found;
  };
  return {
    get complete() {
      return end !== undefined;
    },
    add(event) {
      switch (event.type) {
        case 'start':
          start = event;
          break;
        case 'reset':
          choices = new Map();
          break;
        case 'text-start':
        case 'reasoning-start':
        case 'refusal-start':
        case 'tool-call-start':
        case 'audio-start':
          choice(event.choice).open.set(event.index, { start: event, text: '', transcript: '' });
          break;
        case 'text-delta': {
          const fold = choice(event.choice);
          const open = fold.open.get(event.index);
          if (open !== undefined) open.text += event.text;
          if (event.logprobs !== undefined) fold.logprobs.push(...event.logprobs);
          break;
        }
        case 'reasoning-delta':
        case 'refusal-delta':
        case 'tool-call-delta': {
          const open = choice(event.choice).open.get(event.index);
          if (open !== undefined) open.text += event.text;
          break;
        }
        case 'audio-delta': {
          const open = choice(event.choice).open.get(event.index);
          if (open === undefined) break;
          open.text += event.data ?? '';
          open.transcript += event.transcript ?? '';
          break;
        }
        case 'text-end':
        case 'reasoning-end':
        case 'refusal-end':
        case 'tool-call-end':
        case 'audio-end':
          choice(event.choice).open.delete(event.index);
          choice(event.choice).content[event.index] = event.part;
          break;
        case 'part':
          choice(event.choice).content[event.index] = event.part;
          break;
        case 'usage':
          usage = event.usage;
          break;
        case 'finish':
          choice(event.choice).finish = event.finish;
          choice(event.choice).finishLogprobs = event.logprobs;
          break;
        case 'end':
          end = event;
          break;
        default:
          break;
      }
    },
    response: () => respond(start, end, usage, choices),
  };
}

function respond(
  start: Start | undefined,
  end: End | undefined,
  usage: Usage | undefined,
  folds: Map<number, ChoiceFold>,
): ChatResponse {
  const model = end?.model ?? start?.model ?? '';
  const id = end?.id ?? start?.id ?? '';
  // The first choice is the message, also when nothing of it has come yet.
  const numbers = [...new Set([0, ...folds.keys()])].sort((a, b) => a - b);
  const choices = numbers.map((index): Choice => {
    const fold = folds.get(index) ?? new ChoiceFold();
    const logprobs = fold.finishLogprobs ?? fold.logprobs;
    const message: AssistantMessage = {
      role: 'assistant',
      content: fold.parts(),
      ...(start !== undefined && {
        origin: { protocol: start.protocol, provider: start.provider, model, responseId: id },
      }),
    };
    return {
      index,
      message,
      finish: fold.finish ?? { reason: end === undefined ? 'cancelled' : 'other' },
      ...(logprobs.length > 0 && { logprobs }),
    };
  });
  const first = choices[0] as Choice;
  const warnings: readonly Warning[] =
    end?.warnings === undefined ? (start?.warnings ?? []) : [...(start?.warnings ?? []), ...end.warnings];
  const rateLimit = end?.rateLimit ?? start?.rateLimit;
  const native: Native | undefined = end?.native ?? start?.native;
  return {
    id,
    model,
    createdAt: start?.createdAt ?? '',
    message: first.message,
    ...(choices.length > 1 && { choices }),
    finish: first.finish,
    usage: usage ?? unknownUsage(model),
    warnings,
    ...(first.logprobs !== undefined && { logprobs: first.logprobs }),
    ...(start?.requestId !== undefined && { requestId: start.requestId }),
    ...(rateLimit !== undefined && { rateLimit }),
    ...(native !== undefined && { native }),
    ...(end?.tier !== undefined && { tier: end.tier }),
    ...(end?.conversation !== undefined && { conversation: end.conversation }),
  };
}

/** An open block as a part: its text so far. A half tool call is marked invalid, so that nobody runs it. */
function partOf({ start, text, transcript }: Open): OutputPart | undefined {
  switch (start.type) {
    case 'text-start':
      return { type: 'text', text, ...(start.phase !== undefined && { phase: start.phase }) } satisfies TextPart;
    case 'reasoning-start':
      return { type: 'reasoning', text, form: start.form } satisfies ReasoningPart;
    case 'refusal-start':
      return { type: 'refusal', text };
    case 'tool-call-start':
      return {
        type: 'tool-call',
        id: start.id,
        name: start.name,
        args: null,
        argsText: text,
        invalid: { message: 'the stream ended inside the arguments' },
        executor: start.executor,
      };
    case 'audio-start':
      return {
        type: 'audio',
        source: { kind: 'base64', data: text },
        ...(start.mediaType !== undefined && { mediaType: start.mediaType }),
        ...(transcript !== '' && { transcript }),
      };
    default:
      return undefined;
  }
}
