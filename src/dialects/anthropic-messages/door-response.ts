import type { DoorEnvironment, EncodedResponse } from '../../core/dialect.ts';
import { shortHash } from '../../core/replay.ts';
import { mergeNative } from '../../core/wire-json.ts';
import type { ChatResponse, Finish } from '../../operations/chat.ts';
import { hasNullables, type ShowOptions, showPart } from './door-blocks.ts';
import { encodeUsage } from './door-usage.ts';
import { PROTOCOL, type Wire } from './encoding.ts';
import type { Origin } from './envelope.ts';
import { STOP_REASONS } from './finish.ts';

/** A canonical response as the `Message` the application's SDK expects. */
export function encodeResponse(response: ChatResponse, environment: DoorEnvironment): EncodedResponse {
  const nullables = hasNullables(environment.headers);
  const origin: Origin = response.message.origin ?? { protocol: '', provider: '', model: response.model };
  const options: ShowOptions = { nullables, origin };
  const content = response.message.content.flatMap((part) => showPart(part, options) ?? []);
  const body: Wire = {
    ...messageShell(response.id, response.model, nullables),
    content,
    ...encodeStop(response.finish, nullables),
    usage: encodeUsage(response.usage, nullables),
  };
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      ...(response.requestId !== undefined && { 'request-id': response.requestId }),
    },
    body: mergeNative(body, response.native, PROTOCOL),
  };
}

/** A message before it has content. */
export function messageShell(id: string, model: string, nullables: boolean): Wire {
  return {
    id: id.startsWith('msg_') ? id : `msg_ptn_${shortHash(id)}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...(nullables && { stop_details: null, container: null, diagnostics: null }),
  };
}

const REASONS: Readonly<Record<Finish['reason'], string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  'context-length': 'model_context_window_exceeded',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
  refusal: 'refusal',
  pause: 'pause_turn',
  error: 'end_turn',
  cancelled: 'end_turn',
  other: 'end_turn',
};

/** The stop fields. The provider's own word is kept where it means the same. */
export function encodeStop(finish: Finish, nullables: boolean): Wire {
  const raw = finish.raw !== undefined && STOP_REASONS[finish.raw] === finish.reason ? finish.raw : undefined;
  const word = raw ?? (finish.stopSequence !== undefined ? 'stop_sequence' : REASONS[finish.reason]);
  const refused =
    word === 'refusal' && (nullables || finish.category !== undefined || finish.explanation !== undefined);
  const stop: Wire = {
    stop_reason: word,
    stop_sequence: finish.stopSequence ?? null,
    ...(nullables && { stop_details: null }),
    ...(refused && {
      stop_details: { type: 'refusal', category: finish.category ?? null, explanation: finish.explanation ?? null },
    }),
  };
  return mergeNative(stop, finish.native, PROTOCOL);
}
