import { CHAT_FIELDS, PLAIN_FIELDS } from './chat-fields.ts';
import type { ChatInput, ChatRequestInput } from './chat-input.ts';
import { normaliseMessages, systemParts, userContent } from './chat-normalise-messages.ts';
import { namesFormat, normaliseOutput, normaliseTools } from './chat-normalise-tools.ts';
import { type ChatRequest, EFFORTS, type ReasoningOptions } from './chat.ts';
import { isObject, isWord, problemAt, shape, wholeFrom } from './field-checks.ts';
import { didYouMean, RequestProblem } from './problem.ts';
import { isStandardSchema, type SchemaLike } from './schema.ts';

/** What the caller wrote, as a request in normal form: plain JSON, schemas as JSON Schema, no sugar. */
export function normaliseChat(input: ChatInput, defaultModel = 'default'): ChatRequest {
  if (typeof input === 'string') return normaliseChat({ prompt: input }, defaultModel);
  if (Array.isArray(input)) return normaliseChat({ messages: input }, defaultModel);
  if (typeof input !== 'object' || input === null) {
    throw new RequestProblem('request', 'expected a text, a list of messages or an object.');
  }
  const request = input as ChatRequestInput;
  const result: Record<string, unknown> = { model: request.model ?? defaultModel };
  for (const [name, value] of Object.entries(request)) {
    const check = PLAIN_FIELDS.get(name);
    if (check === undefined) {
      if (!CHAT_FIELDS.has(name))
        throw new RequestProblem(name, `is no field of a chat request.${didYouMean(name, CHAT_FIELDS)}`);
      continue;
    }
    if (value === undefined) continue;
    const problem = check(value);
    if (problem !== undefined) throw problemAt(name, problem, value);
    result[name] = value;
  }
  if (request.system !== undefined) result['system'] = systemParts(request.system, 'system');
  const messages = request.messages === undefined ? [] : normaliseMessages(request.messages, 'messages');
  if (request.prompt !== undefined) messages.push({ role: 'user', content: userContent(request.prompt, 'prompt') });
  if (messages.length === 0) {
    throw new RequestProblem('messages', 'a request needs at least one message; give `prompt` or `messages`.');
  }
  result['messages'] = messages;
  if (request.tools !== undefined) result['tools'] = normaliseTools(request.tools);
  if (request.output !== undefined) result['output'] = normaliseOutput(request.output);
  if (request.reasoning !== undefined) result['reasoning'] = normaliseReasoning(request.reasoning);
  if (request.stop !== undefined) result['stop'] = normaliseStop(request.stop);
  // Every field was checked by name above.
  return result as unknown as ChatRequest;
}

/** The schema object a request was written with, for checking the answer. */
export function outputSchemaOf(input: ChatInput): SchemaLike | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined;
  const { output } = input as ChatRequestInput;
  if (typeof output !== 'object' || output === null)
    return typeof output === 'function' ? (output as SchemaLike) : undefined;
  if (isStandardSchema(output)) return output;
  if (!namesFormat(output)) return output as SchemaLike;
  return (output as { readonly schema?: SchemaLike }).schema;
}

const reasoningShape = shape({
  effort: isWord(...EFFORTS),
  budgetTokens: wholeFrom(0),
  show: isWord('none', 'summary', 'detailed'),
});

function normaliseReasoning(reasoning: NonNullable<ChatRequestInput['reasoning']>): ReasoningOptions {
  if (reasoning === false) return { effort: 'none' };
  const options = typeof reasoning === 'string' ? { effort: reasoning } : reasoning;
  if (isObject(options) !== undefined) throw new RequestProblem('reasoning', 'expected an effort, false or an object.');
  const problem = reasoningShape(options);
  if (problem !== undefined) throw problemAt('reasoning', problem);
  return options;
}

function normaliseStop(stop: string | readonly string[]): readonly string[] {
  const list = typeof stop === 'string' ? [stop] : stop;
  if (!Array.isArray(list) || list.some((text) => typeof text !== 'string' || text === '')) {
    throw new RequestProblem('stop', 'expected a text or a list of texts that are not empty.');
  }
  return list;
}
