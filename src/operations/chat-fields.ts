import {
  between,
  type Check,
  isBoolean,
  isCacheTtl,
  isNative,
  isNumber,
  isString,
  isText,
  isWhole,
  isWord,
  listOf,
  shape,
  valuesOf,
  wholeFrom,
} from './field-checks.ts';

const isTool = shape({ tool: isText, allow: listOf(isText), mode: isWord('auto', 'required') });

/** Plain fields of a chat request: copied as they are once they pass. A map, since names come from callers. */
export const PLAIN_FIELDS: ReadonlyMap<string, Check> = new Map<string, Check>(
  Object.entries({
    model: isText,
    toolChoice: (value: unknown) =>
      typeof value === 'string' ? isWord('auto', 'none', 'required')(value) : toolChoiceProblem(value),
    parallelToolCalls: isBoolean,
    maxToolCalls: wholeFrom(0),
    verbosity: isWord('low', 'medium', 'high'),
    maxTokens: wholeFrom(0),
    temperature: between(0, 2),
    topP: between(0, 1),
    topK: wholeFrom(0),
    minP: between(0, 1),
    presencePenalty: between(-2, 2),
    frequencyPenalty: between(-2, 2),
    repetitionPenalty: between(0, 10),
    logitBias: valuesOf(isNumber),
    seed: isWhole,
    n: wholeFrom(1),
    logprobs: (value: unknown) => (typeof value === 'boolean' ? undefined : wholeFrom(0)(value)),
    modalities: listOf(isWord('text', 'image', 'audio')),
    audio: shape({ voice: isString, format: isString }),
    prediction: isText,
    cache: shape({ key: isString, ttl: isCacheTtl, mode: isWord('auto', 'explicit', 'off') }),
    tier: isText,
    user: isText,
    metadata: valuesOf(isString),
    conversation: shape({ previousResponseId: isString, id: isString, store: isBoolean }),
    background: isBoolean,
    truncation: isWord('auto', 'disabled', 'compact'),
    native: isNative,
  }),
);
/** Fields that have a shorter way to be written. */
const SUGAR = ['prompt', 'system', 'messages', 'tools', 'output', 'reasoning', 'stop'];
export const CHAT_FIELDS: ReadonlySet<string> = new Set([...PLAIN_FIELDS.keys(), ...SUGAR]);

function toolChoiceProblem(value: unknown): string | undefined {
  const problem = isTool(value);
  if (problem !== undefined) return problem;
  const { tool, allow } = value as { tool?: unknown; allow?: unknown };
  return tool !== undefined || allow !== undefined ? undefined : 'expected { tool: name } or { allow: [names] }';
}
