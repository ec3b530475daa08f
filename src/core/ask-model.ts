import { type ChatRequest, textOf } from '../operations/chat.ts';
import type { Call, Next, PlainReply } from './call.ts';
import { subcall } from './subcall.ts';

/** A question a middleware puts to a model on behalf of a call. */
export interface Question {
  /** An alias, `provider/model` or bare model. */
  readonly model: string;
  readonly prompt: string;
  readonly system?: string;
  /** What it is for; stands on every meter row. */
  readonly purpose: string;
  /** @defaultValue the call's own */
  readonly signal?: AbortSignal;
}

/** Asks a model below this middleware and gives its text. Metered with the call. */
export async function askModel(call: Call, next: Next, question: Question): Promise<string> {
  const { model, prompt, system, purpose, signal = call.signal } = question;
  const request: ChatRequest = {
    model,
    messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
    ...(system !== undefined && { system: [{ type: 'text', text: system }] }),
  };
  const child = { ...subcall(call, 'chat', request, { purpose }), signal };
  const { response } = (await next(child)) as PlainReply<'chat'>;
  return textOf(response.message);
}
