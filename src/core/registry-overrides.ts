import { CHAT_FIELDS } from '../operations/chat-fields.ts';
import { normaliseChat } from '../operations/chat-normalise.ts';
import { EMBED_FIELDS } from '../operations/embed-normalise.ts';
import { didYouMean, RequestProblem } from '../operations/problem.ts';
import type { CandidateOverrides } from './call.ts';
import { invalidOptions } from './errors.ts';
import { anObject } from './options.ts';

/** What a target may replace or not take: everything but what the request asks and of whom. */
const FIELDS: ReadonlySet<string> = new Set(
  [...CHAT_FIELDS, ...EMBED_FIELDS].filter((name) => !['model', 'messages', 'prompt', 'input'].includes(name)),
);

/** Throws `invalid-options` unless it is a field of a request that is not its content. */
export function checkRequestField(name: string, path: string): void {
  if (!FIELDS.has(name)) throw invalidOptions(path, `is no field of a request.${didYouMean(name, FIELDS)}`);
}

/** Request fields in normal form, so that what is short in a call may be short here. */
export function normalOverrides(overrides: unknown, path: string): CandidateOverrides['request'] {
  if (overrides === undefined) return undefined;
  if (anObject(overrides) !== undefined) {
    throw invalidOptions(path, 'expected an object of request fields, like { maxTokens: 500 }.');
  }
  const names = Object.keys(overrides as object);
  for (const name of names) checkRequestField(name, `${path}.${name}`);
  const ofChat = Object.entries(overrides as object).filter(([name]) => CHAT_FIELDS.has(name));
  try {
    const {
      model: _model,
      messages: _messages,
      ...normal
    } = normaliseChat({
      prompt: '-',
      ...Object.fromEntries(ofChat),
    });
    return { ...(overrides as object), ...normal };
  } catch (error) {
    if (error instanceof RequestProblem) throw invalidOptions(`${path}.${error.field}`, error.message);
    throw error;
  }
}
