import type { DoorEnvironment, EncodedResponse } from '../../core/dialect.ts';
import type { ChatResponse, Choice } from '../../operations/chat.ts';
import type { Json, JsonObject } from '../../operations/shared.ts';
import {
  annotationsOf,
  callText,
  completionId,
  createdOf,
  shownCalls,
  wireAudio,
  wireCall,
  wireImage,
} from './door-choice.ts';
import { encodeLogprobs, finishWord } from './finish.ts';
import { mergeWire, PROTOCOL } from './hints.ts';
import { encodeUsage } from './usage.ts';

/** A response as the application's SDK expects it: every field that its types promise is there. */
export function encodeResponse(response: ChatResponse, environment: DoorEnvironment): EncodedResponse {
  const legacy = environment.facts['legacyFunctions'] === true;
  const protocol = response.message.origin?.protocol;
  const choices: readonly Choice[] = response.choices ?? [
    {
      index: 0,
      message: response.message,
      finish: response.finish,
      ...(response.logprobs !== undefined && { logprobs: response.logprobs }),
    },
  ];
  const body: JsonObject = {
    id: completionId(response.id, protocol),
    object: 'chat.completion',
    created: createdOf(response.createdAt, environment.nowMs),
    model: response.model,
    choices: choices.map((choice) => encodeChoice(choice, legacy, environment.nowMs)),
    ...(response.usage.quality !== 'unknown' && { usage: encodeUsage(response.usage) }),
    ...(response.tier !== undefined && { service_tier: response.tier }),
  };
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      ...(response.requestId !== undefined && { 'x-request-id': response.requestId }),
    },
    body: mergeWire(body, response.native),
  };
}

function encodeChoice(choice: Choice, legacy: boolean, nowMs: number): JsonObject {
  const refused = choice.message.content.some((part) => part.type === 'refusal');
  const wire = {
    index: choice.index,
    message: encodeMessage(choice, legacy, nowMs),
    logprobs: encodeLogprobs(choice.logprobs, refused),
    finish_reason: finishWord(choice.finish, legacy, refused),
  };
  return mergeWire<JsonObject>(wire, choice.finish.native);
}

function encodeMessage({ message }: Choice, legacy: boolean, nowMs: number): JsonObject {
  let text = '';
  let refusal: string | null = null;
  let reasoning = '';
  const fields: Record<string, Json> = {};
  const annotations: Json[] = [];
  const images: Json[] = [];
  const ours = message.origin?.protocol === PROTOCOL;
  for (const part of message.content) {
    if (part.type === 'text') {
      annotations.push(...annotationsOf(part, text.length));
      text += part.text;
    } else if (part.type === 'refusal') refusal = (refusal ?? '') + part.text;
    else if (part.type === 'reasoning' && ours) {
      reasoning += part.text;
      Object.assign(fields, mergeWire<JsonObject>({}, part.native));
    } else if (part.type === 'audio') fields['audio'] = wireAudio(part, nowMs);
    else {
      const image = wireImage(part);
      if (image !== undefined) images.push(image);
    }
  }
  const calls = shownCalls(message.content);
  const first = calls[0];
  return {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || refusal !== null || fields['audio'] !== undefined) ? null : text,
    refusal,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...fields,
    ...(annotations.length > 0 && { annotations }),
    ...(images.length > 0 && { images }),
    ...(legacy && first !== undefined && { function_call: { name: first.name, arguments: callText(first) } }),
    ...(!legacy && calls.length > 0 && { tool_calls: calls.map(wireCall) }),
  };
}
