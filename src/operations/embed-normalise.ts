import type { EmbedInput } from './chat-input.ts';
import type { EmbedRequest } from './embed.ts';
import { type Check, isNative, isObject, isText, isWord, problemAt, wholeFrom } from './field-checks.ts';
import { didYouMean, RequestProblem } from './problem.ts';

const FIELDS: ReadonlyMap<string, Check> = new Map<string, Check>(
  Object.entries({
    model: isText,
    input: (value: unknown) => {
      const texts = typeof value === 'string' ? [value] : value;
      return Array.isArray(texts) && texts.length > 0 && texts.every((text) => typeof text === 'string')
        ? undefined
        : 'expected a text or a list of texts with at least one';
    },
    purpose: isText,
    dimensions: wholeFrom(1),
    encoding: isWord('float', 'base64', 'int8', 'uint8', 'binary', 'ubinary'),
    user: isText,
    native: isNative,
  }),
);
export const EMBED_FIELDS: ReadonlySet<string> = new Set(FIELDS.keys());

/** An embedding request in normal form. */
export function normaliseEmbed(input: EmbedInput, defaultModel = 'default'): EmbedRequest {
  if (isObject(input) !== undefined) throw new RequestProblem('request', 'expected an object like { model, input }.');
  const result: Record<string, unknown> = { model: defaultModel };
  for (const name of new Set(['input', ...Object.keys(input)])) {
    const value: unknown = Reflect.get(input, name);
    const check = FIELDS.get(name);
    if (check === undefined)
      throw new RequestProblem(name, `is no field of an embedding request.${didYouMean(name, FIELDS.keys())}`);
    if (value === undefined && name !== 'input') continue;
    const problem = check(value);
    if (problem !== undefined) throw problemAt(name, problem, value);
    result[name] = name === 'input' && typeof value === 'string' ? [value] : value;
  }
  // Every field was checked by name above.
  return result as unknown as EmbedRequest;
}
