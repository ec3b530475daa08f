import type { ChatResponse, Finish, TokenLogprob } from './chat.ts';
import type {
  AudioPart,
  Citation,
  ImagePart,
  OutputPart,
  ReasoningPart,
  RefusalPart,
  TextPart,
  ToolCallPart,
} from './chat-parts.ts';
import type { Json, Protocol, RateLimitWindow, ResponseFacts, Usage, Warning } from './shared.ts';

/** `index` is the final position in `message.content`; `choice` is absent for the first. */
interface At {
  readonly choice?: number;
  readonly index: number;
}

/**
 * One item of a chat stream. Grammar: `start`, then blocks (`*-start`, deltas, `*-end` with the finished part) and
 * whole `part`s, `usage` snapshots, one `finish` a choice, and `end` exactly once, last. A failure is thrown by the
 * iterator instead of `end`. Consumers ignore types they don't know.
 */
export type ChatEvent =
  | ({
      readonly type: 'start';
      readonly provider: string;
      readonly protocol: Protocol;
      readonly warnings: readonly Warning[];
    } & ResponseFacts)
  | ({ readonly type: 'text-start'; readonly phase?: 'commentary' | 'final' } & At)
  | ({ readonly type: 'text-delta'; readonly text: string; readonly logprobs?: readonly TokenLogprob[] } & At)
  | ({ readonly type: 'citation'; readonly citation: Citation } & At)
  | ({ readonly type: 'text-end'; readonly part: TextPart } & At)
  | ({ readonly type: 'reasoning-start'; readonly form: ReasoningPart['form']; readonly id?: string } & At)
  | ({ readonly type: 'reasoning-delta'; readonly text: string } & At)
  | ({ readonly type: 'reasoning-end'; readonly part: ReasoningPart } & At)
  | ({ readonly type: 'refusal-start' } & At)
  | ({ readonly type: 'refusal-delta'; readonly text: string } & At)
  | ({ readonly type: 'refusal-end'; readonly part: RefusalPart } & At)
  | ({
      readonly type: 'tool-call-start';
      readonly id: string;
      readonly name: string;
      readonly executor: 'client' | 'provider';
      readonly encoding: 'json' | 'text';
      readonly server?: string;
    } & At)
  | ({ readonly type: 'tool-call-delta'; readonly text: string } & At)
  | ({ readonly type: 'tool-call-end'; readonly part: ToolCallPart } & At)
  | ({ readonly type: 'audio-start'; readonly mediaType?: string; readonly id?: string } & At)
  | ({ readonly type: 'audio-delta'; readonly data?: string; readonly transcript?: string } & At)
  | ({ readonly type: 'audio-end'; readonly part: AudioPart } & At)
  /** A part that came whole: image, file, tool result, approval request, native block. */
  | ({ readonly type: 'part'; readonly part: OutputPart } & At)
  /** Hosted-tool status or a partial image. Safe to drop. */
  | ({ readonly type: 'progress'; readonly status: string; readonly partial?: ImagePart; readonly native?: Json } & At)
  /** Cumulative; replaces earlier ones. */
  | { readonly type: 'usage'; readonly usage: Usage }
  | {
      readonly type: 'finish';
      readonly choice?: number;
      readonly finish: Finish;
      readonly logprobs?: readonly TokenLogprob[];
    }
  /** The provider's own event, only when the call asked for `raw: true`. */
  | { readonly type: 'raw'; readonly protocol: Protocol; readonly event: Json }
  /** Only from middleware that restarts an answer: forget everything since `start`. */
  | { readonly type: 'reset'; readonly reason: string }
  | ({ readonly type: 'end' } & EndFacts);

/** Facts only known at the end. */
export interface EndFacts extends Pick<ChatResponse, 'tier' | 'conversation' | 'native'> {
  /** Replaces the `id` and `model` of `start` where the provider said better later. */
  readonly id?: string;
  readonly model?: string;
  /** Further warnings; those of `start` are not repeated. */
  readonly warnings?: readonly Warning[];
  readonly rateLimit?: readonly RateLimitWindow[];
  /** The folded response. Set by the gateway on the stream users iterate; absent inside middleware. */
  readonly response?: ChatResponse;
}

/** Whether an event is content: from here on a failure can no longer be hidden by trying again. */
export function isContent(event: ChatEvent): boolean {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
    case 'refusal-delta':
    case 'audio-delta':
    case 'tool-call-start':
    case 'tool-call-delta':
    case 'part':
      return true;
    case 'progress':
      return true;
    case 'text-end':
    case 'refusal-end':
    case 'reasoning-end':
      return event.part.text !== '';
    default:
      return false;
  }
}
