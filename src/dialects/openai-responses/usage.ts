import { arrayOf, countOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { Json, Tokens, Usage, UsageLine } from '../../operations/shared.ts';
import { unknownUsage, usageOf } from '../../operations/usage.ts';
import type { Wire } from './protocol.ts';

/** A whole response's usage: the model's own tokens, the image tool's on a line of their own, and web searches. */
export function decodeUsage(response: Wire, model: string, tier: string | undefined): Usage {
  const usage = recordOf(response['usage']);
  if (usage === undefined) return unknownUsage(model);
  const flags: NonNullable<Usage['flags']>[number][] = [];
  const toolUsage = recordOf(response['tool_usage']);
  const searches = countOf(recordOf(toolUsage?.['web_search'])?.['num_requests']);
  const lines: UsageLine[] = [
    {
      model,
      role: 'main',
      ...(tier !== undefined && { tier }),
      tokens: mainTokens(usage, () => flags.push('totals-mismatch')),
      ...(searches > 0 && { units: { webSearch: searches } }),
    },
  ];
  const images = recordOf(toolUsage?.['image_gen']);
  if (images !== undefined && countOf(images['input_tokens']) + countOf(images['output_tokens']) > 0) {
    lines.push({ model: imageModelOf(response), role: 'tool', tokens: imageTokens(images) });
  }
  return usageOf(lines, { flags: flags.slice(0, 1), raw: usage as Json });
}

/** Cached and written tokens are inside `input_tokens`, reasoning is inside `output_tokens`. */
function mainTokens(usage: Wire, mismatch: () => void): Tokens {
  const taken = (whole: number, parts: readonly number[]): number => {
    const rest = parts.reduce((left, part) => left - part, whole);
    if (rest < 0) mismatch();
    return Math.max(0, rest);
  };
  const details = recordOf(usage['input_tokens_details']) ?? {};
  const output = recordOf(usage['output_tokens_details']) ?? {};
  const split = recordOf(details['cache_write_tokens_details']) ?? {};
  const prompt = countOf(usage['input_tokens']);
  const completion = countOf(usage['output_tokens']);
  const cacheRead = countOf(details['cached_tokens']);
  const written = countOf(details['cache_write_tokens']);
  const cacheWrite30m = Math.min(written, countOf(split['ttl_30m_tokens']));
  const cacheWrite12h = Math.min(written - cacheWrite30m, countOf(split['ttl_12h_tokens']));
  const inputAudio = countOf(details['audio_tokens']);
  const inputImage = countOf(details['image_tokens']);
  const reasoning = countOf(output['reasoning_tokens']);
  const outputAudio = countOf(output['audio_tokens']);
  const outputImage = countOf(output['image_tokens']);
  // Some compatible servers count thinking beside the completion instead of inside it: their total gives them away.
  const apart = reasoning > 0 && countOf(usage['total_tokens']) === prompt + completion + reasoning;
  return onlyCounted({
    input: taken(prompt, [cacheRead, written, inputAudio, inputImage]),
    cacheRead,
    cacheWrite: Math.max(0, written - cacheWrite30m - cacheWrite12h),
    cacheWrite30m,
    cacheWrite12h,
    inputAudio,
    inputImage,
    output: taken(completion, apart ? [outputAudio, outputImage] : [reasoning, outputAudio, outputImage]),
    reasoning,
    outputAudio,
    outputImage,
  });
}

function imageTokens(images: Wire): Tokens {
  const details = recordOf(images['input_tokens_details']);
  const cached = recordOf(images['cached_tokens_details']);
  const cacheReadImage = countOf(cached?.['cached_image_tokens']);
  const cacheRead = Math.max(0, countOf(images['cached_tokens']) - cacheReadImage);
  const inputImage = Math.max(0, countOf(details?.['image_tokens']) - cacheReadImage);
  const produced = countOf(images['output_tokens']);
  const output = Math.min(produced, countOf(recordOf(images['output_tokens_details'])?.['text_tokens']));
  return onlyCounted({
    input: Math.max(0, countOf(images['input_tokens']) - inputImage - cacheReadImage - cacheRead),
    inputImage,
    cacheRead,
    cacheReadImage,
    output,
    outputImage: produced - output,
  });
}

/** The main classes stay even at 0, so that a reported 0 is not mistaken for nothing reported. */
function onlyCounted(tokens: Tokens): Tokens {
  const kept: Record<string, number> = {};
  for (const name in tokens) {
    const count = tokens[name as keyof Tokens] ?? 0;
    if (count > 0 || name === 'input' || name === 'output') kept[name] = count;
  }
  return kept;
}

/** The echo of the request's tools names the image model, if the caller chose one. */
function imageModelOf(response: Wire): string {
  for (const tool of arrayOf(response['tools'])) {
    const named = recordOf(tool);
    if (named?.['type'] === 'image_generation') return stringOf(named['model']) ?? 'image_generation';
  }
  return 'image_generation';
}

/** The inverse, for an application that speaks this protocol: all lines in one. `null` where nothing is known. */
export function encodeUsage(usage: Usage): Json {
  if (usage.quality === 'unknown') return null;
  const count = (prefix: string): number => {
    let sum = 0;
    for (const [name, tokens] of Object.entries(usage.tokens)) if (name.startsWith(prefix)) sum += tokens ?? 0;
    return sum;
  };
  const { cacheWrite30m = 0, cacheWrite12h = 0, reasoning = 0 } = usage.tokens;
  return {
    input_tokens: usage.input,
    input_tokens_details: {
      cached_tokens: count('cacheRead'),
      cache_write_tokens: count('cacheWrite'),
      ...(cacheWrite30m + cacheWrite12h > 0 && {
        cache_write_tokens_details: { ttl_30m_tokens: cacheWrite30m, ttl_12h_tokens: cacheWrite12h },
      }),
    },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: usage.total,
  };
}
