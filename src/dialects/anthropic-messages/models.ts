/**
 * What Claude models accept. Sources, read 2026-11-22: the model list and `DEPRECATED_MODELS` of @anthropic-ai/sdk
 * 1.12.0; Anthropic's pages on models, thinking, effort and the migration guides up to Opus 5.5, as quoted in public
 * client libraries; recorded requests that succeeded. First match wins; names are matched anywhere in the model id,
 * so that `anthropic.claude-…-v1:0` and `claude-…@20250514` are found too.
 */
export interface AnthropicModel {
  /** Largest `max_tokens`, in tokens. */
  readonly outputTokensMax: number;
  /** Sampling parameters: all of them, `temperature` or `top_p` but not both, or none. */
  readonly sampling: 'all' | 'one' | 'none';
  /** How thinking is asked for: not at all, by a token budget, by effort, or either. */
  readonly thinking: 'none' | 'budget' | 'both' | 'adaptive';
  /** Whether `thinking: {type: 'disabled'}` is accepted. */
  readonly thinkingOff: boolean;
  /** Levels of `output_config.effort`, ascending. */
  readonly efforts: readonly ('low' | 'medium' | 'high' | 'xhigh' | 'max')[];
  /** Whether `output_config.format` is accepted. */
  readonly format: boolean;
  /** Whether a tool may be forced. */
  readonly forcedTools: boolean;
  /** Whether the last message may be an assistant turn to continue. */
  readonly prefill: boolean;
  /** Whether `role: 'system'` is accepted between turns. */
  readonly systemInside: boolean;
  /** Whether returned thinking is the model's own words and not a summary. */
  readonly thinkingFull: boolean;
  /** Whether thinking without a signature is refused. */
  readonly signed: boolean;
}

const OLD: AnthropicModel = {
  outputTokensMax: 4096,
  sampling: 'all',
  thinking: 'none',
  thinkingOff: false,
  efforts: [],
  format: false,
  forcedTools: true,
  prefill: true,
  systemInside: false,
  thinkingFull: false,
  signed: true,
};
const FOUR: AnthropicModel = { ...OLD, outputTokensMax: 64_000, thinking: 'budget', thinkingOff: true };
const FOUR_FIVE: AnthropicModel = { ...FOUR, sampling: 'one', format: true };
const FOUR_SIX: AnthropicModel = {
  ...FOUR_FIVE,
  outputTokensMax: 128_000,
  thinking: 'both',
  efforts: ['low', 'medium', 'high', 'max'],
  prefill: false,
};
const FOUR_SEVEN: AnthropicModel = {
  ...FOUR_SIX,
  sampling: 'none',
  thinking: 'adaptive',
  efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
};
const FIVE: AnthropicModel = { ...FOUR_SEVEN, systemInside: true };
const ALWAYS_THINKS: AnthropicModel = { ...FIVE, thinkingOff: false };

const MODELS: readonly (readonly [name: string, model: AnthropicModel])[] = [
  ['claude-opus-5-5', { ...ALWAYS_THINKS, forcedTools: false }],
  ['claude-fable-5-1', { ...ALWAYS_THINKS, forcedTools: false }],
  ['claude-fable-5-2', { ...ALWAYS_THINKS, forcedTools: false }],
  ['claude-mythos-5-1', { ...ALWAYS_THINKS, forcedTools: false }],
  ['claude-mythos-5-2', { ...ALWAYS_THINKS, forcedTools: false }],
  ['claude-fable-5', ALWAYS_THINKS],
  ['claude-mythos-5', ALWAYS_THINKS],
  ['claude-mythos-preview', { ...ALWAYS_THINKS, thinking: 'both' }],
  ['claude-opus-5', FIVE],
  ['claude-opus-4-8', FIVE],
  ['claude-sonnet-5', FOUR_SEVEN],
  ['claude-haiku-5', FOUR_SEVEN],
  ['claude-opus-4-7', FOUR_SEVEN],
  ['claude-opus-4-6', FOUR_SIX],
  ['claude-sonnet-4-6', FOUR_SIX],
  ['claude-opus-4-5', FOUR_FIVE],
  ['claude-sonnet-4-5', FOUR_FIVE],
  ['claude-haiku-4-5', FOUR_FIVE],
  ['claude-opus-4-1', { ...FOUR_FIVE, outputTokensMax: 32_000 }],
  ['claude-sonnet-4', FOUR],
  ['claude-opus-4', { ...FOUR, outputTokensMax: 32_000 }],
  ['claude-3-7', { ...FOUR, thinkingFull: true }],
  ['claude-3-5', { ...OLD, outputTokensMax: 8192 }],
  ['claude-3', OLD],
  ['claude-2', OLD],
  ['claude-instant', OLD],
  ['claude-v', OLD],
  // A Claude that is not listed is newer than this list.
  ['claude-', FIVE],
];

/** Other vendors' models behind this protocol: the cautious common part, thinking by budget and unsigned. */
const FOREIGN: AnthropicModel = { ...OLD, thinking: 'budget', thinkingOff: true, signed: false };

/** What a model accepts; model names that nobody listed get a cautious guess. */
export function modelOf(name: string): AnthropicModel {
  const plain = name.toLowerCase().replaceAll('.', '-');
  for (const [part, model] of MODELS) if (plain.includes(part)) return model;
  return FOREIGN;
}
