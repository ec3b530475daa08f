import { countOf, numberOf, recordOf } from '../../core/wire-json.ts';
import type { Json, Tokens, Usage } from '../../operations/shared.ts';
import { usageOf } from '../../operations/usage.ts';

type Wire = Readonly<Record<string, unknown>>;
/** xAI bills in ticks, ten billion to the dollar (checked against its price list, 2026-11). */
const TICKS_PER_USD = 1e10;

/**
 * The usage object of an answer in our disjoint classes. OpenAI counts cached and written tokens inside the prompt and
 * reasoning inside the completion; servers that count reasoning apart are told by their total.
 */
export function decodeUsage(value: unknown, model: string, tier?: string): Usage | undefined {
  const wire = recordOf(value);
  if (wire === undefined) return undefined;
  // Voyage tells only a total of its embeddings.
  const onlyTotal = wire['prompt_tokens'] === undefined && wire['completion_tokens'] === undefined;
  const prompt = countOf(wire[onlyTotal ? 'total_tokens' : 'prompt_tokens']);
  const completion = countOf(wire['completion_tokens']);
  const { tokens, flags } = splitInput(wire, prompt);
  const details = recordOf(wire['completion_tokens_details']) ?? NONE;
  const reasoning = countOf(details['reasoning_tokens'] ?? wire['reasoning_tokens']);
  const audio = countOf(details['audio_tokens']);
  const image = countOf(details['image_tokens']);
  const rejected = countOf(details['rejected_prediction_tokens']);
  const apart = reasoning > 0 && countOf(wire['total_tokens']) === prompt + completion + reasoning;
  const output = completion - (apart ? 0 : reasoning) - audio - image - rejected;
  if (output < 0) flags.push('totals-mismatch');
  if (output > 0) tokens.output = output;
  if (reasoning > 0) tokens.reasoning = reasoning;
  if (audio > 0) tokens.outputAudio = audio;
  if (image > 0) tokens.outputImage = image;
  if (rejected > 0) tokens.rejectedPrediction = rejected;

  const units = unitsOf(wire);
  const cost = costOf(wire);
  const line = {
    model,
    role: 'main',
    tokens,
    ...(tier !== undefined && { tier }),
    ...(units !== undefined && { units }),
  };
  return usageOf([line], {
    raw: wire as Json,
    ...(flags.length > 0 && { flags: [...new Set(flags)] }),
    ...(cost !== undefined && { reportedCostUsd: cost }),
  });
}

const NONE: Wire = {};
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Flags = NonNullable<Usage['flags']>[number][];

/** The prompt's tokens in disjoint classes, each only where there are some. */
function splitInput(wire: Wire, prompt: number): { tokens: Mutable<Tokens>; flags: Flags } {
  const details = recordOf(wire['prompt_tokens_details']) ?? recordOf(wire['prompt_token_details']) ?? NONE;
  // DeepSeek, Moonshot and Mistral have names of their own for tokens read from cache.
  const cacheRead = countOf(
    details['cached_tokens'] ?? wire['prompt_cache_hit_tokens'] ?? wire['cached_tokens'] ?? wire['num_cached_tokens'],
  );
  const cacheWrite = countOf(details['cache_write_tokens'] ?? details['cache_creation_input_tokens']);
  const media = [countOf(details['audio_tokens']), countOf(details['image_tokens']), countOf(details['video_tokens'])];
  const flags: Flags = [];
  let rest = prompt - cacheRead - cacheWrite;
  for (const count of media) rest -= count;
  // The cache may hold media too, but the wire does not say how much: text is taken to be cached first.
  if (cacheRead > 0 && media.some((count) => count > 0)) {
    flags.push('split-estimated');
    for (const [place, count] of media.entries()) {
      const taken = Math.min(Math.max(0, -rest), count);
      media[place] = count - taken;
      rest += taken;
    }
  }
  if (rest < 0) flags.push('totals-mismatch');
  const [audio = 0, image = 0, video = 0] = media;
  const tokens: Mutable<Tokens> = {};
  if (cacheRead > 0) tokens.cacheRead = cacheRead;
  if (cacheWrite > 0) tokens.cacheWrite = cacheWrite;
  if (audio > 0) tokens.inputAudio = audio;
  if (image > 0) tokens.inputImage = image;
  if (video > 0) tokens.inputVideo = video;
  if (rest > 0) tokens.input = rest;
  return { tokens, flags };
}

function unitsOf(wire: Wire): Record<string, number> | undefined {
  const units: Record<string, number> = {};
  const searches = countOf(
    recordOf(wire['server_tool_use_details'] ?? wire['server_tool_use'])?.['web_search_requests'] ??
      wire['num_search_queries'],
  );
  const seconds = numberOf(wire['prompt_audio_seconds']) ?? 0;
  if (searches > 0) units['webSearch'] = searches;
  if (seconds > 0) units['audioSeconds'] = seconds;
  return Object.keys(units).length > 0 ? units : undefined;
}

/** What OpenRouter, DeepInfra, Perplexity and xAI say a call cost. */
function costOf(wire: Wire): number | undefined {
  const ticks = numberOf(wire['cost_in_usd_ticks']);
  return (
    numberOf(wire['cost']) ??
    numberOf(recordOf(wire['cost'])?.['total_cost']) ??
    numberOf(wire['estimated_cost']) ??
    (ticks === undefined ? undefined : ticks / TICKS_PER_USD)
  );
}

/** Our usage as this protocol's usage object; the inverse of {@link decodeUsage}, lines summed. */
export function encodeUsage(usage: Usage): Record<string, Json> {
  const { tokens } = usage;
  const sum = (...names: (keyof Tokens)[]) => names.reduce((total, name) => total + (tokens[name] ?? 0), 0);
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.total,
    prompt_tokens_details: {
      cached_tokens: sum('cacheRead', 'cacheReadAudio', 'cacheReadImage', 'cacheReadVideo'),
      cache_write_tokens: sum('cacheWrite', 'cacheWrite5m', 'cacheWrite30m', 'cacheWrite1h', 'cacheWrite12h'),
      audio_tokens: sum('inputAudio'),
      ...(sum('inputImage') > 0 && { image_tokens: sum('inputImage') }),
      ...(sum('inputVideo') > 0 && { video_tokens: sum('inputVideo') }),
    },
    completion_tokens_details: {
      reasoning_tokens: sum('reasoning'),
      audio_tokens: sum('outputAudio'),
      ...(sum('outputImage') > 0 && { image_tokens: sum('outputImage') }),
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: sum('rejectedPrediction'),
    },
  };
}
