import type { EmbedInput } from './chat-input.ts';
import type { EmbedRequest } from './embed.ts';
import { didYouMean, RequestProblem } from './problem.ts';

export const EMBED_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'input',
  'purpose',
  'dimensions',
  'encoding',
  'user',
  'native',
]);
const ENCODINGS = new Set(['float', 'base64', 'int8', 'uint8', 'binary', 'ubinary']);

/** An embedding request in normal form. */
export function normaliseEmbed(input: EmbedInput, defaultModel = 'default'): EmbedRequest {
  if (typeof input !== 'object' || input === null)
    throw new RequestProblem('request', 'expected an object like { model, input }.');
  for (const name of Object.keys(input)) {
    if (!EMBED_FIELDS.has(name))
      throw new RequestProblem(name, `is no field of an embedding request.${didYouMean(name, EMBED_FIELDS)}`);
  }
  const texts = typeof input.input === 'string' ? [input.input] : input.input;
  if (!Array.isArray(texts) || texts.length === 0 || texts.some((text) => typeof text !== 'string')) {
    throw new RequestProblem('input', 'expected a text or a list of texts with at least one.');
  }
  if (input.dimensions !== undefined && !(Number.isInteger(input.dimensions) && input.dimensions > 0)) {
    throw new RequestProblem('dimensions', 'expected a whole number of at least 1.');
  }
  if (input.encoding !== undefined && !ENCODINGS.has(input.encoding)) {
    throw new RequestProblem('encoding', `expected ${[...ENCODINGS].join(', ')}.`);
  }
  const { dimensions, encoding, purpose, user, native } = input;
  return {
    model: input.model ?? defaultModel,
    input: texts,
    ...(purpose !== undefined && { purpose }),
    ...(dimensions !== undefined && { dimensions }),
    ...(encoding !== undefined && { encoding }),
    ...(user !== undefined && { user }),
    ...(native !== undefined && { native }),
  };
}
